package command

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/advice"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/internal/untyped"
	"github.com/plumbline-ci/plumbline/simulator/kubelet"
)

var (
	podKind   = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	eventKind = schema.GroupVersionKind{Version: "v1", Kind: "Event"}
)

// witness keeps what happens in a cluster while it happens: of Pods that are deleted, nothing could be asked afterwards.
type witness struct {
	runs  []*run             // in the order of their creation
	byUID map[types.UID]*run // the same
	pods  map[string]*pod    // the one that has a name now, by namespace/name
	mixed bool               // there is a run of another kind than TaskRun
	open  int                // how many runs at the top of a tree are not over
	now   func() time.Time
	// writtenAs is the apiVersion of an object's manifest, or nothing for what no manifest has.
	writtenAs func(*unstructured.Unstructured) string
}

// run is one run of any kind, and a node of the tree that ownership makes.
type run struct {
	kind     fixture.KindInfo
	parent   *run
	children []*run // in the order of their creation
	object   *unstructured.Unstructured
	created  time.Time
	moments  []moment
	seen     map[string]string // what was said last about something
	began    time.Time         // when the first of its steps started
	finished time.Time         // when it ended, or was deleted
	pods     []*pod            // in the order of their creation
}

// pod is one Pod of a run.
type pod struct {
	run    *run
	object *unstructured.Unstructured
	logs   map[string][]byte // by container
	// blocked is what kept it from running when it was seen last before its end.
	blocked advice.Blocked
	gone    bool
}

// name is the Pod's name.
func (p *pod) name() string { return p.object.GetName() }

// moment is one line of a timeline.
type moment struct {
	at   time.Time
	what string
}

func newWitness() *witness {
	return &witness{byUID: map[types.UID]*run{}, pods: map[string]*pod{}}
}

// maxLog bounds what is kept of one container's output.
const maxLog = 1 << 20

func (w *witness) output(o kubelet.Output) {
	p := w.pods[o.Namespace+"/"+o.Pod]
	if p == nil || o.Restarts > 0 {
		return // a sidecar under another image; the first instance is the one to show
	}
	if len(p.logs[o.Container]) < maxLog {
		p.logs[o.Container] = append(p.logs[o.Container], o.Data...)
	}
}

func (w *witness) watch(c *fake.Cluster) (stop func(), err error) {
	w.now = c.Now
	var stops []func()
	stop = func() {
		for _, s := range stops {
			s()
		}
	}
	observe := func(gvk schema.GroupVersionKind, handler func(watch.EventType, *unstructured.Unstructured)) error {
		s, err := c.Observe(gvk, "", handler)
		if err == nil {
			stops = append(stops, s)
		}
		return err
	}
	for _, kind := range fixture.Kinds() {
		if kind.Run == nil {
			continue
		}
		err := observe(schema.GroupVersionKind{Group: kind.Group, Version: kind.Version, Kind: kind.Kind}, func(event watch.EventType, o *unstructured.Unstructured) {
			w.saw(kind, event, o)
		})
		if err != nil && !meta.IsNoMatchError(err) { // a kind that the cluster does not serve has no runs
			return stop, err
		}
	}
	if err := observe(podKind, w.pod); err != nil {
		return stop, err
	}
	if err := observe(eventKind, w.event); err != nil {
		return stop, err
	}
	return stop, nil
}

// event takes warnings about Pods into the timeline: pull failures, volumes, what the simulation itself ended.
func (w *witness) event(_ watch.EventType, o *unstructured.Unstructured) {
	text := func(path ...string) string {
		s, _, _ := unstructured.NestedString(o.Object, path...)
		return s
	}
	if text("type") != "Warning" || text("involvedObject", "kind") != "Pod" {
		return
	}
	key := text("involvedObject", "namespace") + "/" + text("involvedObject", "name")
	if p := w.pods[key]; p != nil {
		p.run.say(w.now(), "event/"+key+"/"+text("reason"), "warning "+text("reason")+": "+strings.TrimSpace(text("message")))
	}
}

func (w *witness) saw(kind fixture.KindInfo, event watch.EventType, o *unstructured.Unstructured) {
	r := w.byUID[o.GetUID()]
	if r == nil {
		r = &run{kind: kind, created: w.now(), seen: map[string]string{}, parent: w.ownerOf(o)}
		w.runs, w.byUID[o.GetUID()] = append(w.runs, r), r
		w.mixed = w.mixed || kind.Kind != "TaskRun"
		if r.parent != nil {
			r.parent.children = append(r.parent.children, r)
		}
	} else if r.parent == nil && !r.over() {
		w.open--
	}
	defer func() {
		if r.parent == nil && !r.over() {
			w.open++
		}
	}()
	r.object = o
	if event == watch.Deleted {
		r.say(w.now(), "deleted", kind.Kind+" deleted")
		if r.finished.IsZero() {
			r.finished = w.now()
		}
		return
	}
	c := untyped.Succeeded(o.Object)
	text := strings.TrimSpace(fmt.Sprintf("%s/%s %s", c.Status, c.Reason, c.Message))
	if c.Reason != "" {
		r.say(w.now(), "condition", text)
	}
	if c.Done() && r.finished.IsZero() {
		r.finished = w.now()
	}
}

func (w *witness) pod(event watch.EventType, o *unstructured.Unstructured) {
	r := w.ownerOf(o)
	if r == nil {
		return
	}
	key := o.GetNamespace() + "/" + o.GetName()
	p := w.pods[key]
	if p == nil || p.object.GetUID() != o.GetUID() {
		p = &pod{run: r, logs: map[string][]byte{}}
		w.pods[key] = p
		r.pods = append(r.pods, p)
		r.say(w.now(), key, "Pod "+o.GetName()+" created")
	}
	p.object = o
	if event == watch.Deleted {
		p.gone = true
		r.say(w.now(), key, "Pod "+o.GetName()+" gone")
		return
	}
	if phase, _, _ := unstructured.NestedString(o.Object, "status", "phase"); phase == "Pending" || phase == "" {
		p.blocked, _ = advice.Blockage(o.Object)
	} else if phase != "Failed" {
		p.blocked = advice.Blocked{}
	}
	for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
		for _, s := range untyped.Maps(o.Object, "status", list) {
			name, _, _ := unstructured.NestedString(s, "name")
			if _, runs, _ := unstructured.NestedMap(s, "state", "running"); runs && r.began.IsZero() && strings.HasPrefix(name, "step-") {
				r.began = w.now()
			}
			if text := stateOf(s); text != "" {
				r.say(w.now(), key+"/"+name, name+" "+text)
			}
		}
	}
}

// stateOf says what a container does, or nothing while it waits without trouble.
func stateOf(status map[string]any) string {
	if t, ok, _ := unstructured.NestedMap(status, "state", "terminated"); ok {
		text := fmt.Sprintf("ended: %v (exit code %v)", t["reason"], t["exitCode"])
		return text
	}
	if _, ok, _ := unstructured.NestedMap(status, "state", "running"); ok {
		return "started"
	}
	if wait, ok, _ := unstructured.NestedMap(status, "state", "waiting"); ok {
		if reason := fmt.Sprint(wait["reason"]); reason != "PodInitializing" && reason != "ContainerCreating" {
			return fmt.Sprintf("waits: %s %v", reason, orNothing(wait["message"]))
		}
	}
	return ""
}

func orNothing(v any) any {
	if v == nil {
		return ""
	}
	return v
}

func (r *run) say(at time.Time, about, text string) {
	if r.seen[about] == text {
		return
	}
	r.seen[about] = text
	r.moments = append(r.moments, moment{at, text})
}

// ownerOf is the run that an object belongs to, or nil.
func (w *witness) ownerOf(o *unstructured.Unstructured) *run {
	for _, ref := range o.GetOwnerReferences() {
		if r := w.byUID[ref.UID]; r != nil {
			return r
		}
	}
	return nil
}

// outcome returns one sentence about the end of the run: the condition's message and, if that does not say it, what kept
// its Pod from running.
func (r *run) outcome() string {
	c := untyped.Succeeded(r.object.Object)
	message := strings.TrimSpace(c.Message)
	if len(r.pods) == 0 || c.Status == "True" {
		return message
	}
	blocked := r.pods[len(r.pods)-1].blocked
	if blocked.What == "" || blocked.Why != "" && strings.Contains(message, blocked.Why) {
		return message
	}
	return message + ": " + blocked.String()
}
