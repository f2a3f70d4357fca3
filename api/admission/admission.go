// Package admission is the API's webhooks as functions. Before a write, in the order in which an API server asks: decode
// strictly, fill in defaults, check; between the two API versions: convert ([Convert]); before a change of the
// configuration: check that it can be parsed ([ConfigMap]). The fake cluster calls them in process; a webhook server
// calls the same functions over HTTP, so both refuse the same objects with the same words (spec §2.1).
package admission

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
)

// The webhooks, by the names under which denials report them.
const (
	MutatingWebhook   = "webhook.pipeline.tekton.dev"
	ValidatingWebhook = "validation.webhook.pipeline.tekton.dev"
	ConfigWebhook     = "config.webhook.pipeline.tekton.dev"
)

// Denied says that a webhook refused an object.
type Denied struct {
	Webhook string
	// Stage is what failed there: "mutation failed", "validation failed".
	Stage string
	Err   error
}

// Error is the text that an API server sends to the client.
func (d *Denied) Error() string {
	return fmt.Sprintf("admission webhook %q denied the request: %s", d.Webhook, d.Reason())
}

// Reason is the text that the webhook itself answers.
func (d *Denied) Reason() string { return d.Stage + ": " + d.Err.Error() }

func (d *Denied) Unwrap() error { return d.Err }

func mutationFailed(err error) error {
	return &Denied{Webhook: MutatingWebhook, Stage: "mutation failed", Err: err}
}

func validationFailed(err error) error {
	return &Denied{Webhook: ValidatingWebhook, Stage: "validation failed", Err: err}
}

// DecodeInto reads the JSON of an object strictly into obj: a field that its type does not have, outside metadata, is
// an error of the mutating webhook.
func DecodeInto(raw []byte, obj runtime.Object) error {
	if err := decodeStrictly(raw, obj); err != nil {
		return mutationFailed(fmt.Errorf("cannot decode incoming new object: %w", err))
	}
	return nil
}

func decodeStrictly(raw []byte, obj runtime.Object) error {
	// Metadata is the API server's business, which knows fields that this release does not.
	var loose map[string]json.RawMessage
	if err := json.Unmarshal(raw, &loose); err != nil {
		return err
	}
	if _, has := loose["metadata"]; has {
		if err := json.Unmarshal(mustMarshal(map[string]json.RawMessage{"metadata": loose["metadata"]}), obj); err != nil {
			return err
		}
		delete(loose, "metadata")
	}
	dec := json.NewDecoder(bytes.NewReader(mustMarshal(loose)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(obj); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("unexpected data after the object")
	}
	return nil
}

// mustMarshal encodes raw messages that came out of a decoder.
func mustMarshal(m map[string]json.RawMessage) []byte {
	out, err := json.Marshal(m)
	if err != nil {
		panic("admission: " + err.Error())
	}
	return out
}

// Operation is what is being done to an object.
type Operation string

// The operations that the webhooks are registered for.
const (
	Create Operation = "CREATE"
	Update Operation = "UPDATE"
)

// AdmitTyped is Admit for callers that know the operation by name: at creation old is not looked at.
func AdmitTyped(obj, old runtime.Object, op Operation, cfg *config.Config) error {
	if op == Create {
		old = nil
	}
	return Admit(obj, old, cfg)
}

// Admit fills in the defaults of obj, in place, and checks it. old is the object before an update, or nil at creation;
// it is only read, and obj may share memory with it. The error is nil or a *Denied. Kinds that the webhooks are not
// registered for pass untouched.
//
// A write that leaves the spec alone, as every status update does, costs one comparison: what was admitted once stays
// admitted, also under a configuration that would refuse it today.
func Admit(obj, old runtime.Object, cfg *config.Config) error {
	switch o := obj.(type) {
	case *v1beta1.TaskRun:
		before, _ := old.(*v1beta1.TaskRun)
		return taskRun(o, before, cfg)
	case *v1.TaskRun:
		before, _ := old.(*v1.TaskRun)
		return taskRunV1(o, before, cfg)
	case *v1.Task:
		before, _ := old.(*v1.Task)
		if before != nil && (o.DeletionTimestamp != nil || unchanged(&o.Spec, &before.Spec)) {
			return nil
		}
		defaulting.TaskV1(o)
		return validated(validation.TaskV1(o.Name, &o.Spec, cfg))
	case *v1beta1.Task:
		var before *v1beta1.TaskSpec
		if t, ok := old.(*v1beta1.Task); ok && t != nil {
			before = &t.Spec
		}
		return task(o.Name, &o.Spec, before, o.DeletionTimestamp != nil, cfg)
	case *v1beta1.ClusterTask:
		var before *v1beta1.TaskSpec
		if t, ok := old.(*v1beta1.ClusterTask); ok && t != nil {
			before = &t.Spec
		}
		return task(o.Name, &o.Spec, before, o.DeletionTimestamp != nil, cfg)
	}
	return nil
}

func taskRun(tr, old *v1beta1.TaskRun, cfg *config.Config) error {
	if old == nil {
		defaulting.TaskRun(tr, cfg)
		return validated(validation.TaskRun(tr, cfg))
	}
	if tr.DeletionTimestamp != nil {
		return nil // on its way out; only finalizers change any more
	}
	defaulting.Labels(tr, cfg)
	if unchanged(&tr.Spec, &old.Spec) {
		return nil
	}
	defaulting.TaskRunSpec(&tr.Spec, cfg)
	// Defaults may have changed since the run was created; that difference is not the writer's.
	before := &v1beta1.TaskRun{Spec: *old.Spec.DeepCopy(), Status: old.Status}
	defaulting.TaskRunSpec(&before.Spec, cfg)
	if err := validation.TaskRunUpdate(before, tr); err != nil {
		return validationFailed(err)
	}
	return validated(validation.TaskRun(tr, cfg))
}

// taskRunV1 is taskRun for v1.
func taskRunV1(tr, old *v1.TaskRun, cfg *config.Config) error {
	if old == nil {
		defaulting.TaskRunV1(tr, cfg)
		return validated(validation.TaskRunV1(tr, cfg))
	}
	if tr.DeletionTimestamp != nil {
		return nil
	}
	defaulting.LabelsV1(tr, cfg)
	if unchanged(&tr.Spec, &old.Spec) {
		return nil
	}
	defaulting.TaskRunSpecV1(&tr.Spec, cfg)
	before, err := conversion.TaskRunFromV1(old.DeepCopy())
	if err != nil {
		return err
	}
	defaulting.TaskRunSpec(&before.Spec, cfg)
	before.Spec.Resources = nil // v1 has none; an annotation is the writer's to change
	if err := validation.TaskRunUpdate(before, &v1beta1.TaskRun{Spec: conversion.TaskRunSpecFromV1(&tr.Spec)}); err != nil {
		return validationFailed(err)
	}
	return validated(validation.TaskRunV1(tr, cfg))
}

func task(name string, spec, old *v1beta1.TaskSpec, deleting bool, cfg *config.Config) error {
	if old != nil && (deleting || unchanged(spec, old)) {
		return nil
	}
	defaulting.TaskSpec(spec)
	return validated(validation.Task(name, spec, cfg))
}

func validated(err error) error {
	if err != nil {
		return validationFailed(err)
	}
	return nil
}

// unchanged compares specs. Almost every write is of the status alone, for which the standard library's comparison says
// yes several times faster; only what it finds different has to be looked at for differences that mean nothing.
func unchanged[T any](a, b *T) bool {
	return reflect.DeepEqual(a, b) || equality.Semantic.DeepEqual(a, b)
}
