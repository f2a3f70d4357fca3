package admission_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/admission"
	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/kinds/kindtest"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// TestRowIsAllThatAKindNeeds: with its row in the table, a kind is decoded strictly, filled in, checked and converted. Without
// it, the same objects are refused.
func TestRowIsAllThatAKindNeeds(t *testing.T) {
	t.Parallel()
	const (
		head    = `{"apiVersion":"tekton.dev/v1beta1","kind":"Greeting","metadata":{"name":"g"},`
		unknown = "the webhooks do not know the kind Greeting of tekton.dev/v1beta1"
	)
	rules := admission.Rules{Kinds: kindtest.Table()}
	for _, row := range []struct {
		reason, spec string
		want         string // the object, or the error
	}{
		{"defaults are filled in", `"spec":{"word":"hello"}}`, head + `"spec":{"word":"hello","times":1}}`},
		{"a rule is broken", `"spec":{}}`, `admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: validation failed: missing field(s): spec.word`},
		{"an unknown field", `"spec":{"words":1}}`, `admission webhook "webhook.pipeline.tekton.dev" denied the request: mutation failed: cannot decode incoming new object: json: unknown field "words"`},
	} {
		review := admission.Review{Kind: "Greeting", Operation: admission.Create, Object: []byte(head + row.spec)}
		out, err := rules.Review(review, config.Default())
		var got string
		if err != nil {
			got = err.Error()
		} else {
			got = canonical(t, out)
		}
		want := row.want
		if want[0] == '{' {
			want = canonical(t, []byte(want))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.reason, diff)
		}
		if _, err := review.Admit(config.Default()); err == nil || err.Error() != unknown {
			t.Errorf("%s: without the row: %v", row.reason, err)
		}
	}

	converted, err := rules.ConvertJSON([]byte(head+`"spec":{"word":"hello"}}`), v1.GroupVersion.String())
	if err != nil {
		t.Fatal(err)
	}
	there := canonical(t, converted)
	if want := canonical(t, []byte(`{"apiVersion":"tekton.dev/v1","kind":"Greeting","metadata":{"name":"g"},"spec":{"text":"hello","times":1}}`)); there != want {
		t.Errorf("converted: %s, want %s", there, want)
	}
	back, err := rules.ConvertJSON(converted, v1beta1.GroupVersion.String())
	if want := canonical(t, []byte(head+`"spec":{"word":"hello","times":1}}`)); err != nil || canonical(t, back) != want {
		t.Errorf("and back: %s, %v, want %s", back, err, want)
	}
	if _, err := admission.ConvertJSON(converted, v1beta1.GroupVersion.String()); err == nil {
		t.Error("without the row it is converted")
	}
}

// TestAdmitRefusesUnknownKinds: an object of the group that has no row is not stored unchecked, whatever its Go type.
func TestAdmitRefusesUnknownKinds(t *testing.T) {
	t.Parallel()
	gvk := v1beta1.GroupVersion.WithKind("Greeting")
	untyped := &metav1.PartialObjectMetadata{}
	untyped.SetGroupVersionKind(gvk)
	greeting := &kindtest.Greeting{Spec: kindtest.GreetingSpec{Word: "hello"}}
	greeting.SetGroupVersionKind(gvk)
	for _, o := range []runtime.Object{untyped, greeting} {
		if err := admission.Admit(o, nil, config.Default()); err == nil {
			t.Errorf("%T is admitted", o)
		}
	}
	other := &metav1.PartialObjectMetadata{}
	other.SetGroupVersionKind(gvk)
	other.APIVersion = "example.com/v1"
	if err := admission.Admit(other, nil, config.Default()); err != nil {
		t.Errorf("an object of another group: %v", err)
	}
	if (admission.Rules{Kinds: kindtest.Table()}).Knows(gvk) == admission.API().Knows(gvk) {
		t.Error("the row makes no difference")
	}
}
