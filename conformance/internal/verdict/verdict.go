// Package verdict says what a run means: whether a fixture applies, what its end means, and what a whole run comes to.
//
//	claims.go    what is claimed, and which levels bind
//	plan.go      whether a fixture applies
//	verdict.go   the verdict on one fixture
//	gap.go       the verdict if a watch lost versions
//	conclude.go  the result of a run
//	findings.go  where claims and results differ
package verdict

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports"
)

// Failed is a verdict on the implementation, as opposed to any other error, which is about the machine.
type Failed struct{ reports.Failure }

func (f *Failed) Error() string {
	text := f.At + ": " + f.Message
	if f.Got != "" {
		text += ": " + f.Got
	}
	return text
}

// Unstruck says that faults of a fixture could not strike an implementation that is not the reference.
type Unstruck struct{ Faults []string }

func (e *Unstruck) Error() string {
	faults, they := "the fault", "it"
	if len(e.Faults) > 1 {
		faults, they = "the faults", "they"
	}
	return fmt.Sprintf("%s at %s could not strike: the implementation never did what %s would break, so nothing was judged", faults, strings.Join(e.Faults, " and "), they)
}

// Blame is an error of the implementation as a whole; conformance.ImplementationError is one.
type Blame interface {
	error
	// ToldBy is the fixture that has told the same already, or "".
	ToldBy() string
}

// Recovered turns a panic of the target into an error, so that it never looks like a pass. It is to be deferred.
func Recovered(err *error, what string) {
	switch p := recover().(type) {
	case nil:
	case Blame:
		*err = p
	default:
		*err = fmt.Errorf("%s panicked: %v", what, p)
	}
}

// blamed is the verdict on a fixture whose implementation failed as a whole, or nil if the error is something else. What it
// did is the message; where, such as a stack, is what was got.
func blamed(err error, at string) *Failed {
	var own Blame
	if !errors.As(err, &own) {
		return nil
	}
	message, rest, _ := strings.Cut(strings.TrimSpace(own.Error()), "\n")
	if told := own.ToldBy(); told != "" {
		message, rest = reports.ToldBy(message, told), ""
	}
	f := &Failed{reports.Failure{At: at, Check: "implementation", Message: message}}
	if rest = strings.TrimSpace(rest); rest != "" {
		f.Got = stackHead(rest)
	}
	return f
}

// ToldElsewhere reports whether another fixture already reports all about an error.
func ToldElsewhere(err error) bool {
	var own Blame
	return errors.As(err, &own) && own.ToldBy() != ""
}

// stackHead returns the beginning of a stack, which has the place.
func stackHead(text string) string {
	const most = 40
	lines := strings.Split(text, "\n")
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("… %d more lines …", len(lines)-most))
	}
	return strings.Join(lines, "\n")
}

// Of gives a fixture the verdict on how its run ended, and returns the failure if it failed. at is the fixture's place.
func Of(ctx context.Context, out *reports.Fixture, at string, err error, evidence []reports.Evidence) *Failed {
	failed := blamed(err, at)
	var unstruck *Unstruck
	switch {
	case err == nil:
		out.Verdict, out.Evidence = reports.Pass, evidence
	case failed != nil || errors.As(err, &failed):
		out.Verdict, out.Evidence, out.Failure = reports.Fail, evidence, &failed.Failure
		return failed
	case errors.As(err, &unstruck):
		out.Verdict, out.Reason, out.Unstruck = reports.NotRun, unstruck.Error(), unstruck.Faults
	case ctx.Err() != nil:
		out.Verdict, out.Reason = reports.NotRun, EndedMeanwhile+context.Cause(ctx).Error()
	default:
		Broke(out, at, err)
	}
	return nil
}

// Broke gives a fixture the verdict on an error of its target: failed if it is the implementation's.
func Broke(out *reports.Fixture, at string, err error) {
	if f := blamed(err, at); f != nil {
		out.Verdict, out.Failure, out.Reason = reports.Fail, &f.Failure, ""
		return
	}
	var mistake *source.Error
	out.Verdict, out.Reason, out.Invalid = reports.Error, err.Error(), errors.As(err, &mistake)
}
