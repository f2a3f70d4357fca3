package session

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/observe"
	"github.com/plumbline-ci/plumbline/conformance/match"
	"github.com/plumbline-ci/plumbline/internal/untyped"
)

// A check on a run that is over need not wait for its whole time: what such a run shows of its end stays (an invariant, see
// package invariant), so what differs there will always differ.

// overGrace is how long after the end of a run its check goes on, in the cluster's time. An implementation may write the end
// in several requests, and a watch may be behind. It is the same on every target, so that all give the same verdict.
const overGrace = 10 * time.Second

// settled returns the fields that no longer change once a run is over. Labels, annotations, the states of sidecars and what an
// API server or another controller adds may still change.
func settled() []string {
	return []string{
		"spec", "metadata.name", "metadata.namespace", "metadata.uid", "metadata.creationTimestamp",
		"status.conditions", "status.startTime", "status.completionTime", "status.podName", "status.steps",
		"status.taskResults", "status.pipelineResults", "status.results", "status.retriesStatus",
	}
}

// isSettled reports whether a path lies in one of the settled fields, or in a part of a run.
func isSettled(path string) bool {
	if slices.ContainsFunc(settled(), func(field string) bool { return liesIn(path, field) }) {
		return true
	}
	below, ok := strings.CutPrefix(path, "status.")
	return ok && slices.ContainsFunc(fixture.Kinds(), func(k fixture.KindInfo) bool {
		return k.Run != nil && slices.ContainsFunc(k.Run.Parts, func(part string) bool { return liesIn(below, part) })
	})
}

func liesIn(path, field string) bool {
	rest, ok := strings.CutPrefix(path, field)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// over reports whether the last version of a run is its end: True, or False without an attempt that is left, and complete.
func over(l *observe.Life) bool {
	v := l.Last()
	if l.Kind.Run == nil || v.Gone {
		return false
	}
	if done, _, _ := unstructured.NestedString(v.Object().Object, "status", "completionTime"); done == "" {
		return false
	}
	status := untyped.Succeeded(v.Object().Object).Status
	retries, _, _ := unstructured.NestedInt64(v.Object().Object, "spec", "retries")
	asked, _, _ := unstructured.NestedString(v.Object().Object, "spec", "status")
	again := retries > int64(len(untyped.Maps(v.Object().Object, "status", "retriesStatus"))) && asked == ""
	return status == "True" || status == "False" && !again
}

// forever reports whether one of the differences will always be there.
func forever(cel []match.Expression, diff []match.Mismatch) bool {
	return slices.ContainsFunc(diff, func(m match.Mismatch) bool {
		if m.Path != match.PathCEL {
			return isSettled(m.Path)
		}
		i := slices.IndexFunc(cel, func(e match.Expression) bool { return e.Pos == m.Pos })
		return i >= 0 && readsSettled(&cel[i])
	})
}

// readsSettled reports whether an expression is about nothing but settled fields of the object itself.
func readsSettled(e *match.Expression) bool {
	fields := e.Fields()
	paths := make([]string, len(fields))
	for i, f := range fields {
		if paths[i] = strings.Join(f.Path, "."); f.Object != "" {
			return false
		}
	}
	for _, path := range paths {
		onTheWay := slices.ContainsFunc(paths, func(longer string) bool { return strings.HasPrefix(longer, path+".") })
		if !isSettled(path) && !onTheWay {
			return false
		}
	}
	return len(paths) > 0
}

// beyond reports whether no later version can be as a condition describes. The caller holds the world's lock.
func (s *checks) beyond(x *fixture.Condition) bool {
	if x.On == nil {
		return false
	}
	lives := s.seen.Find(x.On)
	if len(lives) == 0 {
		return s.childless(x.On)
	}
	return !slices.ContainsFunc(lives, func(l *observe.Life) bool {
		return !over(l) || !forever(x.CEL, s.holds(&x.Match, x.CEL, l.Last()))
	})
}

// childless reports whether a selection is of what a run that is over would have made: nothing more will come.
func (s *checks) childless(r *fixture.Ref) bool {
	if r.Of == nil {
		return false
	}
	owners := s.seen.Find(r.Of)
	return len(owners) > 0 && !slices.ContainsFunc(owners, func(l *observe.Life) bool { return !slices.Contains(l.Kind.Makes, r.Kind) || !over(l) })
}

// beyondSequence reports whether a step that must come is one that no later version can be.
func (s *checks) beyondSequence(x *fixture.Sequence, reached []bool) bool {
	lives := s.seen.Find(&x.On)
	if len(lives) == 0 || slices.ContainsFunc(lives, func(l *observe.Life) bool { return !over(l) }) {
		return false
	}
	for i := range x.Steps {
		step := &x.Steps[i]
		if reached[i+1] || step.Optional {
			continue
		}
		if !slices.ContainsFunc(lives, func(l *observe.Life) bool { return !forever(step.CEL, s.holds(&step.Match, step.CEL, l.Last())) }) {
			return true
		}
	}
	return false
}
