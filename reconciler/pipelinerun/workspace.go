package pipelinerun

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/podspec"
)

// Labels of an affinity assistant, which its followers look for.
const (
	labelInstance      = "app.kubernetes.io/instance"
	labelComponent     = "app.kubernetes.io/component"
	componentAssistant = "affinity-assistant"
)

// bindings are the workspaces of the run, with claims in the place of templates.
func (p *pipelineRunPass) bindings() []v1beta1.WorkspaceBinding {
	if p.bound == nil {
		p.bound, p.claims = podspec.ClaimsOf(owner(p.Run), p.Run.Namespace, p.Run.Spec.Workspaces)
	}
	return p.bound
}

// prepareWorkspaces makes the claims of templates, and the assistants that keep the users of a claim on one node.
func (p *pipelineRunPass) prepareWorkspaces(ctx context.Context) error {
	p.bindings()
	for _, claim := range p.claims {
		err := p.Get(ctx, client.ObjectKeyFromObject(claim), &corev1.PersistentVolumeClaim{})
		if apierrors.IsNotFound(err) {
			err = p.Deps.Client.Create(ctx, claim)
		}
		switch {
		case err == nil || apierrors.IsAlreadyExists(err):
		case pass.Passes(err):
			return err
		case pass.OverQuota(err):
			return &pass.Waiting{
				Reason: v1beta1.PipelineRunReasonPending, Message: fmt.Sprintf("Waiting for PVC creation to succeed: %v", err), After: pass.QuotaDelay,
			}
		default:
			return pass.Failedf(v1beta1.PipelineRunReasonCouldntCreateWorkspacePVC, "Failed to create PVC for PipelineRun %s/%s Workspaces correctly: %w", p.Run.Namespace, p.Run.Name, err)
		}
	}
	if p.Config.FeatureFlags.DisableAffinityAssistant {
		return nil
	}
	for i := range p.Run.Spec.Workspaces {
		if !onClaim(&p.Run.Spec.Workspaces[i]) {
			continue
		}
		switch err := p.Deps.Client.Create(ctx, p.assistant(&p.bound[i])); {
		case err == nil || apierrors.IsAlreadyExists(err):
		case pass.Passes(err) || pass.OverQuota(err):
			return err
		default:
			return pass.Failedf(v1beta1.PipelineRunReasonCouldntCreateAffinityAssistant, "Failed to create StatefulSet for PipelineRun %s/%s correctly: %w", p.Run.Namespace, p.Run.Name, err)
		}
	}
	return nil
}

// assistantName is the name of the assistant of a workspace of a run.
func assistantName(workspace, run string) string {
	sum := sha256.Sum256([]byte(workspace + run))
	return "affinity-assistant-" + hex.EncodeToString(sum[:])[:10]
}

// assistantOf is the assistant that a task follows with these workspaces of the run, or "". With several it is the last one's.
func (p *pipelineRunPass) assistantOf(workspaces []string) string {
	name := ""
	if p.Config.FeatureFlags.DisableAffinityAssistant {
		return name
	}
	for _, w := range workspaces {
		for i := range p.Run.Spec.Workspaces {
			if b := &p.Run.Spec.Workspaces[i]; b.Name == w && onClaim(b) {
				name = assistantName(w, p.Run.Name)
			}
		}
	}
	return name
}

// assistant is the StatefulSet whose Pod holds the place for those that use a claim (spec §2.21).
func (p *pipelineRunPass) assistant(binding *v1beta1.WorkspaceBinding) *appsv1.StatefulSet {
	name := assistantName(binding.Name, p.Run.Name)
	labels := maps.Clone(p.Run.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[v1beta1.LabelPipelineRun], labels[labelInstance], labels[labelComponent] = p.Run.Name, name, componentAssistant
	template := p.assistantTemplate()
	room := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("100Mi")}
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.Run.Namespace, Name: name, Labels: labels, OwnerReferences: []metav1.OwnerReference{owner(p.Run)}},
		Spec: appsv1.StatefulSetSpec{
			Replicas: new(int32(1)),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers: []corev1.Container{{
						Name: componentAssistant, Image: p.Deps.Images.Nop, Args: []string{"tekton_run_indefinitely"},
						Resources: corev1.ResourceRequirements{Requests: room, Limits: room},
					}},
					Volumes: []corev1.Volume{{
						Name: "workspace", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: claimed(binding.PersistentVolumeClaim.ClaimName)},
					}},
					Tolerations: template.Tolerations, NodeSelector: template.NodeSelector, ImagePullSecrets: template.ImagePullSecrets,
					Affinity: &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
						PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
							Weight: 100,
							PodAffinityTerm: corev1.PodAffinityTerm{
								LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{labelComponent: componentAssistant}},
								TopologyKey:   corev1.LabelHostname,
							},
						}},
					}},
				},
			},
		},
	}
}

// assistantTemplate is what the run says of Pods, or else what the configuration says of those of assistants.
func (p *pipelineRunPass) assistantTemplate() config.AffinityAssistantPodTemplate {
	if t := p.Run.Spec.PodTemplate; t != nil {
		return config.AffinityAssistantPodTemplate{NodeSelector: t.NodeSelector, Tolerations: t.Tolerations, ImagePullSecrets: t.ImagePullSecrets}
	}
	if t := p.Config.Defaults.AffinityAssistantPodTemplate; t != nil {
		return *t
	}
	return config.AffinityAssistantPodTemplate{}
}

// dismiss deletes the assistants of a run that is over, also if they have been switched off since.
func (p *pipelineRunPass) dismiss(ctx context.Context) error {
	for i := range p.Stored.Spec.Workspaces {
		w := &p.Stored.Spec.Workspaces[i]
		if !onClaim(w) {
			continue
		}
		set := &appsv1.StatefulSet{}
		err := p.Deps.Reader.Get(ctx, client.ObjectKey{Namespace: p.Stored.Namespace, Name: assistantName(w.Name, p.Stored.Name)}, set)
		if apierrors.IsNotFound(err) || err == nil && !metav1.IsControlledBy(set, p.Stored) {
			continue
		}
		if err == nil {
			err = client.IgnoreNotFound(p.Deps.Client.Delete(ctx, set, client.Preconditions{UID: &set.UID}))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
