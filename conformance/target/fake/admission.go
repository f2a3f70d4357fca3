package fake

import (
	"encoding/json"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/api/admission"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

// webhooks are the API's admission in process, the same functions that a webhook server calls.
type webhooks struct {
	settings *settings
	// validation is what the validating webhook will say about a request that the mutating one has seen. In between, the
	// API server checks the object itself.
	validation struct {
		of  *apiserver.Request
		err error
	}
}

var (
	_ apiserver.Admission = (*webhooks)(nil)
	_ apiserver.Validator = (*webhooks)(nil)
	_ apiserver.Selective = (*webhooks)(nil)
)

// Selects implements apiserver.Selective: the webhooks are registered for the API's kinds and their status.
func (*webhooks) Selects(gvk schema.GroupVersionKind, subresource string) bool {
	return gvk.Group == v1beta1.Group && (subresource == "" || subresource == apiserver.SubresourceStatus)
}

// Admit implements apiserver.Admission.
func (w *webhooks) Admit(r *apiserver.Request) error {
	if r.Operation == apiserver.OperationDelete {
		return nil
	}
	if r.Subresource == apiserver.SubresourceStatus {
		return nil // the spec is the stored one
	}
	if len(r.Unknown) > 0 {
		if err := strictly(r.GVK.Kind, r.Raw); err != nil {
			return denied(err)
		}
	}
	var old runtime.Object
	if r.OldObject != nil {
		old = r.OldObject
	}
	err := admission.Admit(r.Object, old, w.settings.now())
	var d *admission.Denied
	if errors.As(err, &d) && d.Webhook == admission.ValidatingWebhook {
		w.validation.of, w.validation.err = r, denied(err)
		return nil
	}
	return denied(err)
}

// Validate implements apiserver.Validator.
func (w *webhooks) Validate(r *apiserver.Request) error {
	if w.validation.of != r {
		return nil
	}
	w.validation.of = nil
	return w.validation.err
}

// decode gives the mutating webhook the first word about objects that do not fit their type, as on a cluster where the
// schema of the API's kinds says nothing about their fields.
func decode(c *apiserver.Call, next func() error) error {
	if c.GVK.Group == v1beta1.Group && (c.Verb == apiserver.Create || c.Verb == apiserver.Update) {
		if u, ok := c.Object.(*unstructured.Unstructured); ok {
			if err := strictly(c.GVK.Kind, u.Object); err != nil {
				return denied(err)
			}
		}
	}
	return next()
}

func strictly(kind string, tree map[string]any) error {
	var into runtime.Object
	switch kind {
	case v1beta1.KindTaskRun:
		into = &v1beta1.TaskRun{}
	case v1beta1.KindTask:
		into = &v1beta1.Task{}
	case v1beta1.KindClusterTask:
		into = &v1beta1.ClusterTask{}
	default:
		return nil
	}
	raw, err := json.Marshal(tree)
	if err != nil {
		return err
	}
	return admission.DecodeInto(raw, into)
}

// denied answers as an API server does for a webhook that says no.
func denied(err error) error {
	var d *admission.Denied
	if errors.As(err, &d) {
		return apierrors.NewBadRequest(d.Error())
	}
	return err
}
