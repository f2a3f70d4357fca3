//plumbline:adapter serves TLS on the machine's goroutines, renewed by its clock
package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	// lookAgain is how often it is looked whether the API server still trusts what is served.
	lookAgain = time.Minute
	// heardAfter is how long API servers may take to see a new authority.
	heardAfter = 5 * time.Second
)

// Rotator keeps the certificate of the webhooks. Each replica has one.
type Rotator struct {
	// Client reads and writes the Secret, the webhook configurations and the definitions, without a cache.
	Client client.Client
	// Secret is where the replicas share the certificate. It has to exist.
	Secret client.ObjectKey
	// Hosts are the names and addresses under which the webhooks are asked.
	Hosts     []string
	Lifetimes Lifetimes
	// Now is the machine's clock if it is nil.
	Now func() time.Time

	mu      sync.RWMutex
	current *identity
	// told is when the API server last got an authority.
	told time.Time
}

var _ reconcile.Reconciler = (*Rotator)(nil)

// errNotYet says that nothing can be served.
var errNotYet = errors.New("the webhooks have no certificate yet")

// GetCertificate is for a [tls.Config].
func (r *Rotator) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.current == nil {
		return nil, errNotYet
	}
	return r.current.serving(), nil
}

// Ready is a health check: whether there is something to serve.
func (r *Rotator) Ready(*http.Request) error {
	_, err := r.GetCertificate(nil)
	return err
}

// SetUpWithManager has the certificate kept as long as the Manager runs, on every replica, leader or not.
func (r *Rotator) SetUpWithManager(m manager.Manager) error {
	mine := predicate.NewPredicateFuncs(func(o client.Object) bool { return client.ObjectKeyFromObject(o) == r.Secret })
	return builder.ControllerManagedBy(m).Named("webhook-certificate").
		For(&corev1.Secret{}, builder.WithPredicates(mine)).
		WithOptions(controller.Options{NeedLeaderElection: new(false), MaxConcurrentReconciles: 1}).
		Complete(r)
}

// Reconcile makes the Secret good, then the API server trust it, then serves it.
func (r *Rotator) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	now := time.Now()
	if r.Now != nil {
		now = r.Now()
	}
	secret := &corev1.Secret{}
	if err := r.Client.Get(ctx, r.Secret, secret); err != nil {
		return reconcile.Result{}, fmt.Errorf("reading the certificate of the webhooks: %w", err)
	}
	id, changed, err := renewed(secret.Data, r.trusted(secret.Data), r.Hosts, r.Lifetimes, now)
	if err != nil {
		return reconcile.Result{}, err
	}
	if changed {
		if err := r.store(ctx, secret, id); err != nil {
			return reconcile.Result{}, err
		}
		log.FromContext(ctx).Info("renewed the certificate of the webhooks", "until", id.certificate.NotAfter, "authorities", len(id.bundle))
	}
	told, err := inject(ctx, r.Client, id.trust())
	again := r.serve(id, told, err == nil, now)
	if err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: max(min(again.Sub(now), lookAgain), time.Second)}, nil
}

// serve serves an identity as soon as the API servers know its authority: until then, the one that they trust already is
// better. But any is better than none. It returns when there is more to do.
func (r *Rotator) serve(id *identity, told, trusted bool, now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if told {
		r.told = now
	}
	if r.current != nil && r.current.certificate.Equal(id.certificate) {
		r.current = id
		return id.next()
	}
	// Another replica may have told them, when it made the certificate.
	heard := r.told
	if made := id.madeAt(); made.After(heard) {
		heard = made
	}
	heard = heard.Add(heardAfter)
	expired := r.current != nil && !now.Before(r.current.certificate.NotAfter)
	if r.current == nil || expired || trusted && !now.Before(heard) {
		r.current = id
		return id.next()
	}
	return heard
}

// trusted are the authorities that have to stay in the bundle: if the Secret was emptied, those of the certificate being
// served. A bundle that another replica has renewed contains them already.
func (r *Rotator) trusted(stored map[string][]byte) []*x509.Certificate {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.current == nil {
		return nil
	}
	if _, err := decode(stored); err == nil {
		return nil
	}
	return r.current.bundle
}

// store writes the Secret; it is refused if another replica was faster.
func (r *Rotator) store(ctx context.Context, secret *corev1.Secret, id *identity) error {
	data, err := id.encode()
	if err != nil {
		return err
	}
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	maps.Copy(secret.Data, data)
	if err := r.Client.Update(ctx, secret); err != nil {
		return fmt.Errorf("storing the certificate of the webhooks: %w", err)
	}
	return nil
}
