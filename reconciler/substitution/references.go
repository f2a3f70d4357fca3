package substitution

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// indexed matches a reference to one element of an array param, in any spelling: the name is the first group that
// matched, the index the last.
var indexed = regexp.MustCompile(`\$\((?:inputs\.)?params(?:\.([^()\[\]]+)|\["([^"]+)"\]|\['([^']+)'\])\[([0-9]+)\]\)`)

// OutOfBounds lists the references in spec to elements that the array params do not have, sorted (LC-34).
func OutOfBounds(spec *v1beta1.TaskSpec, given []v1beta1.Param) []string {
	lengths := map[string]int{}
	for _, p := range spec.Params {
		if p.Default != nil && p.Default.Type == v1beta1.ParamTypeArray {
			lengths[p.Name] = len(p.Default.ArrayVal)
		}
	}
	for _, p := range given {
		if p.Value.Type == v1beta1.ParamTypeArray {
			lengths[p.Name] = len(p.Value.ArrayVal)
		}
	}
	var missing []string
	visit(spec.DeepCopy(), reader(func(s string) {
		if !strings.Contains(s, open) {
			return
		}
		for _, m := range indexed.FindAllStringSubmatch(s, -1) {
			length, isArray := lengths[m[1]+m[2]+m[3]]
			if index, err := strconv.Atoi(m[4]); isArray && (err != nil || index >= length) {
				missing = append(missing, m[0])
			}
		}
	}))
	slices.Sort(missing)
	return slices.Compact(missing)
}

// reader only looks.
type reader func(string)

func (r reader) text(s *string) { r(*s) }

func (r reader) list(l *[]string) {
	for _, s := range *l {
		r(s)
	}
}

// PipelineOutOfBounds lists the references in a Pipeline to elements that its array params do not have, sorted.
func PipelineOutOfBounds(spec *v1beta1.PipelineSpec, given []v1beta1.Param) []string {
	declared := v1beta1.TaskSpec{Params: spec.Params}
	var all []string
	for _, list := range [][]v1beta1.PipelineTask{spec.Tasks, spec.Finally} {
		for i := range list {
			all = append(all, textsOf(&list[i])...)
		}
	}
	declared.Steps = []v1beta1.Step{{Args: all}}
	return OutOfBounds(&declared, given)
}

// textsOf are the strings of a task of a Pipeline in which variables are replaced, besides those of an embedded Task.
func textsOf(pt *v1beta1.PipelineTask) []string {
	var out []string
	params := func(list []v1beta1.Param) {
		for i := range list {
			out = append(out, pipelinegraph.Texts(list[i].Value)...)
		}
	}
	params(pt.Params)
	if pt.Matrix != nil {
		params(pt.Matrix.Params)
	}
	for _, w := range pt.WhenExpressions {
		out = append(append(out, w.Input), w.Values...)
	}
	for _, w := range pt.Workspaces {
		out = append(out, w.SubPath)
	}
	if pt.TaskRef != nil {
		params(pt.TaskRef.Params)
	}
	return out
}
