package node

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestEventsAreWrittenLaterAndInOrder has an actor record events before the backlog runs.
func TestEventsAreWrittenLaterAndInOrder(t *testing.T) {
	t.Parallel()
	later := newBacklog()
	written := make(chan string, 3)
	b := borrowing{events: later}
	event := &corev1.Event{}
	for _, reason := range []string{"Pulled", "Created", "Started"} {
		event.Reason = reason
		if !b.later(event, func(o client.Object) error { written <- o.(*corev1.Event).Reason; return nil }) {
			t.Fatal("an event is not written later")
		}
	}
	if b.later(&corev1.Pod{}, nil) {
		t.Error("a Pod is written later")
	}
	if len(written) > 0 {
		t.Error("events are written at once")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- later.run(ctx) }()
	for _, want := range []string{"Pulled", "Created", "Started"} {
		if got := <-written; got != want {
			t.Errorf("%s is written, want %s", got, want)
		}
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("it ends without a reason")
	}
}
