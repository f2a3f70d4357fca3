package shell

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// How bash names the variables that hand functions on to its children.
const (
	functionPrefix = "BASH_FUNC_"
	functionSuffix = "%%"
	functionChains = 512
)

// exportedFunctions returns the variables of the functions that children get.
func (s *shell) exportedFunctions() []string {
	var names []string
	for name, fn := range s.functions {
		if fn.exported {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(fnv(a)%functionChains, fnv(b)%functionChains), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = functionPrefix + name + functionSuffix + "=" + syntax.ExportFunction(s.functions[name].Func)
	}
	return names
}

// inheritFunctions defines the functions that variables of the environment hold.
func (s *shell) inheritFunctions(entries []string) {
	for _, kv := range entries {
		name, value, ok := strings.Cut(strings.TrimPrefix(kv, functionPrefix), functionSuffix+"=")
		if !ok || !strings.HasPrefix(value, "() {") {
			continue
		}
		sc := s.parse(name + " " + value)
		if sc.Err == nil && len(sc.Lines) == 1 && len(sc.Lines[0]) == 1 {
			if fn, ok := sc.Lines[0][0].Cmd.(*syntax.Func); ok && fn.Name == name {
				s.define(name, &function{Func: fn, source: "environment", exported: true})
			}
		}
		s.release(sc)
	}
}

// attributes returns the letters with which declare shows a function.
func (f *function) attributes() string {
	out := "f"
	if f.readonly {
		out += "r"
	}
	if f.exported {
		out += "x"
	}
	return out
}

// function shows a function, or gives it attributes.
func (d *declaration) function(name string) {
	s := d.s
	fn := s.functions[name]
	if fn == nil {
		if d.name != "declare" {
			s.complain(name + ": not a function")
		}
		d.status = 1
		return
	}
	changed := *fn
	switch {
	case d.name == "export":
		changed.exported = !strings.Contains(d.off, "n")
	case d.name == "readonly":
		changed.readonly = true
	case d.has("x") || d.has("r") || d.has("t") || d.off != "":
		changed.exported = (fn.exported || d.has("x")) && !strings.Contains(d.off, "x")
		changed.readonly = fn.readonly || d.has("r")
	case d.has("F"):
		s.print(1, name+"\n")
		return
	default:
		s.print(1, syntax.PrintFunction(fn.Func)+"\n")
		return
	}
	s.define(name, &changed)
	s.env = nil
}

// listFunctions prints the functions that have the attributes that are asked for.
func (d *declaration) listFunctions() {
	s := d.s
	for _, name := range slices.Sorted(maps.Keys(s.functions)) {
		fn := s.functions[name]
		if (d.name == "export" || d.has("x")) && !fn.exported || (d.name == "readonly" || d.has("r")) && !fn.readonly {
			continue
		}
		if !d.has("F") {
			s.print(1, syntax.PrintFunction(fn.Func)+"\n")
		}
		if letters := fn.attributes(); d.has("F") || letters != "f" {
			s.print(1, "declare -"+letters+" "+name+"\n")
		}
	}
}
