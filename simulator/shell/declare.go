package shell

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// declare runs declare, local, export and readonly as the parser has recognised them.
func (s *shell) declare(cmd *syntax.DeclClause) {
	s.p.Spend(0)
	before := s.command
	s.command = cmd.Variant.Value
	defer func() { s.command = before }()
	s.substituted = false
	d := declaration{s: s, name: cmd.Variant.Value}
	for _, a := range cmd.Args {
		if a.Name == nil || a.Naked && a.Index == nil {
			var words []string
			var err error
			if a.Name != nil {
				words = []string{a.Name.Value}
			} else if words, err = s.fieldsOf([]*syntax.Word{a.Value}); s.problem(err) {
				return
			}
			for _, word := range words {
				if !d.word(word) {
					s.status = d.status
					return
				}
			}
			continue
		}
		d.named = true
		if a.Array != nil {
			d.prepare(a.Name.Value, true)
			if err := s.assignArray(a.Name.Value, a.Array, a.Append); s.problem(err) {
				return
			}
			d.finish(a.Name.Value)
			continue
		}
		d.prepare(a.Name.Value, false)
		if err := s.assignment(a); s.problem(err) {
			return
		}
		d.finish(a.Name.Value)
	}
	d.list()
	s.status = d.status
}

// builtinDeclareText is the same for words that the parser has not recognised, as in "command export a=b".
func builtinDeclareText(s *shell, args []string) int {
	d := declaration{s: s, name: args[0]}
	for _, word := range args[1:] {
		if !d.word(word) {
			return d.status
		}
	}
	d.list()
	return d.status
}

// declaration collects what a declaring command asks for.
type declaration struct {
	s      *shell
	name   string
	flags  string // letters after -
	off    string // letters after +
	print  bool
	named  bool
	words  bool // no more flags
	status int
}

func (d *declaration) has(letter string) bool { return strings.Contains(d.flags, letter) }

// word takes an option, a name or name=value. It reports whether the command goes on.
func (d *declaration) word(word string) bool {
	s := d.s
	if !d.words && len(word) > 1 && (word[0] == '-' || word[0] == '+') {
		if word == "--" {
			d.words = true
			return true
		}
		for _, l := range word[1:] {
			switch {
			case l == 'p':
				d.print = true
			case word[0] == '+' || l == 'n' && d.name == "export":
				d.off += string(l)
			default:
				d.flags += string(l)
			}
		}
		return true
	}
	d.named = true
	name, value, has := strings.Cut(word, "=")
	add := has && strings.HasSuffix(name, "+")
	name = strings.TrimSuffix(name, "+")
	if d.print && !has {
		v, ok := s.vars[name]
		if !ok {
			s.complain(name + ": not found")
			d.status = 1
			return true
		}
		d.show(name, v)
		return true
	}
	if d.has("f") || d.has("F") {
		if s.functions[name] == nil {
			d.status = 1
		} else if d.has("F") {
			s.print(1, name+"\n")
		}
		return true
	}
	if !syntax.ValidName(name) {
		if s.kind == bash {
			s.complain("`" + word + "': not a valid identifier")
			d.status = 1
			return true
		}
		s.complain(name + ": bad variable name")
		d.status = statusUsage
		s.flow = exiting
		return false
	}
	if d.name == "local" && s.calls == 0 {
		if s.kind == bash {
			s.complain("can only be used in a function")
			d.status = 1
			return false
		}
		s.complain("not in a function")
		d.status = statusUsage
		s.flow = exiting
		return false
	}
	d.prepare(name, false)
	if has {
		if add {
			value = s.value(name) + value
		}
		if err := s.assign(name, value); s.problem(err) {
			d.status = s.status
			return s.flow == goOn
		}
	}
	d.finish(name)
	return true
}

// prepare makes the variable local and gives it the attributes that matter for its value.
func (d *declaration) prepare(name string, array bool) {
	s := d.s
	isLocal := d.name == "local" || (d.name == "declare" || d.name == "typeset") && s.calls > 0 && !d.has("g")
	if isLocal && s.calls > 0 {
		old := s.vars[name]
		s.local(name)
		if s.kind == bash {
			s.put(name, variable{order: old.order, exported: old.exported})
			s.env = nil
		}
	}
	v := s.vars[name]
	if d.has("A") && v.table == nil {
		v.table, v.set = map[string]string{}, true
	}
	if (d.has("a") || array) && v.list == nil && v.table == nil {
		v.list = map[int]string{}
		if v.set {
			v.list[0] = v.value
		}
	}
	v.integer = (v.integer || d.has("i")) && !strings.Contains(d.off, "i")
	v.lower = (v.lower || d.has("l")) && !strings.Contains(d.off, "l")
	v.upper = (v.upper || d.has("u")) && !strings.Contains(d.off, "u")
	if !v.readonly {
		s.store(name, v)
	}
}

// finish gives the variable the attributes that come after its value.
func (d *declaration) finish(name string) {
	s := d.s
	v := s.vars[name]
	if d.name == "export" && !strings.Contains(d.off, "n") || d.has("x") {
		v.exported = true
	}
	if d.name == "export" && strings.Contains(d.off, "n") || strings.Contains(d.off, "x") {
		v.exported = false
		s.env = nil
	}
	if d.name == "readonly" || d.has("r") {
		v.readonly = true
	}
	if d.has("n") && d.name != "export" {
		v.ref = true
	}
	s.store(name, v)
}

// list prints variables if no name was given.
func (d *declaration) list() {
	s := d.s
	if d.named || d.has("f") || d.has("F") {
		if !d.named && d.has("F") {
			for _, name := range slices.Sorted(maps.Keys(s.functions)) {
				s.print(1, "declare -f "+name+"\n")
			}
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(s.vars)) {
		v := s.vars[name]
		switch d.name {
		case "export":
			if !v.exported {
				continue
			}
		case "readonly":
			if !v.readonly {
				continue
			}
		case "local":
			continue
		default:
			if d.has("x") && !v.exported || d.has("r") && !v.readonly || d.has("A") && v.table == nil || d.has("a") && v.list == nil {
				continue
			}
		}
		d.show(name, v)
	}
}

// show prints a variable such that a shell can read it.
func (d *declaration) show(name string, v variable) {
	s := d.s
	if s.kind == ash {
		text := d.name + " " + name
		if v.set {
			text += "=" + quoteSingle(v.value)
		}
		s.print(1, text+"\n")
		return
	}
	flags := v.attributes()
	if flags == "" {
		flags = "-"
	}
	text := "declare -" + flags + " " + name
	switch {
	case v.isArray():
		text += "=" + arrayText(v)
	case v.set:
		text += "=" + strconv.Quote(v.value)
	}
	s.print(1, text+"\n")
}

// assignArray performs name=(…).
func (s *shell) assignArray(name string, array *syntax.ArrayExpr, add bool) error {
	name = s.target(name)
	v := s.vars[name]
	if v.readonly {
		return s.readonly(name)
	}
	if v.table != nil {
		table := map[string]string{}
		if add {
			table = maps.Clone(v.table)
		}
		var pending string
		hasPending := false
		for _, e := range array.Elems {
			value, err := s.single(e.Value)
			if err != nil {
				return err
			}
			switch {
			case e.Index != nil:
				key, err := s.indexKey(e.Index)
				if err != nil {
					return err
				}
				table[key] = value
			case hasPending:
				table[pending], hasPending = value, false
			default:
				pending, hasPending = value, true
			}
		}
		v.table, v.set = table, true
		s.store(name, v)
		return nil
	}
	list := map[int]string{}
	next := 0
	if add {
		for k, text := range v.list {
			list[k] = text
			next = max(next, k+1)
		}
		if v.list == nil && v.set {
			list[0], next = v.value, 1
		}
	}
	for _, e := range array.Elems {
		if e.Index != nil {
			n, err := s.indexNumber(variable{list: list}, e.Index)
			if err != nil {
				return err
			}
			value, err := s.single(e.Value)
			if err != nil {
				return err
			}
			list[n], next = value, n+1
			continue
		}
		fields, err := s.fieldsOf([]*syntax.Word{e.Value})
		if err != nil {
			return err
		}
		for _, f := range fields {
			list[next] = f
			next++
		}
	}
	v.list, v.value, v.set = list, "", true
	s.store(name, v)
	return nil
}
