package fake

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/invariant"
	"github.com/plumbline-ci/plumbline/simulator/controller"
	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// guard watches over what only the cluster sees: what the reconciler reads from its cache, and what it asks for.
type guard struct {
	scheme *runtime.Scheme
	now    func() time.Time
	found  func(invariant.Violation)
	lent   []loan
	prints fingerprints
	// rounds counts the reconciles of each object, by each controller.
	rounds map[round]int
	// kinds are what the controllers reconcile, by their names.
	kinds map[string]string
}

// mostRounds bounds them: a run of a few steps takes some twenty, one in an hour of trouble some hundreds.
const mostRounds = 10_000

// round is what is counted.
type round struct {
	controller string
	request    reconcile.Request
}

// loan is an object that the reconciler was given to read, and how it was then.
type loan struct {
	object client.Object
	before uint64 // its fingerprint
}

var _ conformance.Guarded = (*Cluster)(nil)

// Guard implements conformance.Guarded.
func (c *Cluster) Guard(found func(invariant.Violation)) {
	c.guard.found, c.guard.rounds = found, map[round]int{}
}

// read notes an object of the cache that the reconciler can reach. One that gets copies has nothing to spoil.
func (g *guard) read(cache *informer.Cache, key client.ObjectKey, into client.Object) {
	if g.found == nil || !cache.Shares() {
		return
	}
	gvk := into.GetObjectKind().GroupVersionKind()
	i, err := cache.Informer(gvk)
	if err != nil {
		return
	}
	o, ok := i.Get(key)
	if !ok || slices.ContainsFunc(g.lent, func(l loan) bool { return l.object == o }) {
		return
	}
	g.lent = append(g.lent, loan{o, g.prints.of(o)})
}

// reconciled looks whether what was lent is as it was, and whether this goes on and on.
func (g *guard) reconciled(o controller.Outcome) {
	if g.found == nil {
		return
	}
	key := round{o.Controller, o.Request}
	if g.rounds[key]++; g.rounds[key] == mostRounds {
		g.found(invariant.Violation{
			Rule: invariant.NoStorm, At: g.now(), Object: g.kinds[o.Controller] + "/" + o.Request.Name, Message: fmt.Sprintf("it was reconciled %d times", mostRounds),
		})
	}
	for i := range g.lent {
		l := &g.lent[i]
		if g.prints.of(l.object) != l.before {
			g.violated(invariant.ReadsUnchanged, l.object, "a reconcile has changed what it read from the cache, at version %s", l.object.GetResourceVersion())
		}
		g.lent[i] = loan{}
	}
	g.lent = g.lent[:0]
}

// created looks at the answer to a Pod.
func (g *guard) created(o client.Object, err error) {
	if _, pod := o.(*corev1.Pod); pod && apierrors.IsInvalid(err) && g.found != nil {
		g.violated(invariant.PodAccepted, o, "the API does not accept it: %v", err)
	}
}

func (g *guard) violated(rule string, o client.Object, format string, args ...any) {
	gvk, err := apiutil.GVKForObject(o, g.scheme)
	if err != nil {
		gvk = o.GetObjectKind().GroupVersionKind()
	}
	kind := strings.ToLower(gvk.Kind)
	owner := kind
	if ref := metav1.GetControllerOf(o); ref != nil {
		owner = strings.ToLower(ref.Kind)
	}
	g.found(invariant.Violation{Rule: rule, At: g.now(), Object: kind + "/" + o.GetName(), Message: fmt.Sprintf(format, args...), Backing: invariant.Backing(owner, rule)})
}

// Create implements client.Client.
func (c cachedClient) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	err := c.Client.Create(ctx, o, opts...)
	c.guard.created(o, err)
	return err
}

// tail is how much of the trace is remembered.
const tail = 60

// trace remembers the last records.
type trace struct {
	records [tail]kernel.Record
	n       int
}

func (t *trace) record(r kernel.Record) {
	t.records[t.n%tail] = r
	t.n++
}

// both has a record seen by two.
func both(a, b func(kernel.Record)) func(kernel.Record) {
	if a == nil {
		return b
	}
	return func(r kernel.Record) { a(r); b(r) }
}

// TraceTail implements conformance.Traced.
func (c *Cluster) TraceTail() []string {
	if c.trace == nil {
		return nil
	}
	var out []string
	for i := max(0, c.trace.n-tail); i < c.trace.n; i++ {
		r := c.trace.records[i%tail]
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s: %s %s", r.Time, r.Actor, r.What, r.Detail)))
	}
	return out
}
