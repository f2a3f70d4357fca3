package validation

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// pipelineParams checks the params that a Pipeline declares, by the rules of those of Tasks, and what a section makes of them. The
// declarations are reported below each of the sections.
func (c *checker) pipelineParams(s *section, declared []v1beta1.ParamSpec, standalone bool) {
	c.paramTypes(s.path+".params.", declared, standalone)
	seen := map[string]bool{}
	for _, ps := range declared {
		if seen[ps.Name] {
			c.refuse("V-51", s.path+".", ps.Name)
		}
		seen[ps.Name] = true
	}
	c.pipelineContexts(s)
	if standalone {
		v := newVariables(declared, nil)
		for i := range s.tasks {
			v.pipelineTask(c, s.at(i), &s.tasks[i])
		}
	}
}

// pipelineTask checks what the task at a path refers to (V-80 to V-85), and that it gives each param once (P-14).
func (v *variables) pipelineTask(c *checker, at string, t *v1beta1.PipelineTask) {
	seen := map[string]bool{}
	for i := range t.Params {
		p := &t.Params[i]
		if seen[p.Name] {
			c.refuse("P-14", at, i, p.Name)
		}
		seen[p.Name] = true
		v.given(c, at+".params["+p.Name+"]", p.Value)
	}
	if t.Matrix != nil {
		for i := range t.Matrix.Params {
			p := &t.Matrix.Params[i]
			for j, item := range p.Value.ArrayVal {
				v.text(c, fmt.Sprintf("%s.matrix[%s].value[%d]", at, p.Name, j), item, true)
			}
		}
	}
	for i := range t.WhenExpressions {
		w, at := &t.WhenExpressions[i], guardAt(at, i)
		v.text(c, at+".input", w.Input, false)
		for _, value := range w.Values {
			v.text(c, at+".values", value, v.wholeArray(value))
		}
	}
}

// given checks the value of a param. A string that is nothing but $(params.NAME[*]) may be a whole array or object.
func (v *variables) given(c *checker, at string, value v1beta1.ParamValue) {
	switch value.Type {
	case v1beta1.ParamTypeArray:
		for i, item := range value.ArrayVal {
			v.text(c, fmt.Sprintf("%s.value[%d]", at, i), item, true)
		}
	case v1beta1.ParamTypeObject:
		for _, key := range slices.Sorted(maps.Keys(value.ObjectVal)) {
			v.text(c, at+".properties["+key+"]", value.ObjectVal[key], false)
		}
	default:
		if r, whole := wholeReference(value.StringVal); whole {
			if _, object := v.objects[r.name]; !object && !v.stringNames[r.name] && !v.arrayNames[r.name] {
				c.refuse("V-80", at, value.StringVal)
			}
			return
		}
		v.text(c, at, value.StringVal, false)
	}
}

// text checks one string. A whole array may stand in it where list is set, if it stands alone.
func (v *variables) text(c *checker, at, value string, list bool) {
	f := field{value: value, list: list}
	for _, r := range references(value) {
		v.reference(c, at, f, r)
		v.array(c, at, f, r)
	}
}

// wholeReference returns the param of a text that is $(params.NAME[*]) and nothing else.
func wholeReference(text string) (reference, bool) {
	if found := references(text); len(found) == 1 && found[0].star && found[0].text == text {
		return found[0], true
	}
	return reference{}, false
}

// wholeArray reports whether a text is $(params.NAME[*]) of an array, and nothing else.
func (v *variables) wholeArray(text string) bool {
	r, whole := wholeReference(text)
	return whole && v.arrayNames[r.name]
}

// The variables of the run that tasks of a Pipeline may refer to.
var pipelineContexts = []struct {
	pattern *regexp.Regexp
	names   []string
}{
	{regexp.MustCompile(`\$\(context\.pipelineRun\.([^)\s]+)\)`), []string{"name", "namespace", "uid"}},
	{regexp.MustCompile(`\$\(context\.pipeline\.([^)\s]+)\)`), []string{"name"}},
	{regexp.MustCompile(`\$\(context\.pipelineTask\.([^)\s]+)\)`), []string{"retries"}},
}

// pipelineContexts checks P-15 in the params of the tasks of a section.
func (c *checker) pipelineContexts(s *section) {
	for i := range s.tasks {
		t := &s.tasks[i]
		params := t.Params
		if t.Matrix != nil {
			params = slices.Concat(params, t.Matrix.Params)
		}
		for j := range params {
			for _, text := range pipelinegraph.Texts(params[j].Value) {
				if strings.Contains(text, "$(context.") && !knownContexts(text) {
					c.refuse("P-15", s.path, text)
				}
			}
		}
	}
}

func knownContexts(text string) bool {
	for _, context := range pipelineContexts {
		for _, m := range context.pattern.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(context.names, m[1]) {
				return false
			}
		}
	}
	return true
}
