package kubelet

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// api is a store with just enough of an API server for one kubelet: versions,
// conflicts, watches that deliver a little later, and Pods that wait for their
// kubelet when they are deleted.
type api struct {
	client.Client // what is not overridden panics
	k             *kernel.Kernel
	objects       map[string]client.Object
	version       int
	watchers      map[string][]func(Event)
	queue         []func()
	states        []string // of every Pod status written, in pods-seq notation
	writes        int
	events        []string
	onWrite       func(*corev1.Pod) error
}

func newAPI(k *kernel.Kernel) *api {
	return &api{k: k, objects: map[string]client.Object{}, watchers: map[string][]func(Event){}}
}

func (a *api) Scheme() *runtime.Scheme { return clientgoscheme.Scheme }

func kindOf(o client.Object) string {
	switch o.(type) {
	case *corev1.Pod:
		return "Pod"
	case *corev1.ConfigMap:
		return "ConfigMap"
	case *corev1.Secret:
		return "Secret"
	case *corev1.Node:
		return "Node"
	case *corev1.Event:
		return "Event"
	case *corev1.PersistentVolumeClaim:
		return "PersistentVolumeClaim"
	}
	panic("unknown kind")
}

func id(o client.Object) string { return kindOf(o) + "/" + o.GetNamespace() + "/" + o.GetName() }

func gone(o client.Object) error {
	return apierrors.NewNotFound(schema.GroupResource{Resource: strings.ToLower(kindOf(o)) + "s"}, o.GetName())
}

func (a *api) put(o client.Object, t watch.EventType) {
	a.version++
	o.SetResourceVersion(strconv.Itoa(a.version))
	stored := o.DeepCopyObject().(client.Object)
	if t == watch.Deleted {
		delete(a.objects, id(o))
	} else {
		a.objects[id(o)] = stored
	}
	for _, w := range a.watchers[kindOf(o)] {
		a.queue = append(a.queue, func() { w(Event{Type: t, Object: stored}) })
		a.k.After(3*time.Millisecond, "api", "deliver", func() {
			next := a.queue[0] // events of one instant come in any order, watch events do not
			a.queue = a.queue[1:]
			next()
		})
	}
}

func (a *api) Watch(gvk schema.GroupVersionKind, handler func(Event)) (func(), error) {
	a.watchers[gvk.Kind] = append(a.watchers[gvk.Kind], handler)
	return func() {}, nil
}

func (a *api) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	into.SetNamespace(key.Namespace)
	into.SetName(key.Name)
	o := a.objects[id(into)]
	if o == nil {
		return gone(into)
	}
	copyInto(o, into)
	return nil
}

func copyInto(from, to client.Object) {
	switch f := from.(type) {
	case *corev1.Pod:
		f.DeepCopyInto(to.(*corev1.Pod))
	case *corev1.ConfigMap:
		f.DeepCopyInto(to.(*corev1.ConfigMap))
	case *corev1.Secret:
		f.DeepCopyInto(to.(*corev1.Secret))
	case *corev1.PersistentVolumeClaim:
		f.DeepCopyInto(to.(*corev1.PersistentVolumeClaim))
	}
}

func (a *api) Create(_ context.Context, o client.Object, _ ...client.CreateOption) error {
	if o.GetUID() == "" {
		o.SetUID(types.UID("uid-" + o.GetName()))
	}
	if e, ok := o.(*corev1.Event); ok {
		a.events = append(a.events, e.Type+" "+e.Reason+" "+e.Message)
		o = e.DeepCopy() // the recorder uses it again
	}
	a.put(o, watch.Added)
	return nil
}

func (a *api) Update(_ context.Context, o client.Object, _ ...client.UpdateOption) error {
	old := a.objects[id(o)]
	if old == nil {
		return gone(o)
	}
	if _, ok := o.(*corev1.Pod); ok {
		o.SetGeneration(old.GetGeneration() + 1)
	}
	a.put(o, watch.Modified)
	return nil
}

// Patch is what repeats an event.
func (a *api) Patch(_ context.Context, o client.Object, _ client.Patch, _ ...client.PatchOption) error {
	if a.objects[id(o)] == nil {
		return gone(o)
	}
	return nil
}

func (a *api) Delete(_ context.Context, o client.Object, opts ...client.DeleteOption) error {
	old := a.objects[id(o)]
	if old == nil {
		return gone(o)
	}
	options := (&client.DeleteOptions{}).ApplyOptions(opts)
	pod, ok := old.DeepCopyObject().(*corev1.Pod)
	if !ok || options.GracePeriodSeconds != nil && *options.GracePeriodSeconds == 0 {
		if ok {
			a.states = append(a.states, "deleted")
		}
		a.put(old.DeepCopyObject().(client.Object), watch.Deleted)
		return nil
	}
	grace := *pod.Spec.TerminationGracePeriodSeconds
	if options.GracePeriodSeconds != nil {
		grace = *options.GracePeriodSeconds
	}
	now := metav1.NewTime(a.k.Now())
	pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &now, &grace
	pod.Generation++
	a.put(pod, watch.Modified)
	return nil
}

func (a *api) Status() client.SubResourceWriter { return status{api: a} }

type status struct {
	client.SubResourceWriter
	api *api
}

func (s status) Update(_ context.Context, o client.Object, _ ...client.SubResourceUpdateOption) error {
	a := s.api
	old := a.objects[id(o)]
	if old == nil {
		return gone(o)
	}
	if old.GetResourceVersion() != o.GetResourceVersion() {
		return apierrors.NewConflict(schema.GroupResource{Resource: "pods"}, o.GetName(), errors.New("the object has been modified"))
	}
	pod, ok := o.(*corev1.Pod)
	if !ok {
		a.put(o, watch.Modified)
		return nil
	}
	if a.onWrite != nil {
		if err := a.onWrite(pod); err != nil {
			return err
		}
	}
	a.writes++
	line := describe(pod)
	if n := len(a.states); n == 0 || a.states[n-1] != line {
		a.states = append(a.states, line)
	}
	next := old.DeepCopyObject().(*corev1.Pod)
	pod.Status.DeepCopyInto(&next.Status)
	a.put(next, watch.Modified)
	next.DeepCopyInto(pod)
	return nil
}

func (a *api) pod(name string) *corev1.Pod {
	p, _ := a.objects["Pod/ns/"+name].(*corev1.Pod)
	return p
}

// describe prints a Pod as the recordings' pods-seq.tsv does.
func describe(p *corev1.Pod) string {
	var b strings.Builder
	b.WriteString(string(p.Status.Phase))
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for _, c := range list {
			b.WriteString(" " + c.Name + "=")
			switch {
			case c.State.Waiting != nil:
				b.WriteString("waiting:" + c.State.Waiting.Reason)
			case c.State.Running != nil:
				b.WriteString("running")
			case c.State.Terminated != nil:
				b.WriteString("terminated:" + c.State.Terminated.Reason + ":" + strconv.Itoa(int(c.State.Terminated.ExitCode)))
			}
			if c.Ready {
				b.WriteString("+ready")
			}
			if c.RestartCount > 0 {
				b.WriteString("+restarts" + strconv.Itoa(int(c.RestartCount)))
			}
		}
	}
	if p.Status.Reason != "" {
		b.WriteString(" " + p.Status.Reason + " " + p.Status.Message)
	}
	return b.String()
}

// behaviour is what a container of the fake runtime does, by its image.
type behaviour struct {
	startError string
	takes      time.Duration // 0 runs until it is told to end
	exit       ExitStatus
	onTERM     time.Duration // how long it takes to end; negative is deaf
	termExit   int
	message    string
	output     string
	probe      func(at time.Duration) int // exit code of a command executed since start
	probeSays  string
}

type engine struct {
	k          *kernel.Kernel
	behaviours map[string]behaviour
	configs    map[string]ContainerConfig // the last of each container
	volumes    []*volume
	started    []string
}

type volume struct {
	options VolumeOptions
	files   map[string]File
	history []string
	usage   int64
}

func (v *volume) Replace(files []File) error {
	v.files = map[string]File{}
	for _, f := range files {
		v.files[f.Path] = f
	}
	v.history = append(v.history, string(v.files["ready"].Data))
	return nil
}

func (v *volume) Usage() int64 { return v.usage }

func (e *engine) NewVolume(o VolumeOptions) Volume {
	v := &volume{options: o}
	e.volumes = append(e.volumes, v)
	return v
}

func (e *engine) Image(reference string) (Image, error) {
	if strings.Contains(reference, " ") {
		return Image{}, &InvalidReferenceError{Message: "couldn't parse image name \"" + reference + "\": invalid reference format"}
	}
	if strings.HasPrefix(reference, "registry.invalid/") {
		return Image{}, errors.New("failed to pull and unpack image \"" + reference + "\": no such host")
	}
	return Image{ID: "sha256:" + reference, Size: 1000, Root: true, Local: !strings.HasPrefix(reference, "remote/")}, nil
}

func (e *engine) Start(c ContainerConfig) (Container, error) {
	e.configs[c.Name] = c
	e.started = append(e.started, c.Name)
	b := e.behaviours[c.Image]
	if b.startError != "" {
		return nil, &StartError{Message: b.startError}
	}
	f := &instance{e: e, b: b, began: e.k.Elapsed()}
	if b.output != "" {
		c.Log(1, []byte(b.output))
	}
	if b.takes > 0 {
		e.k.After(b.takes, "container", "end", func() { f.end(b.exit) })
	}
	return f, nil
}

type instance struct {
	e     *engine
	b     behaviour
	began time.Duration
	ended bool
	exit  func(ExitStatus)
}

func (f *instance) end(s ExitStatus) {
	if !f.ended {
		f.ended = true
		f.exit(s)
	}
}

func (f *instance) Terminate() {
	if f.b.onTERM >= 0 {
		f.e.k.After(f.b.onTERM, "container", "TERM", func() { f.end(ExitStatus{Code: f.b.termExit}) })
	}
}
func (f *instance) Kill()                           { f.end(ExitStatus{Code: 137}) }
func (f *instance) OOMKill()                        { f.end(ExitStatus{Code: 137, OOMKilled: true}) }
func (f *instance) OnExit(exit func(ExitStatus))    { f.exit = exit }
func (f *instance) ReadFile(string) ([]byte, error) { return []byte(f.b.message), nil }
func (f *instance) Exec(_ []string, stdout, _ io.Writer, done func(int)) error {
	code := f.b.probe(f.e.k.Elapsed() - f.began)
	if code != 0 {
		_, _ = io.WriteString(stdout, f.b.probeSays)
	}
	if code >= 0 { // negative: never answers
		f.e.k.After(5*time.Millisecond, "container", "exec", func() { done(code) })
	}
	return nil
}

// world is a kubelet with its fakes.
type world struct {
	*testing.T
	k   *kernel.Kernel
	api *api
	e   *engine
	kl  *Kubelet
}

func newWorld(t *testing.T, seed uint64, faults Faults) *world {
	t.Helper()
	k := kernel.New(kernel.Options{Seed: seed})
	w := &world{T: t, k: k, api: newAPI(k), e: &engine{k: k, behaviours: map[string]behaviour{}, configs: map[string]ContainerConfig{}}}
	w.kl = New(Options{Kernel: k, Client: w.api, Source: w.api, Runtime: w.e, Images: w.e, Node: Node{Name: "node"}, Faults: faults})
	if err := w.kl.Start(); err != nil {
		t.Fatal(err)
	}
	return w
}

// run lets d pass.
func (w *world) run(d time.Duration) { w.k.RunUntil(w.k.Now().Add(d)) }

// until runs until the Pod's state satisfies what, at most an hour.
func (w *world) until(what func() bool) {
	w.Helper()
	if err := w.k.RunWhile(func() bool { return !what() }, w.k.Now().Add(time.Hour), 0); err != nil || !what() {
		w.Fatalf("it never came: %v\nstates:\n%s\nevents:\n%s", err, strings.Join(w.api.states, "\n"), strings.Join(w.api.events, "\n"))
	}
}

// pod makes a Pod that is bound to the node; containers are "name:image", those
// before "|" are init containers.
func pod(containers ...string) *corev1.Pod {
	grace := int64(30)
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", Generation: 1},
		Spec: corev1.PodSpec{NodeName: "node", RestartPolicy: corev1.RestartPolicyNever, TerminationGracePeriodSeconds: &grace,
			ServiceAccountName: "default"},
		Status: corev1.PodStatus{Phase: corev1.PodPending, QOSClass: corev1.PodQOSBestEffort},
	}
	init := false
	for _, c := range containers {
		init = init || c == "|"
	}
	for _, c := range containers {
		if c == "|" {
			init = false
			continue
		}
		name, image, _ := strings.Cut(c, ":")
		made := corev1.Container{Name: name, Image: image, ImagePullPolicy: corev1.PullIfNotPresent, TerminationMessagePath: "/dev/termination-log"}
		if init {
			p.Spec.InitContainers = append(p.Spec.InitContainers, made)
		} else {
			p.Spec.Containers = append(p.Spec.Containers, made)
		}
	}
	return p
}

func (w *world) create(p *corev1.Pod) {
	if err := w.api.Create(context.Background(), p); err != nil {
		w.Fatal(err)
	}
}

// edit changes the stored Pod as a user would; spec tells that the spec changes.
func (w *world) edit(spec bool, change func(*corev1.Pod)) {
	p := w.api.pod("p").DeepCopy()
	change(p)
	if spec {
		p.Generation++
	}
	w.api.put(p, watch.Modified)
}

func (w *world) condition(t corev1.PodConditionType) string {
	for _, c := range w.api.pod("p").Status.Conditions {
		if c.Type == t {
			return strings.TrimSpace(string(c.Status) + " " + c.Reason + " " + c.Message)
		}
	}
	return "absent"
}

func (w *world) over() bool {
	p := w.api.pod("p")
	return p == nil || terminal(p.Status.Phase)
}

// shows reports whether the last state written contains text.
func (w *world) shows(text string) bool {
	n := len(w.api.states)
	return n > 0 && strings.Contains(w.api.states[n-1], text)
}
