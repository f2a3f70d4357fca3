package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/match"
)

// verify judges one check of spec.then.
func (s *session) verify(ctx context.Context, c *fixture.Check, path string) error {
	switch {
	case c.Eventually != nil:
		return s.await(ctx, &c.Eventually.Condition, s.allowance(c.Eventually.Within), path)
	case c.Always != nil:
		return s.always(ctx, c.Always, path)
	case c.Never != nil:
		return s.never(ctx, c.Never, path)
	case c.Sequence != nil:
		return s.sequence(ctx, c.Sequence, path)
	case c.Rejected != nil:
		return s.rejected(c.Rejected, path)
	}
	return nil
}

// holds compares one version with a condition. The caller holds the world's lock.
func (s *session) holds(pattern *match.Pattern, cel []match.Expression, v *version) []match.Mismatch {
	var out []match.Mismatch
	if pattern.Given() {
		out = pattern.Match(v.object.Object)
	}
	if len(cel) == 0 {
		return out
	}
	objects := s.world.latest()
	for i := range cel {
		out = append(out, cel[i].Match(v.object.Object, objects)...)
	}
	return out
}

// await lets time pass until a condition holds, from the present versions on.
func (s *session) await(ctx context.Context, x *fixture.Condition, allowed time.Duration, path string) error {
	switch {
	case x.Gone != nil:
		return s.awaitGone(ctx, x, allowed, path)
	case x.Logs.Given():
		return s.awaitLogs(ctx, x, allowed, path)
	case x.Count != nil:
		return s.awaitCount(ctx, x, allowed, path)
	}
	var (
		hit    version
		object string
		looked = -1
	)
	ok, early, err := s.waitWhile(ctx, allowed, s.changed(func() bool {
		for _, l := range s.world.find(x.On) {
			for i := range l.versions {
				v := &l.versions[i]
				present := i == len(l.versions)-1
				if v.gone || !present && (looked < 0 || v.seq <= looked) {
					continue
				}
				if len(s.holds(&x.Match, x.CEL, v)) == 0 {
					hit, object = *v, l.kind.Name+"/"+l.name
					return true
				}
			}
		}
		looked = s.world.seq
		return false
	}), func() bool { return s.beyond(x) })
	if err != nil {
		return err
	}
	if ok {
		s.proven(x.Pos, path, object, &hit, conditions(hit.object))
		return nil
	}
	return s.explain(x, allowed, early, path)
}

func (s *session) awaitGone(ctx context.Context, x *fixture.Condition, allowed time.Duration, path string) error {
	var last version
	gone := func() bool {
		lives := s.world.find(x.Gone)
		for _, l := range lives {
			if !l.last().gone {
				return false
			}
			if l.last().seq > last.seq {
				last = *l.last()
			}
		}
		return len(lives) > 0
	}
	ok, err := s.wait(ctx, allowed, s.changed(gone))
	if err != nil {
		return err
	}
	if ok {
		s.proven(x.Pos, path, x.Gone.String(), &last, "deleted")
		return nil
	}
	s.world.mu.Lock()
	lives := s.world.find(x.Gone)
	s.world.mu.Unlock()
	if len(lives) == 0 {
		f := s.failure(x.Pos, path, fmt.Sprintf("%s was never seen, so it cannot be gone", x.Gone.String()))
		f.Object, f.Want, f.Got = x.Gone.String(), "(there, then gone)", "(never there)"
		return f
	}
	f := s.failure(x.Pos, path, fmt.Sprintf("%s is still there after %v", x.Gone.String(), allowed))
	f.Object, f.Want, f.Got = x.Gone.String(), "(gone)", "(still there)"
	f.History = s.history(lives)
	return f
}

func (s *session) awaitLogs(ctx context.Context, x *fixture.Condition, allowed time.Duration, path string) error {
	text, logErr := "", error(nil)
	ok, err := s.wait(ctx, allowed, func() bool {
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
	f := s.failure(x.Logs.Position(), path, fmt.Sprintf("the log of %s was not as expected within %v", object, allowed))
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
func (s *session) log(ctx context.Context, x *fixture.Condition) (string, error) {
	namespace, pod, container := s.container(x.On, x.Container)
	if pod == "" {
		return "", fmt.Errorf("there is no %s", x.On.String())
	}
	return s.cluster.Logs(ctx, namespace, pod, container)
}

// countAt returns how many objects were as described once version seq had been seen.
// The caller holds the world's lock.
func (s *session) countAt(x *fixture.Condition, seq int) (int, *version) {
	n, newest := 0, (*version)(nil)
	for _, l := range s.world.find(x.On) {
		var at *version
		for i := range l.versions {
			if l.versions[i].seq <= seq {
				at = &l.versions[i]
			}
		}
		if at != nil && !at.gone && len(s.holds(&x.Match, x.CEL, at)) == 0 {
			n++
			if newest == nil || at.seq > newest.seq {
				newest = at
			}
		}
	}
	return n, newest
}

func (s *session) awaitCount(ctx context.Context, x *fixture.Condition, allowed time.Duration, path string) error {
	n, newest := 0, (*version)(nil)
	ok, err := s.wait(ctx, allowed, s.changed(func() bool {
		n, newest = s.countAt(x, s.world.seq)
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

func (s *session) miscounted(x *fixture.Condition, n int, message, path string) error {
	s.world.mu.Lock()
	lives := s.world.find(x.On)
	s.world.mu.Unlock()
	f := s.failure(x.Pos, path, message)
	f.Object, f.Path, f.Want, f.Got = x.On.String(), "count", fmt.Sprint(*x.Count), fmt.Sprint(n)
	f.History = s.history(lives)
	return f
}
