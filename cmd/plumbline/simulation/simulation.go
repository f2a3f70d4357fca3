// Package simulation is the document in which simulate says what the objects of a run do not: notes, outcomes and logs. It
// is the last item of the list that simulate prints as JSON or YAML, and programs read it.
package simulation

import (
	"encoding/json"
	"reflect"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// What the document says that it is.
const (
	APIVersion = "plumbline.dev/v1alpha1"
	Kind       = "Simulation"
)

// Simulation is the document.
type Simulation struct {
	APIVersion string `json:"apiVersion" yaml:"apiVersion" fixture:"required,enum=plumbline.dev/v1alpha1" doc:"the version of this format"`
	Kind       string `json:"kind" yaml:"kind" fixture:"required,enum=Simulation" doc:"Simulation"`
	Status     Status `json:"status" yaml:"status" fixture:"required" doc:"how the simulation ended"`
}

// Status is how the simulation ended.
type Status struct {
	Notes   []Note    `json:"notes" yaml:"notes" doc:"input that is legal but probably a mistake, and input that was not used"`
	Runs    []Run     `json:"runs" yaml:"runs" doc:"the runs, in the order of their creation, each one before those that it has made"`
	Missing []Command `json:"missingCommands" yaml:"missingCommands" doc:"the commands that need a mock"`
}

// Note is a note.
type Note struct {
	Text string `json:"text" yaml:"text" fixture:"required" doc:"the note"`
	Run  string `json:"run,omitempty" yaml:"run" doc:"the run that it is about"`
	Step string `json:"step,omitempty" yaml:"step" doc:"the step that it is about"`
	At   string `json:"at,omitempty" yaml:"at" doc:"file:line:column of what it is about"`
}

// Run is the outcome of a run.
type Run struct {
	Kind      string `json:"kind" yaml:"kind" fixture:"required" doc:"its kind, as TaskRun"`
	Namespace string `json:"namespace" yaml:"namespace" fixture:"required" doc:"its namespace"`
	Name      string `json:"name" yaml:"name" fixture:"required" doc:"its name"`
	Of        string `json:"of,omitempty" yaml:"of" doc:"the run that has made it, as kind/name"`
	Task      string `json:"task,omitempty" yaml:"task" doc:"the pipeline task that it is of"`
	Outcome   string `json:"outcome" yaml:"outcome" doc:"the message of the condition Succeeded, and what kept the Pod from running"`
	Steps     []Step `json:"steps" yaml:"steps" doc:"the steps that the status has"`
	// FirstFailure is there if a PipelineRun failed because of what it has made.
	FirstFailure *Failure `json:"firstFailure,omitempty" yaml:"firstFailure" doc:"what failed first below a PipelineRun that failed"`
}

// Failure is what failed first in a PipelineRun.
type Failure struct {
	Task     string `json:"task,omitempty" yaml:"task" doc:"the pipeline task"`
	Run      string `json:"run" yaml:"run" fixture:"required" doc:"its run, as kind/name"`
	Step     string `json:"step,omitempty" yaml:"step" doc:"the step that failed, if one did"`
	ExitCode int    `json:"exitCode,omitempty" yaml:"exitCode" doc:"its exit code"`
	Log      string `json:"log,omitempty" yaml:"log" doc:"the last line that it printed"`
	Message  string `json:"message,omitempty" yaml:"message" doc:"the outcome of the run"`
}

// Step is what a step printed.
type Step struct {
	Name string `json:"name" yaml:"name" fixture:"required" doc:"the step's name"`
	Log  string `json:"log" yaml:"log" doc:"what it printed"`
}

// Command is a command that a container tried to run and that its image does not have.
type Command struct {
	Namespace string   `json:"namespace" yaml:"namespace" fixture:"required" doc:"the Pod's namespace"`
	Pod       string   `json:"pod" yaml:"pod" fixture:"required" doc:"the Pod"`
	Container string   `json:"container" yaml:"container" fixture:"required" doc:"the container"`
	Image     string   `json:"image" yaml:"image" fixture:"required" doc:"the image, as a mock names it"`
	Command   []string `json:"command,omitempty" yaml:"command" doc:"the beginning of the command line, as a mock names it; * is any one argument"`
	Args      []string `json:"args,omitempty" yaml:"args" doc:"the arguments, if the command is the image's own and not known"`
}

// Object is the document as an item of a list.
func (s Simulation) Object() (map[string]any, error) {
	s.APIVersion, s.Kind = APIVersion, Kind
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	return out, json.Unmarshal(data, &out)
}

// Schema returns the format as a JSON schema (draft 2020-12).
func Schema() ([]byte, error) {
	return fixture.SchemaOf(reflect.TypeFor[Simulation](), "https://plumbline.dev/schemas/v1alpha1/simulation.json", "Plumbline simulation")
}
