package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	rules "github.com/plumbline-ci/plumbline/api/admission"
)

// kindsUnder are the kinds that are reviewed, and the configuration that is in force.
type kindsUnder struct {
	rules  rules.Rules
	config Configuration
}

// review asks the API's admission.
func (k kindsUnder) review(r admission.Request) ([]byte, *rules.Denied, error) {
	var denied *rules.Denied
	if r.SubResource != "" {
		// The spec is the stored one, but what is sent must still be of the kind's type.
		_, err := k.rules.Decode(schema.GroupVersionKind(r.Kind), r.Object.Raw)
		if errors.As(err, &denied) {
			return r.Object.Raw, denied, nil
		}
		return r.Object.Raw, nil, err
	}
	out, err := k.rules.Review(rules.Review{
		Group: r.Kind.Group, Version: r.Kind.Version, Kind: r.Kind.Kind, Operation: rules.Operation(r.Operation), Object: r.Object.Raw, OldObject: r.OldObject.Raw,
	}, k.config(r.Namespace))
	if errors.As(err, &denied) {
		return nil, denied, nil
	}
	return out, nil, err
}

// defaulter is the mutating webhook.
type defaulter struct{ kindsUnder }

// Handle implements admission.Handler. What is invalid is left for the validating webhook to refuse.
func (d defaulter) Handle(_ context.Context, r admission.Request) admission.Response {
	out, denied, err := d.review(r)
	switch {
	case err != nil:
		return admission.Errored(http.StatusInternalServerError, err)
	case denied != nil && denied.Webhook == rules.MutatingWebhook:
		return refused(denied)
	case denied != nil:
		return admission.Allowed("")
	}
	return admission.PatchResponseFromRaw(r.Object.Raw, out)
}

// validator is the validating webhook.
type validator struct{ kindsUnder }

// Handle implements admission.Handler.
func (v validator) Handle(_ context.Context, r admission.Request) admission.Response {
	_, denied, err := v.review(r)
	switch {
	case err != nil:
		return admission.Errored(http.StatusInternalServerError, err)
	case denied != nil:
		return refused(denied)
	}
	return admission.Allowed("")
}

// checkConfig is the webhook for the configuration.
func checkConfig(_ context.Context, r admission.Request) admission.Response {
	var m corev1.ConfigMap
	if err := json.Unmarshal(r.Object.Raw, &m); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	var denied *rules.Denied
	if errors.As(rules.ConfigMap(&m), &denied) {
		return refused(denied)
	}
	return admission.Allowed("")
}

// refused says no in the API's words; the API server puts the webhook's name before them.
func refused(d *rules.Denied) admission.Response {
	return admission.Response{AdmissionResponse: admissionv1.AdmissionResponse{
		Result: &metav1.Status{Code: http.StatusBadRequest, Reason: metav1.StatusReasonBadRequest, Message: d.Reason()},
	}}
}
