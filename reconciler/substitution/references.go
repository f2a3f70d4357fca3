package substitution

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

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
