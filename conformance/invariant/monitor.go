package invariant

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
)

// group is whose TaskRuns are watched over.
const group = "tekton.dev/"

// DefaultTimeout is what a run has that names none.
const DefaultTimeout = time.Hour

// Options are what a Monitor is made of. Now is required.
type Options struct {
	// Now is the cluster's time.
	Now func() time.Time
	// Found, if set, is told of each violation as it is found.
	Found func(Violation)
	// Faulty says that things may go wrong until Disturbed is called: until then nothing
	// is asked of what takes its time.
	Faulty bool
	// AnyResults says that results need not come from termination messages.
	AnyResults bool
}

// Monitor watches over the runs of one namespace. It is safe for concurrent use.
type Monitor struct {
	o    Options
	mu   sync.Mutex
	runs map[string]*run // by UID
	pods map[string]*pod // by UID
	told map[string]bool
	list []Violation
	// calm is when things that could keep something running have last gone wrong.
	calm time.Time
}

// run is one TaskRun.
type run struct {
	uid, name, version string
	object             *unstructured.Unstructured
	gone               bool
	condition          condition
	doneAt             time.Time
	attempt            int
	attemptAt          time.Time
	writes             int
	pods               []*pod
}

// pod is one Pod of a run.
type pod struct {
	name    string
	run     *run
	attempt int
	object  *unstructured.Unstructured
	gone    bool
}

// live: it runs, or may yet. A Pod without a phase is in no cluster's hands.
func (p *pod) live() bool {
	return !p.gone && !ended(p.object) && text(mapping(p.object.Object, "status"), "phase") != ""
}

// NewMonitor returns a Monitor that has seen nothing.
func NewMonitor(o Options) *Monitor {
	return &Monitor{o: o, runs: map[string]*run{}, pods: map[string]*pod{}, told: map[string]bool{}}
}

// Saw shows the monitor a version of an object, or its end. Kinds other than
// TaskRuns and Pods are nothing to it.
func (m *Monitor) Saw(event watch.EventType, o *unstructured.Unstructured) {
	switch o.GetKind() {
	case "TaskRun":
		if version := o.GetAPIVersion(); strings.HasPrefix(version, group) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.sawRun(event, o, version)
		}
	case "Pod":
		m.mu.Lock()
		defer m.mu.Unlock()
		m.sawPod(event, o)
	}
}

// Disturbed says that something has gone wrong that may keep things running: graces
// count from now on.
func (m *Monitor) Disturbed() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calm = m.o.Now()
}

// Violations returns what was found so far.
func (m *Monitor) Violations() []Violation {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.list)
}

// Broken reports whether anything was found.
func (m *Monitor) Broken() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.list) > 0
}

func (m *Monitor) violated(rule, object string, backing []string, format string, args ...any) {
	key := rule + " " + object
	if m.told[key] {
		return // once is enough
	}
	m.told[key] = true
	v := Violation{Rule: rule, At: m.o.Now(), Object: object, Message: fmt.Sprintf(format, args...), Backing: backing}
	m.list = append(m.list, v)
	if m.o.Found != nil {
		m.o.Found(v)
	}
}

func (m *Monitor) sawRun(event watch.EventType, o *unstructured.Unstructured, version string) {
	uid := string(o.GetUID())
	r := m.runs[uid]
	if r == nil {
		r = &run{uid: uid, name: "taskrun/" + o.GetName(), version: version, attemptAt: m.o.Now()}
		m.runs[uid] = r
	}
	if r.version != version {
		return // the same run in another version of the API
	}
	if event == watch.Deleted {
		r.gone = true
		return
	}
	before := r.condition
	r.object, r.condition = o, succeeded(o)
	r.writes++
	status, spec := mapping(o.Object, "status"), mapping(o.Object, "spec")
	if attempt := len(list(status, "retriesStatus")); attempt != r.attempt {
		r.attempt, r.attemptAt = attempt, m.o.Now()
	}
	if retries, _ := number(spec, "retries"); r.attempt > retries {
		m.violated(RetriesBounded, r.name, []string{"S004-129"}, "%d attempts are archived, but spec.retries is %d", r.attempt, retries)
	}
	if before.done() && r.condition != before {
		m.violated(Final, r.name, nil, "the condition was %s and became %s", before, r.condition)
	}
	m.checkTime(r, status)
	m.checkWrites(r, status)
	m.checkPast(r)
	if !r.condition.done() {
		r.doneAt = time.Time{}
		return
	}
	if r.doneAt.IsZero() {
		r.doneAt = m.o.Now()
		m.checkSteps(r, status)
		m.checkResults(r, status)
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
		m.violated(CompletionTime, r.name, []string{"S004-166", "S004-167", "S004-168"}, "completionTime is set, but the condition is %s", c)
	case complete || !c.done():
	case c.status == "True":
		m.violated(CompletionTime, r.name, []string{"S004-170"}, "the condition is %s, but completionTime is not set", c)
	default:
		backing := map[string][]string{"Failed": {"S004-171"}, "TaskRunCancelled": {"S004-174"}, "TaskRunTimeout": {"S004-176"}}[c.reason]
		m.violated(CompletionTime, r.name, backing, "the condition is %s, but completionTime is not set", c)
	}
}

func (m *Monitor) checkWrites(r *run, status map[string]any) {
	bound := (r.attempt + 1) * (writesPerAttempt + writesPerStep*len(list(status, "steps")))
	if r.writes > bound {
		m.violated(NoStorm, r.name, nil, "it was written more than %d times", bound)
	}
	if !r.doneAt.IsZero() && m.o.Now().Sub(m.since(r.doneAt)) > Grace {
		m.violated(NoStorm, r.name, nil, "it was written %s after it was over", m.o.Now().Sub(r.doneAt))
	}
}

// since is when a grace begins that a disturbance prolongs.
func (m *Monitor) since(t time.Time) time.Time {
	if m.o.Faulty && m.calm.IsZero() {
		return m.o.Now()
	}
	if m.calm.After(t) {
		return m.calm
	}
	return t
}

func (m *Monitor) checkSteps(r *run, status map[string]any) {
	for _, item := range list(status, "steps") {
		if s := mapping(item); mapping(s, "terminated") == nil {
			m.violated(StepsEnded, r.name, nil, "the run is over (%s), but step %s has not terminated", r.condition.reason, text(s, "name"))
		}
	}
}

// checkResults compares a run's results with what its last Pod has written.
func (m *Monitor) checkResults(r *run, status map[string]any) {
	results := list(status, "taskResults")
	if results == nil {
		results = list(status, "results") // of version v1
	}
	if len(results) == 0 || m.o.AnyResults {
		return
	}
	var last *pod
	for _, p := range r.pods {
		if p.name == text(status, "podName") && p.attempt == r.attempt {
			last = p
		}
	}
	if last == nil {
		m.violated(LastResults, r.name, nil, "the run has results, but its last attempt no Pod")
		return
	}
	values, known := written(last.object)
	if !known {
		return
	}
	for _, item := range results {
		result := mapping(item)
		name := text(result, "name")
		wrote := values[name]
		value, plain := result["value"].(string)
		if len(wrote) == 0 {
			m.violated(LastResults, r.name, nil, "result %s is not what the last attempt wrote: it wrote none", name)
		} else if plain && value != wrote[len(wrote)-1] && !slices.Contains(wrote, value) {
			m.violated(LastResults, r.name, nil, "result %s is %q, but the last attempt wrote %q", name, value, wrote)
		}
	}
}

func (m *Monitor) sawPod(event watch.EventType, o *unstructured.Unstructured) {
	uid := string(o.GetUID())
	p := m.pods[uid]
	if p == nil {
		r := m.runs[owner(o)]
		if r == nil || event == watch.Deleted {
			return // nobody's, or of a run that is not watched
		}
		p = &pod{name: o.GetName(), run: r, attempt: r.attempt, object: o}
		m.pods[uid] = p
		r.pods = append(r.pods, p)
		for _, other := range r.pods {
			if other != p && other.attempt == p.attempt && other.live() {
				m.violated(OnePod, r.name, []string{"S002-005"}, "attempt %d has two live Pods, %s and %s", p.attempt, other.name, p.name)
			}
		}
	}
	p.object = o
	p.gone = event == watch.Deleted
}

// Settled reports whether everything has come to its end that must: no run is under
// way, and nothing runs of those that are over.
func (m *Monitor) Settled() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.runs {
		if !r.gone && r.doneAt.IsZero() {
			return false
		}
	}
	return m.quiet()
}

// Done reports whether every run that there is is over.
func (m *Monitor) Done() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.runs {
		if !r.gone && r.doneAt.IsZero() {
			return false
		}
	}
	return true
}

func (m *Monitor) quiet() bool {
	for _, p := range m.pods {
		if p.live() && (!p.run.doneAt.IsZero() || p.run.gone) {
			return false
		}
	}
	return true
}

// Deadline is when the last run must be over, and false if one need not be.
func (m *Monitor) Deadline() (time.Time, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	end := m.since(time.Time{})
	for _, r := range m.runs {
		if r.gone || !r.doneAt.IsZero() {
			continue
		}
		at, bounded := m.deadline(r)
		if !bounded {
			return time.Time{}, false
		}
		if at.After(end) {
			end = at
		}
	}
	return end, true
}

// deadline is when a run must be over: all attempts that it has left take their time.
func (m *Monitor) deadline(r *run) (time.Time, bool) {
	limit, bounded := timeout(r.object)
	if !bounded {
		return time.Time{}, false
	}
	retries, _ := number(mapping(r.object.Object, "spec"), "retries")
	left := int64(max(retries-r.attempt, 0) + 1)
	begun := r.attemptAt
	if at, ok := moment(mapping(r.object.Object, "status"), "startTime"); ok && at.After(begun) {
		begun = at
	}
	return m.since(begun).Add(time.Duration(left*int64(limit)) + Slack), true
}

// timeout of each attempt.
func timeout(o *unstructured.Unstructured) (time.Duration, bool) {
	value := text(mapping(o.Object, "spec"), "timeout")
	if value == "" {
		return DefaultTimeout, true
	}
	d, err := time.ParseDuration(value)
	return d, err == nil && d > 0
}

// Finish asks what must have come to be by now.
func (m *Monitor) Finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Now()
	for _, uid := range slices.Sorted(maps.Keys(m.runs)) {
		r := m.runs[uid]
		if !r.gone && r.doneAt.IsZero() {
			if at, bounded := m.deadline(r); bounded && now.After(at) {
				m.violated(Progress, r.name, []string{"S004-176"}, "it is not over, but %s, although its time was up at %s", r.condition, at.Format(time.RFC3339))
			}
		}
		m.checkPast(r)
		m.checkStopped(r, now)
		if !r.gone && !r.doneAt.IsZero() {
			m.right(r)
		}
	}
}

// checkPast asks whether what past attempts ran has stopped.
func (m *Monitor) checkPast(r *run) {
	if r.attempt == 0 || m.o.Now().Sub(m.since(r.attemptAt)) <= Grace {
		return
	}
	for _, p := range r.pods {
		if alive := running(p.object); p.attempt < r.attempt && !p.gone && len(alive) > 0 {
			m.violated(PastStopped, r.name, nil, "attempt %d is past, but its Pod %s still runs %s", p.attempt, p.name, strings.Join(alive, ", "))
		}
	}
}

// checkStopped asks whether what a run that is over has run has stopped.
func (m *Monitor) checkStopped(r *run, now time.Time) {
	if r.doneAt.IsZero() || now.Sub(m.since(r.doneAt)) <= Grace {
		return
	}
	for _, p := range r.pods {
		if p.attempt < r.attempt || !p.live() {
			continue
		}
		what := "is " + text(mapping(p.object.Object, "status"), "phase")
		if alive := running(p.object); len(alive) > 0 {
			what = "runs " + strings.Join(alive, ", ")
		}
		backing := map[string][]string{"TaskRunCancelled": {"S004-193"}, "TaskRunTimeout": {"S004-144"}}[r.condition.reason]
		if backing == nil {
			backing = []string{"S003-063"}
		}
		m.violated(NothingRuns, r.name, backing, "it has been over for %s, but its Pod %s still %s", now.Sub(r.doneAt), p.name, what)
	}
}

// right asks whether the state of a run that is over agrees with its spec.
func (m *Monitor) right(r *run) {
	status, spec := mapping(r.object.Object, "status"), mapping(r.object.Object, "spec")
	c := r.condition
	if c.status == "True" {
		for _, item := range list(status, "steps") {
			s := mapping(item)
			t := mapping(s, "terminated")
			if code, ok := number(t, "exitCode"); ok && code != 0 && !mayFail(status, text(s, "name"), text(s, "container")) {
				m.violated(RightState, r.name, []string{"S004-170"}, "it succeeded, but step %s ended with exit code %v", text(s, "name"), t["exitCode"])
			}
		}
		if steps := list(mapping(status, "taskSpec"), "steps"); len(steps) > 0 && len(steps) != len(list(status, "steps")) {
			m.violated(RightState, r.name, []string{"S004-170"}, "it succeeded, but shows %d of its %d steps", len(list(status, "steps")), len(steps))
		}
	}
	asked := text(spec, "status")
	if c.reason == "TaskRunCancelled" && asked == "" {
		m.violated(RightState, r.name, []string{"S004-174"}, "it is cancelled, but nobody asked for it")
	}
	if c.reason == "TaskRunTimeout" {
		limit, bounded := timeout(r.object)
		start, began := moment(status, "startTime")
		end, over := moment(status, "completionTime")
		if !bounded || began && over && end.Sub(start) < limit {
			m.violated(RightState, r.name, []string{"S004-176"}, "it has timed out after %s, but its timeout is %s", end.Sub(start), limit)
		}
	}
}

// mayFail reports whether a step's failure is not the run's.
func mayFail(status map[string]any, name, container string) bool {
	for i, item := range list(mapping(status, "taskSpec"), "steps") {
		s := mapping(item)
		if n := text(s, "name"); (n == name && n != "" || container == fmt.Sprintf("step-unnamed-%d", i)) && text(s, "onError") == "continue" {
			return true
		}
	}
	return false
}

// Any reports whether there has been a run.
func (m *Monitor) Any() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.runs) > 0
}
