package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/conformance/internal/observe"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
	"github.com/plumbline-ci/plumbline/internal/untyped"
	"github.com/plumbline-ci/plumbline/reports"
)

// What some clusters know; package conformance documents it.
type (
	LogKeeper interface {
		KeptLog(namespace, pod, container string) string
	}
	CommandFinder interface {
		MissingCommands(namespace string) []reports.MissingCommand
	}
	Collector interface {
		Collect(ctx context.Context, namespace string, since time.Time) []reports.Log
	}
)

// mostMissing is how many missing commands a failure tells.
const mostMissing = 20

// goneLog stands for a log that can no longer be read.
const goneLog = "(the Pod is gone, and its log with it)"

// Surroundings adds to a failure what helps to understand it.
func (s *Session) Surroundings(ctx context.Context, f *verdict.Failed) {
	f.Replay = s.o.Replay(s.fixture.Name(), s.o.Seed)
	if s.waits.pace.virtual() {
		seed := s.o.Seed
		f.Seed = &seed
	}
	if len(f.History) == 0 {
		f.History = s.seen.History(s.seen.Telling())
	}
	type line struct {
		seq  int
		text string
	}
	var events []line
	type container struct {
		namespace, pod, name string
		gone                 bool
		seq                  int // of the Pod
	}
	var list []container
	s.seen.Lock()
	for _, l := range s.seen.Lives() {
		v := l.Last()
		switch l.Kind.Name {
		case "event":
			o := v.Object().Object
			involved, _, _ := unstructured.NestedMap(o, "involvedObject")
			kind, _ := involved["kind"].(string)
			events = append(events, line{v.Seq, strings.TrimSuffix(fmt.Sprintf("+%s %v %v %s/%v: %s", s.seen.Since(v.At), o["type"], o["reason"], strings.ToLower(kind), involved["name"], strings.Join(strings.Fields(untyped.Text(o["message"])), " ")), ": ")})
		case "pod":
			for _, name := range slices.Concat(observe.Containers(v.Object(), "initContainers"), observe.Containers(v.Object(), "containers")) {
				list = append(list, container{l.Namespace, l.Name, name, v.Gone, l.Versions[0].Seq})
			}
		}
	}
	s.seen.Unlock()
	slices.SortFunc(events, func(a, b line) int { return a.seq - b.seq })
	for _, e := range events {
		f.Events = append(f.Events, e.text)
	}
	f.Events = observe.Limit(f.Events, 40)
	slices.SortStableFunc(list, func(a, b container) int { return a.seq - b.seq })
	for _, c := range list {
		text, err := s.cluster.Logs(ctx, c.namespace, c.pod, c.name)
		if err != nil {
			kept, ok := s.lost(c.namespace, c.pod, c.name)
			switch {
			case ok && (c.gone || kept != ""):
				text, err = kept, nil
			case c.gone && strings.HasPrefix(c.name, observe.StepPrefix):
				text, err = goneLog, nil
			}
		}
		if err != nil || text == "" && !strings.HasPrefix(c.name, observe.StepPrefix) {
			continue // a container that has not begun has no log, and what prepares the Pod rarely has something to say
		}
		f.Logs = append(f.Logs, reports.Log{Pod: c.pod, Container: c.name, Text: observe.Tail(text)})
	}
	if finder, ok := s.cluster.(CommandFinder); ok {
		for _, namespace := range s.seen.Namespaces {
			f.Missing = append(f.Missing, finder.MissingCommands(namespace)...)
		}
		f.Missing = f.Missing[:min(len(f.Missing), mostMissing)]
	}
	if collector, ok := s.cluster.(Collector); ok {
		for _, namespace := range s.seen.Namespaces {
			f.Logs = append(f.Logs, collector.Collect(ctx, namespace, s.seen.Start)...)
		}
	}
}

// lost is the log of a Pod that is gone, as far as it was kept.
func (s *Session) lost(namespace, pod, container string) (string, bool) {
	if keeper, ok := s.cluster.(LogKeeper); ok {
		return keeper.KeptLog(namespace, pod, container), true
	}
	return s.logs.Kept(namespace, pod, container)
}
