package verdict

import (
	"fmt"
	"slices"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/observe"
	"github.com/plumbline-ci/plumbline/reports"
)

// checkWatch is what evidence of a gap is about, in place of a check.
const checkWatch = "watch"

// Incomplete judges a result if a watch lost versions. A check that already matched still passes, with the gap in its
// evidence. Checks on never, always or an order can no longer be judged, and a failure may be due to the gap: both become
// errors of the machine.
func Incomplete(out *reports.Fixture, f *fixture.Fixture, w *observe.World) {
	gaps := w.Gaps()
	if len(gaps) == 0 {
		return
	}
	everything := slices.ContainsFunc(f.Spec.Then, func(c fixture.Check) bool { return c.Always != nil || c.Never != nil || c.Sequence != nil })
	switch {
	case out.Verdict == reports.Pass && everything:
		out.Verdict, out.Reason, out.Evidence = reports.Error, "the checks held, but the watch missed versions: "+gaps[0].Says, nil
	case out.Verdict == reports.Fail:
		out.Reason = fmt.Sprintf("a check failed, but the watch missed versions: %s; %s: %s", gaps[0].Says, out.Failure.At, out.Failure.Message)
		out.Verdict, out.Failure, out.Evidence = reports.Error, nil, nil
	case out.Verdict == reports.Pass:
		for _, g := range gaps {
			out.Evidence = append(out.Evidence, reports.Evidence{Check: checkWatch, At: f.Spec.Pos.String(), Object: g.Kind, After: w.Since(g.At), Saw: g.Says})
		}
	}
}
