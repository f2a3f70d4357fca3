// Package fault lets things go wrong in a simulated cluster, at named points and
// chosen moments, and the same way each time.
//
// A [Fault] says what happens, where, and at which occurrence. An [Injector] is
// given a list of them and stands at the points where they strike:
//
//	api           a request: refused, failed, or served with its answer lost
//	controller    the process of a controller dies behind one of its writes
//	watch         an event is late, lost with the connection, or repeated
//	downward-api  the files of a running Pod are refreshed late
//	pull          an image cannot be pulled
//	pod           a Pod that runs is evicted or deleted
//	container     a container is killed, cannot be made, runs again, or ends unnoticed for a while
//	node          the node is cut off for a while, or for good
//	kubelet       the kubelet is down for a while
//	visitor       a user labels and annotates objects
//
// The points are functions and small interfaces of other packages: an Interceptor
// of the API server, a Source between the API server and who watches, hooks of the
// kubelet. A cluster without faults has none of them in its way.
//
// Nothing here is random. For a random schedule, draw a list of faults.
//
// # Limits
//
// A watch loses events as real ones do: with its connection. What happened
// meanwhile shows up as changes when the objects are listed again; an event alone
// is never lost, and none comes out of order. The one node of a simulated cluster
// is the node.
package fault

import (
	"fmt"
	"time"
)

// Point is where a fault strikes.
type Point string

// The points.
const (
	API         Point = "api"
	Controller  Point = "controller"
	Watch       Point = "watch"
	DownwardAPI Point = "downward-api"
	Pull        Point = "pull"
	Pod         Point = "pod"
	Container   Point = "container"
	Node        Point = "node"
	Kubelet     Point = "kubelet"
	Visitor     Point = "visitor"
)

// What happens at points other than api, whose errors are in answer.go.
const (
	Crash      = "crash"
	Delayed    = "delayed"
	Lost       = "lost"
	Repeated   = "repeated"
	LostUpdate = "lost-update"
	Failed     = "failed"
	Evicted    = "evicted"
	Deleted    = "deleted"
	OOMKilled  = "OOMKilled"
	Killed     = "Killed"
	Rerun      = "rerun"
	Unnoticed  = "unnoticed"
	NotCreated = "CreateContainerError"
	NotReady   = "CreateContainerConfigError"
	NoSubPath  = "SubPathNotReady"
	Restart    = "restart"
	Labels     = "labels"
)

// DefaultActor is whose requests and watches are disturbed unless a fault says
// otherwise.
const DefaultActor = "controller"

// Fault is one thing that goes wrong. Empty fields match anything.
type Fault struct {
	Point Point
	// What happens; empty means the first that the point has.
	What string
	// Verb, Kind and Subresource are of the request, or of what is watched. A
	// controller without any of them, nor Nth, dies at the time After.
	Verb, Kind, Subresource string
	// Name is of the object; at the point container, of the container.
	Name string
	// Actor is whose request or watch it is; empty means DefaultActor.
	Actor string
	// Image is what cannot be pulled.
	Image string
	// Nth is the occurrence that it begins at, from 1, and Times how many it hits; 0
	// means 1. Occurrences are what all other fields describe.
	Nth, Times int
	// Delay is how late an event or file is, how long a process or node is away
	// (0 means a default, of a node: for good), or how long after the occurrence a
	// Pod or container is hit.
	Delay time.Duration
	// After is how much time must have passed since Begin.
	After time.Duration
}

// Delays of faults that name none.
const (
	defaultCrash  = time.Second      // until another process takes over
	defaultLate   = 5 * time.Second  // of an event
	defaultBroken = time.Second      // until a watch is made again
	defaultSlow   = 10 * time.Second // of a downward API file
	defaultStall  = 75 * time.Second // of one whose update was lost, as recorded
	defaultDown   = 20 * time.Second // of a kubelet

	defaultUnnoticed = 5 * time.Second // of a container's end
)

// kinds are what may happen at each point, the default first.
func kinds() map[Point][]string {
	return map[Point][]string{
		API:         answers(),
		Controller:  {Crash},
		Watch:       {Delayed, Lost, Repeated},
		DownwardAPI: {Delayed, LostUpdate},
		Pull:        {Failed},
		Pod:         {Evicted, Deleted},
		Container:   {OOMKilled, Killed, Rerun, Unnoticed, NotCreated, NotReady, NoSubPath},
		Node:        {Lost},
		Kubelet:     {Restart},
		Visitor:     {Labels},
	}
}

// Points lists all points.
func Points() []Point {
	return []Point{API, Controller, Watch, DownwardAPI, Pull, Pod, Container, Node, Kubelet, Visitor}
}

// Kinds lists what may happen at a point, the default first.
func Kinds(p Point) []string { return kinds()[p] }

// delay is how long it takes.
func (f *Fault) delay() time.Duration {
	if f.Delay > 0 {
		return f.Delay
	}
	switch {
	case f.Point == Controller:
		return defaultCrash
	case f.Point == Watch && f.What == Lost:
		return defaultBroken
	case f.Point == Watch:
		return defaultLate
	case f.What == LostUpdate:
		return defaultStall
	case f.Point == DownwardAPI:
		return defaultSlow
	case f.Point == Kubelet:
		return defaultDown
	case f.What == Unnoticed:
		return defaultUnnoticed
	}
	return 0
}

// timed reports whether the fault strikes at a time rather than an occurrence.
func (f *Fault) timed() bool {
	switch f.Point {
	case Controller:
		return f.Verb == "" && f.Kind == "" && f.Subresource == "" && f.Name == "" && f.Nth == 0
	case Node, Kubelet:
		return f.Name == "" && f.Nth == 0
	case Visitor:
		return true
	}
	return false
}

// String renders the fault in one line.
func (f Fault) String() string {
	s := string(f.Point) + " " + f.What
	for _, part := range []struct{ key, value string }{
		{"actor", f.Actor}, {"verb", f.Verb}, {"kind", f.Kind}, {"subresource", f.Subresource}, {"name", f.Name}, {"image", f.Image},
	} {
		if part.value != "" {
			s += fmt.Sprintf(" %s=%s", part.key, part.value)
		}
	}
	if f.Nth > 0 {
		s += fmt.Sprintf(" nth=%d", f.Nth)
	}
	if f.Times > 1 {
		s += fmt.Sprintf(" times=%d", f.Times)
	}
	if f.Delay > 0 {
		s += " delay=" + f.Delay.String()
	}
	if f.After > 0 {
		s += " after=" + f.After.String()
	}
	return s
}
