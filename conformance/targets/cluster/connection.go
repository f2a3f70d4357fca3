package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// NoKubeconfigError says that there is no cluster to go to.
type NoKubeconfigError struct {
	// Path is the file that was named, or empty.
	Path string
	Err  error
}

func (e *NoKubeconfigError) Error() string {
	if e.Path == "" {
		return "there is no kubeconfig: name one with --kubeconfig, or set " + clientcmd.RecommendedConfigPathEnvVar
	}
	return fmt.Sprintf("kubeconfig %s: %v", e.Path, e.Err)
}

func (e *NoKubeconfigError) Unwrap() error { return e.Err }

// InvalidKubeconfigError says that a kubeconfig names no cluster that one could go to.
type InvalidKubeconfigError struct {
	Path string
	Err  error
}

func (e *InvalidKubeconfigError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("the kubeconfig cannot be used: %v", e.Err)
	}
	return fmt.Sprintf("kubeconfig %s cannot be used: %v", e.Path, e.Err)
}

func (e *InvalidKubeconfigError) Unwrap() error { return e.Err }

// Connect reads a kubeconfig as kubectl does: the file of that path, or else those that KUBECONFIG names, or else the one
// in the home directory. An empty contextName means the current context. The error is a *NoKubeconfigError or an
// *InvalidKubeconfigError.
func Connect(path, contextName string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	if path != "" {
		if _, err := os.Stat(path); err != nil {
			var p *fs.PathError
			if errors.As(err, &p) {
				err = p.Err
			}
			return nil, &NoKubeconfigError{Path: path, Err: err}
		}
		rules.ExplicitPath = path
	}
	rules.WarnIfAllMissing = false
	loading := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: contextName})
	raw, err := loading.RawConfig()
	if err != nil {
		return nil, &InvalidKubeconfigError{Path: path, Err: err}
	}
	if path == "" && len(raw.Clusters) == 0 {
		return nil, &NoKubeconfigError{Err: fs.ErrNotExist}
	}
	config, err := clientcmd.NewNonInteractiveClientConfig(raw, contextName, &clientcmd.ConfigOverrides{}, rules).ClientConfig()
	if err != nil {
		return nil, &InvalidKubeconfigError{Path: path, Err: err}
	}
	return config, nil
}
