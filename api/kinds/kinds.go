// Package kinds is the table of the API's kinds: one row a kind, with everything that is the same question for each of
// them. Admission, conversion, the definitions that the simulated API server serves, and the check of the install
// manifests read it. A kind that is added here needs no other list; what it is admitted by is in its row.
//
//	kinds.go       the table, and how rows are found
//	versions.go    what a version of a kind is, over its Go type
//	taskrun.go     the row of TaskRun
//	task.go        the rows of Task and ClusterTask
//	pipeline.go    the rows of PipelineRun and Pipeline
//	run.go         the rows of Run and CustomRun
//	resolution.go  the row of ResolutionRequest, of another group
package kinds

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	resolutionv1alpha1 "github.com/plumbline-ci/plumbline/api/resolution/v1alpha1"
	resolutionv1beta1 "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Kind is a kind of the API.
type Kind struct {
	// Name is as manifests write it: TaskRun. No two kinds have the same.
	Name string
	// Group is the API group; empty means that of v1beta1.
	Group string
	// Plural is the resource's name: taskruns.
	Plural     string
	Namespaced bool
	// Versions are the versions that are served. The first one is stored.
	Versions []Version
}

// Storage is the version that is stored.
func (k *Kind) Storage() *Version { return &k.Versions[0] }

// Definition is the name of the kind's CustomResourceDefinition.
func (k *Kind) Definition() string { return k.Plural + "." + k.APIGroup() }

// APIGroup is the kind's API group.
func (k *Kind) APIGroup() string { return cmp.Or(k.Group, v1beta1.Group) }

// Converted reports whether the kind has several versions, between which the conversion webhook is asked.
func (k *Kind) Converted() bool { return len(k.Versions) > 1 }

// Version returns a version of the kind by its name, or nil.
func (k *Kind) Version(name string) *Version {
	i := slices.IndexFunc(k.Versions, func(v Version) bool { return v.Name == name })
	if i < 0 {
		return nil
	}
	return &k.Versions[i]
}

// Table is a list of kinds, with its indexes.
type Table struct {
	list  []Kind
	names map[string]*Kind
	types map[reflect.Type]row
}

type row struct {
	kind    *Kind
	version *Version
}

// NewTable returns a table of these kinds.
func NewTable(list ...Kind) *Table {
	t := &Table{list: list, names: map[string]*Kind{}, types: map[reflect.Type]row{}}
	for i := range list {
		k := &t.list[i]
		t.names[k.Name] = k
		for j := range k.Versions {
			v := &k.Versions[j]
			t.types[reflect.TypeOf(v.New())] = row{k, v}
		}
	}
	return t
}

// API returns the kinds of the API, and those of [Register]. The table is not to be changed.
func API() *Table { return api.Load() }

var api = pointerTo(NewTable(taskRun(), task(), clusterTask(), pipelineRun(), pipeline(), run(), customRun(), resolutionRequest()))

func pointerTo(t *Table) *atomic.Pointer[Table] {
	var p atomic.Pointer[Table]
	p.Store(t)
	return &p
}

// Register adds a kind to the API's table: a program that has a kind of its own in the group calls it once, before it
// makes a cluster or a webhook. It refuses a name that is taken.
func Register(k Kind) error {
	if len(k.Versions) == 0 {
		return fmt.Errorf("kind %s has no version", k.Name)
	}
	for {
		old := api.Load()
		if old.Named(k.Name) != nil {
			return fmt.Errorf("kind %s is there already", k.Name)
		}
		if api.CompareAndSwap(old, NewTable(append(slices.Clone(old.list), k)...)) {
			return nil
		}
	}
}

// All returns the kinds in the order of the table.
func (t *Table) All() []Kind { return t.list }

// Named returns a kind by its name, or nil.
func (t *Table) Named(kind string) *Kind { return t.names[kind] }

// Converted returns the names of the definitions of the kinds that have several versions.
func (t *Table) Converted() []string {
	var names []string
	for i := range t.list {
		if k := &t.list[i]; k.Converted() {
			names = append(names, k.Definition())
		}
	}
	return names
}

// Of returns the row of an object by its Go type.
func (t *Table) Of(o runtime.Object) (k *Kind, v *Version, ok bool) {
	r, ok := t.types[reflect.TypeOf(o)]
	return r.kind, r.version, ok
}

// Has reports whether a kind of the table is of an API group.
func (t *Table) Has(group string) bool {
	return slices.ContainsFunc(t.list, func(k Kind) bool { return k.APIGroup() == group })
}

// Find returns an empty object of a version of a kind, or nil.
func (t *Table) Find(gvk schema.GroupVersionKind) runtime.Object {
	if k := t.Named(gvk.Kind); k == nil || k.APIGroup() != gvk.Group {
		return nil
	}
	return t.New(gvk.Version, gvk.Kind)
}

// New returns an empty object of a kind, or nil. An empty version is the one that is stored.
func (t *Table) New(version, kind string) runtime.Object {
	k := t.Named(kind)
	if k == nil {
		return nil
	}
	v := k.Storage()
	if version != "" {
		v = k.Version(version)
	}
	if v == nil {
		return nil
	}
	return v.New()
}

// GroupVersionKind names a version of a kind.
func (k *Kind) GroupVersionKind(v *Version) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: k.APIGroup(), Version: v.Name, Kind: k.Name}
}

// AddToScheme registers the Go types of the API's kinds, in all versions.
func AddToScheme(s *runtime.Scheme) error {
	if err := v1beta1.AddToScheme(s); err != nil {
		return err
	}
	if err := v1.AddToScheme(s); err != nil {
		return err
	}
	if err := v1alpha1.AddToScheme(s); err != nil {
		return err
	}
	if err := resolutionv1beta1.AddToScheme(s); err != nil {
		return err
	}
	if err := resolutionv1alpha1.AddToScheme(s); err != nil {
		return err
	}
	for i := range API().list {
		k := &API().list[i]
		for j := range k.Versions {
			v := &k.Versions[j]
			if gvk := k.GroupVersionKind(v); !s.Recognizes(gvk) {
				s.AddKnownTypeWithName(gvk, v.New())
			}
			if gvk := k.GroupVersionKind(v); v.NewList != nil {
				gvk.Kind += "List"
				if !s.Recognizes(gvk) {
					s.AddKnownTypeWithName(gvk, v.NewList())
				}
			}
		}
	}
	return nil
}
