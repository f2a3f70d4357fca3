package kinds

import (
	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
)

func run() Kind {
	create := func(r *v1alpha1.Run, cfg *config.Config) error {
		defaulting.Run(&r.Spec, cfg)
		return validation.Run(r, cfg)
	}
	return Kind{Name: v1alpha1.KindRun, Plural: "runs", Namespaced: true, Versions: []Version{
		version(v1alpha1.Version, rules[*v1alpha1.Run]{
			create: create,
			spec:   func(r *v1alpha1.Run) any { return &r.Spec },
			update: func(r, _ *v1alpha1.Run, cfg *config.Config) error { return create(r, cfg) },
			fill:   func(r *v1alpha1.Run, cfg *config.Config) { defaulting.Run(&r.Spec, cfg) },
		}),
	}}
}

func customRun() Kind {
	create := func(r *v1beta1.CustomRun, cfg *config.Config) error {
		defaulting.CustomRun(&r.Spec, cfg)
		return validation.CustomRun(r, cfg)
	}
	return Kind{Name: v1beta1.KindCustomRun, Plural: "customruns", Namespaced: true, Versions: []Version{
		version(v1beta1.Version, rules[*v1beta1.CustomRun]{
			create: create,
			spec:   func(r *v1beta1.CustomRun) any { return &r.Spec },
			update: func(r, _ *v1beta1.CustomRun, cfg *config.Config) error { return create(r, cfg) },
			fill:   func(r *v1beta1.CustomRun, cfg *config.Config) { defaulting.CustomRun(&r.Spec, cfg) },
		}),
	}}
}
