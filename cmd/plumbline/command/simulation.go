package command

import (
	"fmt"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/simulation"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/internal/untyped"
)

// simulated is the last item of the list that simulate prints. Files that are read again do not take it for a manifest.
func simulated(w *witness, f findings) (map[string]any, error) {
	status := simulation.Status{Notes: []simulation.Note{}, Runs: []simulation.Run{}, Missing: []simulation.Command{}}
	for _, n := range f.notes {
		note := simulation.Note{Text: n.Text, Run: n.Run, Step: n.Step}
		if n.At != (source.Position{}) {
			note.At = n.At.String()
		}
		status.Notes = append(status.Notes, note)
	}
	for _, r := range w.tree() {
		run := simulation.Run{Kind: r.kind.Kind, Of: r.of(), Task: r.task(), FirstFailure: r.firstFailure(), Namespace: r.object.GetNamespace(), Name: r.object.GetName(), Outcome: r.outcome(), Steps: []simulation.Step{}}
		for _, s := range untyped.Maps(r.object.Object, "status", "steps") {
			step := simulation.Step{Name: fmt.Sprint(orNothing(s["name"]))}
			container, _ := s["container"].(string)
			for _, p := range r.pods {
				step.Log += string(p.logs[container])
			}
			run.Steps = append(run.Steps, step)
		}
		status.Runs = append(status.Runs, run)
	}
	for _, m := range f.missing {
		status.Missing = append(status.Missing, simulation.Command{Namespace: m.Namespace, Pod: m.Pod, Container: m.Container, Image: m.Image, Command: m.Command, Args: m.Args})
	}
	item, err := simulation.Simulation{Status: status}.Object()
	if err != nil {
		return nil, fmt.Errorf("the list's last item: %w", err)
	}
	return item, nil
}
