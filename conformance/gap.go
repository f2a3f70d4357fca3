package conformance

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports"
)

// checkWatch is what evidence of a gap is about, in place of a check.
const checkWatch = "watch"

// gap is a time in which a watch lost versions of a kind.
type gap struct {
	kind string
	at   time.Time
	says string
}

// gaps wraps a handler of a watch: it records where versions were lost, and passes only versions on.
func (s *session) gaps(kind fixture.KindInfo, handler func(watch.EventType, *unstructured.Unstructured)) func(watch.EventType, *unstructured.Unstructured) {
	return func(event watch.EventType, o *unstructured.Unstructured) {
		if event != watch.Error {
			handler(event, o)
			return
		}
		says, _, _ := unstructured.NestedString(o.Object, "message")
		s.world.mu.Lock()
		defer s.world.mu.Unlock()
		s.world.gaps = append(s.world.gaps, gap{kind: kind.Name, at: s.cluster.Now(), says: says})
	}
}

// incomplete judges a result if a watch lost versions. A check that already matched still passes, with the gap in its
// evidence. Checks on never, always or an order can no longer be judged, and a failure may be due to the gap: both become
// errors of the machine.
func (s *session) incomplete(out *reports.Fixture) {
	if s.world == nil {
		return
	}
	s.world.mu.Lock()
	gaps := slices.Clone(s.world.gaps)
	s.world.mu.Unlock()
	if len(gaps) == 0 {
		return
	}
	everything := slices.ContainsFunc(s.fixture.Spec.Then, func(c fixture.Check) bool { return c.Always != nil || c.Never != nil || c.Sequence != nil })
	switch {
	case out.Verdict == reports.Pass && everything:
		out.Verdict, out.Reason, out.Evidence = reports.Error, "the checks held, but the watch missed versions: "+gaps[0].says, nil
	case out.Verdict == reports.Fail:
		out.Reason = fmt.Sprintf("a check failed, but the watch missed versions: %s; %s: %s", gaps[0].says, out.Failure.At, out.Failure.Message)
		out.Verdict, out.Failure, out.Evidence = reports.Error, nil, nil
	case out.Verdict == reports.Pass:
		for _, g := range gaps {
			out.Evidence = append(out.Evidence, reports.Evidence{Check: checkWatch, At: s.fixture.Spec.Pos.String(), Object: g.kind, After: s.since(g.at), Saw: g.says})
		}
	}
}
