package kindcluster

import (
	"fmt"
	"strings"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/cluster/nodes"
	"sigs.k8s.io/kind/pkg/log"
)

// Provider is what is used of kind.
type Provider interface {
	// Clusters are the names of those that there are.
	Clusters() ([]string, error)
	// Create makes one, and enters it in a kubeconfig.
	Create(name string, config *v1alpha4.Cluster, kubeconfig string, retain bool) error
	// Delete deletes one, and its entry.
	Delete(name, kubeconfig string) error
	// Export enters one that is there in a kubeconfig.
	Export(name, kubeconfig string) error
	// KubeConfig is a kubeconfig of that one alone.
	KubeConfig(name string) (string, error)
	// Nodes are its nodes.
	Nodes(name string) ([]nodes.Node, error)
}

// kindProvider is kind's library.
type kindProvider struct{ *cluster.Provider }

func newProvider(e *Engine, tell func(string)) Provider {
	var engine cluster.ProviderOption
	switch e.Name {
	case docker:
		engine = cluster.ProviderWithDocker()
	case podman:
		engine = cluster.ProviderWithPodman()
	default:
		engine = cluster.ProviderWithNerdctl(e.Name)
	}
	return kindProvider{cluster.NewProvider(engine, cluster.ProviderWithLogger(logger{tell}))}
}

func (p kindProvider) Clusters() ([]string, error) { return p.List() }

func (p kindProvider) Create(name string, config *v1alpha4.Cluster, kubeconfig string, retain bool) error {
	return p.Provider.Create(name, cluster.CreateWithV1Alpha4Config(config), cluster.CreateWithKubeconfigPath(kubeconfig),
		cluster.CreateWithRetain(retain), cluster.CreateWithWaitForReady(createWithin))
}

func (p kindProvider) Export(name, kubeconfig string) error {
	return p.ExportKubeConfig(name, kubeconfig, false)
}

func (p kindProvider) KubeConfig(name string) (string, error) {
	return p.Provider.KubeConfig(name, false)
}

func (p kindProvider) Nodes(name string) ([]nodes.Node, error) { return p.ListInternalNodes(name) }

// logger tells what kind says: its progress, plainly, and its warnings.
type logger struct{ tell func(string) }

var _ log.Logger = logger{}

func (l logger) Warn(message string) { l.say("kind warns: " + message) }
func (l logger) Warnf(format string, args ...any) {
	l.Warn(fmt.Sprintf(format, args...))
}
func (l logger) Error(message string) { l.say("kind: " + message) }
func (l logger) Errorf(format string, args ...any) {
	l.Error(fmt.Sprintf(format, args...))
}
func (l logger) V(level log.Level) log.InfoLogger {
	if level > 0 {
		return log.NoopInfoLogger{}
	}
	return info(l)
}

func (l logger) say(message string) {
	if message = strings.TrimSpace(message); message != "" {
		l.tell(message)
	}
}

// info tells what is begun, and not again that it is done.
type info logger

func (i info) Enabled() bool { return true }
func (i info) Info(message string) {
	message = strings.TrimSpace(strings.TrimRight(plain(message), ". \n"))
	if step, begun := strings.CutPrefix(message, "• "); begun {
		logger(i).say("kind: " + step)
	}
}
func (i info) Infof(format string, args ...any) { i.Info(fmt.Sprintf(format, args...)) }

// plain leaves pictures out.
func plain(message string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r >= 0x2600 && r != '✓' && r != '✗' || r == 0x200d || r == 0xfe0f {
			return -1
		}
		return r
	}, message))
}
