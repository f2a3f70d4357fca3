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
	"encoding/json"
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

// remembered is how many objects' events are kept for merging. Clients remember 4096 events, which is what so many
// Pods have.
const remembered = 256

// Options configure a Recorder.
type Options struct {
	Clock     interface{ Now() time.Time }
	Client    client.Client   // creates and patches Events; it must not keep them
	Scheme    *runtime.Scheme // finds the kind of typed objects; nil means Client.Scheme()
	Component string          // source.component, such as "kubelet"
	Host      string          // source.host; empty for components without a node
}

// Recorder records events about objects.
type Recorder struct {
	o        Options
	seq      uint64
	suffix   string // keeps apart the events that two components record in one instant
	subjects map[types.UID]*subject
	order    []types.UID // of subjects, oldest first, from head
	head     int
	event    corev1.Event // the one that is being written
}

// subject is an object that events have been recorded about.
type subject struct {
	events []written
	tokens float64   // how many more may be written
	at     time.Time // when tokens was right
}

// written is what has to be known of an event to repeat it.
type written struct {
	name, eventtype, reason, message, fieldPath string
	count                                       int32
}

// New returns a Recorder.
func New(o Options) *Recorder {
	if o.Scheme == nil && o.Client != nil {
		o.Scheme = o.Client.Scheme()
	}
	return &Recorder{o: o, suffix: suffix(o.Component), subjects: map[types.UID]*subject{}}
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
	s := r.subject(ref.UID, now)
	if !s.spend(now) {
		return
	}
	stamp := metav1.NewTime(now)
	namespace := ref.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault // where events about cluster-wide objects go
	}
	for i := range s.events {
		seen := &s.events[i]
		if seen.reason != reason || seen.message != message || seen.eventtype != eventtype || seen.fieldPath != ref.FieldPath {
			continue
		}
		if r.repeat(namespace, seen, stamp) == nil {
			return
		}
		s.events = append(s.events[:i], s.events[i+1:]...)
		break
	}
	r.seq++
	name := r.name(ref.Name, uint64(now.UnixNano())+r.seq)
	r.event = corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: name, Namespace: namespace},
		InvolvedObject: ref,
		Reason:         reason, Message: message, Type: eventtype,
		Source:         corev1.EventSource{Component: r.o.Component, Host: r.o.Host},
		FirstTimestamp: stamp, LastTimestamp: stamp, Count: 1,
		ReportingController: r.o.Component, ReportingInstance: r.o.Host,
	}
	if err := r.o.Client.Create(context.Background(), &r.event); err != nil {
		return
	}
	s.events = append(s.events, written{name, eventtype, reason, message, ref.FieldPath, 1})
}

// name returns the name of an event about an object, of which number is different each time.
func (r *Recorder) name(of string, number uint64) string {
	var buf [128]byte
	b := append(append(buf[:0], of...), '.')
	b = strconv.AppendUint(b, number, 16)
	return string(append(b, r.suffix...))
}

// repeat raises the count of an event, by the patch that client-go sends.
func (r *Recorder) repeat(namespace string, seen *written, stamp metav1.Time) error {
	data, err := json.Marshal(struct {
		Count         int32       `json:"count"`
		LastTimestamp metav1.Time `json:"lastTimestamp"`
	}{seen.count + 1, stamp})
	if err != nil {
		return err
	}
	r.event = corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: seen.name, Namespace: namespace}}
	if err := r.o.Client.Patch(context.Background(), &r.event, client.RawPatch(types.StrategicMergePatchType, data)); err != nil {
		return err
	}
	seen.count++
	return nil
}

// suffix is a few characters that depend on the component alone.
func suffix(component string) string {
	var h uint16 = 0x9dc5
	for i := range len(component) {
		h = (h ^ uint16(component[i])) * 0x0193
	}
	return strconv.FormatUint(uint64(h), 16)
}

// subject finds what is known of an object; of too many, the oldest is forgotten.
func (r *Recorder) subject(uid types.UID, now time.Time) *subject {
	s := r.subjects[uid]
	if s != nil {
		return s
	}
	s = &subject{tokens: burst, at: now}
	r.subjects[uid] = s
	r.order = append(r.order, uid)
	if len(r.order)-r.head > remembered {
		delete(r.subjects, r.order[r.head])
		r.head++
	}
	if r.head > remembered {
		r.order = append([]types.UID(nil), r.order[r.head:]...)
		r.head = 0
	}
	return s
}

// spend takes an event out of the object's budget, if there is one left.
func (s *subject) spend(now time.Time) bool {
	s.tokens = min(burst, s.tokens+float64(now.Sub(s.at))/float64(refill))
	s.at = now
	if s.tokens < 1 {
		return false
	}
	s.tokens--
	return true
}
