package pods

import "k8s.io/apimachinery/pkg/util/validation/field"

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

// field returns the path as the validation library has it.
func (p *path) field() *field.Path {
	switch {
	case p.parent == nil:
		return field.NewPath(p.name)
	case p.name == "":
		return p.parent.field().Index(p.index)
	default:
		return p.parent.field().Child(p.name)
	}
}
