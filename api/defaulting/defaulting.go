// Package defaulting is what the mutating webhook fills in (spec §2.2), the same in both API versions. The controller
// applies it again, in memory, to objects that were stored before an upgrade (D-09).
package defaulting

import (
	"maps"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// TaskRun fills in what a TaskRun leaves open (D-01 to D-06). Applying it twice changes nothing more.
func TaskRun(tr *v1beta1.TaskRun, cfg *config.Config) {
	Labels(tr, cfg)
	TaskRunSpec(&tr.Spec, cfg)
}

// TaskRunV1 is TaskRun for v1.
func TaskRunV1(tr *v1.TaskRun, cfg *config.Config) {
	LabelsV1(tr, cfg)
	TaskRunSpecV1(&tr.Spec, cfg)
}

// TaskRunSpecV1 is TaskRunSpec for v1.
func TaskRunSpecV1(spec *v1.TaskRunSpec, cfg *config.Config) {
	same := conversion.TaskRunSpecFromV1(spec)
	TaskRunSpec(&same, cfg)
	*spec = conversion.TaskRunSpecToV1(&same)
}

// TaskV1 fills in the types of a Task's params and results.
func TaskV1(task *v1.Task) {
	same := conversion.TaskSpecFromV1(&task.Spec)
	TaskSpec(same)
	task.Spec = *conversion.TaskSpecToV1(same)
}

// Labels says who manages the run, if nothing does yet (D-05). The map is replaced and not written to, since the object
// before an update may share it.
func Labels(tr *v1beta1.TaskRun, cfg *config.Config) { tr.Labels = managed(tr.Labels, cfg) }

// LabelsV1 is Labels for v1.
func LabelsV1(tr *v1.TaskRun, cfg *config.Config) { tr.Labels = managed(tr.Labels, cfg) }

func managed(labels map[string]string, cfg *config.Config) map[string]string {
	if _, set := labels[v1beta1.LabelManagedBy]; set {
		return labels
	}
	out := make(map[string]string, len(labels)+1)
	maps.Copy(out, labels)
	out[v1beta1.LabelManagedBy] = cfg.Defaults.ManagedByLabelValue
	return out
}

// TaskRunSpec fills in what the spec of a TaskRun leaves open (D-01 to D-04, D-06).
func TaskRunSpec(spec *v1beta1.TaskRunSpec, cfg *config.Config) {
	defaults := &cfg.Defaults
	if spec.TaskRef != nil && spec.TaskRef.Kind == "" {
		spec.TaskRef.Kind = v1beta1.NamespacedTaskKind
	}
	if spec.Timeout == nil {
		spec.Timeout = &metav1.Duration{Duration: defaults.Timeout()}
	}
	if spec.ServiceAccountName == "" {
		spec.ServiceAccountName = defaults.ServiceAccount
	}
	spec.PodTemplate = podTemplate(spec.PodTemplate, defaults.PodTemplate)
	if spec.TaskSpec != nil {
		TaskSpec(spec.TaskSpec)
	}
}

// TaskSpec fills in the types of params and results (D-07, D-08).
func TaskSpec(spec *v1beta1.TaskSpec) {
	for i := range spec.Params {
		paramSpec(&spec.Params[i])
	}
	for i := range spec.Results {
		r := &spec.Results[i]
		if r.Type == "" {
			r.Type = v1beta1.ResultsTypeString
			if r.Properties != nil {
				r.Type = v1beta1.ResultsTypeObject
			}
		}
		properties(r.Properties)
	}
}

func paramSpec(p *v1beta1.ParamSpec) {
	switch {
	case p.Type != "":
	case p.Properties != nil:
		p.Type = v1beta1.ParamTypeObject
	case p.Default == nil:
		p.Type = v1beta1.ParamTypeString
	default:
		p.Type = p.Default.Type
		return // properties get types only where the type was given or they implied it
	}
	properties(p.Properties)
}

func properties(m map[string]v1beta1.PropertySpec) {
	for key, property := range m {
		if property.Type == "" {
			m[key] = v1beta1.PropertySpec{Type: v1beta1.ParamTypeString}
		}
	}
}

// podTemplate fills each field that is not set from the default, as a whole: neither maps nor lists are merged (D-04).
func podTemplate(t, fallback *v1beta1.PodTemplate) *v1beta1.PodTemplate {
	switch {
	case fallback == nil:
		return t
	case t == nil:
		return fallback.DeepCopy()
	}
	fallback = fallback.DeepCopy()
	into, from := reflect.ValueOf(t).Elem(), reflect.ValueOf(fallback).Elem()
	for i := range into.NumField() {
		if into.Field(i).IsZero() {
			into.Field(i).Set(from.Field(i))
		}
	}
	return t
}
