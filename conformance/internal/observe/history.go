package observe

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/conformance/match"
	"github.com/plumbline-ci/plumbline/internal/untyped"
)

// State renders the state of an object in a few words: its conditions, a Pod's phase.
func State(o *unstructured.Unstructured) string {
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

// History lists each change of the objects' states, in order.
func (w *World) History(lives []*Life) []string {
	w.Lock()
	defer w.Unlock()
	var lines []string
	for _, l := range lives {
		last := ""
		for i := range l.Versions {
			v := &l.Versions[i]
			state := State(v.Object())
			if v.Gone {
				state = "deleted"
			}
			if state == last {
				continue
			}
			last = state
			lines = append(lines, fmt.Sprintf("+%s %s/%s: %s", w.Since(v.At), l.Kind.Name, l.Name, state))
		}
	}
	return Limit(lines, 40)
}

// Limit keeps the beginning and the end of a long account.
func Limit(lines []string, most int) []string {
	if len(lines) <= most {
		return lines
	}
	cut := fmt.Sprintf("… %d more …", len(lines)-most)
	return slices.Concat(lines[:most/2], []string{cut}, lines[len(lines)-most/2:])
}

// Telling returns the objects whose history tells most where a failure names none: all but Pods, or those.
func (w *World) Telling() []*Life {
	w.Lock()
	defer w.Unlock()
	var runs, pods []*Life
	seen := map[string]bool{}
	for _, l := range w.Lives() {
		name := l.String()
		switch {
		case l.Kind.Name == "event" || seen[name]:
		case l.Kind.Name == "pod":
			pods = append(pods, l)
		case slices.ContainsFunc(l.Versions, func(v Version) bool { return len(untyped.Maps(v.Object().Object, "status", "conditions")) > 0 }):
			runs = append(runs, l)
		}
		seen[name] = true
	}
	if len(runs) == 0 {
		return pods
	}
	return runs
}

// Tail returns the last lines of a log.
func Tail(text string) string {
	const most = 20
	lines := strings.Split(strings.TrimRight(strings.ToValidUTF8(text, "?"), "\n"), "\n")
	if len(lines) > most {
		lines = append([]string{fmt.Sprintf("… %d lines before …", len(lines)-most)}, lines[len(lines)-most:]...)
	}
	return strings.Join(lines, "\n")
}
