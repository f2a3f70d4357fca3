package observe

import (
	"math"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/internal/untyped"
	"github.com/plumbline-ci/plumbline/reports"
)

// Names of a TaskRun's containers begin so.
const (
	StepPrefix    = "step-"
	sidecarPrefix = "sidecar-"
)

// millis is a time as timelines have it.
func (w *World) millis(t time.Time) int64 { return max(0, t.Sub(w.Start).Milliseconds()) }

// Timeline draws what was seen up to a time, from the versions alone. It is nil if nothing was.
func (w *World) Timeline(end time.Time) *reports.Timeline {
	w.Lock()
	defer w.Unlock()
	t := &reports.Timeline{End: w.millis(end)}
	var pods []*Life
	work := map[string]reports.Work{} // by pod/container
	uids := map[string]string{}       // names, by uid
	seen := map[string]bool{}         // one object is watched in each version of its API
	for _, l := range w.Lives() {
		if l.Kind.Name == "event" {
			continue
		}
		name := l.String()
		switch {
		case seen[name]:
			continue
		case l.Kind.Name == "pod":
			pods = append(pods, l)
			continue
		}
		seen[name] = true
		for i := range l.Versions {
			if uid := string(l.Versions[i].Meta.GetUID()); uid != "" {
				uids[uid] = name
			}
			w.worked(work, l.Versions[i].Object())
		}
		if transitions := w.transitions(l); len(transitions) > 0 {
			t.Objects = append(t.Objects, reports.ObjectLine{Object: name, Transitions: transitions})
		}
	}
	slices.SortStableFunc(pods, func(a, b *Life) int { return a.Versions[0].Seq - b.Versions[0].Seq })
	for _, l := range pods {
		t.Pods = append(t.Pods, w.podLines(l, uids, work)...)
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
func (w *World) transitions(l *Life) []reports.Transition {
	type state struct{ status, reason string }
	last := map[string]state{}
	var out []reports.Transition
	for i := range l.Versions {
		v := &l.Versions[i]
		for _, c := range untyped.Maps(v.Object().Object, "status", "conditions") {
			now := state{untyped.Text(c["status"]), untyped.Text(c["reason"])}
			kind := untyped.Text(c["type"])
			if was, ok := last[kind]; ok && was == now {
				continue
			}
			last[kind] = now
			out = append(out, reports.Transition{At: w.millis(v.At), Type: kind, Status: now.status, Reason: now.reason})
		}
	}
	return out
}

// podLines draws the Pods that had one name.
func (w *World) podLines(l *Life, uids map[string]string, work map[string]reports.Work) []reports.PodLine {
	var out []reports.PodLine
	for first := 0; first < len(l.Versions); {
		uid := l.Versions[first].Meta.GetUID()
		end := first + 1
		for end < len(l.Versions) && l.Versions[end].Meta.GetUID() == uid {
			end++
		}
		out = append(out, w.podLine(l.Versions[first:end], uids, work))
		first = end
	}
	return out
}

// podLine draws one Pod from its versions.
func (w *World) podLine(versions []Version, uids map[string]string, work map[string]reports.Work) reports.PodLine {
	begin, last := versions[0], versions[len(versions)-1]
	line := reports.PodLine{Name: begin.Meta.GetName(), From: w.millis(begin.At)}
	for _, r := range begin.Meta.GetOwnerReferences() {
		if name, ok := uids[string(r.UID)]; ok {
			line.Of = name
			break
		}
	}
	line.Phase, _, _ = unstructured.NestedString(last.Object().Object, "status", "phase")
	if last.Gone {
		to := w.millis(last.At)
		line.To = &to
	}
	for _, list := range []struct{ spec, status string }{{"initContainers", "initContainerStatuses"}, {"containers", "containerStatuses"}} {
		for _, c := range untyped.Maps(begin.Object().Object, "spec", list.spec) {
			name := untyped.Text(c["name"])
			spans := w.spans(versions, list.status, name)
			what := roleOf(list.spec, name, untyped.Text(c["restartPolicy"]))
			for i := range spans {
				spans[i].Role = what
			}
			if x, ok := work[line.Name+"/"+name]; ok && what == reports.RoleStep && len(spans) > 0 {
				spans[0].Work = clamp(x, &spans[0])
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
	case strings.HasPrefix(name, StepPrefix):
		return reports.RoleStep
	}
	return reports.RoleOther
}

// spans follows one container through the versions of its Pod. A new instance has a
// higher restart count; what the watch left out is known from the state after, to the second.
func (w *World) spans(versions []Version, field, name string) []reports.Span {
	var (
		out      []reports.Span
		instance int64
		open     bool // the last span has not ended
		ready    = w.millis(versions[0].At)
	)
	for i := range versions {
		v := &versions[i]
		at := w.millis(v.At)
		for _, c := range untyped.Maps(v.Object().Object, "status", field) {
			if untyped.Text(c["name"]) != name {
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
				finish(&out[len(out)-1], former, w.stamp(former["finishedAt"], out[len(out)-1].From, at))
				open = false
			}
			if (again || len(out) == 0) && (runs || ends) {
				from := at
				if len(out) > 0 {
					ready = *out[len(out)-1].To
				}
				if ends { // its start was not shown
					from = w.stamp(ended["startedAt"], ready, at)
				}
				out, instance, open = append(out, reports.Span{Container: name, From: from}), count, true
			}
			if ends && open {
				finish(&out[len(out)-1], ended, at)
				open = false
			}
		}
		if v.Gone && open {
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
	span.Reason = untyped.Text(ended["reason"])
}

// stamp reads a time of an object, which is cut to seconds and another machine's, and
// fits it between known times; a time outside of this run is replaced by the latest.
func (w *World) stamp(value any, from, to int64) int64 {
	t, err := time.Parse(time.RFC3339, untyped.Text(value))
	if err != nil || t.Before(w.Start.Add(-time.Minute)) {
		return to
	}
	return min(max(w.millis(t), from), to)
}

// worked collects from a run's status when its steps worked.
func (w *World) worked(into map[string]reports.Work, run *unstructured.Unstructured) {
	pod, _, _ := unstructured.NestedString(run.Object, "status", "podName")
	if pod == "" {
		return
	}
	for _, step := range untyped.Maps(run.Object, "status", "steps") {
		ended, ok := step["terminated"].(map[string]any)
		name := untyped.Text(step["container"])
		if !ok || name == "" {
			continue
		}
		_, started := ended["startedAt"]
		if _, finished := ended["finishedAt"]; !started || !finished {
			continue
		}
		to := w.stamp(ended["finishedAt"], 0, math.MaxInt64)
		into[pod+"/"+name] = reports.Work{From: w.stamp(ended["startedAt"], 0, to), To: to}
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
