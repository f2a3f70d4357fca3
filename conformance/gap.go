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

// gap is a time of which the versions of a kind are not known.
type gap struct {
	kind string
	at   time.Time
	says string
}

// gaps writes down where versions were lost; the handler is told of versions alone.
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

// incomplete judges a result of which not everything was seen. Who was seen to do what is asked for has done it, and
// passes; the gap is among the evidence. That something never was, or always, cannot be told any more, and a failure may
// be one of seeing: these are errors of the machine.
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
