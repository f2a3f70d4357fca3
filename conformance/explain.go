package conformance

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/match"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports"
)

// failure begins the account of a failure.
func (s *session) failure(pos source.Position, path, message string) *failed {
	return &failed{reports.Failure{At: pos.String(), Check: path, Message: message}}
}

// detail fills in the differences to an object.
func (s *session) detail(f *failed, of *life, diff []match.Mismatch) {
	if len(diff) == 0 {
		return
	}
	first := diff[0]
	if hint := renamed(of.kind, first.Path); hint != "" {
		f.Message += "; " + hint
	}
	if first.Pos.Line > 0 {
		f.At = first.Pos.String()
	}
	f.Path, f.Want, f.Got = first.Path, first.Want, first.Got
	if len(diff) > 1 {
		f.Diff = diffLines(diff)
	}
}

// explain says why a wait was in vain: the difference to the object that came nearest.
func (s *session) explain(x *fixture.Condition, allowed time.Duration, early bool, path string) error {
	s.world.mu.Lock()
	lives := s.world.find(x.On)
	var (
		best []match.Mismatch
		near *life
	)
	for _, l := range lives {
		if l.last().gone {
			continue
		}
		if diff := s.holds(&x.Match, x.CEL, l.last()); near == nil || len(diff) < len(best) {
			best, near = diff, l
		}
	}
	s.world.mu.Unlock()
	object := x.On.String()
	var f *failed
	switch {
	case len(lives) == 0 && early:
		f = s.failure(x.Pos, path, fmt.Sprintf("%s was not seen, and %s is over", object, x.On.Of.String()))
		f.Want, f.Got = "(an object)", "(nothing)"
	case len(lives) == 0:
		f = s.failure(x.Pos, path, fmt.Sprintf("%s was not seen within %v", object, allowed))
		f.Want, f.Got = "(an object)", "(nothing)"
	case near == nil:
		f = s.failure(x.Pos, path, fmt.Sprintf("%s was deleted before it was as expected", object))
		f.Want, f.Got = "(an object)", "(deleted)"
	default:
		object = near.kind.Name + "/" + near.name
		state, within := "was", fmt.Sprintf(" within %v", allowed)
		if early {
			state, within = ended(early, near.last().object)+"is", ""
		}
		f = s.failure(x.Pos, path, fmt.Sprintf("%s %s not as expected%s", object, state, within))
		s.detail(f, near, best)
		lives = []*life{near}
	}
	f.Object = object
	f.History = s.history(lives)
	return f
}

// ended says of an object that it is over and how, if a check ended for that.
func ended(early bool, object *unstructured.Unstructured) string {
	if !early {
		return ""
	}
	if state, _, _ := strings.Cut(conditions(object), " "); strings.HasPrefix(state, "Succeeded=") {
		return "is over (" + state + "), and "
	}
	return "is over, and "
}

// differences collects the leaves that go-cmp finds to differ.
type differences struct {
	path  cmp.Path
	lines []string
}

func (d *differences) PushStep(step cmp.PathStep) { d.path = append(d.path, step) }
func (d *differences) PopStep()                   { d.path = d.path[:len(d.path)-1] }
func (d *differences) Report(r cmp.Result) {
	if r.Equal() {
		return
	}
	key, ok := d.path.Last().(cmp.MapIndex)
	if !ok {
		return
	}
	want, got := d.path.Last().Values()
	d.lines = append(d.lines, fmt.Sprintf("  %s:\n- %s\n+ %s", key.Key(), want, got))
}

// diffLines shows differences as a small diff. The leaves are compared as text by path,
// because go-cmp's own rendering differs from run to run on purpose.
func diffLines(diff []match.Mismatch) string {
	want, got := map[string]string{}, map[string]string{}
	for _, m := range diff {
		path := m.Path
		if path == "" {
			path = "(the object)"
		}
		for n := 2; want[path] != ""; n++ {
			path = fmt.Sprintf("%s (%d)", m.Path, n)
		}
		want[path], got[path] = m.Want, m.Got
	}
	d := &differences{}
	cmp.Equal(want, got, cmp.Reporter(d))
	return strings.Join(d.lines, "\n")
}

// conditions renders the state of an object in a few words: its conditions, a Pod's phase.
func conditions(o *unstructured.Unstructured) string {
	if o == nil {
		return ""
	}
	var parts []string
	if phase, ok, _ := unstructured.NestedString(o.Object, "status", "phase"); ok && phase != "" {
		parts = append(parts, "phase "+phase)
	}
	parts = append(parts, containerStates(o)...)
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range list {
		m, ok := c.(map[string]any)
		if !ok || o.GetKind() == "Pod" {
			continue
		}
		text := fmt.Sprintf("%v=%v", m["type"], m["status"])
		if reason, ok := m["reason"].(string); ok && reason != "" {
			text += "/" + reason
		}
		if message, ok := m["message"].(string); ok && message != "" {
			text += " " + match.Show(message)
		}
		parts = append(parts, text)
	}
	if o.GetDeletionTimestamp() != nil {
		parts = append(parts, "being deleted")
	}
	if len(parts) == 0 {
		return "no conditions"
	}
	return strings.Join(parts, ", ")
}

// containerStates renders a Pod's containers: "step-a running", "step-b exit 1".
func containerStates(o *unstructured.Unstructured) []string {
	var parts []string
	for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
		statuses, _, _ := unstructured.NestedSlice(o.Object, "status", list)
		for _, c := range statuses {
			m, ok := c.(map[string]any)
			if !ok {
				continue
			}
			state, _ := m["state"].(map[string]any)
			text := ""
			if _, ok := state["running"]; ok {
				text = "running"
			}
			if w, ok := state["waiting"].(map[string]any); ok {
				text = fmt.Sprintf("waiting %v", w["reason"])
			}
			if t, ok := state["terminated"].(map[string]any); ok {
				text = fmt.Sprintf("exit %v", t["exitCode"])
			}
			if text != "" {
				parts = append(parts, fmt.Sprintf("%v %s", m["name"], text))
			}
		}
	}
	return parts
}

// history lists each change of the objects' states, in order.
func (s *session) history(lives []*life) []string {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	var lines []string
	for _, l := range lives {
		last := ""
		for i := range l.versions {
			v := &l.versions[i]
			state := conditions(v.object)
			if v.gone {
				state = "deleted"
			}
			if state == last {
				continue
			}
			last = state
			lines = append(lines, fmt.Sprintf("+%s %s/%s: %s", s.since(v.at), l.kind.Name, l.name, state))
		}
	}
	return limit(lines, 40)
}

// limit keeps the beginning and the end of a long account.
func limit(lines []string, most int) []string {
	if len(lines) <= most {
		return lines
	}
	cut := fmt.Sprintf("… %d more …", len(lines)-most)
	return slices.Concat(lines[:most/2], []string{cut}, lines[len(lines)-most/2:])
}

// LogKeeper clusters keep the ends of the logs of Pods that are gone.
type LogKeeper interface {
	KeptLog(namespace, pod, container string) string
}

// mostMissing is how many missing commands a failure tells.
const mostMissing = 20

// goneLog stands for a log that can no longer be read.
const goneLog = "(the Pod is gone, and its log with it)"

// surroundings adds to a failure what helps to understand it.
func (s *session) surroundings(ctx context.Context, f *failed) {
	f.Replay = s.replay(s.fixture.Name(), s.seed)
	if s.virtual {
		seed := s.seed
		f.Seed = &seed
	}
	if s.world == nil {
		return
	}
	if len(f.History) == 0 {
		f.History = s.history(s.judged())
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
	s.world.mu.Lock()
	for _, key := range slices.Sorted(maps.Keys(s.world.lives)) {
		l := s.world.lives[key]
		v := l.last()
		switch l.kind.Name {
		case "event":
			o := v.object.Object
			involved, _, _ := unstructured.NestedMap(o, "involvedObject")
			kind, _ := involved["kind"].(string)
			events = append(events, line{v.seq, strings.TrimSuffix(fmt.Sprintf("+%s %v %v %s/%v: %s", s.since(v.at), o["type"], o["reason"], lower(kind), involved["name"], strings.Join(strings.Fields(stringOf(o["message"])), " ")), ": ")})
		case "pod":
			for _, name := range slices.Concat(named(v.object, "initContainers"), containers(v.object)) {
				list = append(list, container{l.namespace, l.name, name, v.gone, l.versions[0].seq})
			}
		}
	}
	s.world.mu.Unlock()
	slices.SortFunc(events, func(a, b line) int { return a.seq - b.seq })
	for _, e := range events {
		f.Events = append(f.Events, e.text)
	}
	f.Events = limit(f.Events, 40)
	slices.SortStableFunc(list, func(a, b container) int { return a.seq - b.seq })
	for _, c := range list {
		text, err := s.cluster.Logs(ctx, c.namespace, c.pod, c.name)
		if err != nil {
			kept, ok := s.lost(c.namespace, c.pod, c.name)
			switch {
			case ok && (c.gone || kept != ""):
				text, err = kept, nil
			case c.gone && strings.HasPrefix(c.name, stepPrefix):
				text, err = goneLog, nil
			}
		}
		if err != nil || text == "" && !strings.HasPrefix(c.name, stepPrefix) {
			continue // a container that has not begun has no log, and what prepares the Pod rarely has something to say
		}
		f.Logs = append(f.Logs, reports.Log{Pod: c.pod, Container: c.name, Text: tail(text)})
	}
	if finder, ok := s.cluster.(CommandFinder); ok {
		for _, namespace := range s.world.namespaces {
			f.Missing = append(f.Missing, finder.MissingCommands(namespace)...)
		}
		f.Missing = f.Missing[:min(len(f.Missing), mostMissing)]
	}
	if collector, ok := s.cluster.(Collector); ok {
		for _, namespace := range s.world.namespaces {
			f.Logs = append(f.Logs, collector.Collect(ctx, namespace, s.start)...)
		}
	}
}

// judged are the objects whose history tells most where a failure names none: all but Pods, or those.
func (s *session) judged() []*life {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	var runs, pods []*life
	seen := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(s.world.lives)) {
		l := s.world.lives[key]
		name := l.kind.Name + "/" + l.name
		switch {
		case l.kind.Name == "event" || seen[name]:
		case l.kind.Name == "pod":
			pods = append(pods, l)
		case slices.ContainsFunc(l.versions, func(v version) bool { return len(entries(v.object.Object, "status", "conditions")) > 0 }):
			runs = append(runs, l)
		}
		seen[name] = true
	}
	if len(runs) == 0 {
		return pods
	}
	return runs
}

// tail returns the last lines of a log.
func tail(text string) string {
	const most = 20
	lines := strings.Split(strings.TrimRight(strings.ToValidUTF8(text, "?"), "\n"), "\n")
	if len(lines) > most {
		lines = append([]string{fmt.Sprintf("… %d lines before …", len(lines)-most)}, lines[len(lines)-most:]...)
	}
	return strings.Join(lines, "\n")
}

// stringOf is a string that may be missing.
func stringOf(v any) string {
	s, _ := v.(string)
	return s
}
