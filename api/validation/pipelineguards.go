package validation

import (
	"fmt"
	"reflect"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// guards checks P-25: each when expression is complete. Only the first problem of each is reported.
func (c *checker) guards(s *section) {
	for i := range s.tasks {
		for j := range s.tasks[i].WhenExpressions {
			w, at := &s.tasks[i].WhenExpressions[j], guardAt(s.at(i), j)
			switch {
			case reflect.ValueOf(*w).IsZero():
				c.refuse("P-25/empty", at)
			case w.Operator != v1beta1.WhenIn && w.Operator != v1beta1.WhenNotIn:
				c.refuse("P-25/operator", at, w.Operator)
			case len(w.Values) == 0:
				c.refuse("P-25/values", at)
			}
		}
	}
}

// guardAt is the path of a when expression of the task at a path.
func guardAt(task string, i int) string { return fmt.Sprintf("%s.when[%d]", task, i) }
