// Package webhook serves the API's webhooks over HTTPS: defaulting, validation, conversion, and the check of the
// configuration. Package admission decides the answers; this package brings them to an API server.
//
//	admission.go    AdmissionReviews
//	conversion.go   ConversionReviews, as a stream
//	limits.go       how much and how many of both are taken
//	certificate.go  the authority and the certificate that it signs, as the data of a Secret
//	rotation.go     keeps that Secret good, and what is served from it
//	injection.go    brings the authority to the API server
//
// # Certificates
//
// No certificate has to be provided. All replicas share one Secret; whichever finds it empty or near its end renews it, and
// the others take over what that one wrote. A renewal never takes trust away: an authority that was replaced stays in the
// bundle until it expires, and a replica serves a certificate only when the bundle that vouches for it has been in the
// webhook configurations and the definitions for some seconds. So there is no moment at which an API server meets a
// certificate that it does not trust. What is served changes with the next handshake; nothing is restarted.
//
// # Limits
//
// The Secret has to exist, if empty: the right to create any would be the right to create all. An authority cannot be
// revoked but by emptying the Secret and waiting for its end.
package webhook

import (
	"net/http"

	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	rules "github.com/plumbline-ci/plumbline/api/admission"
	"github.com/plumbline-ci/plumbline/api/config"
)

// Paths that the webhooks are served at. The definitions and the webhook configurations name them.
const (
	PathDefaulting = "/defaulting"
	PathValidation = "/resource-validation"
	PathConfig     = "/config-validation"
	PathConversion = "/resource-conversion"
)

// Configuration is the one in force in a namespace, or, without a name, for what is in none.
type Configuration func(namespace string) *config.Config

// Mux is where handlers are registered: a webhook.Server of controller-runtime is one.
type Mux interface {
	Register(path string, handler http.Handler)
}

// Register serves all webhooks on mux, for the kinds of the API.
func Register(mux Mux, in Configuration) { RegisterRules(mux, rules.API(), in) }

// RegisterRules serves all webhooks on mux, for the kinds of a table.
func RegisterRules(mux Mux, of rules.Rules, in Configuration) {
	review := func(path string, handler admission.Handler) {
		mux.Register(path, limited(&admission.Webhook{Handler: handler}, maxReview, maxReviews, patience))
	}
	review(PathDefaulting, defaulter{kindsUnder{of, in}})
	review(PathValidation, validator{kindsUnder{of, in}})
	review(PathConfig, admission.HandlerFunc(checkConfig))
	mux.Register(PathConversion, limited(converter{of}, 0, maxConversions, conversionPatience))
}
