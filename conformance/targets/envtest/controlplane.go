package envtest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/crds"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/internal/remote"
	"github.com/plumbline-ci/plumbline/conformance/targets/internal/setup"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/simulator/namespace"
)

// startTimeout is what each process gets to become ready, on a machine that is busy with other things.
const startTimeout = 2 * time.Minute

// ControlPlane is kube-apiserver with its etcd, and nothing of a cluster besides.
type ControlPlane struct {
	env      envtest.Environment
	guardian *guardian
	// Config reaches the API server as an administrator.
	Config *rest.Config
	// kubeletClientCA, as PEM, signs the certificate by which nodes know the API server.
	kubeletClientCA []byte
	// serving ends the webhooks that belong to the control plane alone.
	serving func() error
	// again are API servers that took the place of the first one.
	again []*exec.Cmd
}

// StartControlPlane starts the binaries of a directory, installs the API's definitions and serves its webhooks under the
// default configuration. No controller runs.
func StartControlPlane(assets string) (*ControlPlane, error) {
	c := &ControlPlane{}
	definitions, err := definitions()
	if err != nil {
		return nil, err
	}
	configurations, err := webhookConfigurations()
	if err != nil {
		return nil, err
	}
	if err := c.start(assets, definitions, configurations); err != nil {
		return nil, err
	}
	hooks := c.env.WebhookInstallOptions
	server := webhook.NewServer(webhook.Options{Host: hooks.LocalServingHost, Port: hooks.LocalServingPort, CertDir: hooks.LocalServingCertDir})
	serve(server, newInstallations())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Start(ctx) }()
	c.serving = func() error { cancel(); return <-ended }
	if err := served(ctx, server); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// served waits until webhooks are served.
func served(ctx context.Context, s webhook.Server) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	started := s.StartedChecker()
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(context.Context) (bool, error) { return started(nil) == nil, nil })
	if err != nil {
		return fmt.Errorf("waiting for the webhooks to be served: %w", errors.Join(err, context.Cause(ctx)))
	}
	return nil
}

// start brings up the processes and installs definitions, and webhooks if there are any.
func (c *ControlPlane) start(assets string, definitions []*apiextensionsv1.CustomResourceDefinition, hooks *envtest.WebhookInstallOptions) error {
	// controller-runtime keeps one logger for the process, and complains on standard error if it has none.
	log.SetLogger(logr.Discard())
	c.env = envtest.Environment{
		CRDs:                     definitions,
		ControlPlaneStartTimeout: startTimeout,
	}
	if hooks != nil {
		c.env.WebhookInstallOptions = *hooks
	}
	if err := c.guard(assets); err != nil {
		return err
	}
	config, err := c.env.Start()
	if err != nil {
		return errors.Join(fmt.Errorf("starting the control plane: %w", err), c.Stop())
	}
	if err := c.introduce(config); err != nil {
		return errors.Join(err, c.Stop())
	}
	// There is one user, and the server is asked to be fast.
	config.QPS, config.Burst = -1, 0
	c.Config = config
	return nil
}

// guard says which binaries to start and where they keep their files: under a guardian, so that nothing is left behind.
func (c *ControlPlane) guard(assets string) (err error) {
	if c.guardian, err = newGuardian(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.guardian.dismiss())
		}
	}()
	server, etcd := c.env.ControlPlane.GetAPIServer(), &envtest.Etcd{}
	// envtest leaves ServiceAccount out for want of a controller that makes accounts; here is one.
	server.Configure().Set("disable-admission-plugins", "DefaultIngressClass")
	c.env.ControlPlane.Etcd = etcd
	c.env.ControlPlane.KubectlPath = filepath.Join(assets, binaryTool)
	if server.Path, err = c.guardian.wrap(filepath.Join(assets, binaryServer)); err != nil {
		return err
	}
	if etcd.Path, err = c.guardian.wrap(filepath.Join(assets, binaryEtcd)); err != nil {
		return err
	}
	if server.CertDir, err = c.guardian.subdirectory("certificates"); err != nil {
		return err
	}
	if etcd.DataDir, err = c.guardian.subdirectory("data"); err != nil {
		return err
	}
	return c.identify(server)
}

// Stop ends the processes.
func (c *ControlPlane) Stop() error {
	var failed error
	if c.serving != nil {
		failed = c.serving()
	}
	c.stopAgain()
	if err := errors.Join(failed, c.env.Stop(), c.guardian.dismiss()); err != nil {
		return fmt.Errorf("stopping the control plane: %w", err)
	}
	return nil
}

// definitions are the API's, and those of the example custom tasks.
func definitions() ([]*apiextensionsv1.CustomResourceDefinition, error) {
	texts, err := crds.All()
	if err != nil {
		return nil, fmt.Errorf("reading the CustomResourceDefinitions: %w", err)
	}
	examples, err := crds.Examples()
	if err != nil {
		return nil, fmt.Errorf("reading the CustomResourceDefinitions: %w", err)
	}
	texts = append(texts, examples...)
	list := make([]*apiextensionsv1.CustomResourceDefinition, len(texts))
	for i, text := range texts {
		list[i] = &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.Unmarshal(text, list[i]); err != nil {
			return nil, fmt.Errorf("reading the CustomResourceDefinitions: %w", err)
		}
	}
	return list, nil
}

// machine is everything that runs, shared by all clusters of a target.
type machine struct {
	subject       *subject.Subject
	plane         *ControlPlane
	client        client.WithWatch
	installations *installations
	node          *node
	news          *remote.News
	// outside makes what lies outside the cluster; endings end it.
	outside func(context.Context, fixture.Remote) (subject.Remote, func() error, error)
	endings []func() error
	// deps are what reconcilers have in common; recorder returns what records events that come from a source.
	deps subject.Deps
	// cache is what the reconcilers read.
	cache    client.Reader
	recorder func(source string) reconciler.Recorder
	// end ends all goroutines; stopped waits for them.
	end     context.CancelCauseFunc
	running context.Context
	stopped sync.WaitGroup
}

// start makes the machine. Its goroutines live until stop, longer than ctx.
func (t *Target) start(ctx context.Context) (_ *machine, err error) {
	m := &machine{subject: t.subject, outside: t.remote, plane: &ControlPlane{}, installations: newInstallations(), news: remote.NewNews()}
	m.running, m.end = context.WithCancelCause(context.WithoutCancel(ctx))
	definitions, err := definitions()
	if err != nil {
		return nil, err
	}
	configurations, err := webhookConfigurations()
	if err != nil {
		return nil, err
	}
	if err := m.plane.start(t.assets, definitions, configurations); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.stop())
		}
	}()
	if m.client, err = client.NewWithWatch(m.plane.Config, client.Options{Scheme: t.scheme}); err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	if m.node, err = m.startNode(t); err != nil {
		return nil, err
	}
	if err := m.startManager(t); err != nil {
		return nil, err
	}
	return m, nil
}

// spawn runs work until the machine stops; work that ends before has failed.
func (m *machine) spawn(what string, work func(context.Context) error) {
	m.stopped.Go(func() {
		err := work(m.running)
		if m.running.Err() == nil {
			m.end(fmt.Errorf("%s ended: %w", what, err))
		}
		m.news.Tell()
	})
}

// stop ends the actors first: they should not see the API server go.
func (m *machine) stop() error {
	m.end(errStopped)
	m.stopped.Wait()
	var failed error
	for _, end := range m.endings {
		failed = errors.Join(failed, end())
	}
	return errors.Join(failed, m.plane.Stop())
}

// errStopped is why goroutines end at the end.
var errStopped = errors.New("the target was closed")

// under returns the machine under a setup.
func (m *machine) under(ctx context.Context, s conformance.Setup) (*Cluster, error) {
	c := &Cluster{machine: m, given: s.Mocks}
	var err error
	if c.mocks, err = setup.Mocks(s.Mocks); err != nil {
		return nil, err
	}
	c.installation, err = m.install(ctx, s.Config, s.Remote, s.Tenancy)
	return c, err
}

// createNamespace makes a namespace with what Pods need in one, without waiting for its controller.
func createNamespace(ctx context.Context, c client.Client, name string) error {
	meta := metav1.ObjectMeta{Name: name}
	if err := c.Create(ctx, &corev1.Namespace{ObjectMeta: meta}); err != nil {
		return fmt.Errorf("creating namespace %s: %w", name, err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: namespace.DefaultServiceAccount, Namespace: name}}
	if err := c.Create(ctx, account); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("creating the service account of namespace %s: %w", name, err)
	}
	return nil
}
