package substitution

import (
	"strconv"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// spellings are the ways to refer to a param of that name (SUB-01).
func spellings(name string) [4]string {
	return [4]string{
		"params." + name,
		`params["` + name + `"]`,
		`params['` + name + `']`,
		"inputs.params." + name, // legacy
	}
}

// Params returns the variables of all params: those that a run gives, declared or not (SUB-21), else the defaults of what it
// runs. Objects are merged key by key (SUB-20). indexing allows $(params.list[1]), which needs a gate.
func Params(declared []v1beta1.ParamSpec, given []v1beta1.Param, indexing bool) Replacements {
	r := newReplacements()
	for _, p := range declared {
		if p.Default != nil {
			r.param(p.Name, *p.Default, indexing)
		}
	}
	for _, p := range given {
		if p.Value.Type != v1beta1.ParamTypeObject {
			r.forget(p.Name)
		}
		r.param(p.Name, p.Value, indexing)
	}
	return r
}

// forget takes the default out of the way of a given value, which may be a shorter array.
func (r Replacements) forget(name string) {
	for _, s := range spellings(name) {
		delete(r.texts, s)
		for i := range len(r.lists[s]) {
			delete(r.texts, s+"["+strconv.Itoa(i)+"]")
		}
		delete(r.lists, s)
		delete(r.lists, s+"[*]")
		delete(r.objects, s+"[*]")
	}
}

func (r Replacements) param(name string, value v1beta1.ParamValue, indexing bool) {
	switch value.Type {
	case v1beta1.ParamTypeArray:
		for _, s := range spellings(name) {
			r.lists[s] = value.ArrayVal
			r.lists[s+"[*]"] = value.ArrayVal
			if !indexing {
				continue
			}
			for i, item := range value.ArrayVal {
				r.texts[s+"["+strconv.Itoa(i)+"]"] = item
			}
		}
	case v1beta1.ParamTypeObject:
		r.objects["params."+name+"[*]"] = value.ObjectVal
		for key, text := range value.ObjectVal {
			r.texts["params."+name+"."+key] = text // the dot form alone (SUB-04)
		}
	default:
		for _, s := range spellings(name) {
			r.texts[s] = value.StringVal
		}
	}
}

// Contexts returns the variables $(context.NAME), by their names and values. Every kind of run has its own (SUB-05).
func Contexts(values map[string]string) Replacements {
	r := newReplacements()
	for name, value := range values {
		r.texts["context."+name] = value
	}
	return r
}

func resultPaths(results []v1beta1.TaskResult) Replacements {
	r := newReplacements()
	for _, result := range results {
		path := v1beta1.ResultsDir + "/" + result.Name
		r.texts["results."+result.Name+".path"] = path
		r.texts[`results["`+result.Name+`"].path`] = path
		r.texts[`results['`+result.Name+`'].path`] = path
	}
	return r
}

func exitCodePaths(steps []v1beta1.Step) Replacements {
	r := newReplacements()
	for i, step := range steps {
		name := step.ContainerName(i)
		r.texts["steps."+name+".exitCode.path"] = v1beta1.StepsDir + "/" + name + "/" + v1beta1.ExitCodeFile
	}
	return r
}

// declareBound adds declarations for workspaces that only the run knows (SUB-23).
func declareBound(spec *v1beta1.TaskSpec, bindings []v1beta1.WorkspaceBinding) {
	declared := map[string]bool{}
	for _, w := range spec.Workspaces {
		declared[w.Name] = true
	}
	for _, b := range bindings {
		if !declared[b.Name] {
			spec.Workspaces = append(spec.Workspaces, v1beta1.WorkspaceDeclaration{Name: b.Name})
		}
	}
}

// workspaces are the variables of the declared workspaces. An optional one that is not bound has empty values.
func workspaces(declared []v1beta1.WorkspaceDeclaration, bindings []v1beta1.WorkspaceBinding, volumes map[string]string) Replacements {
	bound := map[string]*v1beta1.WorkspaceBinding{}
	for i := range bindings {
		bound[bindings[i].Name] = &bindings[i]
	}
	r := newReplacements()
	for _, w := range declared {
		path, isBound, claim := w.GetMountPath(), "true", ""
		b := bound[w.Name]
		if b == nil && w.Optional {
			path, isBound = "", "false"
		}
		if b != nil && b.PersistentVolumeClaim != nil {
			claim = b.PersistentVolumeClaim.ClaimName
		}
		prefix := "workspaces." + w.Name + "."
		r.texts[prefix+"path"] = path
		r.texts[prefix+"bound"] = isBound
		r.texts[prefix+"claim"] = claim
		r.texts[prefix+"volume"] = volumes[w.Name]
	}
	return r
}

// isolated are the paths of the workspaces that one container mounts somewhere of its own (SUB-10).
func isolated(usages []v1beta1.WorkspaceUsage) Replacements {
	r := newReplacements()
	for _, u := range usages {
		if u.MountPath != "" {
			r.texts["workspaces."+u.Name+".path"] = u.MountPath
		}
	}
	return r
}
