package command

import (
	"cmp"
	"regexp"
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

// fromPipeline are the same reasons of PipelineRuns.
var fromPipeline = []string{
	v1beta1.PipelineRunReasonInvalidServiceAccountMappings, v1beta1.PipelineRunReasonInvalidTaskResultReference, v1beta1.PipelineRunReasonParameterMissing,
	v1beta1.PipelineRunReasonParameterTypeMismatch, v1beta1.PipelineRunReasonObjectParameterMissKeys, v1beta1.PipelineRunReasonInvalidWorkspaceBindings,
	v1beta1.PipelineRunReasonFailedValidation, v1beta1.PipelineRunReasonInvalidGraph, v1beta1.PipelineRunReasonRequiredWorkspaceMarkedOptional,
	v1beta1.PipelineRunReasonCouldntGetPipeline, v1beta1.PipelineRunReasonCouldntGetTask,
}

// causes are the places in the manifests because of which runs have failed before they began.
func (sc *scenario) causes(w *witness) source.Errors {
	var errs source.Errors
	for _, r := range w.runs {
		c := untyped.Succeeded(r.object.Object)
		if r.kind.Kind == v1beta1.KindPipelineRun || r.parent != nil {
			if c.Status == "False" && (slices.Contains(fromPipeline, c.Reason) || slices.Contains(fromManifest, c.Reason)) {
				sc.pipelineCause(&errs, r, strings.TrimSpace(c.Message))
			}
			continue
		}
		m := sc.manifestOf(r.object)
		if c.Status != "False" || m == nil || !slices.Contains(fromManifest, c.Reason) {
			continue
		}
		path, hint := "spec", ""
		message := strings.TrimSpace(c.Message)
		if c.Reason == v1beta1.TaskRunReasonFailedResolution || c.Reason == v1beta1.TaskRunReasonCouldntGetTask {
			path = "spec.taskRef.name"
			if _, local := localRef(untyped.Map(m.Object, "spec", "taskRef")); local {
				hint = sc.nearestTask(m)
			} else {
				path, hint = "spec.taskRef", unanswered(untyped.Map(m.Object, "spec", "taskRef"), message)
			}
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

// parts are the fields of a PipelineRun, or of a task of its Pipeline, that messages are about, by a word of them.
var parts = []struct{ word, ofRun, ofTask string }{
	{"taskrunspecs", "spec.taskRunSpecs", ""},
	{"retrieving pipeline", "spec.pipelineRef", ""},
	{"workspace", "spec.workspaces", "workspaces"},
	{"param", "spec.params", "params"},
	{"result", "spec.pipelineSpec", "params"},
	{"getting task", "spec.pipelineSpec", "taskRef"},
	{"get task", "spec.pipelineSpec", "taskRef"},
}

var (
	// about is the task that a message of a PipelineRun is about.
	about = regexp.MustCompile(`(?:pipeline task|PipelineTask) "([^"]+)"`)
	// unnamed and unwritten are results that a task does not declare, or has not written: the result, and its task.
	unnamed   = regexp.MustCompile(`"([^"]+)" is not a named result returned by pipeline task "([^"]+)"`)
	unwritten = regexp.MustCompile(`Could not find result with name (\S+) for task (\S+)`)
)

// pipelineCause adds the place because of which a PipelineRun, or what it has made, failed: in the Pipeline where one task can be
// told, or else in the run.
func (sc *scenario) pipelineCause(errs *source.Errors, r *run, message string) {
	top, _ := r.root()
	of, p, task := sc.manifestOf(top.object), sc.pipelineOf(top.object), r.task()
	if found := about.FindStringSubmatch(message); found != nil && r.parent == nil {
		task = found[1]
	}
	if p != nil {
		for _, of := range []*regexp.Regexp{unnamed, unwritten} {
			found := of.FindStringSubmatch(message)
			if found == nil {
				continue
			}
			if at, ok := p.Find("tasks."+found[2]+".results."+found[1], cmp.Or(taskPath(p, task), "spec")); ok {
				errs.Add(&source.Error{Position: at, Path: p.PathAt(at), Message: top.ref() + " failed: " + message})
				return
			}
		}
	}
	part := slices.IndexFunc(parts, func(x struct{ word, ofRun, ofTask string }) bool {
		return strings.Contains(strings.ToLower(message), x.word)
	})
	path := "spec"
	switch {
	case p != nil && taskPath(p, task) != "":
		of, path = p, taskPath(p, task)
		if part >= 0 && parts[part].ofTask != "" {
			path += "." + parts[part].ofTask
		}
	case part >= 0:
		path = parts[part].ofRun
	}
	if of == nil {
		return
	}
	at, real := of.Field(path)
	errs.Add(&source.Error{Position: at, Path: real, Message: r.ref() + " failed: " + message})
}

// ref is how messages name a run.
func (r *run) ref() string { return r.kind.Name + "/" + r.object.GetName() }

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
