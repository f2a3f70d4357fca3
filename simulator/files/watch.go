package files

import (
	"maps"
	"slices"
)

// Subscription is an interest in some paths of a view: its function is called after something at or on the way to one
// of them has changed. It may be called without a change that matters.
type Subscription struct {
	caller *Caller
	paths  []string
	notify func()
	nodes  []*Node
	closed bool
}

// Watch subscribes to changes of the given paths: of the file or directory itself, and of everything on the way to it
// (made, removed, renamed, a link exchanged). The paths need not exist. notify is called inside the change; it should
// do no more than wake the watcher.
func (c *Caller) Watch(notify func(), paths ...string) *Subscription {
	who := *c
	s := &Subscription{caller: &who, paths: slices.Clone(paths), notify: notify}
	s.arm()
	return s
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.closed = true
	s.disarm()
}

func (s *Subscription) arm() {
	for _, p := range s.paths {
		s.caller.visit(p, func(n *Node) {
			if !slices.Contains(n.watchers, s) {
				n.watchers = append(n.watchers, s)
				s.nodes = append(s.nodes, n)
			}
		})
	}
}

func (s *Subscription) disarm() {
	for _, n := range s.nodes {
		if i := slices.Index(n.watchers, s); i >= 0 {
			n.watchers = slices.Delete(n.watchers, i, i+1)
		}
	}
	s.nodes = s.nodes[:0]
}

// notify tells the subscriptions that see this node.
func (n *Node) notify() {
	if len(n.watchers) == 0 {
		return
	}
	for _, s := range slices.Clone(n.watchers) {
		if s.closed {
			continue
		}
		s.disarm()
		s.arm()
		s.notify()
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
