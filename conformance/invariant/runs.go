package invariant

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
)

// run is one run of any kind.
type run struct {
	kind               *kind
	uid, name, version string
	// owner is the UID of the run that made it, if one did.
	owner     string
	object    *unstructured.Unstructured
	gone      bool
	condition condition
	doneAt    time.Time
	attempt   int
	// firstAt is when it was seen first, attemptAt when this attempt was.
	firstAt, attemptAt time.Time
	writes             int
	pods               []*pod
	// shown are the ends of steps that were shown of this attempt, started when it began.
	shown   map[string]string
	started string
	// lists says that a version of it has listed steps.
	lists bool
	// kept is what its status was when it was over.
	kept    map[string]any
	visited visits
}

func (r *run) spec() map[string]any { return mapping(r.object.Object, "spec") }

func (r *run) status() map[string]any { return mapping(r.object.Object, "status") }

func (m *Monitor) sawRun(k *kind, event watch.EventType, o *unstructured.Unstructured) {
	uid, version := string(o.GetUID()), o.GetAPIVersion()
	r := m.runs[uid]
	if r == nil {
		now := m.o.Now()
		r = &run{kind: k, uid: uid, name: k.name + "/" + o.GetName(), version: version, owner: m.ownerOf(o), firstAt: now, attemptAt: now}
		m.runs[uid] = r
	}
	if r.version != version {
		return // the same run in another version of the API
	}
	if event == watch.Deleted {
		r.gone = true
		return
	}
	before, complete := r.condition, r.object != nil && r.status()["completionTime"] != nil
	first := r.object == nil
	r.object, r.condition = o, succeeded(o)
	if first {
		m.checkChild(r)
	}
	m.checkSkipped(r)
	visited := m.checkVisits(r.name, r.kind, &r.visited, o)
	if !visited {
		r.writes++
	}
	status := r.status()
	if attempt := len(list(status, "retriesStatus")); attempt != r.attempt {
		m.checkSoon(r)
		r.attempt, r.attemptAt = attempt, m.o.Now()
		r.shown, r.started = nil, ""
	}
	if retries, _ := number(r.spec(), "retries"); r.attempt > retries {
		m.violated(RetriesBounded, r.name, k.backing(RetriesBounded, anyCase), "%d attempts are archived, but spec.retries is %d", r.attempt, retries)
	}
	if before.done() && r.condition != before {
		which := anyCase
		if complete {
			which = whole
		}
		m.violated(Final, r.name, k.backing(Final, which), "the condition was %s and became %s", before, r.condition)
	}
	m.checkTime(r, status)
	m.checkStart(r, status)
	r.lists = r.lists || len(list(status, "steps")) > 0
	m.checkShown(r, status)
	m.checkKept(r, status)
	if !visited {
		m.checkWrites(r, status)
	}
	m.checkPast(r)
	if !r.condition.done() {
		r.doneAt = time.Time{}
		return
	}
	if r.doneAt.IsZero() {
		m.checkSoon(r)
		r.doneAt = m.o.Now()
		if k.pods {
			m.checkSteps(r, status)
			m.checkListed(r, status)
			m.checkResults(r, status)
		}
	}
}

// String renders a condition: False/Failed "…".
func (c condition) String() string {
	if c.status == "" {
		return "nothing"
	}
	return fmt.Sprintf("%s/%s %q since %s", c.status, c.reason, c.message, c.since)
}

func (m *Monitor) checkTime(r *run, status map[string]any) {
	_, complete := status["completionTime"]
	switch c := r.condition; {
	case complete && !c.done():
		m.violated(CompletionTime, r.name, r.kind.backing(CompletionTime, early), "completionTime is set, but the condition is %s", c)
	case complete || !c.done():
	case c.status == "True":
		m.violated(CompletionTime, r.name, r.kind.backing(CompletionTime, succeeds), "the condition is %s, but completionTime is not set", c)
	default:
		m.violated(CompletionTime, r.name, r.kind.backing(CompletionTime, c.reason), "the condition is %s, but completionTime is not set", c)
	}
}

func (m *Monitor) checkWrites(r *run, status map[string]any) {
	bound := (r.attempt + 1) * (writesPerAttempt + writesPerPart*r.kind.parts(status))
	if r.writes > bound {
		m.violated(NoStorm, r.name, r.kind.backing(NoStorm, anyCase), "it was written more than %d times", bound)
	}
	if !r.doneAt.IsZero() && m.o.Now().Sub(m.since(r.doneAt)) > Grace {
		m.violated(NoStorm, r.name, r.kind.backing(NoStorm, anyCase), "it was written %s after it was over", m.o.Now().Sub(r.doneAt))
	}
}

// deadline is when a run must be over: all attempts that it has left take their time.
func (m *Monitor) deadline(r *run) (time.Time, bool) {
	limit, bounded := r.kind.timeout(r.spec())
	if !bounded || r.held() || r.unattended() {
		return time.Time{}, false
	}
	left, begun := int64(1), r.firstAt
	if !r.kind.Whole {
		retries, _ := number(r.spec(), "retries")
		left, begun = int64(max(retries-r.attempt, 0)+1), r.attemptAt
	}
	if at, ok := moment(r.status(), "startTime"); ok && at.After(begun) {
		begun = at
	}
	return m.since(begun).Add(time.Duration(left*int64(limit)) + Slack), true
}

// held reports whether the user keeps the run from beginning.
func (r *run) held() bool {
	_, began := moment(r.status(), "startTime")
	return !began && r.kind.Held != "" && text(r.spec(), "status") == r.kind.Held
}

// unattended reports whether the run is for another program than the one that is judged, which has said nothing of it.
func (r *run) unattended() bool { return r.kind.Foreign && r.condition.status == "" }

// checkStopped asks whether what a run that is over has run has stopped, at any depth below it.
func (m *Monitor) checkStopped(r *run, now time.Time) {
	if r.doneAt.IsZero() || now.Sub(m.since(r.doneAt)) <= Grace {
		return
	}
	backing := r.kind.backing(NothingRuns, r.condition.reason)
	for _, p := range r.pods {
		if p.attempt < r.attempt || !p.live() {
			continue
		}
		m.violated(NothingRuns, r.name, backing, "it has been over for %s, but its Pod %s still %s", now.Sub(r.doneAt), p.name, p.does())
	}
	for _, child := range m.children(r) {
		if what, alive := m.alive(child); alive && !child.unattended() {
			m.violated(NothingRuns, r.name, backing, "it has been over for %s, but %s", now.Sub(r.doneAt), what)
		}
	}
}

// alive says what is alive of a child of a run that is over. Of a child that is over itself, its own end is asked about.
func (m *Monitor) alive(r *run) (string, bool) {
	switch {
	case !r.gone && r.doneAt.IsZero():
		return "its " + r.name + " is not", true
	case !r.gone:
		return "", false
	}
	for _, p := range r.pods {
		if p.live() {
			return fmt.Sprintf("the Pod %s of its %s, which is gone, still %s", p.name, r.name, p.does()), true
		}
	}
	for _, child := range m.children(r) {
		if what, alive := m.alive(child); alive && !child.unattended() {
			return what, true
		}
	}
	return "", false
}

// children are the runs that a run has made, in the order of their names.
func (m *Monitor) children(r *run) []*run {
	var out []*run
	for _, other := range m.runs {
		if other.owner == r.uid && other != r {
			out = append(out, other)
		}
	}
	slices.SortFunc(out, func(a, b *run) int { return strings.Compare(a.name+" "+a.uid, b.name+" "+b.uid) })
	return out
}

// right asks whether the state of a run that is over agrees with its spec.
func (m *Monitor) right(r *run) {
	status, spec, k := r.status(), r.spec(), r.kind
	c := r.condition
	if k.pods && c.status == "True" {
		m.checkSuccess(r, status)
	}
	m.checkParent(r)
	if slices.Contains(k.Cancelled, c.reason) && text(spec, "status") == "" && !m.someCancelled(r) {
		m.violated(RightState, r.name, k.backing(RightState, cancelled), "it is cancelled, but its spec does not ask for it")
	}
	if slices.Contains(k.TimedOut, c.reason) {
		limit, bounded := k.timeout(spec)
		start, began := moment(status, "startTime")
		end, over := moment(status, "completionTime")
		if !bounded || began && over && end.Sub(start) < limit {
			m.violated(RightState, r.name, k.backing(RightState, timedOut), "it has timed out after %s, but its timeout is %s", end.Sub(start), limit)
		}
	}
}
