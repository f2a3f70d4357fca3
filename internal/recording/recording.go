// Package recording reads recordings of an implementation on a real cluster, plays their inputs again on another cluster,
// and says what both showed, in the same words, so that the two can be compared.
//
// A recording is an input (manifests, with a line for the program that applies them) and a folder with the outcome. What is
// compared are [Facts]: short texts, each about one field of one object. They hold what an API or a person can rely on:
// answers of admission, conditions, steps, results, attempts, names, containers, arguments, mounts. They leave out what is
// of the machine: times, addresses, identifiers, digests, random suffixes.
//
//	recording.go  a recording as it is in its folder
//	facts.go      what is compared, and how an object is said in facts
//	pipeline.go   the facts of PipelineRuns and of their children
//	recorded.go   the facts of a folder
//	replay.go     the facts of a cluster on which the input is played again
package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// inputsDir holds the inputs; every other folder beside it holds their outcome under one configuration.
const inputsDir = "inputs"

// Recording is one input under one configuration.
type Recording struct {
	// Name is the input's: a number and a few words.
	Name string
	// Under names the folder of the configuration.
	Under string
	// Driver is the input's first line.
	Driver Driver
	// Documents are the input's manifests.
	Documents []*unstructured.Unstructured

	fsys fs.FS
}

// Number is the beginning of the name, by which tables refer to the input.
func (r *Recording) Number() string {
	number, _, _ := strings.Cut(r.Name, "-")
	return number
}

// Driver says what was done besides applying the documents.
type Driver struct {
	// Description says what the input is there for.
	Description string `json:"desc"`
	// Wait is how long the runs were given, in seconds; Settle how much longer than their end was recorded.
	Wait   float64 `json:"wait"`
	Settle float64 `json:"settle"`
	// Flags is "both" if it was also recorded under the other configurations.
	Flags string `json:"flags"`
	// Actions were done when the runs were in a certain state.
	Actions []Action `json:"actions"`
	// NamespaceLabels are those of the input's namespace.
	NamespaceLabels map[string]string `json:"nslabels"`
}

// Action is something that was done while a run was under way.
type Action struct {
	// Kind and Name are the object to look at; When is the condition's reason to wait for, After the seconds from then.
	Kind  string  `json:"kind"`
	Name  string  `json:"name"`
	When  string  `json:"when"`
	After float64 `json:"after"`
	// Do is patch (Body into the object), delete (the Pod at Path) or exec (Command in the Container of the Pod).
	Do string `json:"do"`
	// TargetKind and Target are the object that is patched or deleted, if it is not the one that is looked at.
	TargetKind string          `json:"targetKind"`
	Target     string          `json:"target"`
	Body       json.RawMessage `json:"body"`
	Path       string          `json:"path"`
	Pod        string          `json:"pod"`
	Container  string          `json:"container"`
	Command    []string        `json:"cmd"`
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// List returns the recordings below a folder that has inputs and outcomes, sorted by configuration and name.
func List(fsys fs.FS) ([]*Recording, error) {
	folders, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var out []*Recording
	for _, folder := range folders {
		if !folder.IsDir() || folder.Name() == inputsDir {
			continue
		}
		names, err := fs.ReadDir(fsys, folder.Name())
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			r := &Recording{Name: name.Name(), Under: folder.Name(), fsys: fsys}
			if err := r.readInput(); err != nil {
				return nil, fmt.Errorf("recording %s: %w", r.Name, err)
			}
			out = append(out, r)
		}
	}
	return out, nil
}

const driverMark = "#lab:"

func (r *Recording) readInput() error {
	data, err := fs.ReadFile(r.fsys, path.Join(inputsDir, r.Name+".yaml"))
	if err != nil {
		return err
	}
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	line, marked := bytes.CutPrefix(first, []byte(driverMark))
	if !marked {
		return fmt.Errorf("its input does not begin with %q", driverMark)
	}
	if err := json.Unmarshal(line, &r.Driver); err != nil {
		return fmt.Errorf("its driver's line: %w", err)
	}
	return documents(rest, func(document []byte) error {
		o := &unstructured.Unstructured{}
		// Not the object's own decoder, which would refuse some of what admission is to refuse.
		if err := unmarshal(document, &o.Object); err != nil {
			return err
		}
		r.Documents = append(r.Documents, integers(o))
		return nil
	})
}

// integers makes whole numbers integers, as an API client has them.
func integers(o *unstructured.Unstructured) *unstructured.Unstructured {
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k])
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case float64:
			if n := int64(v); float64(n) == v {
				return n
			}
		}
		return v
	}
	walk(o.Object)
	return o
}

// unmarshal decodes YAML as a client does that sends it on as JSON. A plain y or n is a text, as it was for the driver.
func unmarshal(document []byte, into any) error {
	var tree any
	if err := yaml.Unmarshal(document, &tree); err != nil {
		return err
	}
	data, err := json.Marshal(tree)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// documents calls f with each document of a YAML stream that holds something.
func documents(data []byte, f func([]byte) error) error {
	reader := kyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		if err := f(document); err != nil {
			return err
		}
	}
}
