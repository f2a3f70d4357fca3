package kindcluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/kind/pkg/exec"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/kindconfig/images"
)

// ours is how repositories of this repository's images begin in the registry; library is Docker Hub's prefix for images
// without a publisher's name.
const (
	ours    = "plumbline/"
	library = "library/"
)

// building begins to make the images of the programs. Called, it waits for them.
func (w *work) building(ctx context.Context) func() ([]images.Image, error) {
	w.Tell("building images")
	var list []images.Image
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		list, err = w.programs(ctx)
	}()
	return func() ([]images.Image, error) {
		<-done
		return list, err
	}
}

// content has the images and the installation in the cluster.
func (w *work) content(ctx context.Context, built func() ([]images.Image, error), withFixtures bool) error {
	programs, err := built()
	if err != nil {
		return err
	}
	at := slices.IndexFunc(programs, func(i images.Image) bool { return i.Name == images.Registry })
	if err := w.startRegistry(ctx, programs[at]); err != nil {
		return err
	}
	list := slices.Delete(slices.Clone(programs), at, at+1)
	for i := range list {
		list[i].Name = ours + list[i].Name
	}
	offline, err := w.ownNodes(ctx)
	if err != nil {
		return err
	}
	if err := w.introduce(ctx, offline); err != nil {
		return err
	}
	if withFixtures {
		fixtures, err := w.fixtures(ctx, offline)
		if err != nil {
			return err
		}
		list = append(list, fixtures...)
	}
	if err := w.push(ctx, list...); err != nil {
		return err
	}
	return w.install(ctx)
}

// programs are the images of this repository, from wherever they are.
func (w *work) programs(ctx context.Context) ([]images.Image, error) {
	given := slices.Clone(w.Programs)
	if w.Archive != "" {
		more, err := images.ReadArchive(w.Archive)
		if err != nil {
			return nil, err
		}
		for _, i := range more {
			i.Name = i.ShortName()
			given = append(given, i)
		}
	}
	var out, missing = []images.Image{}, []images.Program{}
	for _, p := range images.Programs() {
		at := slices.IndexFunc(given, func(i images.Image) bool { return i.Name == p.Name })
		if at < 0 {
			missing = append(missing, p)
			continue
		}
		out = append(out, given[at])
	}
	built, err := w.Builder.Build(ctx, missing...)
	if err != nil {
		return nil, fmt.Errorf("building images: %w", err)
	}
	return append(out, built...), nil
}

// ownNodes reports whether the nodes are of the image that is built on the spot: then no registry could be reached.
func (w *work) ownNodes(ctx context.Context) (bool, error) {
	if w.Offline {
		return true, nil
	}
	there, err := w.provider.Nodes(w.Name)
	if err != nil {
		return false, fmt.Errorf("listing the nodes of the cluster %s: %w", w.Name, err)
	}
	for _, n := range there {
		image, err := w.engine.Output(ctx, nil, "inspect", "--format", "{{.Config.Image}}", n.String())
		if err != nil {
			return false, fmt.Errorf("looking at the node %s: %w", n, err)
		}
		if strings.HasPrefix(string(image), ownNodeImage) {
			return true, nil
		}
	}
	return false, nil
}

// fixtureImages are those that fixtures name, and where they come from.
func fixtureImages() map[string]string {
	return map[string]string{
		images.BusyboxName: "docker.io/library/busybox:latest",
		images.AlpineName:  "docker.io/library/alpine:latest",
		images.DebianName:  "docker.io/library/debian:stable-slim",
	}
}

// debianPackages are in the image debian that is made here.
func debianPackages() []string {
	return strings.Fields("base-files bash coreutils dash debianutils findutils grep gzip hostname libacl1 libattr1 libc6 libgmp10 " +
		"libpcre2-8-0 libselinux1 libssl3 libtinfo6 mawk sed tar util-linux")
}

// fixtures are the images that fixtures name: copied, or made of packages of Debian.
func (w *work) fixtures(ctx context.Context, offline bool) ([]images.Image, error) {
	if offline {
		return w.made(ctx)
	}
	// What is there is not asked for again: Docker Hub counts, and may be out of reach by now.
	lacking, err := w.lacking(ctx, library+images.BusyboxName, library+images.AlpineName, library+images.DebianName)
	if err != nil {
		return nil, err
	}
	var out []images.Image
	for _, name := range lacking {
		called := strings.TrimPrefix(name, library)
		i, err := images.Copy(ctx, fixtureImages()[called], library+called, runtime.GOARCH)
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, nil
}

// madeFixtures makes them of the Debian that the node image is also made of, once.
func (w *work) madeFixtures(ctx context.Context) ([]images.Image, error) {
	root, err := w.recipe(ctx, filepath.Join("kindconfig", "node", "rootfs"))
	if err != nil {
		return nil, fmt.Errorf("unpacking Debian: %w", err)
	}
	archive := fmt.Sprintf("%s.%s.images.tar", strings.TrimSuffix(root, ".tar"), madeAs)
	if list, err := images.ReadArchive(archive); err == nil {
		return named(list), nil
	}
	w.Tell("making the images busybox, alpine and debian of Debian's packages")
	file, err := os.Open(root)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it is only read
	shell, err := images.ReadFile(file, "/usr/bin/busybox")
	if errors.Is(err, os.ErrNotExist) {
		shell, err = images.ReadFile(file, "/bin/busybox")
	}
	if err != nil {
		return nil, err
	}
	busybox, err := images.Busybox(shell, runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	alpine, err := images.Alpine(shell, runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	debian, err := images.Debian(file, runtime.GOARCH, debianPackages()...)
	if err != nil {
		return nil, err
	}
	list := []images.Image{{Name: images.BusyboxName, Image: busybox}, {Name: images.AlpineName, Image: alpine}, {Name: images.DebianName, Image: debian}}
	content, err := images.Archive(list...)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(archive+".new", content, 0o600); err != nil {
		return nil, err
	}
	return named(list), os.Rename(archive+".new", archive)
}

// madeAs is changed when the same packages are made into other images.
const madeAs = "2"

// named are images as they are called in the registry.
func named(list []images.Image) []images.Image {
	for i := range list {
		list[i].Name = library + list[i].ShortName()
	}
	return list
}

// others puts images of the user into the cluster.
func (w *work) others(ctx context.Context, names []string) (map[string]string, error) {
	var list []images.Image
	for _, n := range names {
		file := n
		if _, err := os.Stat(n); err != nil {
			saved, err := os.CreateTemp("", "plumbline-image-*.tar")
			if err != nil {
				return nil, err
			}
			defer os.Remove(saved.Name()) //nolint:errcheck // a temporary file
			if err := saved.Close(); err != nil {
				return nil, err
			}
			file = saved.Name()
			if _, err := w.engine.Output(ctx, nil, "save", "-o", file, n); err != nil {
				return nil, &NoImageError{Name: n, Engine: w.engine.Name, Err: err}
			}
		}
		read, err := images.ReadArchive(file)
		if err != nil {
			return nil, err
		}
		list = append(list, read...)
	}
	if err := w.ontoNodes(ctx, list...); err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Name = list[i].InRegistry()
	}
	return w.references, w.push(ctx, list...)
}

// NoImageError says that an image is neither a file nor known to the container engine.
type NoImageError struct {
	Name, Engine string
	Err          error
}

func (e *NoImageError) Error() string {
	return fmt.Sprintf("image %s is not a file, and %s does not have it: %s", e.Name, e.Engine, firstLine(e.Err.Error()))
}

// Unwrap returns what the engine says.
func (e *NoImageError) Unwrap() error { return e.Err }

// install has the reference implementation run with the images of the registry.
func (w *work) install(ctx context.Context) error {
	o := w.Installation
	o.Examples = true // the suite is about them, too
	o.Images = kindconfig.Images{
		Controller: w.references[ours+images.Controller], Entrypoint: w.references[ours+images.Entrypoint], Nop: w.references[ours+images.Nop],
		WorkingDirInit: w.references[ours+images.WorkingDirInit], SidecarLogResults: w.references[ours+images.SidecarLogResults],
		Shell: Registry + "/" + library + images.BusyboxName,
	}
	objects, err := kindconfig.Objects(o)
	if err != nil {
		return err
	}
	changed := 0
	var last error
	err = wait.PollUntilContextTimeout(ctx, again, readyWithin, true, func(ctx context.Context) (bool, error) {
		var n int
		n, last = w.apply(ctx, objects)
		changed += n
		// The API server asks the webhooks about the configuration; after a node was started, they take a while.
		return !apierrors.IsInternalError(last), nil
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err = cmp.Or(last, err); err != nil {
		return fmt.Errorf("installing: %w", err)
	}
	if changed > 0 {
		w.Tell(fmt.Sprintf("installed: %d of %d objects are new or changed", changed, len(objects)))
	} else {
		w.Tell(fmt.Sprintf("the installation is as it should be: %d objects", len(objects)))
	}
	if err := w.ready(ctx, kindconfig.Namespace, kindconfig.Deployment, readyWithin); err != nil {
		return fmt.Errorf("the controller: %w", err)
	}
	return w.answers(ctx)
}

// apply applies objects and counts those that changed.
func (w *work) apply(ctx context.Context, objects []*unstructured.Unstructured) (int, error) {
	before := map[string]map[string]any{}
	for _, o := range objects {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(o.GroupVersionKind())
		if err := w.client.Get(ctx, client.ObjectKeyFromObject(o), u); err == nil {
			before[kindconfig.Describe(o)] = said(u)
		}
	}
	changed := 0
	err := kindconfig.Apply(ctx, w.client, objects, func(u *unstructured.Unstructured) {
		if !equality.Semantic.DeepEqual(before[kindconfig.Describe(u)], said(u)) {
			changed++
		}
	})
	return changed, err
}

// said returns the content of an object without the metadata that the API server adds.
func said(u *unstructured.Unstructured) map[string]any {
	o := u.DeepCopy().Object
	delete(o, "status")
	for _, field := range []string{"resourceVersion", "managedFields", "generation"} {
		unstructured.RemoveNestedField(o, "metadata", field)
	}
	return o
}

// answers waits until TaskRuns can be made: the API server asks the webhooks about one that is only tried.
func (w *work) answers(ctx context.Context) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, again, readyWithin, true, func(ctx context.Context) (bool, error) {
		try := &v1beta1.TaskRun{}
		try.Namespace, try.GenerateName = corev1.NamespaceDefault, "plumbline-"
		try.Spec.TaskSpec = &v1beta1.TaskSpec{Steps: []v1beta1.Step{{Image: images.BusyboxName}}}
		last = w.client.Create(ctx, try, client.DryRunAll)
		return last == nil, nil
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("TaskRuns cannot be made after %v: %w", readyWithin, last)
	}
	return nil
}

// rolledOut reports whether what runs is what a Deployment says.
func rolledOut(d *appsv1.Deployment) bool {
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	s := d.Status
	return s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == want && s.AvailableReplicas == want && s.Replicas == want
}

// why says what keeps a Deployment's Pods from running.
func (w *work) why(ctx context.Context, namespace string, d *appsv1.Deployment) string {
	var pods corev1.PodList
	if d.Spec.Selector == nil {
		return "it does not exist"
	}
	if err := w.client.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels(d.Spec.Selector.MatchLabels)); err != nil {
		return err.Error()
	}
	reasons := []string{}
	for _, p := range pods.Items {
		for _, c := range p.Status.ContainerStatuses {
			switch {
			case c.State.Waiting != nil:
				reasons = append(reasons, fmt.Sprintf("Pod %s waits: %s %s", p.Name, c.State.Waiting.Reason, c.State.Waiting.Message))
			case c.State.Terminated != nil:
				reasons = append(reasons, fmt.Sprintf("Pod %s ended with %d: %s", p.Name, c.State.Terminated.ExitCode, c.State.Terminated.Message))
			case !c.Ready:
				reasons = append(reasons, fmt.Sprintf("Pod %s runs and is not ready", p.Name))
			}
		}
		for _, c := range p.Status.Conditions {
			if c.Status == corev1.ConditionFalse && c.Message != "" && len(p.Status.ContainerStatuses) == 0 {
				reasons = append(reasons, fmt.Sprintf("Pod %s: %s", p.Name, c.Message))
			}
		}
	}
	if len(reasons) == 0 {
		return fmt.Sprintf("%d Pods", len(pods.Items))
	}
	return strings.Join(reasons, "; ")
}

// detailed is an error of kind with what the command said.
func detailed(err error) error {
	run := exec.RunErrorForError(err)
	if run == nil {
		return err
	}
	text := strings.TrimSpace(string(run.Output))
	if text == "" {
		return err
	}
	all := strings.Split(text, "\n")
	return fmt.Errorf("%w: %s", err, strings.Join(all[max(0, len(all)-saidAtMost):], "\n"))
}

// saidAtMost is how many lines of a command are repeated: kubeadm says much.
const saidAtMost = 30
