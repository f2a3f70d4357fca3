package pods

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// path is a field path that costs nothing until an error needs it: almost
// every Pod is fine, and building paths would cost more than all the checks.
type path struct {
	parent *path
	name   string
	index  int // when name is empty
}

func root(name string) path { return path{name: name} }

func (p *path) child(name string) path { return path{parent: p, name: name} }

func (p *path) at(i int) path { return path{parent: p, index: i} }

// field returns the path as the validation library has it. It keeps nothing of p, not even
// names, and does not call itself: so the compiler sees that paths can stay on the stack.
func (p *path) field() *field.Path {
	type step struct {
		name  string
		index int
	}
	var steps []step // the last one first
	for ; p.parent != nil; p = p.parent {
		steps = append(steps, step{strings.Clone(p.name), p.index})
	}
	out := field.NewPath(strings.Clone(p.name))
	for i := len(steps) - 1; i >= 0; i-- {
		if s := steps[i]; s.name == "" {
			out = out.Index(s.index)
		} else {
			out = out.Child(s.name)
		}
	}
	return out
}
