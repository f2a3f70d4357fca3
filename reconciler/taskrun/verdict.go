package taskrun

import (
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// failure is an error that ends the attempt: trying again changes nothing.
type failure struct {
	reason string
	cause  error
}

func (e *failure) Error() string { return e.cause.Error() }
func (e *failure) Unwrap() error { return e.cause }

func failed(reason string, cause error) error { return &failure{reason: reason, cause: cause} }

func failedf(reason, format string, args ...any) error {
	return failed(reason, fmt.Errorf(format, args...))
}

// waiting is an error that only time can mend, for which nothing will call.
type waiting struct {
	reason, message string
	after           time.Duration
}

func (e *waiting) Error() string { return e.message }

// errStale says that the TaskRun decided on is not the current one.
var errStale = errors.New("the TaskRun has changed since it was read")

// verdict is what becomes of a pass that met an error. It is decided here and nowhere else.
type verdict struct {
	// abandon: nothing is written; the pass is repeated on newer objects, which are on their way.
	abandon bool
	// fail ends the attempt, wait keeps it Unknown; at most one is set.
	fail *failure
	wait *waiting
	// warn is the text of a warning event, if any.
	warn string
	// again asks for the pass to be repeated after a while; see troubleDelay.
	again bool
}

// judge decides what an error means:
//
//   - a decision made on an old TaskRun, and a conflict of writes, is nobody's fault: start over;
//   - a failure ends the attempt, a wait does not;
//   - anything else is the cluster's trouble and passes: try again, and say so.
func judge(err error) verdict {
	var f *failure
	var w *waiting
	switch {
	case err == nil:
		return verdict{}
	case outdated(err):
		return verdict{abandon: true}
	case errors.As(err, &f):
		return verdict{fail: f, warn: multiple(f)}
	case errors.As(err, &w):
		return verdict{wait: w}
	default:
		return verdict{again: true, warn: multiple(err)}
	}
}

// outdated tells whether an error says that what was decided on is not the present state.
func outdated(err error) bool { return errors.Is(err, errStale) || apierrors.IsConflict(err) }

// passes tells whether an answer of the API server is about the server's state rather than the request, so that the same
// request may succeed later.
func passes(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return true // not an answer at all
	}
	return apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) || apierrors.IsTooManyRequests(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsInternalError(err) || apierrors.IsConflict(err) ||
		apierrors.IsUnexpectedServerError(err) || apierrors.ReasonForError(err) == metav1.StatusReasonUnknown
}

// multiple writes errors the way the reference's events do.
func multiple(errs ...error) string {
	var b strings.Builder
	if len(errs) == 1 {
		b.WriteString("1 error occurred:\n")
	} else {
		fmt.Fprintf(&b, "%d errors occurred:\n", len(errs))
	}
	for _, err := range errs {
		fmt.Fprintf(&b, "\t* %s\n", err)
	}
	b.WriteString("\n")
	return b.String()
}

// Bounds of troubleDelay.
const (
	minTroubleDelay = 50 * time.Millisecond
	maxTroubleDelay = 30 * time.Second
)

// troubleDelay is how long to leave a cluster in trouble alone: a tenth of what the attempt has taken so far. So the
// delays grow, without anything to remember, and unlike the back-off of a work queue, which nothing can shorten, they do
// not make a timeout late.
func troubleDelay(tr *v1beta1.TaskRun, now time.Time) time.Duration {
	if tr.Status.StartTime == nil {
		return minTroubleDelay
	}
	return min(max(now.Sub(tr.Status.StartTime.Time)/10, minTroubleDelay), maxTroubleDelay)
}
