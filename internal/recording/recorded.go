package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Recorded returns what the recording shows.
func (r *Recording) Recorded() (Facts, error) {
	var f Facts
	for _, read := range []struct {
		file string
		into func(*Facts, []byte) error
	}{
		{"admission.txt", readAnswers},
		{"admitted.yaml", readAdmitted},
		{"actions.txt", readActions},
		{"objects-final.yaml", readRuns},
	} {
		data, err := r.file(read.file)
		if err == nil {
			err = read.into(&f, data)
		}
		if err != nil {
			return nil, fmt.Errorf("%s/%s/%s: %w", r.Under, r.Name, read.file, err)
		}
	}
	if err := r.readPods(&f); err != nil {
		return nil, fmt.Errorf("the Pods of %s/%s: %w", r.Under, r.Name, err)
	}
	return f, nil
}

// file returns a file of the recording. Where there was nothing to record there is none.
func (r *Recording) file(name string) ([]byte, error) {
	data, err := fs.ReadFile(r.fsys, path.Join(r.Under, r.Name, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// readAnswers reads lines "Kind/name (version): HTTP code reason=…", each followed by the indented text of a refusal.
func readAnswers(f *Facts, data []byte) error {
	var object string
	var answer []string
	end := func() {
		if object != "" {
			f.add(object, "admission", strings.Join(answer, "\n"))
		}
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "#"), line == "":
		case strings.HasPrefix(line, indent):
			answer = append(answer, strings.TrimPrefix(line, indent))
		default:
			end()
			name, code, found := strings.Cut(line, ": ")
			if !found {
				return fmt.Errorf("cannot read %q", line)
			}
			object, _, _ = strings.Cut(name, " ")
			answer = []string{strings.Replace(code, " reason=", " ", 1)}
		}
	}
	end()
	return nil
}

const indent = "    "

// readAdmitted reads what the API answered: the specs after defaulting.
func readAdmitted(f *Facts, data []byte) error {
	return documents(data, func(document []byte) error {
		var o struct {
			metav1.TypeMeta `json:",inline"`
			Metadata        struct {
				Name string `json:"name"`
			} `json:"metadata"`
			Spec any `json:"spec"`
		}
		if err := unmarshal(document, &o); err != nil {
			return err
		}
		f.admitted(o.Kind, o.Metadata.Name, o.APIVersion, o.Spec)
		return nil
	})
}

func (f *Facts) admitted(kind, name, version string, spec any) {
	if strings.HasPrefix(version, "tekton.dev/") {
		f.add(kind+"/"+name, "spec", compact(spec))
	}
}

// readActions reads, for each action, a line with its time and itself and then what it answered. They are in the order in which they
// were done.
func readActions(f *Facts, data []byte) error {
	var name string
	var answer []string
	end := func() {
		if name != "" {
			f.add(name, "answer", address.ReplaceAllString(strings.TrimSpace(strings.Join(answer, "\n")), ""))
		}
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		_, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(line, " ") && strings.HasPrefix(text, "{") {
			end()
			var a Action
			if err := json.Unmarshal([]byte(text), &a); err != nil {
				return err
			}
			name, answer = a.name(), nil
			continue
		}
		answer = append(answer, strings.TrimPrefix(line, indent+"-> "))
	}
	end()
	return nil
}

// address is that of what was written, which some answers begin with.
var address = regexp.MustCompile(`(?m)^/apis?/\S+ `)

// name names an action by what it does to what, and when.
func (a *Action) name() string {
	kind, object := a.TargetKind, a.Target
	if object == "" {
		kind, object = a.kinds()[0], a.Name
	}
	return fmt.Sprintf("action/%s %s %s when %s is %s", a.Do, kind, object, a.Name, a.When)
}

func readRuns(f *Facts, data []byte) error {
	return documents(data, func(document []byte) error {
		var o found
		if err := unmarshal(document, &o); err != nil {
			return err
		}
		return f.end(&o, document)
	})
}

// lastPod is a Pod of the last watch event, which is kept in part.
type lastPod struct {
	Images    map[string]string `json:"images"`
	LastEvent string            `json:"lastWatchEvent"`
	Metadata  struct {
		UID string `json:"uid"`
	} `json:"metadata"`
	Status corev1.PodStatus `json:"status"`
}

func (r *Recording) readPods(f *Facts) error {
	last := map[string]*lastPod{}
	data, err := r.file("pods-final.yaml")
	if err != nil {
		return err
	}
	err = documents(data, func(document []byte) error {
		p := &lastPod{}
		if err := unmarshal(document, p); err != nil {
			return err
		}
		last[p.Metadata.UID] = p
		return nil
	})
	if err != nil {
		return err
	}
	if data, err = r.file("pods-created.yaml"); err != nil {
		return err
	}
	seen := map[string]int{}
	return documents(data, func(document []byte) error {
		pod := &corev1.Pod{}
		if err := unmarshal(document, pod); err != nil {
			return err
		}
		object := ordinal(seen, "Pod/"+pod.Name)
		f.created(object, pod)
		if p := last[string(pod.UID)]; p != nil {
			f.final(object, p.LastEvent == "DELETED", pod, p.Images, p.Status.Phase)
		}
		return nil
	})
}
