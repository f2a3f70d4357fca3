package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	rules "github.com/plumbline-ci/plumbline/api/admission"
	"github.com/plumbline-ci/plumbline/api/kinds"
)

// Mutating, Validating and Converted are the names of the objects in which an API server is told to ask the webhooks.
func Mutating() []string { return []string{rules.MutatingWebhook} }

// Validating are webhook configurations; see [Mutating].
func Validating() []string { return []string{rules.ValidatingWebhook, rules.ConfigWebhook} }

// Converted are definitions; see [Mutating].
func Converted() []string { return kinds.API().Converted() }

// inject makes the API server trust the bundle wherever it asks the webhooks, and reports whether it did not before. What
// is not installed cannot be asked.
func inject(ctx context.Context, c client.Client, bundle []byte) (changed bool, err error) {
	var failed []error
	note := func(did bool, err error) {
		changed = changed || did
		failed = append(failed, err)
	}
	for _, name := range Mutating() {
		o := &admissionregistrationv1.MutatingWebhookConfiguration{}
		note(change(ctx, c, name, o, func() (changed bool) {
			for i := range o.Webhooks {
				changed = replace(&o.Webhooks[i].ClientConfig.CABundle, bundle) || changed
			}
			return changed
		}))
	}
	for _, name := range Validating() {
		o := &admissionregistrationv1.ValidatingWebhookConfiguration{}
		note(change(ctx, c, name, o, func() (changed bool) {
			for i := range o.Webhooks {
				changed = replace(&o.Webhooks[i].ClientConfig.CABundle, bundle) || changed
			}
			return changed
		}))
	}
	for _, name := range Converted() {
		o := &apiextensionsv1.CustomResourceDefinition{}
		note(change(ctx, c, name, o, func() bool {
			conversion := o.Spec.Conversion
			if conversion == nil || conversion.Webhook == nil || conversion.Webhook.ClientConfig == nil {
				return false
			}
			return replace(&conversion.Webhook.ClientConfig.CABundle, bundle)
		}))
	}
	return changed, errors.Join(failed...)
}

func replace(old *[]byte, by []byte) bool {
	if bytes.Equal(*old, by) {
		return false
	}
	*old = by
	return true
}

// change reads an object, edits it, and writes it if edit says that there is a difference. The write is refused if the
// object has changed since.
func change(ctx context.Context, c client.Client, name string, o client.Object, edit func() bool) (bool, error) {
	err := c.Get(ctx, client.ObjectKey{Name: name}, o)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err == nil {
		before, ok := o.DeepCopyObject().(client.Object)
		if !ok {
			return false, fmt.Errorf("%T is no object", o)
		}
		if !edit() {
			return false, nil
		}
		err = c.Patch(ctx, o, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	}
	if err != nil {
		return false, fmt.Errorf("making %s trust the certificate: %w", name, err)
	}
	return true, nil
}
