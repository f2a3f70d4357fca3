package kinds

import (
	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	"github.com/plumbline-ci/plumbline/api/resolution/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
)

// resolutionRequest has nothing to fill in: what the reference fills in, kind and version, an object that is decoded has.
func resolutionRequest() Kind {
	return Kind{Name: v1beta1.KindResolutionRequest, Group: v1beta1.Group, Plural: "resolutionrequests", Namespaced: true, Versions: []Version{
		version(v1beta1.Version, rules[*v1beta1.ResolutionRequest]{
			create: func(r *v1beta1.ResolutionRequest, _ *config.Config) error { return validation.ResolutionRequest(r) },
			spec:   func(r *v1beta1.ResolutionRequest) any { return checkedOfRequest(r.Labels, &r.Spec) },
			update: func(r, _ *v1beta1.ResolutionRequest, _ *config.Config) error { return validation.ResolutionRequest(r) },
			fill:   func(*v1beta1.ResolutionRequest, *config.Config) {},
		}),
		converted(version(v1alpha1.Version, rules[*v1alpha1.ResolutionRequest]{
			create: func(r *v1alpha1.ResolutionRequest, _ *config.Config) error { return validation.ResolutionRequest(r) },
			spec:   func(r *v1alpha1.ResolutionRequest) any { return checkedOfRequest(r.Labels, &r.Spec) },
			update: func(r, _ *v1alpha1.ResolutionRequest, _ *config.Config) error { return validation.ResolutionRequest(r) },
			fill:   func(*v1alpha1.ResolutionRequest, *config.Config) {},
		}), conversion.ResolutionRequestFromV1alpha1, conversion.ResolutionRequestToV1alpha1),
	}}
}

// checkedOfRequest is what an update of a request is checked for: beside the spec, the label that names the resolver.
func checkedOfRequest(labels map[string]string, spec any) any {
	return &struct {
		Type string
		Spec any
	}{labels[v1beta1.LabelType], spec}
}
