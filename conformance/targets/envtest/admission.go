package envtest

import (
	"fmt"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/reconciler/webhook"
)

// pathConversion is where envtest tells the API server to have objects converted.
const pathConversion = "/convert"

// webhookConfigurations registers the API's webhooks as an installation does.
func webhookConfigurations() (*envtest.WebhookInstallOptions, error) {
	objects, err := kindconfig.Objects(kindconfig.Options{})
	if err != nil {
		return nil, fmt.Errorf("reading the manifests: %w", err)
	}
	// Which kinds are converted their definitions say.
	out := &envtest.WebhookInstallOptions{IgnoreSchemeConvertible: true}
	for _, u := range objects {
		var err error
		switch u.GetKind() {
		case "MutatingWebhookConfiguration":
			c := &admissionregistrationv1.MutatingWebhookConfiguration{}
			err = runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, c)
			for i := range c.Webhooks {
				here(&c.Webhooks[i].ClientConfig)
			}
			out.MutatingWebhooks = append(out.MutatingWebhooks, c)
		case "ValidatingWebhookConfiguration":
			c := &admissionregistrationv1.ValidatingWebhookConfiguration{}
			err = runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, c)
			for i := range c.Webhooks {
				here(&c.Webhooks[i].ClientConfig)
			}
			out.ValidatingWebhooks = append(out.ValidatingWebhooks, c)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kindconfig.Describe(u), err)
		}
	}
	return out, nil
}

// here makes a path what envtest makes a URL of its own server of: it puts the slash before it.
func here(c *admissionregistrationv1.WebhookClientConfig) {
	path := strings.TrimPrefix(*c.Service.Path, "/")
	c.Service.Path = &path
}

// serve registers the handlers of the webhooks.
func serve(s webhook.Mux, i *installations) {
	webhook.Register(s, i.config)
	s.Register(pathConversion, webhook.Conversion())
}
