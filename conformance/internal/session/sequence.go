package session

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/observe"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
)

// sequence judges the order of an object's states over all its versions.
func (s *checks) sequence(ctx context.Context, x *fixture.Sequence, path string) error {
	allowed := s.waits.allowance(x.Within)
	// reached[i]: some choice of earlier versions satisfies the first i steps. Keeping
	// all choices open is what lets a version count for an optional step or not.
	steps := x.Steps
	reached := make([]bool, len(steps)+1)
	at := make([]observe.Version, len(steps)+1)
	skip := func() {
		for i := range steps {
			if reached[i] && steps[i].Optional && !reached[i+1] {
				reached[i+1], at[i+1] = true, at[i]
			}
		}
	}
	reached[0] = true
	skip()
	looked := 0
	ok, early, err := s.waits.waitWhile(ctx, allowed, s.seen.Changed(func() bool {
		for _, l := range s.seen.Find(&x.On) {
			for i := range l.Versions {
				v := &l.Versions[i]
				if v.Seq <= looked || v.Gone {
					continue
				}
				for n := len(steps) - 1; n >= 0; n-- {
					if reached[n] && !reached[n+1] && s.meets(&steps[n].Match, steps[n].CEL, v) {
						reached[n+1], at[n+1] = true, *v
					}
				}
				skip()
			}
		}
		looked = s.seen.Seq()
		return reached[len(steps)]
	}), s.seen.Known(func() bool { return s.beyondSequence(x, reached) }))
	if err != nil {
		return err
	}
	if ok {
		last := at[len(steps)]
		s.proven(x.Pos, path, x.On.String(), &last, fmt.Sprintf("%d states in order, the last: %s", len(steps), observe.State(last.Object())))
		return nil
	}
	n := 0
	for i := range reached {
		if reached[i] {
			n = i
		}
	}
	return s.explainSequence(x, n, early, path)
}

func (s *checks) explainSequence(x *fixture.Sequence, n int, early bool, path string) error {
	s.seen.Lock()
	lives := s.seen.Find(&x.On)
	var f *verdict.Failed
	if len(lives) > 0 {
		last := lives[0].Last()
		diff := s.holds(&x.Steps[n].Match, x.Steps[n].CEL, last)
		s.seen.Unlock()
		f = failure(x.Steps[n].Pos, fmt.Sprintf("%s.steps[%d]", path, n), fmt.Sprintf("%s %sdid not reach state %d of %d", x.On.String(), ended(early, nil), n+1, len(x.Steps)))
		s.detail(f, lives[0], diff)
		if len(diff) == 0 {
			f.Want, f.Got = "(this state after the previous states)", "(this state before them, or in the same version)"
		}
		f.History = s.seen.History(lives)
	} else {
		s.seen.Unlock()
		f = failure(x.Pos, path, fmt.Sprintf("%s was never seen", x.On.String()))
		f.Want, f.Got = "(an object)", "(nothing)"
	}
	f.Object = x.On.String()
	return f
}

// rejected judges a refusal that was kept when it happened.
func (s *checks) rejected(x *fixture.Rejected, path string) error {
	object := x.On.String()
	err := s.refused[x.Request()+" "+object]
	if err == nil {
		f := failure(x.Pos, path, fmt.Sprintf("%s was accepted, but should have been refused", object))
		f.Object, f.Want, f.Got = object, "(refused)", "(accepted)"
		if len(x.Fields) > 0 {
			f.Want = "(refused, for " + strings.Join(x.Fields, " and ") + ")"
		}
		return f
	}
	for _, field := range x.Fields {
		if !namesField(err, field) {
			f := failure(x.Pos, path, fmt.Sprintf("%s was refused, but not for %s", object, field))
			f.Object, f.Path, f.Want, f.Got = object, field, "(a message that names "+field+")", err.Error()
			return f
		}
	}
	if x.Message.Given() {
		if diff := x.Message.Match(err.Error()); len(diff) > 0 {
			f := failure(diff[0].Pos, path, fmt.Sprintf("%s was refused with an unexpected message", object))
			f.Object, f.Path, f.Want, f.Got = object, "message", diff[0].Want, diff[0].Got
			return f
		}
	}
	s.proven(x.Pos, path, object, nil, err.Error())
	return nil
}

// namesField reports whether an answer names a field: in its causes, or as a word of
// its text, since a webhook's answer is text alone.
func namesField(err error, field string) bool {
	if status, ok := err.(apierrors.APIStatus); ok && status.Status().Details != nil {
		for _, cause := range status.Status().Details.Causes {
			if cause.Field == field {
				return true
			}
		}
	}
	word := regexp.MustCompile(`(^|[^A-Za-z0-9_.\]])` + regexp.QuoteMeta(field) + `($|[^A-Za-z0-9_.\[]|\.($|\s))`)
	return word.MatchString(err.Error())
}
