package kindcluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/kind/pkg/cluster/nodes"
	"sigs.k8s.io/kind/pkg/exec"

	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/kindconfig/images"
)

// provider is kind without containers. It notes what it is asked to do.
type provider struct {
	clusters map[string]*v1alpha4.Cluster
	node     *node
	did      []string
	fails    error
	create   func()
	deleted  chan struct{} // receives each deletion, if a test waits for it
}

func (p *provider) Clusters() ([]string, error) {
	var out []string
	for name := range p.clusters {
		out = append(out, name)
	}
	return out, p.fails
}

func (p *provider) Create(name string, config *v1alpha4.Cluster, kubeconfig string, _ bool) error {
	p.did = append(p.did, "create "+name)
	if p.create != nil {
		p.create()
	}
	p.clusters[name] = config
	return nil
}

func (p *provider) Delete(name, _ string) error {
	p.did = append(p.did, "delete "+name)
	delete(p.clusters, name)
	select {
	case p.deleted <- struct{}{}:
	default:
	}
	return nil
}

func (p *provider) Export(name, kubeconfig string) error {
	p.did = append(p.did, "export "+name+" to "+kubeconfig)
	return nil
}

func (p *provider) KubeConfig(string) (string, error)  { return "", errors.New("not asked for") }
func (p *provider) Nodes(string) ([]nodes.Node, error) { return []nodes.Node{p.node}, nil }

// node is one that has files and images.
type node struct {
	nodes.Node
	files  map[string]string
	loaded []string // lines of ctr images list
}

func (n *node) String() string { return "node-1" }
func (n *node) Command(name string, args ...string) exec.Cmd {
	return &onTheNode{node: n, line: append([]string{name}, args...), out: io.Discard}
}
func (n *node) CommandContext(_ context.Context, name string, args ...string) exec.Cmd {
	return n.Command(name, args...)
}

// onTheNode is a command on it: as many as are needed.
type onTheNode struct {
	node *node
	line []string
	in   io.Reader
	out  io.Writer
}

func (c *onTheNode) SetEnv(...string) exec.Cmd      { return c }
func (c *onTheNode) SetStdin(r io.Reader) exec.Cmd  { c.in = r; return c }
func (c *onTheNode) SetStdout(w io.Writer) exec.Cmd { c.out = w; return c }
func (c *onTheNode) SetStderr(io.Writer) exec.Cmd   { return c }

func (c *onTheNode) Run() error {
	switch line := strings.Join(c.line, " "); {
	case strings.HasPrefix(line, "cat "):
		text, ok := c.node.files[c.line[1]]
		if !ok {
			return os.ErrNotExist
		}
		_, err := io.WriteString(c.out, text)
		return err
	case strings.HasPrefix(line, "mkdir "):
		return nil
	case strings.HasPrefix(line, "cp /dev/stdin "):
		text, err := io.ReadAll(c.in)
		c.node.files[c.line[2]] = string(text)
		return err
	case strings.HasSuffix(line, "images list"):
		_, err := io.WriteString(c.out, "REF TYPE DIGEST SIZE PLATFORMS LABELS\n"+strings.Join(c.node.loaded, "\n"))
		return err
	case strings.Contains(line, "images import"):
		archive, err := os.CreateTemp("", "")
		if err != nil {
			return err
		}
		defer os.Remove(archive.Name())
		if _, err := archive.ReadFrom(c.in); err != nil {
			return err
		}
		list, err := images.ReadArchive(archive.Name())
		for _, i := range list {
			digest, err := i.Digest()
			if err != nil {
				return err
			}
			c.node.loaded = append(c.node.loaded, fmt.Sprintf("%s type %s 1 MB linux -", i.Name, digest))
		}
		return errors.Join(err, archive.Close())
	case line == "containerd config dump":
		_, err := io.WriteString(c.out, "version = 2\n[plugins]\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\nsnapshotter = \"overlayfs\"\n")
		return err
	default:
		return fmt.Errorf("%s is not known", line)
	}
}

// bench is a machine to try it on.
type bench struct {
	*testing.T
	work     *work
	provider *provider
	objects  client.WithWatch
	told     []string
	mu       sync.Mutex
}

// newBench has an engine, images of all programs, a registry, and a cluster's API whose Deployments are ready at once.
func newBench(t *testing.T) *bench {
	t.Helper()
	scheme, err := newScheme()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, provider: &provider{clusters: map[string]*v1alpha4.Cluster{}, deleted: make(chan struct{}, 1), node: &node{files: map[string]string{}}}}
	b.objects = fake.NewClientBuilder().WithScheme(scheme).WithInterceptorFuncs(interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			u, ok := o.(interface {
				metav1.Object
				GetKind() string
				UnstructuredContent() map[string]any
				SetUnstructuredContent(map[string]any)
			})
			if !ok || u.GetKind() != "NetworkPolicy" {
				return c.Apply(ctx, o, opts...)
			}
			// controller-runtime's fake client cannot merge one.
			policy := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(u.UnstructuredContent())}
			err := c.Create(ctx, policy)
			if apierrors.IsAlreadyExists(err) {
				err = c.Get(ctx, client.ObjectKeyFromObject(policy), policy)
			}
			u.SetUnstructuredContent(policy.Object)
			return err
		},
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			err := c.Get(ctx, key, o, opts...)
			if d, ok := o.(*appsv1.Deployment); ok && err == nil {
				d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1}
			}
			// A definition is served at once.
			if u, ok := o.(*unstructured.Unstructured); ok && err == nil && u.GetKind() == "CustomResourceDefinition" {
				u.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Established", "status": "True"}}}
			}
			return err
		},
	}).WithObjects(&corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "node-1"},
		Status: corev1.NodeStatus{
			NodeInfo:   corev1.NodeSystemInfo{KubeletVersion: "v1.36.3", ContainerRuntimeVersion: "containerd://1.6.20"},
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	}).Build()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	command(t, dir, docker, `case "$*" in
*State.Running*) echo true ;;
*Config.Image*) echo kindest/node:v1 ;;
esac`)
	o := &Options{Offline: true, NodeImage: "plumbline.dev/kind-node:v1.36.3-0", Kubeconfig: "kubeconfig", Programs: programs(t, 1)}
	o.Tell = func(text string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.told = append(b.told, text)
	}
	o.complete()
	b.work = &work{
		Options: o, engine: &Engine{Name: filepath.Join(dir, docker), Version: "27.3.1"}, provider: b.provider, references: map[string]string{},
		connect: func(context.Context) (*rest.Config, client.Client, error) { return &rest.Config{}, b.objects, nil },
		reach: func(context.Context) (string, func(), error) {
			return strings.TrimPrefix(server.URL, "http://"), func() {}, nil
		},
		made: func(context.Context) ([]images.Image, error) { return fixtureLike(t), nil },
	}
	return b
}

// programs are images of the names that are needed, different for each seed.
func programs(t *testing.T, size int64) []images.Image {
	t.Helper()
	var out []images.Image
	for _, p := range images.Programs() {
		out = append(out, images.Image{Name: p.Name, Image: randomImage(t, size)})
	}
	return out
}

func randomImage(t *testing.T, size int64) images.Image {
	t.Helper()
	i, err := random.Image(size, 1)
	if err != nil {
		t.Fatal(err)
	}
	return images.Image{Image: i}
}

func fixtureLike(t *testing.T) []images.Image {
	t.Helper()
	busybox, err := images.Busybox([]byte("shell"), "amd64")
	if err != nil {
		t.Fatal(err)
	}
	var out []images.Image
	for called := range fixtureImages() {
		out = append(out, images.Image{Name: library + called, Image: busybox})
	}
	return out
}

// again forgets what was told and done.
func (b *bench) again() {
	b.told, b.provider.did = nil, nil
	b.work.references = map[string]string{}
}

// TestSecondUpChangesNothing: nothing is created, loaded, pushed or changed twice.
func TestSecondUpChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	state, err := b.work.up(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(b.told, "\n"))
	}
	if !state.Ready() || state.Context != "kind-plumbline" || !strings.HasPrefix(state.Controller.Image, "10.96.0.50:5000/plumbline/controller@sha256:") {
		t.Errorf("it is %+v", state)
	}
	if want := []string{"create plumbline", "export plumbline to kubeconfig"}; !slices.Equal(b.provider.did, want) {
		t.Errorf("it did %v", b.provider.did)
	}
	first := slices.Clone(b.provider.node.loaded)
	if len(first) != 1 || !strings.HasPrefix(first[0], registryImage) {
		t.Errorf("the node was given %v", first)
	}

	b.again()
	if _, err := b.work.up(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"building images", "the cluster plumbline is there",
		fmt.Sprintf("the installation is as it should be: %d objects", b.objectCount()),
	}
	if diff := cmp.Diff(want, b.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if !slices.Equal(b.provider.did, []string{"export plumbline to kubeconfig"}) || !slices.Equal(b.provider.node.loaded, first) {
		t.Errorf("it did %v, and the node has %v", b.provider.did, b.provider.node.loaded)
	}
}

// TestImagesOfTheWorldAreFetchedOnce: the second call would have to reach Docker Hub, and on this bench nothing is reached.
func TestImagesOfTheWorldAreFetchedOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := b.work.up(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.work.Offline = false
	b.work.made = func(context.Context) ([]images.Image, error) { return nil, errors.New("made here") }
	if _, err := b.work.up(t.Context()); err != nil {
		t.Error(err)
	}
	lacking, err := b.work.lacking(t.Context(), library+images.BusyboxName, library+"xyzzy")
	if err != nil || !slices.Equal(lacking, []string{library + "xyzzy"}) {
		t.Errorf("the registry lacks %v, %v", lacking, err)
	}
}

func (b *bench) objectCount() int {
	list, err := kindconfig.Objects(kindconfig.Options{Examples: true})
	if err != nil {
		b.Fatal(err)
	}
	return len(list)
}

// TestOnlyChangedImagesArePushed also checks that the installation uses the new image.
func TestOnlyChangedImagesArePushed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	before, err := b.work.up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.again()
	at := slices.IndexFunc(b.work.Programs, func(i images.Image) bool { return i.Name == images.Controller })
	b.work.Programs[at].Image = randomImage(t, 2).Image
	references, err := b.work.load(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"building images", "image plumbline/controller is pushed", fmt.Sprintf("installed: 1 of %d objects are new or changed", b.objectCount())}
	if diff := cmp.Diff(want, b.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	after, err := b.work.state(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if after.Controller.Image == before.Controller.Image || after.Controller.Image != references["plumbline/controller"] {
		t.Errorf("the controller's image is %s, and was %s", after.Controller.Image, before.Controller.Image)
	}
}

// TestContainerdIsConfiguredForTheRegistry: offline, that registry also serves the images of Docker Hub.
func TestContainerdIsConfiguredForTheRegistry(t *testing.T) {
	t.Parallel()
	for _, offline := range []bool{true, false} {
		b := newBench(t)
		if err := b.work.introduce(t.Context(), offline); err != nil {
			t.Fatal(err)
		}
		files := b.provider.node.files
		if text := files["/etc/containerd/certs.d/10.96.0.50:5000/hosts.toml"]; !strings.Contains(text, `[host."http://10.96.0.50:5000"]`) {
			t.Errorf("it is told %q", text)
		}
		if _, hub := files["/etc/containerd/certs.d/docker.io/hosts.toml"]; hub != offline {
			t.Errorf("offline = %v, and it knows about Docker Hub = %v", offline, hub)
		}
	}
}

// TestBuiltNodeImageBringsItsNetwork: with kind's own image, the network is kind's.
func TestBuiltNodeImageBringsItsNetwork(t *testing.T) {
	t.Parallel()
	for image, own := range map[string]bool{"plumbline.dev/kind-node:v1.36.3-0": true, "kindest/node:v1.37.0": false} {
		b := newBench(t)
		b.work.NodeImage = image
		c, err := b.work.configuration(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if c.Nodes[0].Image != image || c.Networking.DisableDefaultCNI != own || (c.Networking.KubeProxyMode == v1alpha4.NFTablesProxyMode) != own {
			t.Errorf("%s: %+v", image, c)
		}
		if !strings.Contains(strings.Join(c.KubeadmConfigPatches, ""), "failCgroupV1: false") || c.Networking.ServiceSubnet != "10.96.0.0/16" {
			t.Errorf("it is not the configuration of the file: %+v", c)
		}
	}
}

// TestImagesOfTheUser are on the nodes under their own names, and in the registry.
func TestImagesOfTheUser(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := b.work.up(t.Context()); err != nil {
		t.Fatal(err)
	}
	mine := randomImage(t, 3)
	mine.Name = "example.com/team/mine:v1"
	archive, err := images.Archive(mine)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "mine.tar")
	if err := os.WriteFile(file, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	b.again()
	references, err := b.work.load(t.Context(), []string{file})
	if err != nil {
		t.Fatal(err)
	}
	digest, err := mine.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"team/mine:v1": "10.96.0.50:5000/team/mine@" + digest.String()}; !cmp.Equal(want, references) {
		t.Errorf("it is called %v", references)
	}
	if last := b.provider.node.loaded[len(b.provider.node.loaded)-1]; !strings.HasPrefix(last, "example.com/team/mine:v1 type "+digest.String()) {
		t.Errorf("the node has %v", b.provider.node.loaded)
	}
	command(t, filepath.Dir(b.work.engine.Name), docker, "case $1 in save) echo Error: No such image: none >&2; exit 1;; *) echo true;; esac")
	var none *NoImageError
	if _, err := b.work.load(t.Context(), []string{"none"}); !errors.As(err, &none) || !strings.Contains(err.Error(), "image none is not a file, and") {
		t.Errorf("of an image that is nowhere it says %v", err)
	}
}

func TestWithoutACluster(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var none *NoClusterError
	if err := b.work.down(); !errors.As(err, &none) {
		t.Errorf("down: %v", err)
	}
	if _, err := b.work.load(t.Context(), nil); !errors.As(err, &none) || !strings.Contains(err.Error(), "plumbline kind up makes one") {
		t.Errorf("load: %v", err)
	}
	if len(b.provider.did) > 0 {
		t.Errorf("it did %v", b.provider.did)
	}
	b.provider.fails = errors.New("no permission")
	if err := b.work.down(); !errors.Is(err, b.provider.fails) {
		t.Errorf("down: %v", err)
	}
}

// TestInterruptedClusterIsRemoved when the user has enough of it.
func TestInterruptedClusterIsRemoved(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	b.provider.create = func() { cancel(enough); <-b.provider.deleted }
	if _, err := b.work.up(ctx); !errors.Is(err, enough) {
		t.Errorf("it says %v", err)
	}
	if want := []string{"create plumbline", "delete plumbline", "delete plumbline"}; !slices.Equal(b.provider.did, want) {
		t.Errorf("it did %v", b.provider.did)
	}
	if len(b.provider.clusters) > 0 {
		t.Errorf("there is %v", b.provider.clusters)
	}
}

// TestStoppedNodesAreStarted with the cluster.
func TestStoppedNodesAreStarted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dir := filepath.Dir(b.work.engine.Name)
	command(t, dir, docker, fmt.Sprintf(`echo "$*" >> %s/log; case $1 in inspect) echo false;; esac`, dir))
	if err := b.work.startNodes(t.Context()); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil || !bytes.HasSuffix(log, []byte("start node-1\n")) {
		t.Errorf("the engine was asked %s, %v", log, err)
	}
}

// TestProgressOfKindIsReportedPlainly: the stages that begin, and warnings.
func TestProgressOfKindIsReportedPlainly(t *testing.T) {
	t.Parallel()
	var told []string
	l := logger{func(text string) { told = append(told, text) }}
	l.V(0).Info(" • Preparing nodes 📦   ...\n")
	l.V(0).Infof(" ✓ %s\n", "Preparing nodes 📦")
	l.V(0).Infof(" • %s  ...\n", "Starting control-plane 🕹️")
	l.V(1).Info(" • details")
	l.Warnf("%s is old", "cgroup v1")
	l.Error("")
	want := []string{"kind: Preparing nodes", "kind: Starting control-plane", "kind warns: cgroup v1 is old", "kind:"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWhyADeploymentIsNotReady is what a person would look up.
func TestWhyADeploymentIsNotReady(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	labels := map[string]string{"app": "x"}
	d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}}}
	pod := func(name string, s corev1.PodStatus) {
		t.Helper()
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "n", Labels: labels}, Status: s}
		if err := b.objects.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	b.work.client = b.objects
	if got := b.work.why(t.Context(), "n", d); got != "0 Pods" {
		t.Errorf("without Pods: %s", got)
	}
	pod("a", corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "not found"}}}}})
	pod("b", corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Message: "flags"}}}}})
	pod("c", corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "Insufficient cpu"}}})
	pod("d", corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{}}})
	want := "Pod a waits: ErrImagePull not found; Pod b ended with 3: flags; Pod c: Insufficient cpu; Pod d runs and is not ready"
	if got := b.work.why(t.Context(), "n", d); got != want {
		t.Errorf("it says %s", got)
	}
	if got := b.work.why(t.Context(), "n", &appsv1.Deployment{}); got != "it does not exist" {
		t.Errorf("without a Deployment: %s", got)
	}
}
