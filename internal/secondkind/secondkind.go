// Package secondkind is a kind that the API does not have, to show what a new kind takes: a Batch makes one TaskRun, and ends
// as that does. Its tests put it into a cluster, into the suite and into simulate; nothing else in the repository names it.
//
// What it took, besides its Go types: [Row], its row in the table of the API's kinds (api/kinds), and [Info], its row in the
// table of what fixtures can name (conformance/fixture). A kind of the API's own has, in addition, a definition and rights
// among the manifests, which the test of kindconfig demands, and a controller in reconciler/controllers.
package secondkind

import (
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/kinds"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// Kind is the kind's name.
const Kind = "Batch"

// Batch is the kind in the version that is stored.
type Batch struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              Spec   `json:"spec"`
	Status            Status `json:"status,omitempty"`
}

// BatchV1 is the kind in version v1, where the image is called runs.
type BatchV1 struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              SpecV1 `json:"spec"`
	Status            Status `json:"status,omitempty"`
}

// Spec is what is wanted.
type Spec struct {
	Image   string `json:"image,omitempty"`
	Script  string `json:"script,omitempty"`
	Status  string `json:"status,omitempty"`
	Timeout string `json:"timeout,omitempty"`
}

// SpecV1 is Spec in version v1.
type SpecV1 struct {
	Runs    string `json:"runs,omitempty"`
	Script  string `json:"script,omitempty"`
	Status  string `json:"status,omitempty"`
	Timeout string `json:"timeout,omitempty"`
}

// Status is what was seen.
type Status struct {
	v1beta1.Status `json:",inline"`
	StartTime      *metav1.Time `json:"startTime,omitempty"`
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`
}

// DeepCopyObject implements runtime.Object.
func (b *Batch) DeepCopyObject() runtime.Object { return copied(b) }

// DeepCopyObject implements runtime.Object.
func (b *BatchV1) DeepCopyObject() runtime.Object { return copied(b) }

// copied is a deep copy by way of JSON: this kind is not measured.
func copied[T any](in *T) *T {
	data, err := json.Marshal(in)
	out := new(T)
	if err == nil {
		err = json.Unmarshal(data, out)
	}
	if err != nil {
		panic(err) // the types above have no field that cannot be written and read
	}
	return out
}

// Row is the kind's row in the table of the API's kinds.
func Row() kinds.Kind {
	return kinds.Kind{Name: Kind, Plural: "batches", Namespaced: true, Versions: []kinds.Version{
		{
			Name: v1beta1.Version,
			New:  func() runtime.Object { return &Batch{} },
			Admit: func(o, _ runtime.Object, _ *config.Config) error {
				b := o.(*Batch)
				fill(&b.Spec.Image)
				return check(b.Spec.Script, b.Spec.Timeout)
			},
			Fill: func(o runtime.Object, _ *config.Config) { fill(&o.(*Batch).Spec.Image) },
		},
		{
			Name: v1.Version,
			New:  func() runtime.Object { return &BatchV1{} },
			Admit: func(o, _ runtime.Object, _ *config.Config) error {
				b := o.(*BatchV1)
				fill(&b.Spec.Runs)
				return check(b.Spec.Script, b.Spec.Timeout)
			},
			Fill: func(o runtime.Object, _ *config.Config) { fill(&o.(*BatchV1).Spec.Runs) },
			ToStorage: func(o runtime.Object) (runtime.Object, error) {
				b := o.(*BatchV1)
				return &Batch{ObjectMeta: b.ObjectMeta, Spec: Spec{Image: b.Spec.Runs, Script: b.Spec.Script, Status: b.Spec.Status, Timeout: b.Spec.Timeout}, Status: b.Status}, nil
			},
			FromStorage: func(o runtime.Object) (runtime.Object, error) {
				b := o.(*Batch)
				return &BatchV1{ObjectMeta: b.ObjectMeta, Spec: SpecV1{Runs: b.Spec.Image, Script: b.Spec.Script, Status: b.Spec.Status, Timeout: b.Spec.Timeout}, Status: b.Status}, nil
			},
		},
	}}
}

func fill(image *string) {
	if *image == "" {
		*image = "busybox"
	}
}

func check(script, timeout string) error {
	if script == "" {
		return fmt.Errorf("missing field(s): spec.script")
	}
	if _, err := time.ParseDuration(timeout); timeout != "" && err != nil {
		return fmt.Errorf("invalid value: %s: spec.timeout", timeout)
	}
	return nil
}

// Info is the kind's row in the table of what fixtures can name.
func Info() fixture.KindInfo {
	return fixture.KindInfo{Name: "batch", Kind: Kind, Group: v1beta1.Group, Version: v1beta1.Version, Makes: []string{"taskrun"}, Run: &fixture.RunInfo{
		Cancel: "Cancelled", Cancelled: []string{"Cancelled"}, TimedOut: []string{"BatchTimeout"}, Timeouts: []string{"timeout"}, DefaultTimeout: time.Hour,
	}}
}
