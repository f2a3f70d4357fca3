package conformance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/match"
)

// violation is a version that a window does not allow.
type violation struct {
	life *life
	version
	diff    []match.Mismatch
	message string
}

// watchWindow looks at every version through a window. judge is asked once for each
// object and version, in the order they came, and returns what is wrong with it. The
// answer is the first violation and the number of versions checked.
func (s *session) watchWindow(ctx context.Context, w *fixture.Window, sinceStart bool, judge func(*life, *version) *violation) (*violation, int, error) {
	var (
		found  *violation
		looked int
		past   int // versions up to here have been looked at
	)
	s.world.mu.Lock()
	now := s.world.seq
	s.world.mu.Unlock()
	type seen struct {
		l *life
		v *version
	}
	cond := s.changed(func() bool {
		var todo []seen
		for _, l := range s.world.find(w.On) {
			for i := range l.versions {
				v := &l.versions[i]
				if v.seq <= past {
					continue
				}
				// Since now: what is there now counts, what was before does not.
				replaced := i+1 < len(l.versions) && l.versions[i+1].seq <= now
				if !sinceStart && v.seq <= now && (replaced || v.gone) {
					continue
				}
				todo = append(todo, seen{l, v})
			}
		}
		slices.SortFunc(todo, func(a, b seen) int { return a.v.seq - b.v.seq })
		past = s.world.seq
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
		if _, err := s.wait(ctx, time.Duration(w.For), cond); err != nil {
			return nil, 0, err
		}
	}
	return found, looked, nil
}

func (s *session) always(ctx context.Context, w *fixture.Window, path string) error {
	if w.Logs.Given() || w.Count != nil {
		return s.windowState(ctx, w, path, true)
	}
	found, looked, err := s.watchWindow(ctx, w, w.Since == fixture.SinceStart, func(l *life, v *version) *violation {
		if v.gone {
			if w.On.Selects() {
				return nil
			}
			return &violation{life: l, version: *v, message: "was deleted"}
		}
		if diff := s.holds(&w.Match, w.CEL, v); len(diff) > 0 {
			return &violation{life: l, version: *v, diff: diff, message: "is not always as described"}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if found == nil && looked == 0 {
		return s.neverSeen(w, path)
	}
	return s.windowEnd(w, found, looked, path)
}

func (s *session) never(ctx context.Context, w *fixture.Window, path string) error {
	if w.Logs.Given() || w.Count != nil {
		return s.windowState(ctx, w, path, false)
	}
	described := w.Match.Given() || len(w.CEL) > 0
	found, looked, err := s.watchWindow(ctx, w, w.Since != fixture.SinceNow, func(l *life, v *version) *violation {
		if v.gone || len(s.holds(&w.Match, w.CEL, v)) > 0 {
			return nil
		}
		x := &violation{life: l, version: *v, message: "exists, but must never exist"}
		if described {
			x.message = "matched, but must never match"
			x.diff = []match.Mismatch{{Pos: w.Match.Position(), Want: "(never as described)", Got: conditions(v.object)}}
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
func (s *session) neverSeen(w *fixture.Window, path string) error {
	f := s.failure(w.Pos, path, fmt.Sprintf("%s was not seen, so the check proves nothing", w.On.String()))
	f.Object, f.Want, f.Got = w.On.String(), "(an object)", "(nothing)"
	return f
}

func (s *session) windowEnd(w *fixture.Window, found *violation, looked int, path string) error {
	if found == nil {
		s.proven(w.Pos, path, w.On.String(), nil, fmt.Sprintf("%d versions checked", looked))
		return nil
	}
	object := found.life.kind.Name + "/" + found.life.name
	f := s.failure(w.Pos, path, fmt.Sprintf("%s %s, at +%s", object, found.message, s.since(found.at)))
	f.Object = object
	s.detail(f, found.life, found.diff)
	f.History = s.history([]*life{found.life})
	return f
}

// windowState judges what is no property of one version: logs and counts.
func (s *session) windowState(ctx context.Context, w *fixture.Window, path string, want bool) error {
	var (
		got      string
		n, asked int
		broken   bool
	)
	counted := s.changed(func() bool {
		for seq := asked; seq <= s.world.seq; seq++ {
			if seq == 0 && s.world.seq > 0 {
				continue
			}
			if n, _ = s.countAt(&w.Condition, seq); (n == *w.Count) != want {
				return true
			}
		}
		asked = s.world.seq
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
			s.world.mu.Lock()
			asked = s.world.seq
			s.world.mu.Unlock()
		}
		cond = counted
	}
	broken = cond()
	if !broken && w.For > 0 {
		var err error
		if broken, err = s.wait(ctx, time.Duration(w.For), cond); err != nil {
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
	f := s.failure(w.Logs.Position(), path, fmt.Sprintf("the log of %s %s is not as required", w.On.String(), w.Container))
	f.Object, f.Path, f.Got = w.On.String()+" "+w.Container, "log", got
	f.Want = "(always as described)"
	if !want {
		f.Want = "(never as described)"
	}
	return f
}
