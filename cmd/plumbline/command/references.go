package command

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/internal/untyped"
)

// undefined lists what the runs of Pipelines refer to and no file defines: the Pipelines, and the Tasks of each one that is run. A
// file with a header may mean it so.
func (sc *scenario) undefined() error {
	var errs source.Errors
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
				sc.undefinedTasks(&errs, m, "spec.pipelineSpec", namespace)
				continue
			}
			name, local := localRef(untyped.Map(m.Object, "spec", "pipelineRef"))
			if !local {
				continue
			}
			if p := sc.named(v1beta1.KindPipeline, name, namespace); p != nil {
				sc.undefinedTasks(&errs, p, "spec", namespace)
				continue
			}
			const path = "spec.pipelineRef.name"
			errs.Add(&source.Error{Position: m.PlaceOf(path), Path: path, Message: fmt.Sprintf("%s runs the Pipeline %q, which no file defines", m.Ref(), name), Hint: sc.giveOr(v1beta1.KindPipeline, name)})
		}
	}
	return errs.Err()
}

// undefinedTasks adds the Tasks of a Pipeline that no file defines.
func (sc *scenario) undefinedTasks(errs *source.Errors, m *fixture.Manifest, spec, namespace string) {
	for _, list := range []string{"tasks", "finally"} {
		for i, t := range untyped.Maps(m.Object, append(strings.Split(spec, "."), list)...) {
			ref := untyped.Map(t, "taskRef")
			name, local := localRef(ref)
			kind := cmp.Or(untyped.Text(ref["kind"]), v1beta1.KindTask)
			if group, _, _ := strings.Cut(untyped.Text(ref["apiVersion"]), "/"); group != "" && group != fixture.GroupTekton {
				continue // a custom task
			}
			if !local || kind != v1beta1.KindTask && kind != v1beta1.KindClusterTask || sc.named(kind, name, namespace) != nil {
				continue
			}
			path := fmt.Sprintf("%s.%s[%d].taskRef.name", spec, list, i)
			errs.Add(&source.Error{Position: m.PlaceOf(path), Path: path, Message: fmt.Sprintf("task %q of %s needs the %s %q, which no file defines", untyped.Text(t["name"]), m.Ref(), kind, name), Hint: sc.giveOr(kind, name)})
		}
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

// pipelineOf is the manifest that has the Pipeline of a run, and the field in it; nil if none has.
func (sc *scenario) pipelineOf(run *unstructured.Unstructured) (m *fixture.Manifest, spec string) {
	if own := sc.manifestOf(run); own != nil && untyped.Map(own.Object, "spec", "pipelineSpec") != nil {
		return own, "spec.pipelineSpec"
	}
	name, _ := localRef(untyped.Map(run.Object, "spec", "pipelineRef"))
	return sc.named(v1beta1.KindPipeline, name, run.GetNamespace()), "spec"
}

// taskPlace is the place of a pipeline task in its manifest.
func taskPlace(m *fixture.Manifest, spec, task string) (path string, ok bool) {
	for _, list := range []string{"tasks", "finally"} {
		i := slices.IndexFunc(untyped.Maps(m.Object, append(strings.Split(spec, "."), list)...), func(t map[string]any) bool { return t["name"] == task })
		if i >= 0 {
			return fmt.Sprintf("%s.%s[%d]", spec, list, i), true
		}
	}
	return "", false
}
