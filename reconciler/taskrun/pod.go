package taskrun

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/podspec"
	"github.com/plumbline-ci/plumbline/reconciler/podstatus"
)

// How long to wait for what cannot be watched.
const (
	// quotaConflictDelay: another Pod was counted at the same moment (LC-50).
	quotaConflictDelay = time.Second
	// takenDelay: a foreign Pod has the name (LC-53).
	takenDelay = 2 * time.Second
)

// defaultAccount is the service account that every namespace has, soon after it was made: for so long a run waits for it.
const (
	defaultAccount      = "default"
	defaultAccountDelay = 10 * time.Second
)

const (
	messageTaken         = "tried to create pod, but it already exists"
	messageQuotaConflict = "tried to create pod, but it failed with ResourceQuotaConflictError"
)

// podName is the name of the Pod of this attempt.
func (p *taskRunPass) podName() string {
	if name := p.Run.Status.PodName; name != "" {
		return name
	}
	return podspec.Name(p.Run)
}

// pod is the Pod of this attempt, made now if there is none.
func (p *taskRunPass) pod(ctx context.Context) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	err := p.Deps.Client.Get(ctx, client.ObjectKey{Namespace: p.Run.Namespace, Name: p.podName()}, pod)
	switch {
	case apierrors.IsNotFound(err):
		return p.createPod(ctx)
	case err != nil:
		return nil, err
	case !metav1.IsControlledBy(pod, p.Run):
		return nil, &pass.Waiting{Reason: v1beta1.TaskRunReasonPending, Message: messageTaken, After: takenDelay}
	default:
		return pod, nil
	}
}

func (p *taskRunPass) createPod(ctx context.Context) (*corev1.Pod, error) {
	if err := p.Confirm(ctx); err != nil {
		return nil, err
	}
	if p.plan == nil {
		if err := p.replan(); err != nil {
			return nil, err
		}
	} else if err := p.checkPlan(); err != nil {
		return nil, err
	}
	if err := p.createClaims(ctx); err != nil {
		return nil, err
	}
	pod, err := p.build(ctx)
	if err != nil {
		return nil, err
	}
	pod.Name = p.podName()
	err = p.Deps.Client.Create(ctx, pod)
	switch {
	case err == nil:
		if t := p.Run.Spec.PodTemplate; t != nil && t.Affinity != nil && p.Run.Annotations[v1beta1.AnnotationAffinityAssistant] != "" {
			p.Event(corev1.EventTypeWarning, v1beta1.EventReasonPodAffinityOverwrite,
				fmt.Sprintf("Pod template affinity is overwritten by affinity assistant for pod %q", pod.Name))
		}
		return pod, nil
	case apierrors.IsAlreadyExists(err):
		return p.existingPod(ctx)
	case pass.OverQuota(err), isQuotaConflict(err), pass.Passes(err):
		return nil, p.createError(err)
	}
	// It is refused for good, but an earlier create may have succeeded, and its answer been lost.
	if made, err := p.livePod(ctx); err != nil || made != nil {
		return made, err
	}
	return nil, p.createError(err)
}

// existingPod is the Pod that the cache does not have yet; or it is not ours.
func (p *taskRunPass) existingPod(ctx context.Context) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	err := p.Deps.Reader.Get(ctx, client.ObjectKey{Namespace: p.Run.Namespace, Name: p.podName()}, pod)
	if err == nil && metav1.IsControlledBy(pod, p.Run) {
		return pod, nil
	}
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	return nil, &pass.Waiting{Reason: v1beta1.TaskRunReasonPending, Message: messageTaken, After: takenDelay}
}

// createError is what the refusal of a Pod means.
func (p *taskRunPass) createError(err error) error {
	switch {
	case isQuotaConflict(err):
		return &pass.Waiting{Reason: v1beta1.TaskRunReasonPending, Message: messageQuotaConflict, After: quotaConflictDelay}
	case pass.OverQuota(err):
		return &pass.Waiting{
			Reason: v1beta1.TaskRunReasonExceededResourceQuota, Message: fmt.Sprintf("TaskRun Pod exceeded available resources: %v", err), After: pass.QuotaDelay,
		}
	case pass.Passes(err):
		return err
	default:
		return p.refused(err)
	}
}

func isQuotaConflict(err error) bool {
	var status apierrors.APIStatus
	return apierrors.IsConflict(err) && errors.As(err, &status) &&
		status.Status().Details != nil && status.Status().Details.Kind == "resourcequotas"
}

// refused is the failure of an attempt whose Pod cannot be made (LC-54).
func (p *taskRunPass) refused(err error) error {
	if errors.Is(err, podspec.ErrKnownHosts) {
		return pass.Failed(v1beta1.TaskRunReasonFailedValidation, err)
	}
	hint := "Maybe invalid TaskSpec"
	if ref := p.Run.Spec.TaskRef; ref != nil {
		hint = fmt.Sprintf("Maybe missing or invalid Task %s/%s", p.Run.Namespace, ref.Name)
	}
	return pass.Failedf(v1beta1.TaskRunReasonPodCreationFailed, "failed to create task run pod %q: %w. %s", p.Run.Name, err, hint)
}

// createClaims makes the claims that the templates among the workspaces ask for (POD-96).
func (p *taskRunPass) createClaims(ctx context.Context) error {
	for _, claim := range p.plan.claims {
		key := client.ObjectKeyFromObject(claim)
		err := p.Get(ctx, key, &corev1.PersistentVolumeClaim{})
		verb := "retrieve"
		if apierrors.IsNotFound(err) {
			verb = "create"
			err = p.Deps.Client.Create(ctx, claim)
		}
		if err == nil || apierrors.IsAlreadyExists(err) {
			continue
		}
		if pass.Passes(err) {
			return err
		}
		if pass.OverQuota(err) {
			return &pass.Waiting{
				Reason:  v1beta1.TaskRunReasonPending,
				Message: fmt.Sprintf("failed to create PVC %s for the workspaces of TaskRun %s/%s: %v", claim.Name, p.Run.Namespace, p.Run.Name, err), After: pass.QuotaDelay,
			}
		}
		return pass.Failedf(v1beta1.TaskRunReasonCouldntCreateWorkspacePVC,
			"Failed to create PVC for TaskRun %s/%s workspaces correctly: failed to %s PVC %s: %w", p.Run.Namespace, p.Run.Name, verb, claim.Name, err)
	}
	return nil
}

// build makes the Pod of the plan.
func (p *taskRunPass) build(ctx context.Context) (*corev1.Pod, error) {
	flags := &p.Config.FeatureFlags
	in := podspec.Input{
		TaskRun:  p.Run,
		Spec:     p.plan.spec,
		Bindings: p.plan.bindings,
		Timeout:  p.timeout(),
		Revision: p.Deps.Revision,
		Features: podspec.Features{
			Alpha:              flags.Alpha(),
			DisableCredentials: flags.DisableCredsInit,
			RequireKnownHosts:  flags.RequireGitSSHKnownHosts,
			AwaitSidecars:      flags.AwaitSidecarReadiness,
			InjectedSidecars:   flags.InjectedSidecars,
			ResultsFromSidecar: flags.ResultsFrom == config.ResultsFromSidecarLogs,
			ForbiddenEnv:       p.Config.Defaults.ForbiddenEnv,
		},
		Images: p.Deps.Images,
		Image:  p.image(ctx),
	}
	var err error
	if !in.Features.DisableCredentials {
		if in.Secrets, err = p.secrets(ctx); err != nil {
			return nil, p.buildError(err)
		}
	}
	var ranges corev1.LimitRangeList
	if err := p.Deps.Client.List(ctx, &ranges, client.InNamespace(p.Run.Namespace)); err != nil {
		return nil, err
	}
	in.LimitRanges = ranges.Items
	pod, err := podspec.Build(in)
	if err != nil {
		return nil, p.buildError(err)
	}
	return pod, nil
}

// buildError tells trouble of the cluster, met while building, from an input of which no Pod can be built.
func (p *taskRunPass) buildError(err error) error {
	var trouble *clusterError
	if errors.As(err, &trouble) {
		return trouble.cause
	}
	return p.refused(fmt.Errorf("translating TaskSpec to Pod: %w", err))
}

// clusterError is trouble that passes.
type clusterError struct{ cause error }

func (e *clusterError) Error() string { return e.cause.Error() }

// lookedUp separates trouble that passes from answers that stay.
func lookedUp(err error) error {
	if err != nil && pass.Passes(err) {
		return &clusterError{err}
	}
	return err
}

// secrets are those of the service account, each once, in its order.
func (p *taskRunPass) secrets(ctx context.Context) ([]corev1.Secret, error) {
	account := &corev1.ServiceAccount{}
	key := client.ObjectKey{Namespace: p.Run.Namespace, Name: p.serviceAccount()}
	if err := p.Get(ctx, key, account); err != nil {
		if apierrors.IsNotFound(err) && key.Name == defaultAccount && p.Moment.Sub(p.Run.CreationTimestamp.Time) < defaultAccountDelay {
			return nil, &clusterError{err}
		}
		return nil, lookedUp(err)
	}
	var secrets []corev1.Secret
	seen := map[string]bool{}
	for _, ref := range account.Secrets {
		if seen[ref.Name] {
			continue
		}
		seen[ref.Name] = true
		var secret corev1.Secret
		switch err := p.Get(ctx, client.ObjectKey{Namespace: p.Run.Namespace, Name: ref.Name}, &secret); {
		case apierrors.IsNotFound(err):
			// Kubernetes does not mind either: an account may name a secret that is made later, or was deleted.
			p.Event(corev1.EventTypeWarning, v1beta1.EventReasonMissingSecret,
				fmt.Sprintf("secret %q of service account %q was not found; the steps run without it", ref.Name, account.Name))
		case err != nil:
			return nil, lookedUp(err)
		default:
			secrets = append(secrets, secret)
		}
	}
	return secrets, nil
}

func (p *taskRunPass) serviceAccount() string {
	if name := p.Run.Spec.ServiceAccountName; name != "" {
		return name
	}
	return defaultAccount
}

// image is the look-up of images on behalf of the run.
func (p *taskRunPass) image(ctx context.Context) func(string) (podspec.Image, error) {
	access := reconciler.ImageAccess{Namespace: p.Run.Namespace, ServiceAccount: p.serviceAccount()}
	if t := p.Run.Spec.PodTemplate; t != nil {
		for _, s := range t.ImagePullSecrets {
			access.PullSecrets = append(access.PullSecrets, s.Name)
		}
	}
	return func(reference string) (podspec.Image, error) {
		if p.Deps.ImageConfig == nil {
			return podspec.Image{}, errors.New("no registry can be asked: the step needs a command or a script")
		}
		return p.Deps.ImageConfig.ImageConfig(ctx, reference, access)
	}
}

// announce lets the first Step start when the Sidecars are up (§7.2).
func (p *taskRunPass) announce(ctx context.Context, pod *corev1.Pod) error {
	a := podstatus.Announce(pod, p.Moment)
	if a.Again > 0 {
		p.WakeAt(p.Moment.Add(a.Again))
	}
	if a.Value == "" {
		return nil
	}
	annotations := map[string]string{v1beta1.AnnotationReady: a.Value}
	if a.First {
		annotations[podstatus.ReadySinceAnnotation] = p.Moment.UTC().Format(time.RFC3339Nano)
	}
	return client.IgnoreNotFound(p.patchPod(ctx, pod, types.MergePatchType, pass.Annotate(annotations)))
}

func (p *taskRunPass) patchPod(ctx context.Context, pod *corev1.Pod, kind types.PatchType, patch any) error {
	target := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name}}
	target.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Pod"))
	return p.Patch(ctx, target, kind, patch)
}

// deletePod deletes the Pod of this attempt, recorded or not. It returns the Pod as it was before; nil if there is none.
func (p *taskRunPass) deletePod(ctx context.Context) (*corev1.Pod, error) {
	if err := p.Confirm(ctx); err != nil {
		return nil, err
	}
	pod, err := p.livePod(ctx)
	if err == nil && pod != nil && pod.DeletionTimestamp == nil {
		err = client.IgnoreNotFound(p.Deps.Client.Delete(ctx, pod, client.Preconditions{UID: &pod.UID}))
	}
	return pod, err
}

// livePod is the Pod of this attempt as the API server has it; nil if there is none.
func (p *taskRunPass) livePod(ctx context.Context) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	err := p.Deps.Reader.Get(ctx, client.ObjectKey{Namespace: p.Run.Namespace, Name: p.podName()}, pod)
	if err != nil || !metav1.IsControlledBy(pod, p.Run) {
		return nil, client.IgnoreNotFound(err)
	}
	return pod, nil
}
