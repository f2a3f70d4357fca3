// Package scheduler assigns Pods to nodes.
//
// Each Pod without a node is tried in an event of its own: every node is filtered
// by name, taints, node selector and required node affinity, resources, the number
// of Pods, the Pod's claims, and required affinity and anti-affinity between Pods;
// of those that are left the one gets the Pod, through the binding subresource, that
// has the most free CPU and memory and fulfils best what Pods prefer of each other.
// A Pod that fits nowhere gets the condition PodScheduled=False and an event, in the
// words of kube-scheduler, and is tried again when something has changed that might
// help: a node, a Pod that went or came, a claim that was bound.
//
// A claim of [WaitingStorage] is tied to the node of its first consumer, unless its
// access modes let many nodes use it; one that is ReadWriteOncePod has one Pod at a
// time. A PersistentVolume's node affinity counts if there is one.
//
// Known limits: topology spread, preferences for nodes, matchLabelKeys, priorities
// and preemption are not considered, and ReadWriteOnce claims of other classes can be
// used on all nodes at once. There are no StorageClass objects: [NoStorage] and
// [WaitingStorage] are known by name.
package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/recorder"
)

// Options configure a Scheduler. Kernel, Client and Source are needed.
type Options struct {
	Kernel *kernel.Kernel
	Client client.Client
	Source informer.Source
	// Name is the schedulerName it answers to; empty means default-scheduler.
	Name string
	// Boundless nodes have whatever a Pod asks for: processors, memory, devices, labels.
	Boundless bool
	// Lag is how long a Pod waits to be tried; zero means 5 to 40 ms.
	Lag Range
}

// Range is a span of durations that one is drawn from.
type Range struct{ Low, High time.Duration }

// Reasons and texts that kube-scheduler uses.
const (
	DefaultName            = "default-scheduler"
	reasonScheduled        = "Scheduled"
	reasonFailed           = "FailedScheduling"
	messageNoNodes         = "no nodes available to schedule pods"
	messageUnboundClaims   = "pod has unbound immediate PersistentVolumeClaims"
	messageNotHelpful      = "Preemption is not helpful for scheduling."
	messageNoVictims       = "No preemption victims found for incoming pod."
	messageAffinity        = "node(s) didn't match Pod's node affinity/selector"
	messageTaint           = "node(s) had untolerated taint(s)"
	messageUnschedulable   = "node(s) were unschedulable"
	messageTooMany         = "Too many pods"
	messageInsufficient    = "Insufficient "
	messageDeallocate      = "no new claims to deallocate, preemption: "
	firstBackOff           = time.Second
	mostBackOff            = 10 * time.Second
	taintNodeUnschedulable = "node.kubernetes.io/unschedulable"
)

// Scheduler assigns Pods to nodes.
type Scheduler struct {
	o       Options
	stream  *kernel.Stream
	events  *recorder.Recorder
	nodes   map[string]*node
	names   []string // of nodes, sorted
	placed  map[types.UID]placement
	social  int // how many of those placed say something about other Pods
	pending map[types.UID]*pending
	stop    []func()
}

// node is a node and what its Pods ask for.
type node struct {
	*corev1.Node
	known bool // the Node object has been seen
	free  amounts
	used  amounts
	pods  int
}

// placement is what a Pod takes from a node.
type placement struct {
	pod  *corev1.Pod
	node string
	asks amounts
}

// pending is a Pod without a node.
type pending struct {
	pod     *corev1.Pod
	attempt *kernel.Event
	failed  bool // waits for a change
	backOff time.Duration
	until   time.Time
}

// New returns a Scheduler. Start makes it work.
func New(o Options) *Scheduler {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if o.Lag == (Range{}) {
		o.Lag = Range{5 * time.Millisecond, 40 * time.Millisecond}
	}
	return &Scheduler{
		o: o, stream: o.Kernel.Stream(o.Name),
		events:  recorder.New(recorder.Options{Clock: o.Kernel, Client: o.Client, Component: o.Name}),
		nodes:   map[string]*node{},
		placed:  map[types.UID]placement{},
		pending: map[types.UID]*pending{},
	}
}

// Start begins to watch nodes, claims and Pods.
func (s *Scheduler) Start() error {
	for _, w := range []struct {
		kind    string
		handler func(informer.Event)
	}{{"Node", s.observeNode}, {"PersistentVolumeClaim", s.observeClaim}, {"Pod", s.observePod}} {
		stop, err := s.o.Source.Watch(corev1.SchemeGroupVersion.WithKind(w.kind), w.handler)
		if err != nil {
			return fmt.Errorf("watching %s: %w", w.kind, err)
		}
		s.stop = append(s.stop, stop)
	}
	return nil
}

// Stop ends all watches.
func (s *Scheduler) Stop() {
	for _, stop := range s.stop {
		stop()
	}
	s.stop = nil
}

// node finds the record of a node, or makes one for a node not seen yet.
func (s *Scheduler) node(name string) *node {
	n := s.nodes[name]
	if n == nil {
		n = &node{}
		s.nodes[name] = n
		i, _ := slices.BinarySearch(s.names, name)
		s.names = slices.Insert(s.names, i, name)
	}
	return n
}

func (s *Scheduler) observeNode(e informer.Event) {
	object, ok := e.Object.(*corev1.Node)
	if !ok {
		return
	}
	n := s.node(object.Name)
	n.Node, n.known, n.free = object, e.Type != watch.Deleted, amountsOf(object.Status.Allocatable)
	if n.known {
		s.stir()
	}
}

func (s *Scheduler) observeClaim(e informer.Event) {
	if c, ok := e.Object.(*corev1.PersistentVolumeClaim); ok && c.Status.Phase == corev1.ClaimBound {
		s.stir()
	}
}

func (s *Scheduler) observePod(e informer.Event) {
	pod, ok := e.Object.(*corev1.Pod)
	if !ok {
		return
	}
	over := e.Type == watch.Deleted || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	if over {
		s.drop(pod.UID)
		if s.release(pod.UID) {
			s.stir()
		}
		return
	}
	if pod.Spec.NodeName != "" {
		s.drop(pod.UID)
		s.take(pod, pod.Spec.NodeName)
		s.again(func(p *pending) bool { return len(nearTerms(p.pod)) > 0 })
		return
	}
	if pod.Spec.SchedulerName != s.o.Name && pod.Spec.SchedulerName != "" {
		return
	}
	p := s.pending[pod.UID]
	switch {
	case pod.DeletionTimestamp != nil || len(pod.Spec.SchedulingGates) > 0:
		s.drop(pod.UID)
	case p != nil:
		again := p.failed && pod.Generation != p.pod.Generation
		p.pod = pod
		if again {
			s.schedule(p)
		}
	default:
		p = &pending{pod: pod}
		s.pending[pod.UID] = p
		s.schedule(p)
	}
}

func (s *Scheduler) schedule(p *pending) {
	if p.attempt.Scheduled() {
		return
	}
	p.failed = false
	at := s.o.Kernel.Now().Add(s.stream.Between(s.o.Lag.Low, s.o.Lag.High))
	if at.Before(p.until) {
		at = p.until
	}
	p.attempt = s.o.Kernel.At(at, s.o.Name, "schedule", func() { s.try(p) })
}

// stir tries all Pods again that did not fit.
func (s *Scheduler) stir() { s.again(func(*pending) bool { return true }) }

// again tries some of the Pods again that did not fit.
func (s *Scheduler) again(which func(*pending) bool) {
	var again []*pending
	for _, p := range s.pending {
		if p.failed && which(p) {
			again = append(again, p)
		}
	}
	slices.SortFunc(again, func(a, b *pending) int { return strings.Compare(string(a.pod.UID), string(b.pod.UID)) })
	for _, p := range again {
		s.schedule(p)
	}
}

func (s *Scheduler) drop(uid types.UID) {
	if p := s.pending[uid]; p != nil {
		p.attempt.Cancel()
		delete(s.pending, uid)
	}
}

// take books a Pod on a node.
func (s *Scheduler) take(pod *corev1.Pod, name string) {
	if p, ok := s.placed[pod.UID]; ok {
		p.pod = pod
		s.placed[pod.UID] = p
		return
	}
	if social(pod) {
		s.social++
	}
	asks := requests(pod)
	n := s.node(name)
	n.used.add(asks)
	n.pods++
	s.placed[pod.UID] = placement{pod, name, asks}
}

// release takes the booking back.
func (s *Scheduler) release(uid types.UID) bool {
	p, ok := s.placed[uid]
	if !ok {
		return false
	}
	n := s.node(p.node)
	n.used.subtract(p.asks)
	n.pods--
	if social(p.pod) {
		s.social--
	}
	delete(s.placed, uid)
	return true
}

// try places one Pod.
func (s *Scheduler) try(p *pending) {
	if s.pending[p.pod.UID] != p {
		return
	}
	best, message := s.find(p.pod)
	if best == nil {
		s.refuse(p, message)
		return
	}
	if s.provision(p.pod, best.Name) {
		p.failed = true
		s.wait(p)
		return
	}
	s.take(p.pod, best.Name)
	binding := &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.pod.Namespace, Name: p.pod.Name, UID: p.pod.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: best.Name},
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: p.pod.Namespace, Name: p.pod.Name, UID: p.pod.UID}}
	err := s.o.Client.SubResource("binding").Create(context.Background(), pod, binding)
	switch {
	case err == nil:
		s.drop(p.pod.UID)
		s.events.Event(p.pod, corev1.EventTypeNormal, reasonScheduled,
			fmt.Sprintf("Successfully assigned %s/%s to %s", p.pod.Namespace, p.pod.Name, best.Name))
	case apierrors.IsNotFound(err):
		s.release(p.pod.UID)
		s.drop(p.pod.UID)
	default:
		s.release(p.pod.UID)
		s.wait(p)
		s.schedule(p)
	}
}

func (s *Scheduler) wait(p *pending) {
	p.backOff = min(max(2*p.backOff, firstBackOff), mostBackOff)
	p.until = s.o.Kernel.Now().Add(p.backOff)
}

// refuse tells that a Pod fits nowhere.
func (s *Scheduler) refuse(p *pending, message string) {
	p.failed = true
	s.wait(p)
	s.events.Event(p.pod, corev1.EventTypeWarning, reasonFailed, message)
	condition := corev1.PodCondition{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: message,
		ObservedGeneration: p.pod.Generation, LastTransitionTime: metav1.NewTime(s.o.Kernel.Now().Truncate(time.Second)),
	}
	pod := p.pod
	for range 3 {
		next := *pod
		next.Status.Conditions = nil
		for _, c := range pod.Status.Conditions {
			if c.Type != corev1.PodScheduled {
				next.Status.Conditions = append(next.Status.Conditions, c)
			} else if c.Status == condition.Status {
				if c.Message == message {
					return
				}
				condition.LastTransitionTime = c.LastTransitionTime
			}
		}
		next.Status.Conditions = append(next.Status.Conditions, condition)
		err := s.o.Client.Status().Update(context.Background(), &next)
		if !apierrors.IsConflict(err) {
			return
		}
		pod = &corev1.Pod{}
		if s.o.Client.Get(context.Background(), client.ObjectKeyFromObject(p.pod), pod) != nil || pod.UID != p.pod.UID {
			return
		}
	}
}
