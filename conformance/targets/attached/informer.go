package attached

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
)

// DefaultSync is how much of its own time a subject may wait for its informers to sync. Nothing is slow in its world: what
// has not synced then never will.
const DefaultSync = time.Minute

// worlds are the bubbles that are there, by the names that stack traces give them.
var worlds sync.Map

// hear makes informers report all their errors to the world that they are in.
//
// Libraries hand errors that they do not return to handlers of the whole process. One of them logs, and another sleeps until
// its last call is a millisecond ago. On a clock that starts in the year 2000 that call is years ahead, and so is the end of
// the sleep. In a world of its own an error is thus not handed on.
var hear = sync.OnceFunc(func() {
	outside := slices.Clone(utilruntime.ErrorHandlers)
	//nolint:reassign // the library has no other way
	utilruntime.ErrorHandlers = []utilruntime.ErrorHandler{func(ctx context.Context, err error, message string, about ...any) {
		if b, ok := worlds.Load(world()); ok {
			b.(*bubble).handle(ctx, err, message, about)
			return
		}
		for _, h := range outside {
			h(ctx, err, message, about...)
		}
	}}
})

// UnwatchedError is of an informer whose list or watch the cluster refuses.
type UnwatchedError struct {
	// Kind is what the informer is of.
	Kind string
	Err  error
}

func (e *UnwatchedError) Error() string {
	return fmt.Sprintf("the informer of %s cannot watch: %v", e.Kind, e.Err)
}

func (e *UnwatchedError) Unwrap() error { return e.Err }

// UnsyncedError is of a subject that waits for an informer that does not sync.
type UnsyncedError struct {
	After      time.Duration
	Goroutines string
}

func (e *UnsyncedError) Error() string {
	return fmt.Sprintf("the subject waits for informers that have not synced in %v: is each of them started?\n%s", e.After, e.Goroutines)
}

// handle takes an error that a library of the subject has no one to return to. The first of an informer's is the cause of
// all that the subject then does not see.
func (b *bubble) handle(ctx context.Context, err error, message string, about []any) {
	if ctx.Err() != nil || b.over() {
		return // it has been told to end
	}
	if message != "Failed to watch" || err == nil {
		klog.FromContext(ctx).Error(err, message, about...)
		return
	}
	kind := "something"
	for i := 0; i+1 < len(about); i += 2 {
		if about[i] == "type" {
			kind = fmt.Sprint(about[i+1])
		}
	}
	b.fail(&UnwatchedError{Kind: kind, Err: err})
}

// awaits is what is called by who waits for informers: of client-go, of its factories, and of controller-runtime.
var awaits = regexp.MustCompile(`\bWaitFor(?:Named)?CacheSync(?:WithContext)?\(|/tools/cache\.WaitFor\(`)

// awaitingSync returns those stacks whose goroutines wait for informers.
func awaitingSync(stacks string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(stacks, "\n\n"), func(stack string) bool { return !awaits.MatchString(stack) }), "\n\n")
}
