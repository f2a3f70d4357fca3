package session

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/observe"
	"github.com/plumbline-ci/plumbline/conformance/match"
)

// violation is a version that a window does not allow.
type violation struct {
	life *observe.Life
	observe.Version
	diff    []match.Mismatch
	message string
}

// watchWindow looks at every version through a window. judge is asked once for each
// object and version, in the order they came, and returns what is wrong with it. The
// answer is the first violation and the number of versions checked.
func (s *checks) watchWindow(ctx context.Context, w *fixture.Window, sinceStart bool, judge func(*observe.Life, *observe.Version) *violation) (*violation, int, error) {
	var (
		found  *violation
		looked int
		past   int // versions up to here have been looked at
	)
	s.seen.Lock()
	now := s.seen.Seq()
	s.seen.Unlock()
	type seen struct {
		l *observe.Life
		v *observe.Version
	}
	cond := s.seen.Changed(func() bool {
		var todo []seen
		for _, l := range s.seen.Find(w.On) {
			for i := range l.Versions {
				v := &l.Versions[i]
				if v.Seq <= past {
					continue
				}
				// Since now: what is there now counts, what was before does not.
				replaced := i+1 < len(l.Versions) && l.Versions[i+1].Seq <= now
				if !sinceStart && v.Seq <= now && (replaced || v.Gone) {
					continue
				}
				todo = append(todo, seen{l, v})
			}
		}
		slices.SortFunc(todo, func(a, b seen) int { return a.v.Seq - b.v.Seq })
		past = s.seen.Seq()
		for _, x := range todo {
			looked++
			if found = judge(x.l, x.v); found != nil {
				return true
			}
		}
		return false
	})
	if cond() { // what has been seen so far is judged even if no time is to pass
		return found, looked, nil
	}
	if w.For > 0 {
		if _, err := s.waits.wait(ctx, time.Duration(w.For), cond); err != nil {
			return nil, 0, err
		}
	}
	return found, looked, nil
}

func (s *checks) always(ctx context.Context, w *fixture.Window, path string) error {
	if w.Logs.Given() || w.Count != nil {
		return s.windowState(ctx, w, path, true)
	}
	found, looked, err := s.watchWindow(ctx, w, w.Since == fixture.SinceStart, func(l *observe.Life, v *observe.Version) *violation {
		if v.Gone {
			if w.On.Selects() {
				return nil
			}
			return &violation{life: l, Version: *v, message: "was deleted"}
		}
		if s.meets(&w.Match, w.CEL, v) {
			return nil
		}
		return &violation{life: l, Version: *v, diff: s.holds(&w.Match, w.CEL, v), message: "is not always as described"}
	})
	if err != nil {
		return err
	}
	if found == nil && looked == 0 {
		return s.neverSeen(w, path)
	}
	return s.windowEnd(w, found, looked, path)
}

func (s *checks) never(ctx context.Context, w *fixture.Window, path string) error {
	if w.Logs.Given() || w.Count != nil {
		return s.windowState(ctx, w, path, false)
	}
	described := w.Match.Given() || len(w.CEL) > 0
	found, looked, err := s.watchWindow(ctx, w, w.Since != fixture.SinceNow, func(l *observe.Life, v *observe.Version) *violation {
		if v.Gone || !s.meets(&w.Match, w.CEL, v) {
			return nil
		}
		x := &violation{life: l, Version: *v, message: "exists, but must never exist"}
		if described {
			x.message = "matched, but must never match"
			x.diff = []match.Mismatch{{Pos: w.Match.Position(), Want: "(never as described)", Got: observe.State(v.Object())}}
		}
		return x
	})
	if err != nil {
		return err
	}
	if found == nil && looked == 0 && described {
		return s.neverSeen(w, path)
	}
	return s.windowEnd(w, found, looked, path)
}

// neverSeen fails the check when no object matched during the window, since that proves nothing.
func (s *checks) neverSeen(w *fixture.Window, path string) error {
	f := failure(w.Pos, path, fmt.Sprintf("%s was not seen, so the check proves nothing", w.On.String()))
	f.Object, f.Want, f.Got = w.On.String(), "(an object)", "(nothing)"
	return f
}

func (s *checks) windowEnd(w *fixture.Window, found *violation, looked int, path string) error {
	if found == nil {
		s.proven(w.Pos, path, w.On.String(), nil, fmt.Sprintf("%d versions checked", looked))
		return nil
	}
	object := found.life.String()
	f := failure(w.Pos, path, fmt.Sprintf("%s %s, at +%s", object, found.message, s.seen.Since(found.At)))
	f.Object = object
	s.detail(f, found.life, found.diff)
	f.History = s.seen.History([]*observe.Life{found.life})
	return f
}

// windowState judges what is no property of one version: logs and counts.
func (s *checks) windowState(ctx context.Context, w *fixture.Window, path string, want bool) error {
	var (
		got      string
		n, asked int
		broken   bool
	)
	counted := s.seen.Changed(func() bool {
		for seq := asked; seq <= s.seen.Seq(); seq++ {
			if seq == 0 && s.seen.Seq() > 0 {
				continue
			}
			if n, _ = s.countAt(&w.Condition, seq); (n == *w.Count) != want {
				return true
			}
		}
		asked = s.seen.Seq()
		return false
	})
	logged := func() bool {
		text, err := s.log(ctx, &w.Condition)
		got = match.Show(text)
		if err != nil {
			got = "(" + err.Error() + ")"
		}
		return (err == nil && len(w.Logs.Match(text)) == 0) != want
	}
	cond := logged
	if w.Count != nil {
		if (w.Since == fixture.SinceNow) || (w.Since == "" && want) {
			s.seen.Lock()
			asked = s.seen.Seq()
			s.seen.Unlock()
		}
		cond = counted
	}
	broken = cond()
	if !broken && w.For > 0 {
		var err error
		if broken, err = s.waits.wait(ctx, time.Duration(w.For), cond); err != nil {
			return err
		}
	}
	if !broken {
		s.proven(w.Pos, path, w.On.String(), nil, fmt.Sprintf("through %v", time.Duration(w.For)))
		return nil
	}
	if w.Count != nil {
		words := "is not always"
		if !want {
			words = "must never be"
		}
		return s.miscounted(&w.Condition, n, fmt.Sprintf("the number of %s %s %d", w.On.String(), words, *w.Count), path)
	}
	f := failure(w.Logs.Position(), path, fmt.Sprintf("the log of %s %s is not as required", w.On.String(), w.Container))
	f.Object, f.Path, f.Got = w.On.String()+" "+w.Container, "log", got
	f.Want = "(always as described)"
	if !want {
		f.Want = "(never as described)"
	}
	return f
}
