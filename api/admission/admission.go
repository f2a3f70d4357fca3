// Package admission is the API's webhooks as functions. Before a write, in the order in which an API server asks: decode
// strictly, fill in defaults, check; between the two API versions: convert ([Convert]); before a change of the
// configuration: check that it can be parsed ([ConfigMap]). The fake cluster calls them in process; a webhook server
// calls the same functions over HTTP, so both refuse the same objects with the same words (spec §2.1).
//
// Which kinds there are is a table that [Rules] are made of. The functions of the package go by the API's own, [API].
package admission

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/kinds"
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

// Rules are the webhooks for the kinds of a table.
type Rules struct{ Kinds *kinds.Table }

// API returns the webhooks for the kinds of the API.
func API() Rules { return Rules{kinds.API()} }

// Admit is Rules.Admit for the kinds of the API.
func Admit(obj, old runtime.Object, cfg *config.Config) error { return API().Admit(obj, old, cfg) }

// AdmitTyped is Admit for callers that know the operation by name: at creation old is not looked at.
func AdmitTyped(obj, old runtime.Object, op Operation, cfg *config.Config) error {
	return API().admitTyped(obj, old, op, cfg)
}

func (r Rules) admitTyped(obj, old runtime.Object, op Operation, cfg *config.Config) error {
	if op == Create {
		old = nil
	}
	return r.Admit(obj, old, cfg)
}

// Admit fills in the defaults of obj, in place, and checks it. old is the object before an update, or nil at creation;
// it is only read, and obj may share memory with it. The error is a *Denied, or says that what is stored cannot be read,
// or that an object of a group of the API is of no kind that is known. Objects of other groups pass untouched.
//
// A write that leaves the spec alone, as every status update does, costs one comparison: what was admitted once stays
// admitted, also under a configuration that would refuse it today.
func (r Rules) Admit(obj, old runtime.Object, cfg *config.Config) error {
	_, version, ok := r.Kinds.Of(obj)
	if !ok {
		gvk := obj.GetObjectKind().GroupVersionKind()
		if !r.Kinds.Has(gvk.Group) {
			return nil
		}
		return unknown(gvk)
	}
	err := version.Admit(obj, old, cfg)
	var stored *kinds.StoredError
	if err == nil || errors.As(err, &stored) {
		return err
	}
	return validationFailed(err)
}

// Decode reads the JSON of an object strictly, see DecodeInto, into the Go type of its kind. An object that cannot be written again, as
// one with a param without a value, is refused, too.
func (r Rules) Decode(gvk schema.GroupVersionKind, raw []byte) (runtime.Object, error) {
	obj := r.Kinds.Find(gvk)
	if obj == nil {
		return nil, unknown(gvk)
	}
	if err := DecodeInto(raw, obj); err != nil {
		return obj, err
	}
	if _, err := json.Marshal(obj); err != nil {
		return obj, mutationFailed(fmt.Errorf("cannot create patch for round tripped newBytes: cannot marshal interface: %w", err))
	}
	return obj, nil
}

// Knows reports whether a row of the table describes a version of a kind.
func (r Rules) Knows(gvk schema.GroupVersionKind) bool {
	return gvk.Version != "" && r.Kinds.Find(gvk) != nil
}

// unknown is the error for an object of a group of the API that no row of the table describes: it would be stored unchecked.
func unknown(gvk schema.GroupVersionKind) error {
	return fmt.Errorf("the webhooks do not know the kind %s of %s", gvk.Kind, gvk.GroupVersion())
}
