package validation

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Run checks a Run at creation and at every update (spec §1.4).
func Run(r *v1alpha1.Run, cfg *config.Config) error {
	s := &r.Spec
	a := asked{
		name: r.Name, zero: reflect.ValueOf(*s).IsZero(), refField: "ref", specField: "spec",
		embedded: s.Spec, params: s.Params, status: s.Status, message: s.StatusMessage, workspaces: s.Workspaces,
	}
	if s.Ref != nil {
		a.ref = &s.Ref.TaskRef
	}
	return a.check(v1alpha1.Version, cfg)
}

// CustomRun checks a CustomRun at creation and at every update (spec §1.4).
func CustomRun(r *v1beta1.CustomRun, cfg *config.Config) error {
	s := &r.Spec
	return asked{
		name: r.Name, zero: reflect.ValueOf(*s).IsZero(), refField: "customRef", specField: "customSpec",
		ref: s.CustomRef, embedded: s.CustomSpec, params: s.Params, status: s.Status, message: s.StatusMessage, workspaces: s.Workspaces,
	}.check(v1beta1.Version, cfg)
}

// asked is what a Run and a CustomRun are checked for. Their fields differ in name alone.
type asked struct {
	name                string
	zero                bool // the spec says nothing at all
	refField, specField string
	ref                 *v1beta1.TaskRef
	embedded            *v1beta1.EmbeddedCustomRunSpec
	params              []v1beta1.Param
	status              v1beta1.RunSpecStatus
	message             v1beta1.RunSpecStatusMessage
	workspaces          []v1beta1.WorkspaceBinding
}

// check applies the rules in their order. Only the first one that is broken is reported.
func (a asked) check(version string, cfg *config.Config) error {
	var errs Errors
	c := checker{version: version, cfg: cfg, errs: &errs}
	for _, rule := range []func(){
		func() { c.objectName(a.name) },
		func() { a.target(&c) },
		func() {
			if a.status == "" && a.message != "" {
				c.refuse("R-09", a.message)
			}
		},
		func() {
			for _, name := range duplicates(paramNames(a.params)) {
				c.refuse("R-10", name)
				return
			}
		},
		func() {
			for _, p := range a.params {
				if p.Value.Type == v1beta1.ParamTypeObject && !cfg.FeatureFlags.Alpha() {
					c.refuse("R-11")
					return
				}
			}
		},
		func() { a.bindings(&c) },
	} {
		if rule(); len(errs) > 0 {
			return errs[:1]
		}
	}
	return nil
}

func (a asked) target(c *checker) {
	switch ref, spec := "spec."+a.refField, "spec."+a.specField; {
	case a.zero:
		c.refuse("R-02")
	case a.ref != nil && a.embedded != nil:
		c.refuse("R-03", ref, spec)
	case a.ref == nil && a.embedded == nil:
		c.refuse("R-04", ref, spec)
	case a.ref != nil && a.ref.APIVersion == "":
		c.refuse("R-05", ref)
	case a.ref != nil && a.ref.Kind == "":
		c.refuse("R-06", ref)
	case a.embedded != nil && a.embedded.APIVersion == "":
		c.refuse("R-07", spec)
	case a.embedded != nil && a.embedded.Kind == "":
		c.refuse("R-08", spec)
	}
}

func (a asked) bindings(c *checker) {
	for i := range a.workspaces {
		if c.workspaceBinding(fmt.Sprintf("spec.workspaces[%d]", i), &a.workspaces[i]); len(*c.errs) > 0 {
			return
		}
	}
	names := map[string]bool{}
	for i, w := range a.workspaces {
		key := strings.ToLower(w.Name)
		if names[key] {
			c.refuse("R-13", i)
			return
		}
		names[key] = true
	}
}
