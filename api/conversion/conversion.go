// Package conversion turns objects of one API version into the other: TaskRuns and Tasks (spec §1.11), Pipelines and PipelineRuns
// (spec of Pipelines §2.20).
//
// v1beta1 is what is stored, v1 is what is asked for. Everything of v1 has a place in v1beta1. What v1 has no field for
// is kept in annotations (resources, cloud events, results of PipelineResources), becomes something else (a bundle is a
// reference to the resolver of bundles), or is lost: the container fields of a Step and its template that are
// deprecated, the resources of a TaskRun's embedded Task, and those in the status of a PipelineRun. The deprecated timeout of a
// PipelineRun comes back as timeouts.pipeline, which says the same. Tests with random objects hold that nothing else is lost.
//
// The functions are pure and shallow: what they return shares memory with what they were given, except for metadata.
// Neither defaults nor checks are applied here; package admission, which answers for the webhook, does that.
package conversion

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// The resolver that takes the place of a bundle, and the names of its params.
const (
	resolverOfBundles = "bundles"
	paramBundle       = "bundle"
	paramName         = "name"
	paramKind         = "kind"
)

// TaskRunToV1 is the TaskRun as v1 shows it.
func TaskRunToV1(in *v1beta1.TaskRun) (*v1.TaskRun, error) {
	out := &v1.TaskRun{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.GroupVersion.String(), Kind: v1.KindTaskRun},
		ObjectMeta: metadata(&in.ObjectMeta),
		Spec:       converting.taskRunSpecToV1(&in.Spec),
		Status:     converting.statusToV1(&in.Status),
	}
	a := notes{&out.ObjectMeta}
	if in.Spec.Resources != nil {
		if err := a.keep(v1beta1.AnnotationV1beta1Resources, in.Spec.Resources); err != nil {
			return nil, err
		}
	}
	if in.Status.CloudEvents != nil {
		if err := a.keep(v1beta1.AnnotationV1beta1CloudEvents, in.Status.CloudEvents); err != nil {
			return nil, err
		}
	}
	if in.Status.ResourcesResult != nil {
		if err := a.keep(v1beta1.AnnotationV1beta1ResourcesResult, in.Status.ResourcesResult); err != nil {
			return nil, err
		}
	}
	if past := pastOf(in.Status.RetriesStatus); len(past) > 0 {
		if err := a.keep(v1beta1.AnnotationV1beta1RetriesStatus, past); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// TaskRunFromV1 is the TaskRun as v1beta1 shows it, with what its annotations kept.
func TaskRunFromV1(in *v1.TaskRun) (*v1beta1.TaskRun, error) {
	out := &v1beta1.TaskRun{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: v1beta1.KindTaskRun},
		ObjectMeta: metadata(&in.ObjectMeta),
		Spec:       converting.taskRunSpecFromV1(&in.Spec),
		Status:     converting.statusFromV1(&in.Status),
	}
	a := notes{&out.ObjectMeta}
	if err := a.restore(v1beta1.AnnotationV1beta1Resources, &out.Spec.Resources); err != nil {
		return nil, err
	}
	if err := a.restore(v1beta1.AnnotationV1beta1CloudEvents, &out.Status.CloudEvents); err != nil {
		return nil, err
	}
	if err := a.restore(v1beta1.AnnotationV1beta1ResourcesResult, &out.Status.ResourcesResult); err != nil {
		return nil, err
	}
	var past []pastAttempt
	if err := a.restore(v1beta1.AnnotationV1beta1RetriesStatus, &past); err != nil {
		return nil, err
	}
	for _, p := range past {
		if p.Attempt >= 0 && p.Attempt < len(out.Status.RetriesStatus) {
			attempt := &out.Status.RetriesStatus[p.Attempt]
			attempt.CloudEvents, attempt.ResourcesResult = p.CloudEvents, p.ResourcesResult
		}
	}
	return out, nil
}

// TaskToV1 is the Task as v1 shows it.
func TaskToV1(in *v1beta1.Task) (*v1.Task, error) {
	out := &v1.Task{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.GroupVersion.String(), Kind: v1.KindTask},
		ObjectMeta: metadata(&in.ObjectMeta),
		Spec:       *converting.taskSpecToV1(&in.Spec),
	}
	if in.Spec.Resources != nil {
		if err := (notes{&out.ObjectMeta}).keep(v1beta1.AnnotationV1beta1Resources, in.Spec.Resources); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// TaskFromV1 is the Task as v1beta1 shows it, with what its annotations kept.
func TaskFromV1(in *v1.Task) (*v1beta1.Task, error) {
	out := &v1beta1.Task{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: v1beta1.KindTask},
		ObjectMeta: metadata(&in.ObjectMeta),
		Spec:       *converting.taskSpecFromV1(&in.Spec),
	}
	if err := (notes{&out.ObjectMeta}).restore(v1beta1.AnnotationV1beta1Resources, &out.Spec.Resources); err != nil {
		return nil, err
	}
	return out, nil
}

// pastAttempt is what v1 has no field for in the status of a past attempt.
type pastAttempt struct {
	Attempt         int                              `json:"attempt"`
	CloudEvents     []v1beta1.CloudEventDelivery     `json:"cloudEvents,omitempty"`
	ResourcesResult []v1beta1.PipelineResourceResult `json:"resourcesResult,omitempty"`
}

func pastOf(attempts []v1beta1.TaskRunStatus) []pastAttempt {
	var out []pastAttempt
	for i := range attempts {
		if a := &attempts[i]; len(a.CloudEvents)+len(a.ResourcesResult) > 0 {
			out = append(out, pastAttempt{Attempt: i, CloudEvents: a.CloudEvents, ResourcesResult: a.ResourcesResult})
		}
	}
	return out
}

// metadata is a copy whose annotations can be written to.
func metadata(in *metav1.ObjectMeta) metav1.ObjectMeta {
	out := *in
	out.Annotations = maps.Clone(in.Annotations)
	return out
}

// notes are an object's annotations as a place for what has no field.
type notes struct{ meta *metav1.ObjectMeta }

func (n notes) keep(key string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("error serializing field: %w", err) //nolint:misspell // the words are the reference's
	}
	if n.meta.Annotations == nil {
		n.meta.Annotations = map[string]string{}
	}
	n.meta.Annotations[key] = string(text)
	return nil
}

func (n notes) restore(key string, into any) error {
	text, kept := n.meta.Annotations[key]
	if !kept {
		return nil
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("error deserializing key %s from metadata: %w", key, err)
	}
	delete(n.meta.Annotations, key)
	if len(n.meta.Annotations) == 0 {
		n.meta.Annotations = nil
	}
	return nil
}

// each maps a list; nil stays nil.
func each[A, B any](in []A, fn func(*A) B) []B {
	if in == nil {
		return nil
	}
	out := make([]B, len(in))
	for i := range in {
		out[i] = fn(&in[i])
	}
	return out
}

// mapping says how specs are mapped. A conversion gives a value without a type the type string. Defaulting works out better
// types itself, so for it, looking at one version in the shape of the other leaves values as they are.
type mapping struct{ typed bool }

// asIs changes nothing but the shape.
var asIs = mapping{}

// converting is what the webhook does.
var converting = mapping{typed: true}

// typed gives a value that has no type the one that it is written with.
func typed(v v1beta1.ParamValue) v1beta1.ParamValue {
	if v.Type == "" {
		v.Type = v1beta1.ParamTypeString
	}
	return v
}

func (m mapping) params(in []v1beta1.Param) []v1beta1.Param {
	if !m.typed {
		return in
	}
	return each(in, func(p *v1beta1.Param) v1beta1.Param { return v1beta1.Param{Name: p.Name, Value: typed(p.Value)} })
}

func (m mapping) paramSpecs(in []v1beta1.ParamSpec) []v1beta1.ParamSpec {
	if !m.typed {
		return in
	}
	return each(in, func(p *v1beta1.ParamSpec) v1beta1.ParamSpec {
		out := *p
		if out.Type == "" {
			out.Type = v1beta1.ParamTypeString
		}
		if out.Default != nil {
			out.Default = new(typed(*out.Default))
		}
		return out
	})
}

func results(in []v1beta1.TaskRunResult) []v1beta1.TaskRunResult {
	out := slices.Clone(in)
	for i := range out {
		out[i].Value = typed(out[i].Value)
	}
	return out
}
