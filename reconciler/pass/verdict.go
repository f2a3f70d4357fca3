package pass

import (
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Failure is an error that ends the attempt: trying again changes nothing.
type Failure struct {
	Reason string
	Cause  error
}

func (e *Failure) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e *Failure) Unwrap() error { return e.Cause }

// Failed makes an error end the attempt, with that reason of the condition Succeeded.
func Failed(reason string, cause error) error { return &Failure{Reason: reason, Cause: cause} }

// Failedf is Failed for a new error.
func Failedf(reason, format string, args ...any) error {
	return Failed(reason, fmt.Errorf(format, args...))
}

// Waiting is an error that only time can mend, and of whose end no watch tells. The condition Succeeded shows reason and
// message meanwhile.
type Waiting struct {
	Reason, Message string
	After           time.Duration
}

func (e *Waiting) Error() string { return e.Message }

// ErrStale says that the run decided on is not the current one.
var ErrStale = errors.New("the run has changed since it was read")

// Verdict is how a pass ends that met an error. Only Judge decides it.
type Verdict struct {
	// Abandon: nothing is written. The pass is repeated on newer objects, which are on their way.
	Abandon bool
	// Fail ends the attempt, Wait keeps it Unknown. At most one is set.
	Fail *Failure
	Wait *Waiting
	// Warn is the text of a warning event, if any.
	Warn string
	// Again asks for the pass to be repeated after a while; see troubleDelay.
	Again bool
}

// Judge decides what an error means:
//
//   - a decision made on an old run, and a conflict of writes: start over;
//   - a Failure ends the attempt, a Waiting does not;
//   - anything else is the cluster's trouble and passes: try again, and say so.
func Judge(err error) Verdict {
	if err == nil {
		return Verdict{}
	}
	var f *Failure
	var w *Waiting
	switch {
	case Outdated(err):
		return Verdict{Abandon: true}
	case errors.As(err, &f):
		return Verdict{Fail: f, Warn: List(f)}
	case errors.As(err, &w):
		return Verdict{Wait: w}
	default:
		return Verdict{Again: true, Warn: List(err)}
	}
}

// Outdated reports whether an error says that what was decided on is not the present state.
func Outdated(err error) bool { return errors.Is(err, ErrStale) || apierrors.IsConflict(err) }

// Passes reports whether an answer of the API server is about the server's state rather than the request, so that the same
// request may succeed later.
func Passes(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return true // not an answer at all
	}
	return apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) || apierrors.IsTooManyRequests(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsInternalError(err) || apierrors.IsConflict(err) ||
		apierrors.IsUnexpectedServerError(err) || apierrors.ReasonForError(err) == metav1.StatusReasonUnknown
}

// QuotaDelay is how long to wait for room in a quota: there is no event when it has some again (LC-51).
const QuotaDelay = time.Minute

// OverQuota reports whether a quota has no room. The API has no other way to tell that from missing rights.
func OverQuota(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota")
}

// List writes errors the way the reference's events do.
func List(errs ...error) string {
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
func troubleDelay(start *metav1.Time, now time.Time) time.Duration {
	if start == nil {
		return minTroubleDelay
	}
	return min(max(now.Sub(start.Time)/10, minTroubleDelay), maxTroubleDelay)
}
