package node_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
	"github.com/plumbline-ci/plumbline/conformance/targets/node"
	"github.com/plumbline-ci/plumbline/simulator"
	"github.com/plumbline-ci/plumbline/simulator/kubelet"
)

// plane is the API server that the tests share, with a node that plays all roles. They are started by the first test that
// needs them.
var plane = struct {
	sync.Mutex
	*envtest.ControlPlane
	all    *node.Node
	failed error
}{}

func TestMain(m *testing.M) {
	code := m.Run()
	if plane.ControlPlane != nil {
		var err error
		if plane.all != nil {
			err = plane.all.Stop()
		}
		if err := errors.Join(err, plane.Stop()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// server is a real API server.
func server(t *testing.T) *rest.Config {
	t.Helper()
	if !envtest.Required() {
		t.Skipf("starts a kube-apiserver: make k8s-assets, and set %s=%s to run it", envtest.VariableRequire, envtest.Name)
	}
	plane.Lock()
	defer plane.Unlock()
	if plane.ControlPlane == nil && plane.failed == nil {
		var assets string
		if assets, plane.failed = envtest.FindAssets(); plane.failed == nil {
			plane.ControlPlane, plane.failed = envtest.StartControlPlane(assets)
		}
		if plane.failed == nil {
			plane.all, plane.failed = node.Start(context.Background(), node.Options{
				Config: plane.Config, Name: "all", Timing: quick(), Endpoint: &node.Endpoint{}, Images: stands(),
				Tell: func(text string) { fmt.Fprintln(os.Stderr, text) },
			})
		}
	}
	if plane.failed != nil {
		t.Fatal(plane.failed)
	}
	return plane.Config
}

// stands are the images of the tests.
func stands() node.Images {
	return node.Images{Like: map[string]string{"registry.example.com/tools/shell": "busybox", "registry.example.com/one:v1": "alpine"}}
}

// quick is a node that takes its time nowhere.
func quick() *kubelet.Timing {
	const ms = time.Millisecond
	short := kubelet.Range{Low: ms, High: 20 * ms}
	return &kubelet.Timing{Relist: kubelet.Range{Low: 50 * ms, High: 100 * ms}, Mount: short, Sandbox: short, Pull: short, PullFail: short, Create: short,
		Start: short, Stop: short, Teardown: short, Projection: short, Content: short, Retry: kubelet.Range{Low: 500 * ms, High: 600 * ms},
		Eviction: kubelet.Range{Low: time.Second, High: 2 * time.Second}, Stall: short}
}

// start starts a separate node, which plays only its own role and ends with the test.
func start(t *testing.T, o node.Options) *node.Node {
	t.Helper()
	o.Config, o.Without = server(t), simulator.Roles()
	o.Timing = quick()
	o.Tell = func(text string) { t.Log(text) }
	n, err := node.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// world is a namespace on the API server.
type world struct {
	t         *testing.T
	clientset *kubernetes.Clientset
	namespace string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	clientset, err := kubernetes.NewForConfig(server(t))
	if err != nil {
		t.Fatal(err)
	}
	made, err := clientset.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "node-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, clientset: clientset, namespace: made.Name}
	w.until("the namespace has an account", func() bool {
		_, err := clientset.CoreV1().ServiceAccounts(w.namespace).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
	return w
}

// until waits for the world outside.
func (w *world) until(what string, cond func() bool) {
	w.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); !cond(); {
		select {
		case <-tick.C:
		case <-late:
			w.t.Fatal("it did not happen: " + what)
		}
	}
}

// pod creates a Pod that runs a script once.
func (w *world) pod(name, image, script string, more ...func(*corev1.Pod)) {
	w.t.Helper()
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, TerminationGracePeriodSeconds: new(int64(1)),
			Containers: []corev1.Container{{Name: "main", Image: image, Command: []string{"sh", "-c", script}}},
		},
	}
	for _, change := range more {
		change(p)
	}
	if _, err := w.clientset.CoreV1().Pods(w.namespace).Create(w.t.Context(), p, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(name string) *corev1.Pod {
	w.t.Helper()
	p, err := w.clientset.CoreV1().Pods(w.namespace).Get(w.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// on puts a Pod on a node.
func on(node string) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Spec.NodeName = node } }

// phase waits until a Pod is in a phase.
func (w *world) phase(name string, phase corev1.PodPhase) *corev1.Pod {
	w.t.Helper()
	var p *corev1.Pod
	w.until(fmt.Sprintf("Pod %s is %s", name, phase), func() bool {
		p = w.get(name)
		return p.Status.Phase == phase
	})
	return p
}
