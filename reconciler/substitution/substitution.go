// Package substitution replaces variables such as $(params.image) in the spec of a Task (spec §8), and in that of a Pipeline
// (spec of Pipelines §2.13; see [Pipeline]).
//
// [Apply] runs the passes in their order: params, contexts, result paths, exit code paths, workspaces. Each pass is one
// simultaneous replacement: what a pass inserts is not looked at again by the same pass, but by the following ones. So
// the value of a param may contain $(context.taskRun.name) or $(workspaces.source.path), but not another param.
//
// What is not known stays as it is: there is no escape syntax and no error. Checking that variables exist is the task of
// validation, before; expanding $(VAR) in commands and environment is Kubernetes' own, after.
//
// A string variable is replaced wherever it occurs. An array variable is replaced only where it is a whole element of
// command or args, by as many elements as the array has, which may be none.
package substitution

import (
	"maps"
	"strings"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

const (
	open   = "$("
	closed = ")"
)

// Replacements maps variables, written without "$(" and ")", to their values.
type Replacements struct {
	texts   map[string]string
	lists   map[string][]string
	objects map[string]map[string]string
}

func newReplacements() Replacements {
	return Replacements{texts: map[string]string{}, lists: map[string][]string{}, objects: map[string]map[string]string{}}
}

func (r Replacements) empty() bool { return len(r.texts)+len(r.lists)+len(r.objects) == 0 }

func (r Replacements) clone() Replacements {
	return Replacements{texts: maps.Clone(r.texts), lists: maps.Clone(r.lists), objects: maps.Clone(r.objects)}
}

// Text replaces all known string variables in s, in one pass.
func (r Replacements) Text(s string) string {
	at := strings.Index(s, open)
	if at < 0 || len(r.texts) == 0 {
		return s
	}
	var b strings.Builder
	for at >= 0 {
		b.WriteString(s[:at])
		s = s[at:]
		value, length, known := r.at(s)
		if known {
			b.WriteString(value)
		} else {
			length = len(open)
			b.WriteString(open)
		}
		s = s[length:]
		at = strings.Index(s, open)
	}
	b.WriteString(s)
	return b.String()
}

// at is the value of the variable that s begins with, and the length of its reference.
func (r Replacements) at(s string) (value string, length int, known bool) {
	end := strings.Index(s, closed)
	if end < 0 {
		return "", 0, false
	}
	value, known = r.texts[s[len(open):end]]
	return value, end + len(closed), known
}

// List replaces variables in the elements of items, and elements that are an array variable by the array.
func (r Replacements) List(items []string) []string {
	if items == nil {
		return nil
	}
	replaced := make([]string, 0, len(items))
	for _, item := range items {
		if list, ok := r.list(item); ok {
			replaced = append(replaced, list...)
			continue
		}
		replaced = append(replaced, r.Text(item))
	}
	return replaced
}

func (r Replacements) list(item string) ([]string, bool) {
	if !strings.HasPrefix(item, open) || !strings.HasSuffix(item, closed) {
		return nil, false
	}
	list, ok := r.lists[item[len(open):len(item)-len(closed)]]
	return list, ok
}

// Input is everything that variables of one attempt can refer to.
type Input struct {
	// Variables are replaced first, one pass after the other: those of Params, then those of Contexts.
	Variables []Replacements
	// Bindings are the workspaces of the run: those of its spec, with the claims of templates filled in, and defaults.
	Bindings []v1beta1.WorkspaceBinding
	// Volumes maps the names of bindings to the names of the Pod's volumes.
	Volumes map[string]string
	// IsolatedWorkspaces gives a Step the path that it mounts a workspace at alone. PropagatedWorkspaces declares the
	// workspaces that the run binds and the Task does not declare. Both need a gate.
	IsolatedWorkspaces, PropagatedWorkspaces bool
}

// Apply returns spec with all variables replaced that spec and in define. The spec given is left alone.
func Apply(spec *v1beta1.TaskSpec, in Input) *v1beta1.TaskSpec {
	spec = spec.DeepCopy()
	for _, variables := range in.Variables {
		rewrite(spec, variables)
	}
	rewrite(spec, resultPaths(spec.Results))
	rewrite(spec, exitCodePaths(spec.Steps))
	if in.PropagatedWorkspaces {
		declareBound(spec, in.Bindings)
	}
	if in.IsolatedWorkspaces {
		rewriteIsolated(spec)
	}
	rewrite(spec, workspaces(spec.Workspaces, in.Bindings, in.Volumes))
	return spec
}

// Credentials replaces $(credentials.path) in spec itself. It is a pass of its own because the stored spec keeps the
// variable: only the Pod shows the path (SUB-14).
func Credentials(spec *v1beta1.TaskSpec, path string) {
	r := newReplacements()
	r.texts["credentials.path"] = path
	rewrite(spec, r)
}
