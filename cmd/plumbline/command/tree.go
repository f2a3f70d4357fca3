package command

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/internal/untyped"
)

// roots are the runs that no other run has made, in the order of their creation.
func (w *witness) roots() []*run {
	return slices.DeleteFunc(slices.Clone(w.runs), func(r *run) bool { return r.parent != nil })
}

// tree lists all runs, each one before those that it has made.
func (w *witness) tree() []*run {
	out := make([]*run, 0, len(w.runs))
	var walk func(list []*run)
	walk = func(list []*run) {
		for _, r := range list {
			out = append(out, r)
			walk(r.children)
		}
	}
	walk(w.roots())
	return out
}

// root is the run at the top of the tree that a run is in, and depth how far below it the run is.
func (r *run) root() (root *run, depth int) {
	for root = r; root.parent != nil; root = root.parent {
		depth++
	}
	return root, depth
}

// noun is what the runs are called.
func (w *witness) noun() string {
	if w.mixed {
		return "runs"
	}
	return "TaskRuns"
}

// title is what the table calls a run: its name, with its kind where there are several kinds.
func (w *witness) title(r *run) string {
	if w.mixed {
		return r.kind.Name + "/" + r.object.GetName()
	}
	return r.object.GetName()
}

// resource is a run as kubectl prints it with -o name.
func (r *run) resource() string {
	return strings.ToLower(r.kind.Kind) + "." + r.kind.Group + "/" + r.object.GetName()
}

// unfinished names the runs at the top of a tree that are not over.
func (w *witness) unfinished() []string {
	var names []string
	for _, r := range w.roots() {
		if !r.over() {
			names = append(names, r.object.GetNamespace()+"/"+w.title(r))
		}
	}
	return names
}

// allOver reports whether there is no run at the top of a tree that is not over. It is asked after each event.
func (w *witness) allOver() bool { return w.open == 0 }

// over: the run has ended, or is gone.
func (r *run) over() bool {
	return untyped.Succeeded(r.object.Object).Done() || r.seen["deleted"] != ""
}

// allSucceeded reports whether every run at the top of a tree has succeeded. The outcome of the runs below it does not
// count.
func (w *witness) allSucceeded() bool {
	return !slices.ContainsFunc(w.runs, func(r *run) bool { return r.parent == nil && untyped.Succeeded(r.object.Object).Status != "True" })
}

// quiet reports whether everything below the runs has ended: no other run and no Pod is under way.
func (w *witness) quiet() bool {
	for _, r := range w.runs {
		if !r.over() {
			return false
		}
		for _, p := range r.pods {
			phase, _, _ := unstructured.NestedString(p.object.Object, "status", "phase")
			if phase != "Succeeded" && phase != "Failed" && !p.gone {
				return false
			}
		}
	}
	return true
}

// of names the run that has made this one, as kind/name, or nothing.
func (r *run) of() string {
	if r.parent == nil {
		return ""
	}
	return r.parent.kind.Name + "/" + r.parent.object.GetName()
}
