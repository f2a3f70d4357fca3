package podspec

import (
	"crypto/sha256"
	"encoding/hex"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Claims gives every template of a claim among the run's bindings the name of its claim. It returns the bindings with the
// templates replaced by those claims, and the claims, which have to exist before the Pod. All attempts of a run share
// them (POD-96).
func Claims(tr *v1beta1.TaskRun, bindings []v1beta1.WorkspaceBinding) ([]v1beta1.WorkspaceBinding, []*corev1.PersistentVolumeClaim) {
	return ClaimsOf(OwnerReference(tr), tr.Namespace, bindings)
}

// ClaimsOf is Claims for a run of any kind, in its namespace.
func ClaimsOf(owner metav1.OwnerReference, namespace string, bindings []v1beta1.WorkspaceBinding) ([]v1beta1.WorkspaceBinding, []*corev1.PersistentVolumeClaim) {
	var claims []*corev1.PersistentVolumeClaim
	bound := make([]v1beta1.WorkspaceBinding, len(bindings))
	for i := range bindings {
		bindings[i].DeepCopyInto(&bound[i])
		template := bound[i].VolumeClaimTemplate
		if template == nil {
			continue
		}
		claim := template
		claim.Name = claimName(template.Name, bound[i].Name, string(owner.UID))
		claim.GenerateName = ""
		claim.Namespace = namespace
		claim.OwnerReferences = []metav1.OwnerReference{owner}
		claims = append(claims, claim)
		bound[i].VolumeClaimTemplate = nil
		bound[i].PersistentVolumeClaim = &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name}
	}
	return bound, claims
}

func claimName(template, workspace, owner string) string {
	if template == "" {
		template = "pvc"
	}
	sum := sha256.Sum256([]byte(workspace + owner))
	return template + "-" + hex.EncodeToString(sum[:])[:10]
}
