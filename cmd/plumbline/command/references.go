package command

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/internal/untyped"
)

// undefined lists what keeps runs of Pipelines from beginning: what one needs that is given by flags, and what they refer to and no
// file defines: the Pipelines, and the Tasks of each one that is run. A file with a header may mean it so.
func (sc *scenario) undefined() error {
	errs := sc.lacks
	if m := sc.alone(); m != nil && m.Kind == v1beta1.KindPipeline {
		sc.undefinedTasks(&errs, m, sc.namespaceOf(m))
	}
	for _, f := range sc.files {
		if f.HasHeader() {
			continue
		}
		for _, m := range f.Manifests {
			group, _ := m.GroupVersion()
			if m.Kind != v1beta1.KindPipelineRun || group != fixture.GroupTekton {
				continue
			}
			namespace := sc.namespaceOf(m)
			if untyped.Map(m.Object, "spec", "pipelineSpec") != nil {
				sc.undefinedTasks(&errs, m, namespace)
				continue
			}
			name, local := localRef(untyped.Map(m.Object, "spec", "pipelineRef"))
			if !local {
				continue
			}
			if p := sc.named(v1beta1.KindPipeline, name, namespace); p != nil {
				sc.undefinedTasks(&errs, p, namespace)
				continue
			}
			const path = "spec.pipelineRef.name"
			errs.Add(&source.Error{Position: m.PlaceOf(path), Path: path, Message: fmt.Sprintf("%s runs the Pipeline %q, which no file defines", m.Ref(), name), Hint: sc.giveOr(v1beta1.KindPipeline, name)})
		}
	}
	return errs.Err()
}

// undefinedTasks adds the Tasks of a Pipeline that no file defines.
func (sc *scenario) undefinedTasks(errs *source.Errors, m *fixture.Manifest, namespace string) {
	for _, t := range m.PipelineTasks() {
		ref := untyped.Map(t.Object, "taskRef")
		name, local := localRef(ref)
		kind := cmp.Or(untyped.Text(ref["kind"]), v1beta1.KindTask)
		group, _, _ := strings.Cut(untyped.Text(ref["apiVersion"]), "/")
		custom := group != "" && group != fixture.GroupTekton || kind != v1beta1.KindTask && kind != v1beta1.KindClusterTask
		if !local || custom || sc.named(kind, name, namespace) != nil {
			continue
		}
		path := t.Path + ".taskRef.name"
		errs.Add(&source.Error{Position: m.PlaceOf(path), Path: path, Message: fmt.Sprintf("task %q of %s needs the %s %q, which no file defines", t.Name, m.Ref(), kind, name), Hint: sc.giveOr(kind, name)})
	}
}

// localRef is the name in a reference to something that the cluster has.
func localRef(ref map[string]any) (name string, local bool) {
	name = untyped.Text(ref["name"])
	return name, name != "" && ref["bundle"] == nil && ref["resolver"] == nil && !strings.Contains(name, "$(")
}

// namespaceOf is where a manifest is applied.
func (sc *scenario) namespaceOf(m *fixture.Manifest) string { return cmp.Or(m.Namespace, sc.namespace) }

// named is the manifest of a kind and name, or nil.
func (sc *scenario) named(kind, name, namespace string) *fixture.Manifest {
	return sc.find(func(m *fixture.Manifest) bool {
		return m.Kind == kind && m.Name == name && (kind == v1beta1.KindClusterTask || sc.namespaceOf(m) == namespace)
	})
}

// giveOr says which of the objects of a kind was probably meant, or how to give the one that is missing.
func (sc *scenario) giveOr(kind, name string) string {
	var names []string
	for _, f := range sc.files {
		for _, m := range f.Manifests {
			if m.Kind == kind {
				names = append(names, m.Name)
			}
		}
	}
	if near := source.Nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "also give the file or the folder that has it: -f FOLDER"
}

// pipelineOf is the manifest that has the Pipeline of a run, or nil.
func (sc *scenario) pipelineOf(run *unstructured.Unstructured) *fixture.Manifest {
	if own := sc.manifestOf(run); own != nil && untyped.Map(own.Object, "spec", "pipelineSpec") != nil {
		return own
	}
	name, _ := localRef(untyped.Map(run.Object, "spec", "pipelineRef"))
	return sc.named(v1beta1.KindPipeline, name, run.GetNamespace())
}

// taskPath is the path of a task of a Pipeline, or nothing.
func taskPath(m *fixture.Manifest, task string) string {
	for _, t := range m.PipelineTasks() {
		if t.Name == task {
			return t.Path
		}
	}
	return ""
}
