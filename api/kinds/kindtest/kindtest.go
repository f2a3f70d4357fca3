// Package kindtest has a kind for tests, in two versions, with its row in a table of kinds. It is not of the API. Tests use it
// to show that a kind needs nothing but its types and its row to be admitted, converted, and missed where it is not installed.
package kindtest

import (
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/kinds"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Greeting says a word. It is the version v1beta1, which is stored.
type Greeting struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec GreetingSpec `json:"spec,omitzero"`
}

// GreetingSpec is what the writer of a Greeting says.
type GreetingSpec struct {
	Word string `json:"word,omitempty"`
	// Times is how often; the default is 1.
	Times int `json:"times,omitempty"`
}

// GreetingV1 is a Greeting in the version v1, whose word has another name.
type GreetingV1 struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec GreetingSpecV1 `json:"spec,omitzero"`
}

// GreetingSpecV1 is what the writer of a GreetingV1 says.
type GreetingSpecV1 struct {
	Text  string `json:"text,omitempty"`
	Times int    `json:"times,omitempty"`
}

// DeepCopyObject implements runtime.Object.
func (g *Greeting) DeepCopyObject() runtime.Object {
	out := *g
	g.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return &out
}

// DeepCopyObject implements runtime.Object.
func (g *GreetingV1) DeepCopyObject() runtime.Object {
	out := *g
	g.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return &out
}

// Table returns the kinds of the API, and Greeting.
func Table() *kinds.Table {
	return kinds.NewTable(append(append([]kinds.Kind(nil), kinds.API().All()...), Row())...)
}

// Row is the row of Greeting.
func Row() kinds.Kind {
	fill := func(o runtime.Object, _ *config.Config) {
		switch g := o.(type) {
		case *Greeting:
			g.Spec.Times = max(g.Spec.Times, 1)
		case *GreetingV1:
			g.Spec.Times = max(g.Spec.Times, 1)
		}
	}
	admit := func(o, _ runtime.Object, cfg *config.Config) error {
		fill(o, cfg)
		switch g := o.(type) {
		case *Greeting:
			return checked("spec.word", g.Spec.Word)
		case *GreetingV1:
			return checked("spec.text", g.Spec.Text)
		}
		return nil
	}
	return kinds.Kind{Name: "Greeting", Plural: "greetings", Namespaced: true, Versions: []kinds.Version{
		{Name: v1beta1.Version, New: func() runtime.Object { return &Greeting{} }, Admit: admit, Fill: fill},
		{Name: v1.Version, New: func() runtime.Object { return &GreetingV1{} }, Admit: admit, Fill: fill, ToStorage: toStorage, FromStorage: fromStorage},
	}}
}

func checked(field, word string) error {
	if word == "" {
		return errors.New("missing field(s): " + field)
	}
	return nil
}

func toStorage(o runtime.Object) (runtime.Object, error) {
	g, ok := o.(*GreetingV1)
	if !ok {
		return nil, errors.New("not a Greeting of v1")
	}
	out := &Greeting{TypeMeta: g.TypeMeta, ObjectMeta: g.ObjectMeta, Spec: GreetingSpec{Word: g.Spec.Text, Times: g.Spec.Times}}
	out.APIVersion = v1beta1.GroupVersion.String()
	return out, nil
}

func fromStorage(o runtime.Object) (runtime.Object, error) {
	g, ok := o.(*Greeting)
	if !ok {
		return nil, errors.New("not a Greeting of v1beta1")
	}
	out := &GreetingV1{TypeMeta: g.TypeMeta, ObjectMeta: g.ObjectMeta, Spec: GreetingSpecV1{Text: g.Spec.Word, Times: g.Spec.Times}}
	out.APIVersion = v1.GroupVersion.String()
	return out, nil
}
