package validation

import (
	"math"

	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// minimalStatus is the embedded-status that a matrix needs: only references can tell several children of a task.
const minimalStatus = "minimal"

// matrixed reports whether a task fans out.
func matrixed(t *v1beta1.PipelineTask) bool { return t.Matrix != nil && len(t.Matrix.Params) > 0 }

// matrices checks P-26 to P-30.
func (c *checker) matrices(s *section) {
	for i := range s.tasks {
		t, at := &s.tasks[i], s.at(i)
		if !matrixed(t) {
			continue
		}
		c.alpha("P-26")
		if status := c.cfg.FeatureFlags.EmbeddedStatus; status != minimalStatus {
			c.refuse("P-27", status)
		}
		if n, most := combinations(t.Matrix.Params), c.cfg.Defaults.MaxMatrixCombinationsCount; n > most {
			c.refuse("P-28", at, n, most)
		}
		fans := map[string]bool{}
		for _, p := range t.Matrix.Params {
			fans[p.Name] = true
			if p.Value.Type != v1beta1.ParamTypeArray {
				c.refuse("P-29", at, p.Name)
			}
		}
		for _, p := range t.Params {
			if fans[p.Name] {
				c.refuse("P-30", at, p.Name)
			}
		}
	}
}

// combinations is the number of children that a matrix makes, as far as an int can say it.
func combinations(params []v1beta1.Param) int {
	n := 1
	for _, p := range params {
		values := len(p.Value.ArrayVal)
		if values > 0 && n > math.MaxInt/values {
			return math.MaxInt
		}
		n *= values
	}
	return n
}

// matrixedResults checks P-31: a task that fans out has no results that a task of the section could use.
func (c *checker) matrixedResults(s, dag *section) {
	fans := map[string]bool{}
	for i := range dag.tasks {
		if matrixed(&dag.tasks[i]) {
			fans[dag.tasks[i].Name] = true
		}
	}
	for i := range s.tasks {
		if len(fans) == 0 {
			return
		}
		for _, r := range pipelinegraph.References(&s.tasks[i]) {
			if fans[r.Task] {
				c.refuse("P-31", s.at(i), r.Task)
			}
		}
	}
}
