package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
)

// scenario is what to simulate.
type scenario struct {
	files     []*fixture.Fixture
	config    fixture.Config
	mocks     []fixture.Mock
	tasks     []fixture.StandIn
	images    []fixture.Image
	given     []fixture.Image // those of images that flags name
	faults    []fixture.Fault
	injects   []fixture.Injected
	remotes   []fixture.Remote // what files say that lies outside the cluster
	namespace string           // of manifests that name none
	lacks     source.Errors    // what a Pipeline or Task without a run needs to be run
}

// load reads everything that the flags name.
func (o *simulateOptions) load() (*scenario, error) {
	sc := &scenario{config: fixture.Config{}, namespace: corev1.NamespaceDefault}
	if err := o.setLike(sc); err != nil {
		return nil, err
	}
	var errs source.Errors
	var err error
	if sc.images, err = imagesFlag(o.images); err != nil && !collect(&errs, err) {
		return nil, err
	}
	sc.given = slices.Clone(sc.images)
	for _, name := range o.files {
		texts, err := o.texts(name)
		if err != nil {
			return nil, err
		}
		for _, t := range texts {
			f, err := o.read(t.name, t.data)
			if err == nil {
				err = beside(f)
			}
			if err != nil {
				if !collect(&errs, err) {
					return nil, err
				}
				continue
			}
			sc.files = append(sc.files, f)
			sc.mocks = append(sc.mocks, f.Spec.Mocks...)
			sc.tasks = append(sc.tasks, f.Spec.CustomTasks...)
			sc.describe(f.Spec.Images)
			sc.faults = append(sc.faults, f.Spec.Faults...)
			sc.injects = append(sc.injects, f.Spec.Injects...)
			sc.remotes = append(sc.remotes, f.Spec.Remote)
			for _, configMap := range []string{fixture.ConfigFeatureFlags, fixture.ConfigDefaults} {
				for key, value := range f.Spec.Config[configMap] {
					sc.set(configMap, key, value)
				}
			}
		}
	}
	if o.mocks != "" {
		data, err := source.ReadFile(o.mocks)
		if err != nil {
			return nil, notFound("%s: %w", o.mocks, pathReason(err))
		}
		given, err := surroundings(o.mocks, data)
		switch {
		case err == nil:
			sc.mocks = append(sc.mocks, given.Mocks...)
			sc.tasks = append(sc.tasks, given.CustomTasks...)
			sc.describe(given.Images)
			sc.given = append(sc.given, given.Images...)
		case !collect(&errs, err):
			return nil, err
		}
	}
	if len(errs) > 0 {
		return nil, errs
	}
	if o.theCase != "" && !slices.ContainsFunc(sc.files, func(f *fixture.Fixture) bool { return f.Case != "" }) {
		return nil, &usageError{fmt.Errorf("--case %s: no file has a matrix, so there are no cases; leave the flag out", o.theCase)}
	}
	if err := checkConfig(sc.files); err != nil {
		return nil, err
	}
	for _, given := range []struct {
		flag, configMap string
		pairs           []string
	}{{"feature-flag", fixture.ConfigFeatureFlags, o.flags}, {"default", fixture.ConfigDefaults, o.defaults}} {
		for _, pair := range given.pairs {
			key, value, ok := strings.Cut(pair, "=")
			if !ok || key == "" {
				return nil, &usageError{fmt.Errorf("--%s %s: want key=value", given.flag, pair)}
			}
			if known := fixture.ConfigKeys(given.configMap); !slices.Contains(known, key) {
				return nil, &usageError{fmt.Errorf("--%s %s: %s has no key %q; %s", given.flag, pair, given.configMap, key, source.DidYouMean(key, known))}
			}
			if err := config.NewStore().Update(given.configMap, map[string]string{key: value}); err != nil {
				return nil, &usageError{fmt.Errorf("--%s %s: the value cannot be used: %w; %s", given.flag, pair, err, valueHint(key))}
			}
			sc.set(given.configMap, key, value)
		}
	}
	return sc, o.runAlone(sc)
}

// read reads what one file has to play.
func (o *simulateOptions) read(name string, data []byte) (*fixture.Fixture, error) {
	if o.theCase == "" {
		return fixture.LoadAny(name, data)
	}
	return fixture.LoadAnyCase(name, data, o.theCase)
}

func (sc *scenario) set(configMap, key, value string) {
	if sc.config[configMap] == nil {
		sc.config[configMap] = map[string]string{}
	}
	sc.config[configMap][key] = value
}

// describe adds descriptions of images that do not exist yet: files of one folder share theirs.
func (sc *scenario) describe(list []fixture.Image) {
	for i := range list {
		if !slices.ContainsFunc(sc.images, func(o fixture.Image) bool { return o.Pos == list[i].Pos }) {
			sc.images = append(sc.images, list[i])
		}
	}
}

type text struct {
	name string
	data []byte
}

// texts reads one file, all of a folder, or standard input.
func (o *simulateOptions) texts(name string) ([]text, error) {
	if name == stdin {
		data, err := source.Read(o.streams.In)
		return []text{{stdinName, data}}, err
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, notFound("%s: %w; give a file, a folder or -", name, pathReason(err))
	}
	names := []string{name}
	if info.IsDir() {
		names = nil
		for _, pattern := range []string{"*.yaml", "*.yml", "*.json"} {
			some, err := filepath.Glob(filepath.Join(name, pattern))
			if err != nil {
				return nil, err
			}
			names = append(names, slices.DeleteFunc(some, func(n string) bool { return filepath.Base(n) == fixture.ImagesFile })...)
		}
		slices.Sort(names)
		if len(names) == 0 {
			return nil, notFound("%s: no *.yaml, *.yml or *.json file in this folder", name)
		}
	}
	var out []text
	for _, n := range names {
		data, err := source.ReadFile(n)
		if err != nil {
			return nil, err
		}
		out = append(out, text{filepath.ToSlash(n), data})
	}
	return out, nil
}

// namespacesIn makes the namespaces that manifests name. A manifest of the namespace is applied to it later.
func (sc *scenario) namespacesIn(ctx context.Context, c *fake.Cluster) error {
	names := []string{sc.namespace}
	for _, f := range sc.files {
		names = append(names, f.Namespaces(sc.namespace)...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		err := c.Client().Get(ctx, client.ObjectKey{Name: name}, &corev1.Namespace{})
		if err == nil {
			continue
		}
		if !apierrors.IsNotFound(err) {
			return err
		}
		if err := c.CreateNamespace(ctx, name); err != nil {
			var status apierrors.APIStatus
			if errors.As(err, &status) {
				return invalid("namespace %q cannot be created: %w", name, err)
			}
			return err
		}
	}
	return nil
}

// served refuses manifests of kinds that the cluster does not have, with their place.
func (sc *scenario) served(c *fake.Cluster) error {
	var errs source.Errors
	for _, f := range sc.files {
		for _, m := range f.Manifests {
			group, version := m.GroupVersion()
			_, err := c.Client().RESTMapper().RESTMapping(schema.GroupKind{Group: group, Kind: m.Kind}, version)
			if err == nil {
				continue
			}
			if !meta.IsNoMatchError(err) {
				return err
			}
			errs.Add(unserved(c.Client().RESTMapper(), m))
		}
	}
	if len(errs) > 0 {
		return errs
	}
	return nil
}

// unserved explains why a manifest cannot be applied: the cluster does not have its kind, or not in its version.
func unserved(mapper meta.RESTMapper, m *fixture.Manifest) *source.Error {
	group, _ := m.GroupVersion()
	e := &source.Error{Position: m.PlaceOf("kind"), Path: "kind", Message: fmt.Sprintf("the simulated cluster does not serve %s of %s", m.Kind, m.APIVersion)}
	var versions []string
	if others, err := mapper.RESTMappings(schema.GroupKind{Group: group, Kind: m.Kind}); err == nil {
		for _, o := range others {
			versions = append(versions, o.GroupVersionKind.GroupVersion().String())
		}
	}
	what, tekton := unsupported[m.Kind]
	switch {
	case len(versions) > 0:
		e.Position, e.Path, e.Hint = m.PlaceOf("apiVersion"), "apiVersion", "write apiVersion: "+strings.Join(versions, " or ")
	case tekton && group == fixture.GroupTekton:
		e.Message, e.Hint = what, "leave it out"
	default:
		var names []string
		for _, k := range fixture.Kinds() {
			served, err := mapper.RESTMappings(schema.GroupKind{Group: k.Group, Kind: k.Kind})
			if err == nil && len(served) > 0 {
				names = append(names, k.Kind)
			}
		}
		e.Hint = "define the kind with a CustomResourceDefinition, or leave the manifest out"
		if near := source.Nearest(m.Kind, names); near != "" && near != m.Kind {
			e.Hint = fmt.Sprintf("did you mean %q?", near)
		}
	}
	return e
}

// unsupported are kinds of Tekton that are not simulated.
var unsupported = map[string]string{
	"PipelineResource":   "PipelineResources are not simulated, and Tekton removed them in v0.46",
	"Condition":          "Conditions are not simulated: Tekton removed them before v0.43",
	"StepAction":         "StepActions are not simulated: they came with Tekton v0.54",
	"VerificationPolicy": "VerificationPolicies are not simulated",
	"ResolutionRequest":  "ResolutionRequests are not simulated",
}

// manifestOf is the manifest that an object was made from, or nil.
func (sc *scenario) manifestOf(o *unstructured.Unstructured) *fixture.Manifest {
	return sc.find(func(m *fixture.Manifest) bool {
		namespace := m.Namespace
		if namespace == "" {
			namespace = sc.namespace
		}
		named := m.Name == o.GetName() || m.Generated && m.Name == o.GetGenerateName()
		return named && m.Kind == o.GetKind() && namespace == o.GetNamespace()
	})
}

// taskOf is the manifest of the Task that a TaskRun refers to, or nil.
func (sc *scenario) taskOf(run *unstructured.Unstructured) *fixture.Manifest {
	ref, _, _ := unstructured.NestedStringMap(run.Object, "spec", "taskRef")
	kind := ref["kind"]
	if kind == "" {
		kind = "Task"
	}
	return sc.find(func(m *fixture.Manifest) bool {
		namespace := m.Namespace
		if namespace == "" {
			namespace = sc.namespace
		}
		return m.Kind == kind && m.Name == ref["name"] && (kind != "Task" || namespace == run.GetNamespace())
	})
}

// find is the first manifest that is as described, or nil.
func (sc *scenario) find(described func(*fixture.Manifest) bool) *fixture.Manifest {
	for _, f := range sc.files {
		if i := slices.IndexFunc(f.Manifests, described); i >= 0 {
			return f.Manifests[i]
		}
	}
	return nil
}

// writtenAs is the apiVersion of the manifest of an object, or nothing if there is none.
func (sc *scenario) writtenAs(o *unstructured.Unstructured) string {
	if m := sc.manifestOf(o); m != nil {
		return m.APIVersion
	}
	return ""
}
