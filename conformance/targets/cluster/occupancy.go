package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/targets/internal/remote"
)

const (
	// leaseName is the Lease of the run that judges, beside the implementation's configuration: of two runs that change it,
	// each would put back what the other one needs.
	leaseName = "plumbline-run"
	// leaseDuration is after how long a silent run is taken for dead. Clocks should agree better than that.
	leaseDuration = 30 * time.Second
	leaseRenewal  = leaseDuration / 5
	// leaseTimeout bounds one request about the Lease.
	leaseTimeout = leaseDuration / 3
)

// InUseError says that another run is judging what is installed there.
type InUseError struct {
	Namespace, Holder string
	// Since is when that run began, Heard when it last renewed its Lease.
	Since, Heard time.Time
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("another run is judging what is configured in namespace %s: %s, since %s, last seen at %s. Two would disturb each other: wait for its end; "+
		"if it was killed, Lease %s of that namespace is taken over %v after it was last seen", e.Namespace, e.Holder,
		e.Since.UTC().Format(time.RFC3339), e.Heard.UTC().Format(time.RFC3339), leaseName, leaseDuration)
}

// LostError says that another run has taken over, and why a run cannot go on.
type LostError struct {
	Namespace string
	Err       error
}

func (e *LostError) Error() string {
	return fmt.Sprintf("Lease %s of namespace %s was lost, so that another run may have changed the configuration: %v", leaseName, e.Namespace, e.Err)
}

func (e *LostError) Unwrap() error { return e.Err }

// occupancy is the Lease while it is held.
type occupancy struct {
	client client.Client
	lease  *coordinationv1.Lease
	end    context.CancelFunc
	ended  sync.WaitGroup

	mu sync.Mutex
	// worlds break when the Lease is lost.
	worlds map[*remote.World]bool
	lost   error
}

// Hold keeps other runs away from what is configured in a namespace, until Close. The error is an *InUseError if there is
// one. Without Hold, the first Start holds the namespace of its configuration.
func (t *Target) Hold(ctx context.Context, namespace string) error {
	t.holding.Lock()
	defer t.holding.Unlock()
	if t.held != nil {
		return t.held.failed()
	}
	o := &occupancy{client: t.client, worlds: map[*remote.World]bool{}}
	var err error
	if o.lease, err = take(ctx, t.client, namespace); err != nil {
		return err
	}
	keep, end := context.WithCancel(context.WithoutCancel(ctx))
	o.end = end
	o.ended.Go(func() { o.keep(keep) })
	t.held = o
	return nil
}

// Close lets other runs in. The target can be used again.
func (t *Target) Close() error {
	t.holding.Lock()
	defer t.holding.Unlock()
	o := t.held
	t.held = nil
	if o == nil {
		return nil
	}
	return o.leave()
}

// lost reports whether another run has taken over.
func (t *Target) lost() bool {
	t.holding.Lock()
	defer t.holding.Unlock()
	return t.held != nil && t.held.failed() != nil
}

// holder tells this run from all others.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s, process %d (%.8s)", host, os.Getpid(), rand.Text())
}

// take acquires the Lease if it is unheld or expired.
func take(ctx context.Context, c client.Client, namespace string) (*coordinationv1.Lease, error) {
	now := metav1.NowMicro()
	spec := coordinationv1.LeaseSpec{
		HolderIdentity: new(holder()), AcquireTime: &now, RenewTime: &now, LeaseDurationSeconds: new(int32(leaseDuration / time.Second)),
	}
	for {
		lease := &coordinationv1.Lease{}
		err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: leaseName}, lease)
		written := false
		switch {
		case apierrors.IsNotFound(err):
			written = true
			lease.ObjectMeta = metav1.ObjectMeta{Namespace: namespace, Name: leaseName, Labels: map[string]string{labelManaged: managedBy}}
			lease.Spec = spec
			err = c.Create(ctx, lease)
		case err != nil:
		case alive(&lease.Spec, now.Time):
			return nil, &InUseError{Namespace: namespace, Holder: *lease.Spec.HolderIdentity, Since: when(lease.Spec.AcquireTime), Heard: when(lease.Spec.RenewTime)}
		default:
			written = true
			lease.Spec = spec
			err = c.Update(ctx, lease)
		}
		switch {
		case err == nil:
			return lease, nil
		case apierrors.IsAlreadyExists(err), apierrors.IsConflict(err): // another run was faster: look which one
		default:
			if written && apierrors.ReasonForError(err) == metav1.StatusReasonUnknown {
				// That is no answer of the API server, as when the run has ended before it came: the Lease may be ours for all that.
				err = errors.Join(err, giveUp(c, namespace, *spec.HolderIdentity))
			}
			return nil, fmt.Errorf("keeping other runs out by Lease %s of namespace %s: %w", leaseName, namespace, err)
		}
	}
}

// alive reports whether a Lease has a holder that has renewed it recently.
func alive(s *coordinationv1.LeaseSpec, now time.Time) bool {
	return s.HolderIdentity != nil && *s.HolderIdentity != "" && now.Before(when(s.RenewTime).Add(leaseDuration))
}

func when(t *metav1.MicroTime) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// keep renews the Lease until ctx ends or the Lease is lost: to another run, or because it could not be renewed in time.
func (o *occupancy) keep(ctx context.Context) {
	tick := time.NewTicker(leaseRenewal)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := o.renew(ctx)
		gone := apierrors.IsConflict(err) || apierrors.IsNotFound(err) || !alive(&o.lease.Spec, time.Now())
		if err != nil && gone && ctx.Err() == nil {
			o.lose(err)
			return
		}
	}
}

func (o *occupancy) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, leaseTimeout)
	defer cancel()
	next := o.lease.DeepCopy()
	next.Spec.RenewTime = new(metav1.NowMicro())
	err := o.client.Update(ctx, next)
	switch {
	case err == nil:
		o.lease = next
	case apierrors.IsConflict(err):
		// An answer that got lost looks like that, too.
		now := &coordinationv1.Lease{}
		if o.client.Get(ctx, client.ObjectKeyFromObject(o.lease), now) == nil && now.UID == o.lease.UID && now.Spec.HolderIdentity != nil && *now.Spec.HolderIdentity == *o.lease.Spec.HolderIdentity {
			o.lease = now
			return nil
		}
	}
	return err
}

// lose breaks everything that relies on the Lease.
func (o *occupancy) lose(why error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost = &LostError{Namespace: o.lease.Namespace, Err: why}
	for w := range o.worlds {
		w.End(o.lost)
	}
}

func (o *occupancy) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost
}

// enter has a world end when the Lease is lost.
func (o *occupancy) enter(w *remote.World) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.worlds[w] = true; o.lost != nil {
		w.End(o.lost)
	}
}

// leave lets others in at once.
func (o *occupancy) leave() error {
	o.end()
	o.ended.Wait()
	if o.failed() != nil {
		return nil //nolint:nilerr // it belongs to another run
	}
	return giveUp(o.client, o.lease.Namespace, *o.lease.Spec.HolderIdentity)
}

// giveUp deletes the Lease if that holder still has it, even if it has changed since it was read: a write whose answer got
// lost may have been done. The run may be over, so it has a time of its own.
func giveUp(c client.Client, namespace, holder string) error {
	ctx, cancel := context.WithTimeout(context.Background(), leaseTimeout)
	defer cancel()
	for {
		lease := &coordinationv1.Lease{}
		err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: leaseName}, lease)
		if err == nil && (lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity != holder) {
			return nil // it belongs to another run
		}
		if err == nil {
			err = c.Delete(ctx, lease, client.Preconditions{UID: &lease.UID, ResourceVersion: &lease.ResourceVersion})
		}
		switch {
		case apierrors.IsConflict(err): // a late write of ours or another run's: look again
		case client.IgnoreNotFound(err) != nil:
			return fmt.Errorf("giving up Lease %s of namespace %s: %w", leaseName, namespace, err)
		default:
			return nil
		}
	}
}
