package command

import (
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/internal/untyped"
)

// fromManifest are the reasons of runs that never began because of what their manifests say.
var fromManifest = []string{
	v1beta1.TaskRunReasonFailedValidation, v1beta1.TaskRunReasonFailedResolution, v1beta1.TaskRunReasonCouldntGetTask,
	v1beta1.TaskRunReasonPodCreationFailed, v1beta1.TaskRunReasonCouldntCreateWorkspacePVC,
}

// suspects are the fields that the message of such a run is about, by a word of the message.
var suspects = []struct{ word, path, hint string }{
	{"workspace", "spec.workspaces", "bind the workspace, as - name: …, emptyDir: {}"},
	{"missing values for these params", "spec.params", "set them in spec.params, or give the Task a default"},
	{"param", "spec.params", ""},
	{"serviceaccount", "spec.serviceAccountName", "add a manifest of the ServiceAccount, or leave the field out"},
	{"service account", "spec.serviceAccountName", "add a manifest of the ServiceAccount, or leave the field out"},
	{"override", "spec.stepOverrides", ""},
	{"step", "spec.taskSpec.steps", ""},
}

// causes are the places in the manifests because of which runs have failed before they began.
func (sc *scenario) causes(w *witness) source.Errors {
	var errs source.Errors
	for _, r := range w.runs {
		c := untyped.Succeeded(r.object.Object)
		m := sc.manifestOf(r.object)
		if c.Status != "False" || m == nil || !slices.Contains(fromManifest, c.Reason) {
			continue
		}
		path, hint := "spec", ""
		message := strings.TrimSpace(c.Message)
		if c.Reason == v1beta1.TaskRunReasonFailedResolution || c.Reason == v1beta1.TaskRunReasonCouldntGetTask {
			path = "spec.taskRef.name"
			hint = sc.nearestTask(m)
		} else {
			for _, s := range suspects {
				if strings.Contains(strings.ToLower(message), s.word) {
					path, hint = s.path, s.hint
					break
				}
			}
		}
		at, real := m.Field(path)
		errs.Add(&source.Error{Position: at, Path: real, Message: m.Ref() + " failed: " + message, Hint: hint})
	}
	return errs
}

// nearestTask says which Task of the input was probably meant.
func (sc *scenario) nearestTask(run *fixture.Manifest) string {
	spec, _ := run.Object["spec"].(map[string]any)
	ref, _ := spec["taskRef"].(map[string]any)
	name, _ := ref["name"].(string)
	var names []string
	for _, f := range sc.files {
		for _, m := range f.Manifests {
			if m.Kind == v1beta1.KindTask || m.Kind == v1beta1.KindClusterTask {
				names = append(names, m.Name)
			}
		}
	}
	if len(names) == 0 {
		return "also give the manifest of the Task, with another -f"
	}
	return source.DidYouMean(name, names)
}
