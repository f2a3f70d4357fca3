package customrun

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/childname"
)

// settings are a custom task's own fields: those of its spec, and over them the run's params.
type settings map[string]v1beta1.ParamValue

// fields are what the kinds take. An Echo takes anything.
var fields = map[string][]string{
	KindWait: {"duration"}, KindFail: {"message"}, KindSucceedAfter: {"failures"}, KindEcho: nil, KindPodTask: {"image", "command", "args"},
}

// Bounds by which a status stays small enough to be stored: retries, and bytes of settings.
const mostRetries, mostSettings = 100, 64 << 10

// specOf is the spec that the run embeds or refers to, as JSON, or nothing. An object is looked for beside the run, and then in the
// namespace that the reference names, which of a Run is never empty: the API's default for it is "default".
func (c *Reconciler) specOf(ctx context.Context, r *Run) ([]byte, error) {
	if r.spec.CustomSpec != nil {
		return r.spec.CustomSpec.Spec.Raw, nil
	}
	if r.spec.CustomRef.Name == "" {
		return nil, nil
	}
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(GroupVersion.WithKind(r.kind()))
	err := c.Reader.Get(ctx, r.beside(r.spec.CustomRef.Name), object)
	if apierrors.IsNotFound(err) && r.namespace != "" {
		err = c.Reader.Get(ctx, client.ObjectKey{Namespace: r.namespace, Name: r.spec.CustomRef.Name}, object)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(object.Object["spec"])
}

// configure reads the settings of a run. An error is the user's, and says what to write instead.
func configure(kind string, spec []byte, params []v1beta1.Param) (settings, error) {
	s := settings{}
	if err := json.Unmarshal(spec, &s); s == nil { // the spec is null
		s = settings{}
	} else if err != nil && len(spec) > 0 {
		return nil, fmt.Errorf("the spec of kind %s is a mapping: %w", kind, err)
	}
	for _, p := range params {
		s[p.Name] = p.Value
	}
	size := 0
	for _, name := range slices.Sorted(maps.Keys(s)) {
		want := v1beta1.ParamTypeString
		if kind == KindPodTask && name != "image" {
			want = v1beta1.ParamTypeArray
		}
		size += len(name) + len(s[name].StringVal)
		switch {
		case kind != KindEcho && !slices.Contains(fields[kind], name):
			return nil, fmt.Errorf("kind %s takes %v, and no %s", kind, fields[kind], name)
		case s[name].Type != want:
			return nil, fmt.Errorf("%s of kind %s is of type %s, not %s", name, kind, want, s[name].Type)
		case size > mostSettings:
			return nil, fmt.Errorf("all that kind %s is given has at most %d bytes", kind, mostSettings)
		}
	}
	if kind == KindPodTask && s["image"].StringVal == "" {
		return nil, fmt.Errorf("kind %s needs an image", kind)
	}
	if _, _, err := s.numbers(); err != nil && kind != KindEcho {
		return nil, fmt.Errorf("kind %s: %w", kind, err)
	}
	return s, nil
}

// numbers are the duration of a Wait and the failures of a SucceedAfter.
func (s settings) numbers() (d time.Duration, n int, err error) {
	d, wrong := time.ParseDuration(cmp.Or(s["duration"].StringVal, "10s"))
	n, err = strconv.Atoi(cmp.Or(s["failures"].StringVal, "1"))
	if d < 0 || n < 0 {
		err = errors.New("a number is negative")
	}
	return d, n, errors.Join(wrong, err)
}

// podName is the same in each pass of an attempt, so a second Pod of it cannot be made.
func podName(r *Run) string {
	if n := len(r.status.RetriesStatus); n > 0 {
		return childname.Of(r.object.GetName(), fmt.Sprintf("-pod-retry%d", n))
	}
	return childname.Of(r.object.GetName(), "-pod")
}

// pod is the Pod of the attempt, which is made if there never was one. It is nil if it was deleted, or if another owner has taken its name.
func (c *Reconciler) pod(ctx context.Context, r *Run) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	err := c.Reader.Get(ctx, r.beside(podName(r)), pod)
	if err == nil && !metav1.IsControlledBy(pod, r.object) || apierrors.IsNotFound(err) && r.memory.Made {
		return nil, nil
	}
	if apierrors.IsNotFound(err) {
		if pod, err = podOf(r); err == nil {
			err = c.Client.Create(ctx, pod)
		}
	}
	r.memory.Made = true
	return pod, err
}

// podOf builds the Pod. The fields of a podTemplate are called as those of a Pod, and the sources of a workspace as those of a volume.
func podOf(r *Run) (*corev1.Pod, error) {
	s := r.memory.Settings
	container := corev1.Container{Name: "task", Image: s["image"].StringVal, Command: s["command"].ArrayVal, Args: s["args"].ArrayVal}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: r.object.GetNamespace(), Name: podName(r), OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(r.object, r.gvk)},
	}}
	errs := convert(r.template, &pod.Spec)
	if r.template != nil {
		container.Env = r.template.Env
	}
	for i, w := range r.spec.Workspaces {
		volume := corev1.Volume{Name: fmt.Sprintf("workspace-%d", i)}
		errs = errors.Join(errs, convert(w, &volume.VolumeSource))
		pod.Spec.Volumes = append(pod.Spec.Volumes, volume)
		container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: volume.Name, MountPath: v1beta1.WorkspaceDir + "/" + w.Name, SubPath: w.SubPath})
	}
	pod.Spec.ServiceAccountName, pod.Spec.RestartPolicy = r.spec.ServiceAccountName, corev1.RestartPolicyNever
	pod.Spec.TerminationGracePeriodSeconds = new(int64(5))
	pod.Spec.Containers = []corev1.Container{container}
	return pod, errs
}

func convert(from, to any) error {
	raw, err := json.Marshal(from)
	return errors.Join(err, json.Unmarshal(raw, to))
}

// stop has the Pod of the attempt stopped, and reports whether there is none left.
func (c *Reconciler) stop(ctx context.Context, r *Run) (bool, error) {
	pod := &corev1.Pod{}
	err := c.Reader.Get(ctx, r.beside(podName(r)), pod)
	if apierrors.IsNotFound(err) || r.kind() != KindPodTask || err == nil && !metav1.IsControlledBy(pod, r.object) {
		return true, nil
	}
	if err == nil && pod.DeletionTimestamp == nil {
		err = client.IgnoreNotFound(c.Client.Delete(ctx, pod, client.Preconditions{UID: &pod.UID}))
	}
	return false, err
}

// output is what the container has left.
func output(pod *corev1.Pod) (out []v1beta1.CustomRunResult) {
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == "task" && c.State.Terminated != nil {
			out = append(out, v1beta1.CustomRunResult{Name: "output", Value: c.State.Terminated.Message})
		}
	}
	return out
}
