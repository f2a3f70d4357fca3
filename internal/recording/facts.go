package recording

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Fact is what one field of one object is.
type Fact struct {
	// Object is kind/name; the second object of a name ends in #2.
	Object string
	// Field is what it is about, in words.
	Field string
	// Value is what it is. A fact that is missing is the same as an empty one.
	Value string
}

// Facts are what a recording or a cluster shows.
type Facts []Fact

func (f *Facts) add(object, field, value string) {
	if value = normal(value); value != "" {
		*f = append(*f, Fact{object, field, value})
	}
}

// Difference is a fact that is not the same.
type Difference struct {
	Object, Field string
	// Recorded and Replayed are the values; empty means that there is none.
	Recorded, Replayed string
}

// Compare returns where two sets of facts differ, in the order of the recorded ones, then of the replayed ones.
func Compare(recorded, replayed Facts) []Difference {
	type key struct{ object, field string }
	index := map[key]int{}
	var list []Difference
	at := func(x Fact) *Difference {
		k := key{x.Object, x.Field}
		i, known := index[k]
		if !known {
			i = len(list)
			index[k] = i
			list = append(list, Difference{Object: x.Object, Field: x.Field})
		}
		return &list[i]
	}
	for _, x := range recorded {
		at(x).Recorded = x.Value
	}
	for _, x := range replayed {
		at(x).Replayed = x.Value
	}
	return slices.DeleteFunc(list, func(d Difference) bool { return d.Recorded == d.Replayed })
}

// run is the status of a TaskRun, as far as facts are about it.
type run struct {
	CompletionTime string      `json:"completionTime"`
	Conditions     []condition `json:"conditions"`
	PodName        string      `json:"podName"`
	Steps          []container `json:"steps"`
	Sidecars       []container `json:"sidecars"`
	Results        []result    `json:"taskResults"`
	Attempts       []run       `json:"retriesStatus"`
}

type condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type container struct {
	Name      string `json:"name"`
	Container string `json:"container"`
	corev1.ContainerState
}

type result struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value any    `json:"value"`
}

// status says what a status is, of the run itself or of an earlier attempt.
func (f *Facts) status(object, prefix string, s *run) {
	f.condition(object, prefix, s.Conditions)
	if s.CompletionTime != "" {
		f.add(object, prefix+"completionTime", "set")
	}
	f.add(object, prefix+"podName", s.PodName)
	for i := range s.Steps {
		f.add(object, fmt.Sprintf("%sstep %d", prefix, i), ended(&s.Steps[i]))
	}
	for i := range s.Sidecars {
		f.add(object, fmt.Sprintf("%ssidecar %d", prefix, i), ended(&s.Sidecars[i]))
	}
	for _, r := range s.Results {
		f.add(object, prefix+"result "+r.Name, r.Type+" "+compact(r.Value))
	}
	if prefix != "" {
		return
	}
	f.add(object, "retries", fmt.Sprint(len(s.Attempts)))
	for i := range s.Attempts {
		f.status(object, fmt.Sprintf("attempt %d: ", i), &s.Attempts[i])
	}
}

func (f *Facts) condition(object, prefix string, conditions []condition) {
	for _, c := range conditions {
		if c.Type == "Succeeded" {
			f.add(object, prefix+"condition", c.Status+" "+c.Reason)
			f.add(object, prefix+"message", c.Message)
		}
	}
}

// compact is a value as JSON, with its text as it is.
func compact(value any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return err.Error() // of what came from JSON there is none
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func ended(c *container) string {
	return fmt.Sprintf("%s in %s: %s", c.Name, c.Container, state(&c.ContainerState))
}

func state(s *corev1.ContainerState) string {
	switch {
	case s.Terminated != nil:
		return fmt.Sprintf("%s, exit code %d", s.Terminated.Reason, s.Terminated.ExitCode)
	case s.Waiting != nil:
		return "waiting, " + s.Waiting.Reason
	case s.Running != nil:
		return "running"
	}
	return "nothing"
}

// annotationReady tells the first step that it may start.
const annotationReady = "tekton.dev/ready"

// created says what a Pod was when it was made.
func (f *Facts) created(object string, pod *corev1.Pod) {
	f.add(object, "ready annotation at creation", pod.Annotations[annotationReady])
	for _, list := range []struct {
		title      string
		containers []corev1.Container
	}{{"init containers", pod.Spec.InitContainers}, {"containers", pod.Spec.Containers}} {
		names := make([]string, len(list.containers))
		for i := range list.containers {
			names[i] = list.containers[i].Name
		}
		f.add(object, list.title, strings.Join(names, " "))
		for i := range list.containers {
			f.container(object, &list.containers[i])
		}
	}
}

func (f *Facts) container(object string, c *corev1.Container) {
	argv := slices.Concat(c.Command, []string{"|"}, c.Args)
	for i := range argv {
		argv[i] = unrandom(argv[i])
	}
	f.add(object, c.Name+": argv", strings.Join(argv, "\n"))
	f.add(object, c.Name+": workingDir", c.WorkingDir)
	var mounts []string
	for _, m := range c.VolumeMounts {
		text := unrandom(m.Name) + " on " + m.MountPath
		if m.SubPath != "" {
			text += ", path " + m.SubPath
		}
		if m.ReadOnly {
			text += ", read-only"
		}
		mounts = append(mounts, text)
	}
	f.add(object, c.Name+": mounts", strings.Join(mounts, "\n"))
}

// final records how a Pod ended: whether it was deleted, and which of its containers got another image.
func (f *Facts) final(object string, gone bool, before *corev1.Pod, images map[string]string, phase corev1.PodPhase) {
	switch {
	case gone:
		f.add(object, "end", "deleted")
	default:
		f.add(object, "end", string(phase))
	}
	for i := range before.Spec.Containers {
		if c := &before.Spec.Containers[i]; images[c.Name] != c.Image {
			f.add(object, c.Name+": image", "exchanged")
		}
	}
}

// ordinal names an object, or the second one of a name.
func ordinal(seen map[string]int, object string) string {
	seen[object]++
	if n := seen[object]; n > 1 {
		return fmt.Sprintf("%s#%d", object, n)
	}
	return object
}

// squeezed is how long a run of one character is before it is written shortly.
const squeezed = 400

// normal takes away what is of the machine, and shortens what is long.
func normal(text string) string {
	text = digests.ReplaceAllString(text, "IMAGE")
	text = accessMounts.ReplaceAllString(text, "kube-api-access-*")
	return squeeze(text)
}

func squeeze(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		n := i + 1
		for n < len(text) && text[n] == text[i] {
			n++
		}
		if n-i >= squeezed {
			fmt.Fprintf(&b, "<<%c x %d>>", text[i], n-i)
		} else {
			b.WriteString(text[i:n])
		}
		i = n
	}
	return b.String()
}

var (
	digests      = regexp.MustCompile(`[a-z0-9][\w./:-]*@sha256:[0-9a-f]{64}`)
	accessMounts = regexp.MustCompile(`kube-api-access-[a-z0-9]{5}\b`)
	suffixes     = regexp.MustCompile(`((?:^ws|\bvol=ws|tekton-internal-secret-volume-[a-z]+|(?:sidecar-)?script-\d+)-)[a-z0-9]{5}\b`)
	encoded      = regexp.MustCompile(`(?m)^[A-Za-z0-9+/]{20,}=*$`)
)

// unrandom replaces the parts of names that are random, also within scripts, which are base64.
func unrandom(s string) string {
	s = suffixes.ReplaceAllString(s, "${1}*")
	return encoded.ReplaceAllStringFunc(s, func(line string) string {
		data, err := base64.StdEncoding.DecodeString(line)
		text := string(data)
		if clean := suffixes.ReplaceAllString(text, "${1}*"); err == nil && clean != text {
			return clean
		}
		return line
	})
}
