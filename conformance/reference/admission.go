package reference

import (
	"encoding/json"
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/api/admission"
	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/kinds"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

// Admit puts the API's webhooks into the options of a simulated API server. now returns the configuration that is in force;
// nil means the default one.
func Admit(o *apiserver.Options, now func() *config.Config) {
	if now == nil {
		now = config.NewStore().Now
	}
	o.Admission = append(o.Admission, &webhooks{config: now}, configWebhook{})
	o.Intercept = append(o.Intercept, decode)
	o.Converter = conversion{}
}

// webhooks are the API's admission in process, the same functions that a webhook server calls.
type webhooks struct {
	config func() *config.Config
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

// Selects implements apiserver.Selective. The webhooks are registered for the API's kinds and their status, but have
// nothing to say about the latter: the spec beside it is the stored one.
func (*webhooks) Selects(gvk schema.GroupVersionKind, subresource string) bool {
	return kinds.API().Has(gvk.Group) && subresource == ""
}

// Admit implements apiserver.Admission.
func (w *webhooks) Admit(r *apiserver.Request) error {
	if r.Operation == apiserver.OperationDelete {
		return nil
	}
	if len(r.Unknown) > 0 {
		if err := strictly(r.GVK, r.Raw); err != nil {
			return denied(err)
		}
	}
	var old runtime.Object
	if r.OldObject != nil {
		old = r.OldObject
	}
	err := admission.Admit(r.Object, old, w.config())
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
// schema of the API's kinds says nothing about their fields. A kind that they do not know is the API server's to refuse.
func decode(c *apiserver.Call, next func() error) error {
	if admission.API().Knows(c.GVK) && (c.Verb == apiserver.Create || c.Verb == apiserver.Update) {
		if u, ok := c.Object.(*unstructured.Unstructured); ok {
			if err := strictly(c.GVK, u.Object); err != nil {
				return denied(err)
			}
		}
	}
	return next()
}

func strictly(gvk schema.GroupVersionKind, tree map[string]any) error {
	raw, err := json.Marshal(tree)
	if err == nil {
		_, err = admission.API().Decode(gvk, raw)
	}
	return err
}

// configWebhook is the API's webhook for its configuration.
type configWebhook struct{}

var (
	_ apiserver.Admission = configWebhook{}
	_ apiserver.Validator = configWebhook{}
	_ apiserver.Selective = configWebhook{}
)

// Selects implements apiserver.Selective.
func (configWebhook) Selects(gvk schema.GroupVersionKind, subresource string) bool {
	return gvk == corev1.SchemeGroupVersion.WithKind("ConfigMap") && subresource == ""
}

// Admit implements apiserver.Admission: the webhook changes nothing.
func (configWebhook) Admit(*apiserver.Request) error { return nil }

// Validate implements apiserver.Validator.
func (configWebhook) Validate(r *apiserver.Request) error {
	if m, ok := r.Object.(*corev1.ConfigMap); ok {
		return denied(admission.ConfigMap(m))
	}
	return nil
}

// denied answers as an API server does for a webhook that says no.
func denied(err error) error {
	var d *admission.Denied
	if errors.As(err, &d) {
		return apierrors.NewBadRequest(d.Error())
	}
	return err
}
