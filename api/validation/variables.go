package validation

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// variables knows what a step may refer to (spec §2.5).
type variables struct {
	stringNames, arrayNames map[string]bool
	objects                 map[string]map[string]v1beta1.PropertySpec
	resources               *v1beta1.TaskResources
}

func newVariables(params []v1beta1.ParamSpec, resources *v1beta1.TaskResources) *variables {
	v := &variables{
		stringNames: map[string]bool{},
		arrayNames:  map[string]bool{},
		objects:     map[string]map[string]v1beta1.PropertySpec{},
		resources:   resources,
	}
	for _, p := range params {
		switch p.Type {
		case v1beta1.ParamTypeArray:
			v.arrayNames[p.Name] = true
		case v1beta1.ParamTypeObject:
			v.objects[p.Name] = p.Properties
		default:
			v.stringNames[p.Name] = true
		}
	}
	return v
}

// A reference is $(prefix.NAME), $(prefix["NAME"]) or $(prefix['NAME']); NAME ends at the first closing token.
var (
	paramReference    = regexp.MustCompile(`\$\((?:inputs\.)?params(?:\.(?P<dot>[^)\s]+?)|\["(?P<double>[^)\s]+?)"\](?P<dsuffix>\[[^)\s]*\])?|\['(?P<single>[^)\s]+?)'\](?P<ssuffix>\[[^)\s]*\])?)\)`)
	taskRunReference  = regexp.MustCompile(`\$\(context\.taskRun\.([^)\s]+)\)`)
	taskReference     = regexp.MustCompile(`\$\(context\.task\.([^)\s]+)\)`)
	resourceReference = regexp.MustCompile(`\$\((?:inputs\.resources|resources\.inputs|outputs\.resources|resources\.outputs)\.([^).\s]+)`)
	indexSuffix       = regexp.MustCompile(`\[(?:\*|[0-9]+)\]$`)
)

// reference is one mention of a param.
type reference struct {
	text    string // as written, with $( and )
	name    string // without index
	dotted  bool   // $(params.NAME), where NAME may be object.key
	star    bool   // [*]
	indexed bool   // [i]
}

func references(value string) []reference {
	if !strings.Contains(value, "params") {
		return nil
	}
	var out []reference
	for _, m := range paramReference.FindAllStringSubmatch(value, -1) {
		r := reference{text: m[0], dotted: m[1] != ""}
		suffix := m[3] + m[5]
		r.name = m[1] + m[2] + m[4]
		if r.dotted {
			if s := indexSuffix.FindString(r.name); s != "" {
				suffix, r.name = s, strings.TrimSuffix(r.name, s)
			}
		}
		r.star, r.indexed = suffix == "[*]", suffix != "" && suffix != "[*]"
		out = append(out, r)
	}
	return out
}

// field is one scanned field of a step.
type field struct {
	path, value string
	// list is set for elements of command and args, where a whole array may stand.
	list bool
	// onError is set for the one field in which an object may stand as a whole.
	onError bool
}

// scanned are the fields in which references are looked for, spelt as the API's messages spell them.
func scanned(s *v1beta1.Step) []field {
	const always = 5
	out := make([]field, 0, always+len(s.Command)+len(s.Args)+len(s.Env)+3*len(s.VolumeMounts))
	out = append(out,
		field{path: "name", value: s.Name},
		field{path: "image", value: s.Image},
		field{path: "workingDir", value: s.WorkingDir},
		field{path: "script", value: s.Script},
	)
	for i, v := range s.Command {
		out = append(out, field{path: fmt.Sprintf("command[%d]", i), value: v, list: true})
	}
	for i, v := range s.Args {
		out = append(out, field{path: fmt.Sprintf("args[%d]", i), value: v, list: true})
	}
	for _, e := range s.Env {
		out = append(out, field{path: "env[" + e.Name + "]", value: e.Value})
	}
	for i, m := range s.VolumeMounts {
		p := fmt.Sprintf("volumeMount[%d].", i)
		out = append(out, field{path: p + "name", value: m.Name}, field{path: p + "MountPath", value: m.MountPath}, field{path: p + "SubPath", value: m.SubPath})
	}
	return append(out, field{path: "onError", value: string(s.OnError), onError: true})
}

// declared checks that what a step refers to exists (V-80 to V-83, V-88).
func (v *variables) declared(c *checker, p string, s *v1beta1.Step) {
	for _, f := range scanned(s) {
		found := references(f.value)
		if len(found) == 0 && v.resources == nil {
			continue
		}
		at := p + "." + f.path
		for _, r := range found {
			v.reference(c, at, f, r)
		}
		if v.resources != nil {
			for _, m := range resourceReference.FindAllStringSubmatch(f.value, -1) {
				if !v.hasResource(m[1]) {
					c.refuse("V-88", at, f.value)
				}
			}
		}
	}
}

func (v *variables) reference(c *checker, at string, f field, r reference) {
	if _, whole := v.objects[r.name]; whole {
		if !f.onError {
			c.refuse("V-83", at, f.value)
		}
		return
	}
	if !r.dotted {
		if !v.stringNames[r.name] && !v.arrayNames[r.name] {
			c.refuse("V-80", at, f.value)
		}
		return
	}
	// With dots, the name ends at the first one: a param whose name has dots is referred to in brackets.
	parts := strings.Split(r.name, ".")
	if properties, object := v.objects[parts[0]]; object && len(parts) == 2 {
		if _, known := properties[parts[1]]; !known {
			c.refuse("V-82", at, f.value)
		}
		return
	}
	if len(parts) > 2 {
		c.refuse("V-81", at, f.value)
		return
	}
	if !v.stringNames[parts[0]] && !v.arrayNames[parts[0]] {
		c.refuse("V-80", at, f.value)
	}
}

func (v *variables) hasResource(name string) bool {
	for _, list := range [][]v1beta1.TaskResource{v.resources.Inputs, v.resources.Outputs} {
		for _, r := range list {
			if r.Name == name {
				return true
			}
		}
	}
	return false
}

// arrays checks that whole arrays stand where a list can take them (V-84, V-85).
func (v *variables) arrays(c *checker, p string, s *v1beta1.Step) {
	if len(v.arrayNames) == 0 {
		return
	}
	for _, f := range scanned(s) {
		if f.onError {
			continue
		}
		for _, r := range references(f.value) {
			v.array(c, p+"."+f.path, f, r)
		}
	}
}

func (v *variables) array(c *checker, at string, f field, r reference) {
	switch {
	case r.indexed || !v.arrayNames[r.name]:
	case !f.list:
		c.refuse("V-84", at, f.value)
	case f.value != r.text:
		c.refuse("V-85", at, f.value)
	}
}

// contexts checks V-86 and V-87.
func (v *variables) contexts(c *checker, p string, s *v1beta1.Step) {
	known := func(rule string, pattern *regexp.Regexp, f field, names ...string) {
	mentions:
		for _, m := range pattern.FindAllStringSubmatch(f.value, -1) {
			for _, name := range names {
				if m[1] == name {
					continue mentions
				}
			}
			c.refuse(rule, p+"."+f.path, f.value)
		}
	}
	for _, f := range scanned(s) {
		if strings.Contains(f.value, "$(context.") {
			known("V-86", taskRunReference, f, "name", "namespace", "uid")
			known("V-87", taskReference, f, "name", "retry-count")
		}
	}
}
