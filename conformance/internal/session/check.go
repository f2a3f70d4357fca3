package session

import (
	"context"
	"fmt"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/observe"
	"github.com/plumbline-ci/plumbline/conformance/match"
)

// checks judge spec.then.
type checks struct{ *run }

// verify judges one check of spec.then.
func (s *checks) verify(ctx context.Context, c *fixture.Check, path string) error {
	switch {
	case c.Eventually != nil:
		return s.await(ctx, &c.Eventually.Condition, s.waits.allowance(c.Eventually.Within), path)
	case c.Always != nil:
		return s.always(ctx, c.Always, path)
	case c.Never != nil:
		return s.never(ctx, c.Never, path)
	case c.Sequence != nil:
		return s.sequence(ctx, c.Sequence, path)
	case c.Rejected != nil:
		return s.rejected(c.Rejected, path)
	case c.Access != nil:
		return s.access(ctx, c.Access, path)
	}
	return nil
}

// meets reports whether holds finds no difference. The caller holds the world's lock.
func (s *checks) meets(pattern *match.Pattern, cel []match.Expression, v *observe.Version) bool {
	if pattern.Given() && !pattern.Fits(v.Object().Object) {
		return false
	}
	if len(cel) == 0 {
		return true
	}
	objects := s.seen.Latest()
	for i := range cel {
		if !cel[i].Fits(v.Object().Object, objects) {
			return false
		}
	}
	return true
}

// holds compares one version with a condition. The caller holds the world's lock.
func (s *checks) holds(pattern *match.Pattern, cel []match.Expression, v *observe.Version) []match.Mismatch {
	var out []match.Mismatch
	if pattern.Given() {
		out = pattern.Match(v.Object().Object)
	}
	if len(cel) == 0 {
		return out
	}
	objects := s.seen.Latest()
	for i := range cel {
		out = append(out, cel[i].Match(v.Object().Object, objects)...)
	}
	return out
}

// await lets time pass until a condition holds, from the present versions on.
func (s *checks) await(ctx context.Context, x *fixture.Condition, allowed time.Duration, path string) error {
	switch {
	case x.Gone != nil:
		return s.awaitGone(ctx, x, allowed, path)
	case x.Logs.Given():
		return s.awaitLogs(ctx, x, allowed, path)
	case x.Count != nil:
		return s.awaitCount(ctx, x, allowed, path)
	}
	var (
		hit    observe.Version
		object string
		looked = -1
	)
	ok, early, err := s.waits.waitWhile(ctx, allowed, s.seen.Changed(func() bool {
		for _, l := range s.seen.Find(x.On) {
			for i := range l.Versions {
				v := &l.Versions[i]
				present := i == len(l.Versions)-1
				if v.Gone || !present && (looked < 0 || v.Seq <= looked) {
					continue
				}
				if s.meets(&x.Match, x.CEL, v) {
					hit, object = *v, l.String()
					return true
				}
			}
		}
		looked = s.seen.Seq()
		return false
	}), s.seen.Known(func() bool { return s.beyond(x) }))
	if err != nil {
		return err
	}
	if ok {
		s.proven(x.Pos, path, object, &hit, observe.State(hit.Object()))
		return nil
	}
	return s.explain(x, allowed, early, path)
}

func (s *checks) awaitGone(ctx context.Context, x *fixture.Condition, allowed time.Duration, path string) error {
	var last observe.Version
	gone := func() bool {
		lives := s.seen.Find(x.Gone)
		for _, l := range lives {
			if !l.Last().Gone {
				return false
			}
			if l.Last().Seq > last.Seq {
				last = *l.Last()
			}
		}
		return len(lives) > 0
	}
	ok, err := s.waits.wait(ctx, allowed, s.seen.Changed(gone))
	if err != nil {
		return err
	}
	if ok {
		s.proven(x.Pos, path, x.Gone.String(), &last, "deleted")
		return nil
	}
	s.seen.Lock()
	lives := s.seen.Find(x.Gone)
	s.seen.Unlock()
	if len(lives) == 0 {
		f := failure(x.Pos, path, fmt.Sprintf("%s was never seen, so it cannot be gone", x.Gone.String()))
		f.Object, f.Want, f.Got = x.Gone.String(), "(there, then gone)", "(never there)"
		return f
	}
	f := failure(x.Pos, path, fmt.Sprintf("%s is still there after %v", x.Gone.String(), allowed))
	f.Object, f.Want, f.Got = x.Gone.String(), "(gone)", "(still there)"
	f.History = s.seen.History(lives)
	return f
}

func (s *checks) awaitLogs(ctx context.Context, x *fixture.Condition, allowed time.Duration, path string) error {
	text, logErr := "", error(nil)
	ok, err := s.waits.wait(ctx, allowed, func() bool {
		text, logErr = s.log(ctx, x)
		return logErr == nil && len(x.Logs.Match(text)) == 0
	})
	if err != nil {
		return err
	}
	object := x.On.String() + " " + x.Container
	if ok {
		s.proven(x.Pos, path, object, nil, "log: "+match.Show(text))
		return nil
	}
	f := failure(x.Logs.Position(), path, fmt.Sprintf("the log of %s was not as expected within %v", object, allowed))
	f.Object, f.Path = object, "log"
	if diff := x.Logs.Match(text); len(diff) > 0 {
		f.Want, f.Got = diff[0].Want, diff[0].Got
	}
	if logErr != nil {
		f.Got = "(" + logErr.Error() + ")"
	}
	return f
}

// log reads the log a condition is about.
func (s *checks) log(ctx context.Context, x *fixture.Condition) (string, error) {
	namespace, pod, container := s.container(x.On, x.Container)
	if pod == "" {
		return "", fmt.Errorf("there is no %s", x.On.String())
	}
	return s.cluster.Logs(ctx, namespace, pod, container)
}

// countAt returns how many objects were as described once version seq had been seen.
// The caller holds the world's lock.
func (s *checks) countAt(x *fixture.Condition, seq int) (int, *observe.Version) {
	n, newest := 0, (*observe.Version)(nil)
	for _, l := range s.seen.Find(x.On) {
		var at *observe.Version
		for i := range l.Versions {
			if l.Versions[i].Seq <= seq {
				at = &l.Versions[i]
			}
		}
		if at != nil && !at.Gone && s.meets(&x.Match, x.CEL, at) {
			n++
			if newest == nil || at.Seq > newest.Seq {
				newest = at
			}
		}
	}
	return n, newest
}

func (s *checks) awaitCount(ctx context.Context, x *fixture.Condition, allowed time.Duration, path string) error {
	n, newest := 0, (*observe.Version)(nil)
	ok, err := s.waits.wait(ctx, allowed, s.seen.Changed(func() bool {
		n, newest = s.countAt(x, s.seen.Seq())
		return n == *x.Count
	}))
	if err != nil {
		return err
	}
	if ok {
		s.proven(x.Pos, path, x.On.String(), newest, fmt.Sprintf("%d of them", n))
		return nil
	}
	return s.miscounted(x, n, fmt.Sprintf("the number of matching %s was not as expected within %v", x.On.String(), allowed), path)
}

func (s *checks) miscounted(x *fixture.Condition, n int, message, path string) error {
	s.seen.Lock()
	lives := s.seen.Find(x.On)
	s.seen.Unlock()
	f := failure(x.Pos, path, message)
	f.Object, f.Path, f.Want, f.Got = x.On.String(), "count", fmt.Sprint(*x.Count), fmt.Sprint(n)
	f.History = s.seen.History(lives)
	return f
}
