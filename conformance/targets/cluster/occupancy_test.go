package cluster

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/plumbline-ci/plumbline/conformance/targets/internal/remote"
)

// house is a store that several targets share, and that may be away.
type house struct {
	store client.WithWatch
	away  atomic.Bool
	// deaf: what is written is stored, and not answered before the writer's time is over.
	deaf atomic.Bool
}

func newHouse() *house { return &house{store: fake.NewClientBuilder().Build()} }

// target is one more that judges what is there; its requests are answered if neither it nor the house is away.
func (h *house) target(away *atomic.Bool) *Target {
	answer := func() error {
		if h.away.Load() || away != nil && away.Load() {
			return errors.New("connection refused")
		}
		return nil
	}
	return &Target{client: interceptor.NewClient(h.store, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if err := answer(); err != nil {
				return err
			}
			return c.Get(ctx, key, o, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			if err := answer(); err != nil {
				return err
			}
			return h.answered(ctx, c.Update(ctx, o, opts...))
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if err := answer(); err != nil {
				return err
			}
			return h.answered(ctx, c.Create(ctx, o, opts...))
		},
	})}
}

// answered returns the answer to a write, or that it did not come.
func (h *house) answered(ctx context.Context, err error) error {
	if !h.deaf.Load() {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// TestOneRunAtATime: a second one is refused as long as the first one renews its Lease, and not longer.
func TestOneRunAtATime(t *testing.T) {
	t.Parallel()
	const namespace = "system"
	refused := func(t *testing.T, x *Target) {
		t.Helper()
		var used *InUseError
		if err := x.Hold(t.Context(), namespace); !errors.As(err, &used) || !strings.Contains(err.Error(), "process ") || time.Since(used.Heard) > leaseDuration {
			t.Errorf("a second run: %v", err)
		}
	}
	hold := func(t *testing.T, x *Target) *remote.World {
		t.Helper()
		if err := x.Hold(t.Context(), namespace); err != nil {
			t.Fatal(err)
		}
		return x.Enter(t.Context()).world
	}
	end := func(t *testing.T, x *Target) {
		t.Helper()
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
	leases := func(t *testing.T, h *house) int {
		t.Helper()
		var list coordinationv1.LeaseList
		if err := h.store.List(t.Context(), &list); err != nil {
			t.Fatal(err)
		}
		return len(list.Items)
	}
	for _, tt := range []struct {
		reason string
		test   func(*testing.T, *house)
	}{
		{"a second one is refused until the first one has ended", func(t *testing.T, h *house) {
			first, second := h.target(nil), h.target(nil)
			w := hold(t, first)
			hold(t, first) // as often as it likes
			refused(t, second)
			time.Sleep(10 * leaseDuration)
			refused(t, second)
			if w.Running.Err() != nil || first.lost() {
				t.Error("the first one has broken")
			}
			end(t, first)
			end(t, first)
			if n := leases(t, h); n != 0 {
				t.Errorf("%d Leases are left", n)
			}
			hold(t, second)
			end(t, second)
		}},
		{"one that was killed is taken over", func(t *testing.T, h *house) {
			var killed atomic.Bool
			first, second := h.target(&killed), h.target(nil)
			w := hold(t, first)
			killed.Store(true)
			refused(t, second)
			time.Sleep(leaseDuration + time.Second)
			hold(t, second)
			// It was only asleep.
			killed.Store(false)
			time.Sleep(leaseRenewal)
			var lost *LostError
			if err := context.Cause(w.Running); !errors.As(err, &lost) || !first.lost() {
				t.Errorf("who was taken over for dead goes on: %v", err)
			}
			if err := first.Hold(t.Context(), namespace); !errors.As(err, &lost) {
				t.Errorf("and holds it again: %v", err)
			}
			if w := first.Enter(t.Context()).world; w.Running.Err() == nil {
				t.Error("and enters")
			}
			end(t, first)
			if n := leases(t, h); n != 1 {
				t.Errorf("it has taken the Lease with it: %d", n)
			}
			end(t, second)
		}},
		{"an API server that is away for a while does not matter", func(t *testing.T, h *house) {
			first := h.target(nil)
			w := hold(t, first)
			h.away.Store(true)
			time.Sleep(leaseDuration - 2*leaseRenewal)
			h.away.Store(false)
			time.Sleep(leaseDuration)
			if err := context.Cause(w.Running); err != nil {
				t.Error(err)
			}
			refused(t, h.target(nil))
			end(t, first)
		}},
		{"one that is away for long ends the run", func(t *testing.T, h *house) {
			first := h.target(nil)
			w := hold(t, first)
			h.away.Store(true)
			time.Sleep(leaseDuration + leaseRenewal)
			if err := context.Cause(w.Running); err == nil || !strings.Contains(err.Error(), "connection refused") {
				t.Errorf("got %v", err)
			}
			end(t, first)
		}},
		{"an end in the middle of a renewal gives the Lease back", func(t *testing.T, h *house) {
			first := h.target(nil)
			hold(t, first)
			h.deaf.Store(true)
			time.Sleep(leaseRenewal + time.Second) // the renewal has been done, and is not answered
			end(t, first)
			h.deaf.Store(false)
			if n := leases(t, h); n != 0 {
				t.Errorf("%d Leases are left", n)
			}
		}},
		{"a renewal whose answer was lost does not keep the Lease", func(t *testing.T, h *house) {
			first := h.target(nil)
			hold(t, first)
			h.deaf.Store(true)
			time.Sleep(leaseRenewal + leaseTimeout + time.Second)
			h.deaf.Store(false)
			end(t, first)
			if n := leases(t, h); n != 0 {
				t.Errorf("%d Leases are left", n)
			}
		}},
		{"a run that ends while it takes the Lease gives it back", func(t *testing.T, h *house) {
			h.deaf.Store(true)
			ctx, end := context.WithTimeout(t.Context(), time.Second)
			defer end()
			if err := h.target(nil).Hold(ctx, namespace); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if n := leases(t, h); n != 0 {
				t.Errorf("%d Leases are left", n)
			}
		}},
		{"so does one that ends while it takes over from a dead one", func(t *testing.T, h *house) {
			var killed atomic.Bool
			first := h.target(&killed)
			hold(t, first)
			killed.Store(true)
			time.Sleep(2 * leaseDuration)
			h.deaf.Store(true)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := h.target(nil).Hold(ctx, namespace); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if n := leases(t, h); n != 0 {
				t.Errorf("%d Leases are left", n)
			}
			end(t, first)
		}},
		{"a run that ends does not delete another run's Lease", func(t *testing.T, h *house) {
			var killed atomic.Bool
			first, second := h.target(&killed), h.target(nil)
			hold(t, first)
			killed.Store(true)
			time.Sleep(leaseDuration - leaseRenewal/2) // it has not yet noticed
			lease := &coordinationv1.Lease{}
			if err := h.store.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: leaseName}, lease); err != nil {
				t.Fatal(err)
			}
			lease.Spec.HolderIdentity = new("another, process 1")
			if err := h.store.Update(t.Context(), lease); err != nil {
				t.Fatal(err)
			}
			killed.Store(false)
			end(t, first)
			if n := leases(t, h); n != 1 {
				t.Errorf("%d Leases are left", n)
			}
			refused(t, second)
		}},
		{"the holder of a deleted Lease learns of it", func(t *testing.T, h *house) {
			first := h.target(nil)
			w := hold(t, first)
			if err := h.store.DeleteAllOf(t.Context(), &coordinationv1.Lease{}, client.InNamespace(namespace)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * leaseRenewal)
			if err := context.Cause(w.Running); !apierrors.IsNotFound(err) {
				t.Errorf("got %v", err)
			}
			end(t, first)
		}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { tt.test(t, newHouse()) })
		})
	}
}
