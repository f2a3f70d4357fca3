// Package recorder writes the Events that components emit about objects, merging
// repetitions as Kubernetes' clients do.
//
// An event that repeats an earlier one (same object, type, reason and message)
// raises that one's count instead of making a new one. Each object has a budget
// of events (25 at once, one more every five minutes), so that a probe failing
// for an hour does not fill the store. What client-go does besides — folding ten
// similar messages into one "combined from similar events" — is not done.
//
// Events are written in the caller's own kernel event: there is no queue to lose
// them from. A refused write is dropped, as the original drops it.
package recorder

import (
	"context"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// The budget of one object, as client-go's spam filter has it.
const (
	burst  = 25
	refill = 5 * time.Minute
)

// remembered is how many distinct events are kept for merging.
const remembered = 4096

// Options configure a Recorder.
type Options struct {
	Clock     interface{ Now() time.Time }
	Client    client.Client   // creates and updates Events
	Scheme    *runtime.Scheme // finds the kind of typed objects; nil means Client.Scheme()
	Component string          // source.component, such as "kubelet"
	Host      string          // source.host; empty for components without a node
}

// Recorder records events about objects.
type Recorder struct {
	o       Options
	seq     uint64
	known   map[key]*corev1.Event
	order   []key // keys of known, oldest first, from head
	head    int
	budgets map[types.UID]*budget
}

type key struct {
	uid                             types.UID
	fieldPath, kind, reason, detail string
}

type budget struct {
	tokens float64
	at     time.Time
}

// New returns a Recorder.
func New(o Options) *Recorder {
	if o.Scheme == nil && o.Client != nil {
		o.Scheme = o.Client.Scheme()
	}
	return &Recorder{o: o, known: map[key]*corev1.Event{}, budgets: map[types.UID]*budget{}}
}

// Event records an event about obj.
func (r *Recorder) Event(obj client.Object, eventtype, reason, message string) {
	ref := corev1.ObjectReference{
		Namespace: obj.GetNamespace(), Name: obj.GetName(), UID: obj.GetUID(), ResourceVersion: obj.GetResourceVersion(),
	}
	ref.APIVersion, ref.Kind = obj.GetObjectKind().GroupVersionKind().ToAPIVersionAndKind()
	if ref.Kind == "" && r.o.Scheme != nil {
		if gvk, err := apiutil.GVKForObject(obj, r.o.Scheme); err == nil {
			ref.APIVersion, ref.Kind = gvk.ToAPIVersionAndKind()
		}
	}
	r.Record(ref, eventtype, reason, message)
}

// Record records an event about what ref refers to; its fieldPath can name a
// part of the object.
func (r *Recorder) Record(ref corev1.ObjectReference, eventtype, reason, message string) {
	now := r.o.Clock.Now()
	if !r.allow(ref.UID, now) {
		return
	}
	k := key{ref.UID, ref.FieldPath, eventtype, reason, message}
	stamp := metav1.NewTime(now)
	if seen := r.known[k]; seen != nil {
		again := *seen
		again.Count++
		again.LastTimestamp = stamp
		if err := r.o.Client.Update(context.Background(), &again); err == nil {
			r.known[k] = &again
			return
		}
	}
	r.seq++
	e := &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Name:      ref.Name + "." + strconv.FormatUint(uint64(now.UnixNano())+r.seq, 16) + suffix(r.o.Component),
			Namespace: ref.Namespace,
		},
		InvolvedObject: ref,
		Reason:         reason, Message: message, Type: eventtype,
		Source:         corev1.EventSource{Component: r.o.Component, Host: r.o.Host},
		FirstTimestamp: stamp, LastTimestamp: stamp, Count: 1,
		ReportingController: r.o.Component, ReportingInstance: r.o.Host,
	}
	if e.Namespace == "" {
		e.Namespace = metav1.NamespaceDefault // where events about cluster-wide objects go
	}
	if err := r.o.Client.Create(context.Background(), e); err != nil {
		return
	}
	r.remember(k, e)
}

// suffix keeps apart the events that two components record of one object in one
// instant, which real clocks do by themselves.
func suffix(component string) string {
	var h uint16 = 0x9dc5
	for i := range len(component) {
		h = (h ^ uint16(component[i])) * 0x0193
	}
	return strconv.FormatUint(uint64(h), 16)
}

func (r *Recorder) remember(k key, e *corev1.Event) {
	if _, ok := r.known[k]; !ok {
		r.order = append(r.order, k)
	}
	r.known[k] = e
	for len(r.order)-r.head > remembered {
		old := r.order[r.head]
		r.order[r.head] = key{}
		r.head++
		delete(r.known, old)
		delete(r.budgets, old.uid)
	}
	if r.head > remembered {
		r.order = append([]key(nil), r.order[r.head:]...)
		r.head = 0
	}
}

func (r *Recorder) allow(uid types.UID, now time.Time) bool {
	b := r.budgets[uid]
	if b == nil {
		b = &budget{tokens: burst, at: now}
		r.budgets[uid] = b
	}
	b.tokens = min(burst, b.tokens+float64(now.Sub(b.at))/float64(refill))
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
