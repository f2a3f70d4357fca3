package kinds

import (
	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
)

func task() Kind {
	create := func(t *v1beta1.Task, cfg *config.Config) error { return checkTask(t.Name, &t.Spec, cfg) }
	createV1 := func(t *v1.Task, cfg *config.Config) error {
		defaulting.TaskV1(t)
		return validation.TaskV1(t.Name, &t.Spec, cfg)
	}
	return Kind{Name: v1beta1.KindTask, Plural: "tasks", Namespaced: true, Versions: []Version{
		version(v1beta1.Version, rules[*v1beta1.Task]{
			create: create,
			spec:   func(t *v1beta1.Task) any { return &t.Spec },
			update: func(t, _ *v1beta1.Task, cfg *config.Config) error { return create(t, cfg) },
			fill:   func(t *v1beta1.Task, _ *config.Config) { defaulting.TaskSpec(&t.Spec) },
		}),
		converted(version(v1.Version, rules[*v1.Task]{
			create: createV1,
			spec:   func(t *v1.Task) any { return &t.Spec },
			update: func(t, _ *v1.Task, cfg *config.Config) error { return createV1(t, cfg) },
			fill:   func(t *v1.Task, _ *config.Config) { defaulting.TaskV1(t) },
		}), conversion.TaskFromV1, conversion.TaskToV1),
	}}
}

func clusterTask() Kind {
	create := func(t *v1beta1.ClusterTask, cfg *config.Config) error { return checkTask(t.Name, &t.Spec, cfg) }
	return Kind{Name: v1beta1.KindClusterTask, Plural: "clustertasks", Versions: []Version{
		version(v1beta1.Version, rules[*v1beta1.ClusterTask]{
			create: create,
			spec:   func(t *v1beta1.ClusterTask) any { return &t.Spec },
			update: func(t, _ *v1beta1.ClusterTask, cfg *config.Config) error { return create(t, cfg) },
			fill:   func(t *v1beta1.ClusterTask, _ *config.Config) { defaulting.TaskSpec(&t.Spec) },
		}),
	}}
}

func checkTask(name string, spec *v1beta1.TaskSpec, cfg *config.Config) error {
	defaulting.TaskSpec(spec)
	return validation.Task(name, spec, cfg)
}
