package conformance

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/reports"
)

// Names of a TaskRun's containers begin so.
const (
	stepPrefix    = "step-"
	sidecarPrefix = "sidecar-"
)

// millis is a time as timelines have it.
func (s *session) millis(t time.Time) int64 { return max(0, t.Sub(s.start).Milliseconds()) }

// timeline draws what was seen, from the versions alone. It is nil if nothing was.
func (s *session) timeline() *reports.Timeline {
	if s.world == nil {
		return nil
	}
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	t := &reports.Timeline{End: s.millis(s.cluster.Now())}
	if !s.ended.IsZero() {
		t.End = s.millis(s.ended)
	}
	var pods []*life
	work := map[string]reports.Work{} // by pod/container
	uids := map[string]string{}       // who has which uid
	seen := map[string]bool{}         // one object is watched in each version of its API
	for _, key := range slices.Sorted(maps.Keys(s.world.lives)) {
		l := s.world.lives[key]
		name := l.kind.Name + "/" + l.name
		switch {
		case l.kind.Name == "event" || seen[name]:
			continue
		case l.kind.Name == "pod":
			pods = append(pods, l)
			continue
		}
		seen[name] = true
		for i := range l.versions {
			if uid := string(l.versions[i].object.GetUID()); uid != "" {
				uids[uid] = name
			}
			s.worked(work, l.versions[i].object)
		}
		if transitions := s.transitions(l); len(transitions) > 0 {
			t.Objects = append(t.Objects, reports.ObjectLine{Object: name, Transitions: transitions})
		}
	}
	slices.SortStableFunc(pods, func(a, b *life) int { return a.versions[0].seq - b.versions[0].seq })
	for _, l := range pods {
		t.Pods = append(t.Pods, s.podLines(l, uids, work)...)
	}
	number(t.Pods)
	if len(t.Objects) == 0 && len(t.Pods) == 0 {
		return nil
	}
	return t
}

// number counts the attempts of objects that had several Pods.
func number(pods []reports.PodLine) {
	of := map[string]int{}
	for i := range pods {
		of[pods[i].Of]++
	}
	next := map[string]int{}
	for i := range pods {
		if owner := pods[i].Of; owner != "" && of[owner] > 1 {
			next[owner]++
			pods[i].Attempt = next[owner]
		}
	}
}

// transitions lists the changes of an object's conditions.
func (s *session) transitions(l *life) []reports.Transition {
	type state struct{ status, reason string }
	last := map[string]state{}
	var out []reports.Transition
	for i := range l.versions {
		v := &l.versions[i]
		for _, c := range entries(v.object.Object, "status", "conditions") {
			now := state{stringOf(c["status"]), stringOf(c["reason"])}
			kind := stringOf(c["type"])
			if was, ok := last[kind]; ok && was == now {
				continue
			}
			last[kind] = now
			out = append(out, reports.Transition{At: s.millis(v.at), Type: kind, Status: now.status, Reason: now.reason})
		}
	}
	return out
}

// podLines draws the Pods that had one name.
func (s *session) podLines(l *life, uids map[string]string, work map[string]reports.Work) []reports.PodLine {
	var out []reports.PodLine
	for first := 0; first < len(l.versions); {
		uid := l.versions[first].object.GetUID()
		end := first + 1
		for end < len(l.versions) && l.versions[end].object.GetUID() == uid {
			end++
		}
		out = append(out, s.podLine(l.versions[first:end], uids, work))
		first = end
	}
	return out
}

// podLine draws one Pod from its versions.
func (s *session) podLine(versions []version, uids map[string]string, work map[string]reports.Work) reports.PodLine {
	begin, last := versions[0], versions[len(versions)-1]
	line := reports.PodLine{Name: begin.object.GetName(), From: s.millis(begin.at)}
	for _, r := range begin.object.GetOwnerReferences() {
		if name, ok := uids[string(r.UID)]; ok {
			line.Of = name
			break
		}
	}
	line.Phase, _, _ = unstructured.NestedString(last.object.Object, "status", "phase")
	if last.gone {
		to := s.millis(last.at)
		line.To = &to
	}
	for _, list := range []struct{ spec, status string }{{"initContainers", "initContainerStatuses"}, {"containers", "containerStatuses"}} {
		for _, c := range entries(begin.object.Object, "spec", list.spec) {
			name := stringOf(c["name"])
			spans := s.spans(versions, list.status, name)
			what := roleOf(list.spec, name, stringOf(c["restartPolicy"]))
			for i := range spans {
				spans[i].Role = what
			}
			if w, ok := work[line.Name+"/"+name]; ok && what == reports.RoleStep && len(spans) > 0 {
				spans[0].Work = clamp(w, &spans[0])
			}
			line.Spans = append(line.Spans, spans...)
		}
	}
	return line
}

func roleOf(list, name, restartPolicy string) reports.Role {
	switch {
	case list == "initContainers" && restartPolicy == "Always", strings.HasPrefix(name, sidecarPrefix):
		return reports.RoleSidecar
	case list == "initContainers":
		return reports.RoleInit
	case strings.HasPrefix(name, stepPrefix):
		return reports.RoleStep
	}
	return reports.RoleOther
}

// spans follows one container through the versions of its Pod. A new instance has a
// higher restart count; what the watch left out is known from the state after, to the second.
func (s *session) spans(versions []version, field, name string) []reports.Span {
	var (
		out      []reports.Span
		instance int64
		open     bool // the last span has not ended
		ready    = s.millis(versions[0].at)
	)
	for i := range versions {
		v := &versions[i]
		at := s.millis(v.at)
		for _, c := range entries(v.object.Object, "status", field) {
			if stringOf(c["name"]) != name {
				continue
			}
			count, _ := c["restartCount"].(int64)
			state, _ := c["state"].(map[string]any)
			_, runs := state["running"].(map[string]any)
			ended, ends := state["terminated"].(map[string]any)
			again := len(out) > 0 && count > instance
			if again && open {
				last, _ := c["lastState"].(map[string]any)
				former, _ := last["terminated"].(map[string]any)
				finish(&out[len(out)-1], former, s.stamp(former["finishedAt"], out[len(out)-1].From, at))
				open = false
			}
			if (again || len(out) == 0) && (runs || ends) {
				from := at
				if len(out) > 0 {
					ready = *out[len(out)-1].To
				}
				if ends { // its start was not shown
					from = s.stamp(ended["startedAt"], ready, at)
				}
				out, instance, open = append(out, reports.Span{Container: name, From: from}), count, true
			}
			if ends && open {
				finish(&out[len(out)-1], ended, at)
				open = false
			}
		}
		if v.gone && open {
			finish(&out[len(out)-1], nil, at)
			open = false
		}
	}
	return out
}

// finish ends a span as a terminated state tells.
func finish(span *reports.Span, ended map[string]any, at int64) {
	span.To = &at
	if code, ok := ended["exitCode"].(int64); ok {
		span.Exit = &code
	}
	span.Reason = stringOf(ended["reason"])
}

// stamp reads a time of an object, which is cut to seconds and another machine's, and
// fits it between known times; a time outside of this run is replaced by the latest.
func (s *session) stamp(value any, from, to int64) int64 {
	t, err := time.Parse(time.RFC3339, stringOf(value))
	if err != nil || t.Before(s.start.Add(-time.Minute)) {
		return to
	}
	return min(max(s.millis(t), from), to)
}

// worked collects from a run's status when its steps worked.
func (s *session) worked(into map[string]reports.Work, run *unstructured.Unstructured) {
	pod, _, _ := unstructured.NestedString(run.Object, "status", "podName")
	if pod == "" {
		return
	}
	for _, step := range entries(run.Object, "status", "steps") {
		ended, ok := step["terminated"].(map[string]any)
		name := stringOf(step["container"])
		if !ok || name == "" {
			continue
		}
		_, started := ended["startedAt"]
		if _, finished := ended["finishedAt"]; !started || !finished {
			continue
		}
		to := s.stamp(ended["finishedAt"], 0, math.MaxInt64)
		into[pod+"/"+name] = reports.Work{From: s.stamp(ended["startedAt"], 0, to), To: to}
	}
}

// clamp fits work, which is known to the second, into the span that was seen.
func clamp(w reports.Work, span *reports.Span) *reports.Work {
	fit := func(t int64) int64 {
		if span.To != nil {
			t = min(t, *span.To)
		}
		return max(t, span.From)
	}
	return &reports.Work{From: fit(w.From), To: fit(w.To)}
}

// entries returns the maps of a list in an object, without copying them.
func entries(object map[string]any, path ...string) []map[string]any {
	var at any = object
	for _, field := range path {
		m, _ := at.(map[string]any)
		at = m[field]
	}
	list, _ := at.([]any)
	out := make([]map[string]any, 0, len(list))
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}
