package substitution

import (
	"strconv"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Value replaces variables in the value of a param. A value that is a variable and nothing else takes over its type.
func (r Replacements) Value(v v1beta1.ParamValue) v1beta1.ParamValue {
	switch v.Type {
	case v1beta1.ParamTypeArray:
		return v1beta1.ArrayValue(r.List(v.ArrayVal)...)
	case v1beta1.ParamTypeObject:
		out := make(map[string]string, len(v.ObjectVal))
		//plumbline:unordered one map is made of another
		for key, text := range v.ObjectVal {
			out[key] = r.Text(text)
		}
		return v1beta1.ObjectValue(out)
	default:
		if list, ok := r.list(v.StringVal); ok {
			return v1beta1.ArrayValue(list...)
		}
		if object, ok := whole(r.objects, v.StringVal); ok {
			return v1beta1.ObjectValue(object)
		}
		return v1beta1.StringValue(r.Text(v.StringVal))
	}
}

// whole is the value of the variable that a text consists of.
func whole[V any](values map[string]V, text string) (value V, known bool) {
	if len(text) > len(open)+len(closed) && text[:len(open)] == open && text[len(text)-len(closed):] == closed {
		value, known = values[text[len(open):len(text)-len(closed)]]
	}
	return value, known
}

// given replaces variables in the values of params. The list given is left alone.
func (r Replacements) given(params []v1beta1.Param) []v1beta1.Param {
	if params == nil {
		return nil
	}
	out := make([]v1beta1.Param, len(params))
	for i, p := range params {
		out[i] = v1beta1.Param{Name: p.Name, Value: r.Value(p.Value)}
	}
	return out
}

// Params replaces variables in the params of a reference to something remote. The list given is left alone.
func (r Replacements) Params(params []v1beta1.Param) []v1beta1.Param { return r.given(params) }

// Bound returns the variables $(workspaces.NAME.bound) of a Pipeline: whether its run binds them (spec §2.11).
func Bound(declared []v1beta1.PipelineWorkspaceDeclaration, bindings []v1beta1.WorkspaceBinding) Replacements {
	r := newReplacements()
	for _, d := range declared {
		r.texts["workspaces."+d.Name+".bound"] = "false"
	}
	for _, b := range bindings {
		r.texts["workspaces."+b.Name+".bound"] = "true"
	}
	return r
}

// Statuses returns the variables of how tasks ended (spec §2.17): of each task by its name, and of all together.
func Statuses(tasks map[string]string, all string) Replacements {
	r := newReplacements()
	//plumbline:unordered one map is made of another
	for name, status := range tasks {
		r.texts["tasks."+name+".status"] = status
	}
	r.texts["tasks.status"] = all
	return r
}

// Results are the variables of results of tasks; see Add.
type Results struct{ Replacements }

// NewResults returns no variables.
func NewResults() Results { return Results{newReplacements()} }

// Add adds the variables of one result: of a list also its elements, of an object its keys (spec §2.13).
func (r Results) Add(task, result string, value v1beta1.ParamValue) {
	r.add("tasks."+task+".results", result, value)
}

func (r Results) add(prefix, result string, value v1beta1.ParamValue) {
	for _, s := range []string{prefix + "." + result, prefix + `["` + result + `"]`, prefix + `['` + result + `']`} {
		switch value.Type {
		case v1beta1.ParamTypeArray:
			r.lists[s], r.lists[s+"[*]"] = value.ArrayVal, value.ArrayVal
			for i, item := range value.ArrayVal {
				r.texts[s+"["+strconv.Itoa(i)+"]"] = item
			}
		case v1beta1.ParamTypeObject:
			r.objects[s], r.objects[s+"[*]"] = value.ObjectVal, value.ObjectVal
			//plumbline:unordered one map is made of another
			for key, text := range value.ObjectVal {
				r.texts[s+"."+key], r.texts[s+"["+key+"]"] = text, text
			}
		default:
			r.texts[s] = value.StringVal
		}
	}
}

// AddOwn adds a result for use in the results of a Pipeline, where a list that is named as a whole is its first element, and a task
// may also be written as one of finally.
func (r Results) AddOwn(task, result string, value v1beta1.ParamValue) {
	for _, phase := range []string{"tasks.", "finally."} {
		prefix := phase + task + ".results"
		r.add(prefix, result, value)
		if value.Type == v1beta1.ParamTypeArray && len(value.ArrayVal) > 0 {
			name := prefix + "." + result
			delete(r.lists, name)
			r.texts[name] = value.ArrayVal[0]
		}
	}
}

// Pipeline returns the spec of a Pipeline with variables replaced, one pass after the other: in what its tasks are given, in
// their guards, and in embedded Tasks. There a param that the task is given is its own, whatever the Pipeline has of that name.
// The spec given is left alone.
func Pipeline(spec *v1beta1.PipelineSpec, passes ...Replacements) *v1beta1.PipelineSpec {
	spec = spec.DeepCopy()
	for _, r := range passes {
		for _, tasks := range [][]v1beta1.PipelineTask{spec.Tasks, spec.Finally} {
			for i := range tasks {
				r.task(&tasks[i])
			}
		}
	}
	return spec
}

// PipelineTask returns a task of a Pipeline with variables replaced. The task given is left alone.
func PipelineTask(pt *v1beta1.PipelineTask, r Replacements) *v1beta1.PipelineTask {
	if r.empty() {
		return pt
	}
	pt = pt.DeepCopy()
	r.task(pt)
	return pt
}

func (r Replacements) task(pt *v1beta1.PipelineTask) {
	if r.empty() {
		return
	}
	if pt.TaskSpec != nil {
		rewrite(&pt.TaskSpec.TaskSpec, r.without(pt.Params, pt.Matrix))
	}
	pt.Params = r.given(pt.Params)
	if pt.Matrix != nil {
		pt.Matrix.Params = r.given(pt.Matrix.Params)
	}
	for i := range pt.Workspaces {
		pt.Workspaces[i].SubPath = r.Text(pt.Workspaces[i].SubPath)
	}
	for i := range pt.WhenExpressions {
		w := &pt.WhenExpressions[i]
		w.Input, w.Values = r.Text(w.Input), r.List(w.Values)
	}
	if pt.TaskRef != nil {
		pt.TaskRef.Params = r.given(pt.TaskRef.Params)
	}
}

// without are the replacements without those of params that a task has of its own.
func (r Replacements) without(params []v1beta1.Param, matrix *v1beta1.Matrix) Replacements {
	if matrix != nil {
		params = append(params[:len(params):len(params)], matrix.Params...)
	}
	if len(params) == 0 {
		return r
	}
	out := r.clone()
	for _, p := range params {
		for _, s := range spellings(p.Name) {
			for i := range len(out.lists[s]) {
				delete(out.texts, s+"["+strconv.Itoa(i)+"]")
			}
			//plumbline:unordered keys are only deleted
			for key := range out.objects[s+"[*]"] {
				delete(out.texts, s+"."+key)
			}
			delete(out.texts, s)
			delete(out.lists, s)
			delete(out.lists, s+"[*]")
			delete(out.objects, s)
			delete(out.objects, s+"[*]")
		}
	}
	return out
}
