package shell

import (
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// refersTo reports whether a name reference of bash can have a value: the name of a variable, or of an element.
func refersTo(value string) bool {
	_, index, element := elementName(value)
	return syntax.IsName(value) || element && index != ""
}

// direct reports whether a declaration concerns a name reference itself, not the variable to which it refers.
func (d *declaration) direct() bool {
	return d.has("n") || strings.Contains(d.off, "n") && (d.name == "declare" || d.name == "local")
}

// refers reports whether a name can become a name reference, with that value if one is given, and complains if it cannot.
func (d *declaration) refers(name, value string, given, element bool) bool {
	s := d.s
	old := s.vars[name]
	own := d.name == "declare" && (s.calls == 0 || d.has("g"))
	complaint := ""
	switch to, _, _ := elementName(value); {
	case element || own && old.isArray():
		complaint = name + ": reference variable cannot be an array"
	case !given && own && !old.ref && old.set && !refersTo(old.value):
		complaint = "`" + old.value + "': invalid variable name for name reference"
	case !given:
	case to == name && s.calls == 0:
		complaint = name + ": nameref variable self references not allowed"
	case value == "":
		complaint = "`': not a valid identifier"
	case !refersTo(value):
		complaint = "`" + value + "': invalid variable name for name reference"
	}
	if complaint == "" {
		return true
	}
	s.complain(complaint)
	d.status = 1
	return false
}
