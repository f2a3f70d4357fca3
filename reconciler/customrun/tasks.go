package customrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Kinds are the kinds, and the fields that each takes. Objects of them have these in their spec, and a run may refer to one by name.
var Kinds = map[string][]string{
	"Wait":         {"duration"},                 // succeeds after that time
	"Fail":         {"message"},                  // fails
	"SucceedAfter": {"failures"},                 // fails as many attempts, and then succeeds
	"Echo":         nil,                          // takes any texts, and reports them as results
	"PodTask":      {"image", "command", "args"}, // runs a Pod; the container's termination message is the result output
}

// settings are a custom task's own fields: those of its spec, and over them the run's params. Package json does not mind the capitals.
type settings struct {
	Duration       metav1.Duration
	Failures       uint `json:",string"`
	Message, Image string
	Command, Args  []string
	texts          map[string]string
}

// Bounds by which a status stays small enough to be stored: retries, and bytes of settings.
const mostRetries, mostSettings = 100, 64 << 10

// begin validates a run. A mistake of the user ends it, and is told in its status: no webhook knows what this controller asks for.
// The settings are kept in extraFields, so that later changes of where they came from do not matter.
func (c *Reconciler) begin(ctx context.Context, r *Run) error {
	spec, err := c.specOf(ctx, r)
	given, wrong := configure(r.kind(), spec, r.spec.Params)
	alien := func(w v1beta1.WorkspaceBinding) bool { return r.kind() != "PodTask" || w.VolumeClaimTemplate != nil }
	refuse := func(reason, message string) { r.tell(r.status, corev1.ConditionFalse, reason, message) }
	switch {
	case slices.ContainsFunc(r.spec.Workspaces, alien):
		refuse(r.gvk.Kind+"WorkspaceNotSupported", "only a PodTask takes workspaces, and no volumeClaimTemplate")
	case r.template != nil && r.kind() != "PodTask":
		refuse(r.gvk.Kind+"PodTemplateNotSupported", "only a PodTask takes a podTemplate")
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		refuse("CouldntGetTask", err.Error())
	case err != nil:
		return err
	case wrong != nil:
		refuse("ValidationFailed", wrong.Error())
	default:
		r.status.ExtraFields.Raw = given
		r.running("It has started")
	}
	return nil
}

// specOf is the spec that the run embeds or refers to, as JSON, or nothing. An object is looked for beside the run, and then in the
// namespace that the reference names, which of a Run is never empty: the API's default for it is "default".
func (c *Reconciler) specOf(ctx context.Context, r *Run) ([]byte, error) {
	if r.spec.CustomSpec != nil {
		return r.spec.CustomSpec.Spec.Raw, nil
	} else if r.spec.CustomRef.Name == "" {
		return nil, nil
	}
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(GroupVersion.WithKind(r.kind()))
	err := c.Reader.Get(ctx, client.ObjectKey{Namespace: r.object.GetNamespace(), Name: r.spec.CustomRef.Name}, object)
	if apierrors.IsNotFound(err) && r.namespace != "" {
		err = c.Reader.Get(ctx, client.ObjectKey{Namespace: r.namespace, Name: r.spec.CustomRef.Name}, object)
	}
	spec, _ := json.Marshal(object.Object["spec"]) // it came as JSON
	return spec, err
}

// configure makes the settings of a run, as JSON. An error is the user's, and says what to write instead.
func configure(kind string, spec []byte, params []v1beta1.Param) ([]byte, error) {
	var own map[string]v1beta1.ParamValue
	if err := json.Unmarshal(spec, &own); err != nil && len(spec) > 0 {
		return nil, fmt.Errorf("the spec is a mapping: %w", err)
	}
	all := map[string]v1beta1.ParamValue{}
	maps.Copy(all, own)
	for _, p := range params {
		all[p.Name] = p.Value
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if kind != "Echo" && !slices.Contains(Kinds[kind], name) {
			return nil, fmt.Errorf("it takes %v, and no %s", Kinds[kind], name)
		}
	}
	raw, _ := json.Marshal(all) // it came as JSON
	if len(raw) > mostSettings {
		return nil, fmt.Errorf("all that it is given has at most %d bytes", mostSettings)
	}
	_, err := read(kind, raw)
	return raw, err
}

// read reads settings. What is not given is as set here.
func read(kind string, raw []byte) (s settings, err error) {
	if kind == "Echo" {
		return s, json.Unmarshal(raw, &s.texts)
	}
	s = settings{Duration: metav1.Duration{Duration: 10 * time.Second}, Message: "It was asked to fail", Failures: 1}
	return s, json.Unmarshal(raw, &s)
}

// work does what the run asks for, and says when to look at it again if nothing happens.
func (c *Reconciler) work(ctx context.Context, r *Run) (time.Duration, error) {
	s, err := read(r.kind(), r.status.ExtraFields.Raw)
	if err != nil {
		return 0, err
	}
	switch r.kind() {
	case "Wait":
		if left := r.began().Add(s.Duration.Duration).Sub(r.now.Time); left > 0 {
			r.running("Waiting for " + s.Duration.Duration.String())
			return left, nil
		}
	case "Fail", "SucceedAfter":
		if r.kind() == "Fail" || uint(len(r.status.RetriesStatus)) < s.Failures {
			r.failed("Failed", s.Message)
			return 0, nil
		}
	case "Echo":
		for _, name := range slices.Sorted(maps.Keys(s.texts)) {
			r.status.Results = append(r.status.Results, v1beta1.CustomRunResult{Name: name, Value: s.texts[name]})
		}
	case "PodTask":
		if done, err := c.runPod(ctx, r, &s); !done {
			return 0, err
		}
	}
	r.tell(r.status, corev1.ConditionTrue, "Succeeded", "Execution was successful")
	return 0, nil
}

// runPod makes the Pod of the attempt if there is none, and reports whether it has succeeded.
func (c *Reconciler) runPod(ctx context.Context, r *Run, s *settings) (done bool, err error) {
	pod, err := c.podOf(ctx, r)
	if err == nil && pod == nil {
		if pod, err = newPod(r, s); err == nil {
			err = c.Client.Create(ctx, pod)
		}
	}
	switch {
	case apierrors.IsInvalid(err), apierrors.IsForbidden(err), apierrors.IsBadRequest(err):
		r.failed("Failed", err.Error())
	case err != nil:
		return false, err
	case pod.Status.Phase == corev1.PodSucceeded:
		for _, container := range pod.Status.ContainerStatuses {
			if container.Name == "task" && container.State.Terminated != nil {
				r.status.Results = append(r.status.Results, v1beta1.CustomRunResult{Name: "output", Value: container.State.Terminated.Message})
			}
		}
		return true, nil
	case pod.Status.Phase == corev1.PodFailed:
		r.failed("Failed", "The Pod failed")
	default:
		r.running("Waiting for the Pod " + pod.Name)
	}
	return false, nil
}

// stop has the Pod of the attempt stopped, and reports whether there is none left.
func (c *Reconciler) stop(ctx context.Context, r *Run) (bool, error) {
	pod, err := c.podOf(ctx, r)
	if err == nil && pod != nil && pod.DeletionTimestamp == nil {
		err = client.IgnoreNotFound(c.Client.Delete(ctx, pod, client.Preconditions{UID: &pod.UID}))
	}
	return pod == nil, err
}

// podOf is the Pod of the attempt, or nil if there is none of its own.
func (c *Reconciler) podOf(ctx context.Context, r *Run) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	err := c.Reader.Get(ctx, r.pod, pod)
	if apierrors.IsNotFound(err) || err == nil && !metav1.IsControlledBy(pod, r.object) {
		return nil, nil
	}
	return pod, err
}

// newPod builds the Pod. The fields of a podTemplate are called as those of a Pod, and the sources of a workspace as those of a volume.
func newPod(r *Run, s *settings) (*corev1.Pod, error) {
	container := corev1.Container{Name: "task", Image: s.Image, Command: s.Command, Args: s.Args}
	owner := *metav1.NewControllerRef(r.object, r.gvk)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: r.pod.Namespace, Name: r.pod.Name, OwnerReferences: []metav1.OwnerReference{owner}}}
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
	pod.Spec.Containers = []corev1.Container{container}
	return pod, errs
}

func convert(from, to any) error {
	raw, err := json.Marshal(from)
	return errors.Join(err, json.Unmarshal(raw, to))
}
