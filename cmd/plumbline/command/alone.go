package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/internal/untyped"
)

// What --workspace takes, besides claim/NAME, configmap/NAME and secret/NAME.
const (
	bindEmptyDir = "emptyDir"
	bindClaim    = "claim"
)

// workspaceUsage describes the flag.
const workspaceUsage = "a workspace of a Pipeline or Task without a run, name=emptyDir, name=claim for a new volume, name=claim/NAME, name=configmap/NAME or name=secret/NAME; may be repeated"

// runAlone adds a run of the Pipeline or Task that the files have, if they have no run of anything. What it needs and is not given is
// told when the API server has accepted the rest.
func (o *simulateOptions) runAlone(sc *scenario) error {
	m := sc.alone()
	if m == nil {
		for _, given := range []struct {
			flag   string
			values []string
		}{{"param", o.params}, {"workspace", o.workspaces}} {
			if len(given.values) > 0 {
				return &usageError{fmt.Errorf("--%s is for files that have one Pipeline, or one Task, and no run; write it into the run's manifest", given.flag)}
			}
		}
		return nil
	}
	spec := map[string]any{"pipelineRef": map[string]any{"name": m.Name}}
	kind := v1beta1.KindPipelineRun
	if m.Kind == v1beta1.KindTask {
		kind, spec = v1beta1.KindTaskRun, map[string]any{"taskRef": map[string]any{"name": m.Name}}
	}
	params, err := o.paramsFor(sc, m)
	if err != nil {
		return err
	}
	workspaces, err := o.workspacesFor(sc, m)
	if err != nil || len(sc.lacks) > 0 {
		return err
	}
	if len(params) > 0 {
		spec["params"] = params
	}
	if len(workspaces) > 0 {
		spec["workspaces"] = workspaces
	}
	metadata := map[string]any{"name": m.Name}
	if m.Namespace != "" {
		metadata["namespace"] = m.Namespace
	}
	data, err := json.Marshal(map[string]any{"apiVersion": m.APIVersion, "kind": kind, "metadata": metadata, "spec": spec})
	if err != nil {
		return err
	}
	f, err := fixture.LoadAny("the run of "+m.Ref(), data)
	if err != nil {
		return err
	}
	sc.files = append(sc.files, f)
	return nil
}

// alone is the one Pipeline, or else the one Task, of files that have no header and no run.
func (sc *scenario) alone() *fixture.Manifest {
	var pipelines, tasks []*fixture.Manifest
	for _, f := range sc.files {
		if f.HasHeader() {
			return nil
		}
		for _, m := range f.Manifests {
			group, _ := m.GroupVersion()
			switch {
			case group != fixture.GroupTekton:
			case m.Kind == v1beta1.KindPipeline:
				pipelines = append(pipelines, m)
			case m.Kind == v1beta1.KindTask:
				tasks = append(tasks, m)
			case m.Kind != v1beta1.KindClusterTask:
				return nil
			}
		}
	}
	switch {
	case len(pipelines) == 1:
		return pipelines[0]
	case len(pipelines) == 0 && len(tasks) == 1:
		return tasks[0]
	}
	return nil
}

// pairs cuts the values of a flag into names and values. Every name is to be declared.
func pairs(flag string, values []string, of *fixture.Manifest, declared []map[string]any) (map[string]string, error) {
	var known []string
	for _, d := range declared {
		known = append(known, untyped.Text(d["name"]))
	}
	out := map[string]string{}
	for _, pair := range values {
		name, value, ok := strings.Cut(pair, "=")
		switch {
		case !ok || name == "":
			return nil, &usageError{fmt.Errorf("--%s %s: want name=value", flag, pair)}
		case !slices.Contains(known, name):
			return nil, &usageError{fmt.Errorf("--%s %s: %s declares no %s %q; %s", flag, pair, of.Ref(), flag, name, source.DidYouMean(name, known))}
		}
		if _, twice := out[name]; twice {
			return nil, &usageError{fmt.Errorf("--%s %s: %s is given twice; leave one out", flag, pair, name)}
		}
		out[name] = value
	}
	return out, nil
}

// paramsFor are the params that flags give to a Pipeline or Task. Those that need a value and have none are kept to be
// told together.
func (o *simulateOptions) paramsFor(sc *scenario, m *fixture.Manifest) ([]any, error) {
	declared := untyped.Maps(m.Object, "spec", "params")
	given, err := pairs("param", o.params, m, declared)
	if err != nil {
		return nil, err
	}
	var out []any
	for i, d := range declared {
		name := untyped.Text(d["name"])
		text, ok := given[name]
		if !ok {
			if _, has := d["default"]; !has && name != "" {
				path := fmt.Sprintf("spec.params[%d]", i)
				sc.lacks.Add(&source.Error{Position: m.PlaceOf(path), Path: path, Message: fmt.Sprintf("%s needs a value for its param %q", m.Ref(), name), Hint: "give --param " + name + "=…, or write a default"})
			}
			continue
		}
		value, err := paramValue(d, text)
		if err != nil {
			return nil, &usageError{fmt.Errorf("--param %s=%s: %w", name, text, err)}
		}
		out = append(out, map[string]any{"name": name, "value": value})
	}
	return out, nil
}

// paramValue is a value as the param's type has it: a text, a list as a,b or as JSON, or an object as JSON.
func paramValue(declared map[string]any, text string) (any, error) {
	kind := untyped.Text(declared["type"])
	switch declared["default"].(type) {
	case []any:
		kind = "array"
	case map[string]any:
		kind = "object"
	}
	if declared["properties"] != nil {
		kind = "object"
	}
	switch {
	case kind == "object":
		object := map[string]string{}
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			return nil, errors.New(`it is an object; want {"key": "text", …}`)
		}
		return object, nil
	case kind == "array" && strings.HasPrefix(text, "["):
		list := []string{}
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			return nil, errors.New(`it is an array; want a,b or ["a", "b"]`)
		}
		return list, nil
	case kind == "array" && text == "":
		return []string{}, nil
	case kind == "array":
		return strings.Split(text, ","), nil
	}
	return text, nil
}

// workspacesFor are the bindings that flags give to the workspaces of a Pipeline or Task. Those that need one and have none are
// kept to be told together.
func (o *simulateOptions) workspacesFor(sc *scenario, m *fixture.Manifest) ([]any, error) {
	declared := untyped.Maps(m.Object, "spec", "workspaces")
	given, err := pairs("workspace", o.workspaces, m, declared)
	if err != nil {
		return nil, err
	}
	var out []any
	for i, d := range declared {
		name := untyped.Text(d["name"])
		text, ok := given[name]
		if !ok {
			if d["optional"] != true && name != "" {
				path := fmt.Sprintf("spec.workspaces[%d]", i)
				bind := bindEmptyDir
				if m.Kind == v1beta1.KindPipeline {
					bind = bindClaim
				}
				sc.lacks.Add(&source.Error{Position: m.PlaceOf(path), Path: path, Message: fmt.Sprintf("%s needs its workspace %q", m.Ref(), name), Hint: "give --workspace " + name + "=" + bind})
			}
			continue
		}
		bound, err := binding(text)
		if err != nil {
			return nil, &usageError{fmt.Errorf("--workspace %s=%s: %w", name, text, err)}
		}
		bound["name"] = name
		out = append(out, bound)
	}
	return out, nil
}

// binding is the binding of a workspace that a word describes.
func binding(text string) (map[string]any, error) {
	kind, name, named := strings.Cut(text, "/")
	switch {
	case text == bindEmptyDir:
		return map[string]any{bindEmptyDir: map[string]any{}}, nil
	case text == bindClaim:
		return map[string]any{"volumeClaimTemplate": map[string]any{"spec": map[string]any{
			"accessModes": []string{"ReadWriteOnce"}, "resources": map[string]any{"requests": map[string]any{"storage": "1Gi"}},
		}}}, nil
	case named && name != "" && kind == bindClaim:
		return map[string]any{"persistentVolumeClaim": map[string]any{"claimName": name}}, nil
	case named && name != "" && kind == "configmap":
		return map[string]any{"configMap": map[string]any{"name": name}}, nil
	case named && name != "" && kind == "secret":
		return map[string]any{"secret": map[string]any{"secretName": name}}, nil
	}
	return nil, fmt.Errorf("want %s, %s, claim/NAME, configmap/NAME or secret/NAME", bindEmptyDir, bindClaim)
}
