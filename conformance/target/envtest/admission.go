package envtest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	theirs "github.com/plumbline-ci/plumbline/api/admission"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance/target/fake"
)

// Paths that the webhooks are served at.
const (
	pathDefaulting = "defaulting"
	pathValidation = "validation"
	pathConfig     = "config-validation"
)

// webhookConfigurations registers the API's webhooks for its kinds.
func webhookConfigurations() *envtest.WebhookInstallOptions {
	rules := []admissionregistrationv1.RuleWithOperations{{
		Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
		Rule: admissionregistrationv1.Rule{
			APIGroups: []string{v1beta1.Group}, APIVersions: []string{v1beta1.Version, v1.Version}, Resources: []string{
				"taskruns", "taskruns/status", "tasks", "tasks/status", "clustertasks", "clustertasks/status",
			},
		},
	}}
	fail, none := admissionregistrationv1.Fail, admissionregistrationv1.SideEffectClassNone
	at := func(path string) admissionregistrationv1.WebhookClientConfig {
		// envtest makes a URL of its own server of it.
		return admissionregistrationv1.WebhookClientConfig{
			Service: &admissionregistrationv1.ServiceReference{Name: "webhook", Namespace: fake.SystemNamespace, Path: &path},
		}
	}
	return &envtest.WebhookInstallOptions{
		// Which kinds are converted their definitions say.
		IgnoreSchemeConvertible: true,
		MutatingWebhooks: []*admissionregistrationv1.MutatingWebhookConfiguration{{
			ObjectMeta: metav1.ObjectMeta{Name: theirs.MutatingWebhook},
			Webhooks: []admissionregistrationv1.MutatingWebhook{{
				Name: theirs.MutatingWebhook, AdmissionReviewVersions: []string{"v1"}, ClientConfig: at(pathDefaulting),
				FailurePolicy: &fail, SideEffects: &none, Rules: rules,
			}},
		}},
		ValidatingWebhooks: []*admissionregistrationv1.ValidatingWebhookConfiguration{{
			ObjectMeta: metav1.ObjectMeta{Name: theirs.ValidatingWebhook},
			Webhooks: []admissionregistrationv1.ValidatingWebhook{{
				Name: theirs.ValidatingWebhook, AdmissionReviewVersions: []string{"v1"}, ClientConfig: at(pathValidation),
				FailurePolicy: &fail, SideEffects: &none, Rules: rules,
			}},
		}, {
			ObjectMeta: metav1.ObjectMeta{Name: theirs.ConfigWebhook},
			Webhooks: []admissionregistrationv1.ValidatingWebhook{{
				Name: theirs.ConfigWebhook, AdmissionReviewVersions: []string{"v1"}, ClientConfig: at(pathConfig),
				FailurePolicy: &fail, SideEffects: &none,
				ObjectSelector: &metav1.LabelSelector{MatchLabels: map[string]string{v1beta1.LabelPartOf: theirs.ConfigLabelValue}},
				Rules: []admissionregistrationv1.RuleWithOperations{{
					Operations: rules[0].Operations,
					Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
				}},
			}},
		}},
	}
}

// serve registers the handlers of the webhooks.
func serve(s webhook.Server, i *installations) {
	s.Register("/"+pathDefaulting, &admission.Webhook{Handler: defaulter{i}})
	s.Register("/"+pathValidation, &admission.Webhook{Handler: validator{i}})
	s.Register("/"+pathConfig, &admission.Webhook{Handler: admission.HandlerFunc(checkConfig)})
	s.Register("/"+pathConversion, converter{})
}

// review asks the API's admission.
func review(s *installations, r admission.Request) ([]byte, *theirs.Denied, error) {
	if r.SubResource != "" {
		// The spec is the stored one; what is sent must be of the kind's type all the same.
		return r.Object.Raw, decoded(r), nil
	}
	out, err := theirs.Review{
		Version: r.Kind.Version, Kind: r.Kind.Kind, Operation: theirs.Operation(r.Operation), Object: r.Object.Raw, OldObject: r.OldObject.Raw,
	}.Admit(s.config(r.Namespace))
	var denied *theirs.Denied
	if errors.As(err, &denied) {
		return nil, denied, nil
	}
	return out, nil, err
}

// decoded refuses what does not fit the type of its kind.
func decoded(r admission.Request) *theirs.Denied {
	into := theirs.NewObject(r.Kind.Version, r.Kind.Kind)
	if into == nil {
		return nil
	}
	var denied *theirs.Denied
	errors.As(theirs.DecodeInto(r.Object.Raw, into), &denied)
	return denied
}

// defaulter is the mutating webhook.
type defaulter struct{ installations *installations }

// Handle implements admission.Handler. What is invalid is left for the validating webhook to refuse.
func (d defaulter) Handle(_ context.Context, r admission.Request) admission.Response {
	out, denied, err := review(d.installations, r)
	switch {
	case err != nil:
		return admission.Errored(http.StatusInternalServerError, err)
	case denied != nil && denied.Webhook == theirs.MutatingWebhook:
		return refused(denied)
	case denied != nil:
		return admission.Allowed("")
	}
	return admission.PatchResponseFromRaw(r.Object.Raw, out)
}

// validator is the validating webhook.
type validator struct{ installations *installations }

// Handle implements admission.Handler.
func (v validator) Handle(_ context.Context, r admission.Request) admission.Response {
	_, denied, err := review(v.installations, r)
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
	var denied *theirs.Denied
	if errors.As(theirs.ConfigMap(&m), &denied) {
		return refused(denied)
	}
	return admission.Allowed("")
}

// refused says no in the API's words; the API server puts the webhook's name before them.
func refused(d *theirs.Denied) admission.Response {
	return admission.Response{AdmissionResponse: admissionv1.AdmissionResponse{
		Result: &metav1.Status{Code: http.StatusBadRequest, Reason: metav1.StatusReasonBadRequest, Message: d.Reason()},
	}}
}
