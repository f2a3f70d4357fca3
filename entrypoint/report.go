package entrypoint

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/entrypoint/termination"
)

// ending is what the world is told about a step.
type ending struct {
	// postSuffix is the suffix of the file to post.
	postSuffix string
	// exitCode is the content of the exit code file; empty is none.
	exitCode string
	// code is the launcher's own exit code.
	code int
	// facts are the entries of the termination message besides the results (EP-50).
	facts []termination.Entry
}

func (e ending) failed() bool { return e.postSuffix == failedSuffix }

// conclude decides how a step ends (§5.5). A lost result is the failure to report the results.
func conclude(o outcome, onErrorContinue bool, lost *resultsError) ending {
	e := ending{facts: []termination.Entry{termination.StartedAt(o.startedAt)}}
	continued := ""
	var interrupted *Interrupted
	switch code := o.exit.code(); {
	case errors.As(o.err, &interrupted):
		e.postSuffix, e.code = failedSuffix, exitSignalBase+int(interrupted.Signal)
	case errors.Is(o.err, errTimeout):
		e.postSuffix, e.code = failedSuffix, exitFailure
		e.fact(termination.KeyReason, termination.ReasonTimeoutExceeded)
	case o.err != nil:
		e.postSuffix, e.code = failedSuffix, exitFailure
	case code == 0:
		e.exitCode = "0"
	case onErrorContinue:
		e.exitCode = strconv.Itoa(code)
		continued = e.exitCode
	default:
		e.postSuffix, e.code = failedSuffix, code
	}
	if lost != nil && o.began {
		// Whatever the command did, a step whose results are lost is a failed one, and onError does not cover it.
		e.postSuffix = failedSuffix
		if e.code == 0 {
			e.code = exitFailure
		}
		if !errors.Is(o.err, errTimeout) {
			e.fact(termination.KeyReason, lost.reason)
		}
		e.fact(termination.KeyMessage, lost.brief())
	} else if continued != "" {
		e.fact(termination.KeyExitCode, continued)
	}
	return e
}

func (e *ending) fact(key, value string) {
	e.facts = append(e.facts, termination.Entry{Key: key, Value: value, Type: termination.Internal})
}

// report records how the step ended and returns the launcher's exit code. The order matters: a reader that sees the post
// file may read everything else.
func (l *launcher) report(o outcome) int {
	e, message := l.prepareReport(o)
	if l.opts.breakpoint && o.began && e.failed() && l.opts.postFile != "" {
		return l.holdAtBreakpoint(o, message)
	}
	return l.publish(e, message)
}

// prepareReport composes the ending and its termination message.
func (l *launcher) prepareReport(o outcome) (ending, []byte) {
	onErrorContinue := l.opts.onError == OnErrorContinue && !l.opts.breakpoint // EP-43
	results, lost := l.readResults()
	if lost == nil {
		e := conclude(o, onErrorContinue, nil)
		message, err := termination.Encode(slices.Concat(l.foundEntries(), results, e.facts), l.opts.budget)
		if err == nil {
			return e, message
		}
		lost = tooLarge(err, results)
	}
	if o.began { // a skipped step repeats the results of the steps before; losing them is not its failure
		l.sys.log("Error while handling results: %v", lost)
	}
	e := conclude(o, onErrorContinue, lost)
	return e, encodeFacts(e.facts, l.opts.budget)
}

// encodeFacts is the message of a step whose results are lost, reduced to what the budget allows.
func encodeFacts(facts []termination.Entry, budget int) []byte {
	for _, dispensable := range []string{"", termination.KeyMessage, termination.KeyStartedAt} {
		facts = slices.DeleteFunc(slices.Clone(facts), func(e termination.Entry) bool { return e.Key == dispensable })
		if message, err := termination.Encode(facts, budget); err == nil {
			return message
		}
	}
	return nil
}

// publish writes the message, the exit code file and, last, the post file.
func (l *launcher) publish(e ending, message []byte) int {
	if err := l.writeMessage(message); err != nil {
		l.sys.log("Error while writing message: %v", err)
		e.fail()
	}
	if e.exitCode != "" {
		if err := l.writeExitCode(e.exitCode); err != nil {
			l.sys.log("%v", err)
			e.fail()
		}
	}
	if !l.post(e.postSuffix) {
		e.fail()
	}
	return e.code
}

// fail turns an ending that could not be told into a failure.
func (e *ending) fail() {
	e.postSuffix = failedSuffix
	if e.code == 0 {
		e.code = exitFailure
	}
}

// writeMessage puts the termination message into its file, which is a mount point and cannot be replaced.
func (l *launcher) writeMessage(message []byte) error {
	return l.sys.Files.WriteFile(l.opts.terminationPath, message, 0o666)
}

// maxFound is the longest message, in bytes, that is looked at for entries. The kubelet would show none of a longer one.
const maxFound = 1 << 16

// foundEntries are the entries that the command itself left in the termination message (EP-51).
func (l *launcher) foundEntries() []termination.Entry {
	if !l.foundRead {
		l.foundRead = true
		dir, name := path.Split(l.opts.terminationPath)
		if message, err := l.sys.Files.ReadBeneath(path.Clean(dir), name, maxFound); err == nil {
			l.found, _ = termination.Decode(message) // anything else than entries is overwritten
		}
	}
	return l.found
}

// resultsError says that the step's results cannot be reported.
type resultsError struct {
	reason string // of the termination package
	err    error
}

func (e *resultsError) Error() string { return e.err.Error() }
func (e *resultsError) Unwrap() error { return e.err }

// maxBrief is the longest explanation, in bytes, that goes into a termination message.
const maxBrief = 256

// brief is the explanation, cut to a length that leaves room for the reason.
func (e *resultsError) brief() string {
	text := e.Error()
	if len(text) > maxBrief {
		text = strings.ToValidUTF8(text[:maxBrief], "")
	}
	return text
}

// tooLarge explains a message that is above its limit.
func tooLarge(err error, results []termination.Entry) *resultsError {
	sizes := make([]string, 0, len(results))
	for _, r := range results {
		sizes = append(sizes, fmt.Sprintf("%s (%d bytes)", r.Key, len(r.Value)))
	}
	if len(sizes) > 0 {
		err = fmt.Errorf("%w Results: %s", err, strings.Join(sizes, ", "))
	}
	return &resultsError{termination.ReasonResultsTooLarge, err}
}

// readResults reads the results that exist, in the order of the flag (EP-50).
func (l *launcher) readResults() ([]termination.Entry, *resultsError) {
	if l.opts.resultFrom == ResultFromSidecarLogs {
		return nil, nil
	}
	var results []termination.Entry
	for _, name := range l.opts.results {
		value, err := l.sys.Files.ReadBeneath(l.sys.Paths.Results, name, int64(l.opts.budget))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, ErrTooLong):
			limit := &termination.TooLargeError{Limit: l.opts.budget}
			return nil, &resultsError{termination.ReasonResultsTooLarge, fmt.Errorf("%w Result %q: %w", limit, name, err)}
		case err != nil:
			return nil, &resultsError{termination.ReasonResultsUnreadable, fmt.Errorf("result %q: %w", name, err)}
		default:
			results = append(results, termination.Entry{Key: name, Value: string(value), Type: termination.Result})
		}
	}
	return results, nil
}

// holdAtBreakpoint keeps a failed step's container alive until a person releases it (EP-40…43), and then ends the step
// as that person said: with 0 the following steps run.
func (l *launcher) holdAtBreakpoint(o outcome, message []byte) int {
	if err := l.writeMessage(message); err != nil {
		l.sys.log("Error while writing message: %v", err)
	}
	release := l.opts.postFile + breakpointExitSuffix
	if err := l.awaitFile(awaited{file: release, content: true, patience: releasePatience}); err != nil {
		l.sys.log("%v", err)
		e := conclude(outcome{startedAt: o.startedAt, began: true, err: err}, false, nil)
		l.post(e.postSuffix)
		return e.code
	}
	o.err, o.exit = nil, Exit{Code: l.readRelease(release)}
	e, message := l.prepareReport(o)
	e.exitCode = "" // it is the release's code, not the command's
	return l.publish(e, message)
}

// releasePatience is how long an empty release file may stay empty. A shell that writes a code creates the file first,
// and a launcher that looked in between would take a failure for a success.
const releasePatience = time.Second

// readRelease returns the exit code that a person wrote into the breakpoint's file; text that is not a number counts as 0
// (EP-41).
func (l *launcher) readRelease(file string) int {
	content, err := l.sys.Files.ReadFile(file)
	if err != nil {
		return 0
	}
	code, err := strconv.Atoi(strings.TrimSuffix(string(content), "\n"))
	if err != nil {
		return 0
	}
	return code
}
