// Package admission is the API's defaulting and validating webhooks as functions, in the order in which an API server
// asks them: decode strictly, fill in defaults, check. The fake cluster calls them in process; a webhook server calls
// the same functions over HTTP, so both refuse the same objects with the same words (spec §2.1).
package admission

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/defaulting"
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

// Admit fills in the defaults of obj, in place, and checks it. old is the object before an update, or nil at creation.
// The error is nil or a *Denied. Kinds that the webhooks are not registered for pass untouched.
func Admit(obj, old runtime.Object, cfg *config.Config) error {
	switch o := obj.(type) {
	case *v1beta1.TaskRun:
		before, _ := old.(*v1beta1.TaskRun)
		return taskRun(o, before, cfg)
	case *v1beta1.Task:
		defaulting.TaskSpec(&o.Spec)
		if err := validation.Task(o.Name, &o.Spec, cfg); err != nil {
			return validationFailed(err)
		}
	case *v1beta1.ClusterTask:
		defaulting.TaskSpec(&o.Spec)
		if err := validation.Task(o.Name, &o.Spec, cfg); err != nil {
			return validationFailed(err)
		}
	}
	return nil
}

func taskRun(tr, old *v1beta1.TaskRun, cfg *config.Config) error {
	if old != nil && tr.DeletionTimestamp != nil {
		return nil // on its way out; only finalizers change any more
	}
	defaulting.TaskRun(tr, cfg)
	if old != nil {
		if equality.Semantic.DeepEqual(&tr.Spec, &old.Spec) {
			return nil // a write to metadata or status: what was admitted once stays admitted
		}
		if err := validation.TaskRunUpdate(old, tr); err != nil {
			return validationFailed(err)
		}
	}
	if err := validation.TaskRun(tr, cfg); err != nil {
		return validationFailed(err)
	}
	return nil
}
