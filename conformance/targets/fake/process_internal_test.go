package fake

import (
	"context"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// TestAReconcileThatNeverReturnsIsReported has a reconciler wait for something that never happens.
func TestAReconcileThatNeverReturnsIsReported(t *testing.T) {
	t.Parallel()
	never := make(chan struct{})
	defer close(never)
	g := &guarded{limit: 20 * time.Millisecond, Reconciler: reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
		<-never
		return reconcile.Result{}, nil
	})}
	defer func() {
		err, ok := recover().(error)
		if !ok || !strings.Contains(err.Error(), "the reconcile has not returned after 20ms") {
			t.Errorf("got %v", err)
		}
	}()
	_, err := g.Reconcile(t.Context(), reconcile.Request{})
	t.Errorf("it returned: %v", err)
}
