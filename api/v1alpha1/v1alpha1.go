// Package v1alpha1 is the tekton.dev/v1alpha1 API as far as Pipelines need it: the Run of a custom task, JSON-exact (spec §1).
// What it shares with CustomRun is one Go type, of package v1beta1.
//
// +kubebuilder:object:generate=true
// +groupName=tekton.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Version is this package's version of the group.
const Version = "v1alpha1"

// KindRun is the kind of this version.
const KindRun = "Run"

// GroupVersion is tekton.dev/v1alpha1.
var GroupVersion = schema.GroupVersion{Group: v1beta1.Group, Version: Version}

// AddToScheme registers the kind of this version.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &Run{}, &RunList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
