package manager

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"

	apiconfig "github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/outbound"
)

// The Service and the Secret of the webhooks, as they are installed.
const (
	ServiceOfWebhooks = "tekton-pipelines-webhook"
	SecretOfWebhooks  = "tekton-pipelines-webhook-certs"
)

// Settings are what the command line says.
type Settings struct {
	Options
	Kubeconfig string
	QPS        float64
	Burst      int
	// LogLevel is debug, info, warn or error; LogFormat is json or text.
	LogLevel, LogFormat string
	// Network is where resolvers look.
	Network outbound.Network
}

// ParseFlags reads a command line. What is wrong has been told to the writer when it returns.
func ParseFlags(args []string, to io.Writer) (*Settings, error) {
	s := &Settings{}
	f := flag.NewFlagSet("controller", flag.ContinueOnError)
	f.SetOutput(to)
	var tenants, hosts string
	f.StringVar(&s.Kubeconfig, "kubeconfig", "", "`file` that says which cluster; without it KUBECONFIG, or the cluster that this runs in")
	f.StringVar(&s.Namespace, "namespace", namespace(), "`namespace` of the ConfigMaps, the lease and the webhooks' Secret (SYSTEM_NAMESPACE)")
	f.StringVar(&tenants, "namespaces", "", "comma-separated `namespaces` that alone are watched; empty: all")
	f.IntVar(&s.Workers, "threads-per-controller", 8, "how many TaskRuns are reconciled at once")
	f.BoolVar(&s.Examples, "example-tasks", false, "run the custom tasks of the group example.plumbline.dev, which have to be installed")
	f.Float64Var(&s.QPS, "kube-api-qps", 50, "requests a second to the API server; negative: any")
	f.IntVar(&s.Burst, "kube-api-burst", 100, "requests in a burst")
	f.BoolVar(&s.LeaderElection, "leader-elect", true, "let one of several replicas reconcile")
	f.DurationVar(&s.Lease, "lease-duration", 0, "how long a silent leader stays one; 0: 15s")
	f.StringVar(&s.MetricsAddress, "metrics-address", ":9090", "`host:port` of /metrics; 0: none")
	f.BoolVar(&s.MetricsInsecure, "metrics-insecure", false, "serve metrics without TLS, to every client")
	f.StringVar(&s.HealthAddress, "health-address", ":8080", "`host:port` of /healthz and /readyz; 0: none")
	f.IntVar(&s.Webhook.Port, "webhook-port", 8443, "port of the webhooks; negative: none")
	f.StringVar(&s.Webhook.Host, "webhook-address", "", "`host` that the webhooks are served on; empty: all")
	f.StringVar(&hosts, "webhook-hosts", "", "comma-separated `names` and addresses by which the webhooks are asked, beside those of their Service")
	f.StringVar(&s.Webhook.Secret, "webhook-secret", SecretOfWebhooks, "`name` of the Secret with the webhooks' certificate")
	f.DurationVar(&s.Webhook.Lifetimes.Certificate, "webhook-certificate-lifetime", 0, "how long a certificate is good, renewed when a third is left; 0: 720h")
	f.DurationVar(&s.Webhook.Lifetimes.Authority, "webhook-authority-lifetime", 0, "the same for its authority; 0: 8760h")
	f.Func("remote-address", "`HOST:PORT=ADDRESS:PORT`: where resolvers find a server, whatever its name resolves to, also on this machine; may be repeated", s.Network.Add)
	f.StringVar(&s.LogLevel, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&s.LogFormat, "log-format", "json", "json or text")
	for _, i := range []struct {
		name, of string
		into     *string
	}{
		{"entrypoint-image", "the launcher of Steps", &s.Images.Entrypoint},
		{"nop-image", "what stops Sidecars", &s.Images.Nop},
		{"workingdirinit-image", "what makes working directories", &s.Images.WorkingDirInit},
		{"shell-image", "what places scripts", &s.Images.Shell},
		{"shell-image-win", "what places scripts on Windows", &s.Images.ShellWindows},
		{"sidecarlogresults-image", "what reads results for a Sidecar", &s.Images.SidecarLogResults},
	} {
		f.StringVar(i.into, i.name, "", "`image` of "+i.of)
	}
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	var missing []string
	if f.NArg() > 0 {
		missing = append(missing, fmt.Sprintf("it takes no argument, got %q", f.Arg(0)))
	}
	for _, needed := range []struct{ flag, value string }{
		{"-entrypoint-image", s.Images.Entrypoint}, {"-nop-image", s.Images.Nop},
		{"-workingdirinit-image", s.Images.WorkingDirInit}, {"-shell-image", s.Images.Shell},
	} {
		if needed.value == "" {
			missing = append(missing, needed.flag+" is needed: Pods are made of it")
		}
	}
	if len(missing) > 0 {
		err := errors.New(strings.Join(missing, "; "))
		fmt.Fprintln(to, "controller:", err)
		return nil, err
	}
	s.Tenants = list(tenants)
	s.Webhook.Hosts = append(serviceNames(s.Namespace), list(hosts)...)
	return s, nil
}

// namespace returns the namespace that the program runs in, from the Pod's environment.
func namespace() string {
	if n := os.Getenv("SYSTEM_NAMESPACE"); n != "" {
		return n
	}
	return apiconfig.Namespace
}

func serviceNames(namespace string) []string {
	service := ServiceOfWebhooks + "." + namespace
	return []string{service + ".svc", service + ".svc.cluster.local", service, ServiceOfWebhooks}
}

func list(text string) []string {
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// logger writes structured lines.
func (s *Settings) logger(to io.Writer) (logr.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return logr.Discard(), fmt.Errorf("-log-level: %w", err)
	}
	options := &slog.HandlerOptions{Level: level}
	switch s.LogFormat {
	case "json":
		return logr.FromSlogHandler(slog.NewJSONHandler(to, options)), nil
	case "text":
		return logr.FromSlogHandler(slog.NewTextHandler(to, options)), nil
	}
	return logr.Discard(), fmt.Errorf("-log-format is json or text, not %q", s.LogFormat)
}

// cluster is how to reach the API server.
func (s *Settings) cluster() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = s.Kubeconfig
	c, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster: %w", err)
	}
	c.QPS, c.Burst, c.UserAgent = float32(s.QPS), s.Burst, Name
	return c, nil
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 3
)

// Main is the whole program: it returns the exit code when ctx ends, or when it cannot go on.
func Main(ctx context.Context, args []string, logs io.Writer) int {
	s, err := ParseFlags(args, logs)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return exitUsage
	}
	logger, err := s.logger(logs)
	if err != nil {
		fmt.Fprintln(logs, "controller:", err)
		return exitUsage
	}
	s.Log = logger
	s.Resolvers, s.Bundles = resolvers(s.Network)
	log.SetLogger(logger)
	klog.SetLogger(logger)
	// The HTTP servers' complaints, too.
	slog.SetDefault(slog.New(logr.ToSlogHandler(logger)))
	cluster, err := s.cluster()
	if err == nil {
		err = Run(ctx, cluster, s.Options)
	}
	if err != nil {
		logger.Error(err, "the controller ends")
		return exitFailed
	}
	logger.Info("the controller ended as it was asked to")
	return exitOK
}
