package session

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/observe"
	"github.com/plumbline-ci/plumbline/conformance/internal/refusal"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
	"github.com/plumbline-ci/plumbline/conformance/match"
)

// detail fills in the differences to an object.
func (s *checks) detail(f *verdict.Failed, of *observe.Life, diff []match.Mismatch) {
	if len(diff) == 0 {
		return
	}
	first := diff[0]
	if hint := refusal.Renamed(of.Kind, first.Path); hint != "" {
		f.Message += "; " + hint
	}
	if first.Pos.Line > 0 {
		f.At = first.Pos.String()
	}
	f.Path, f.Want, f.Got = first.Path, first.Want, first.Got
	if len(diff) > 1 {
		f.Diff = diffLines(diff)
	}
}

// explain says why a wait was in vain: the difference to the object that came nearest.
func (s *checks) explain(x *fixture.Condition, allowed time.Duration, early bool, path string) error {
	s.seen.Lock()
	lives := s.seen.Find(x.On)
	var (
		best []match.Mismatch
		near *observe.Life
	)
	for _, l := range lives {
		if l.Last().Gone {
			continue
		}
		if diff := s.holds(&x.Match, x.CEL, l.Last()); near == nil || len(diff) < len(best) {
			best, near = diff, l
		}
	}
	s.seen.Unlock()
	object := x.On.String()
	var f *verdict.Failed
	switch {
	case len(lives) == 0 && early:
		f = failure(x.Pos, path, fmt.Sprintf("%s was not seen, and %s is over", object, x.On.Of.String()))
		f.Want, f.Got = "(an object)", "(nothing)"
	case len(lives) == 0:
		f = failure(x.Pos, path, fmt.Sprintf("%s was not seen within %v", object, allowed))
		f.Want, f.Got = "(an object)", "(nothing)"
	case near == nil:
		f = failure(x.Pos, path, fmt.Sprintf("%s was deleted before it was as expected", object))
		f.Want, f.Got = "(an object)", "(deleted)"
	default:
		object = near.String()
		state, within := "was", fmt.Sprintf(" within %v", allowed)
		if early {
			state, within = ended(early, near.Last().Object())+"is", ""
		}
		f = failure(x.Pos, path, fmt.Sprintf("%s %s not as expected%s", object, state, within))
		s.detail(f, near, best)
		lives = []*observe.Life{near}
	}
	f.Object = object
	f.History = s.seen.History(lives)
	return f
}

// ended says of an object that it is over and how, if a check ended for that.
func ended(early bool, object *unstructured.Unstructured) string {
	if !early {
		return ""
	}
	if state, _, _ := strings.Cut(observe.State(object), " "); strings.HasPrefix(state, "Succeeded=") {
		return "is over (" + state + "), and "
	}
	return "is over, and "
}

// differences collects the leaves that go-cmp finds to differ.
type differences struct {
	path  cmp.Path
	lines []string
}

func (d *differences) PushStep(step cmp.PathStep) { d.path = append(d.path, step) }
func (d *differences) PopStep()                   { d.path = d.path[:len(d.path)-1] }
func (d *differences) Report(r cmp.Result) {
	if r.Equal() {
		return
	}
	key, ok := d.path.Last().(cmp.MapIndex)
	if !ok {
		return
	}
	want, got := d.path.Last().Values()
	d.lines = append(d.lines, fmt.Sprintf("  %s:\n- %s\n+ %s", key.Key(), want, got))
}

// diffLines shows differences as a small diff. The leaves are compared as text by path,
// because go-cmp's own rendering differs from run to run on purpose.
func diffLines(diff []match.Mismatch) string {
	want, got := map[string]string{}, map[string]string{}
	for _, m := range diff {
		path := m.Path
		if path == "" {
			path = "(the object)"
		}
		for n := 2; want[path] != ""; n++ {
			path = fmt.Sprintf("%s (%d)", m.Path, n)
		}
		want[path], got[path] = m.Want, m.Got
	}
	d := &differences{}
	cmp.Equal(want, got, cmp.Reporter(d))
	return strings.Join(d.lines, "\n")
}
