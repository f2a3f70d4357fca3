package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/admission"
	"github.com/plumbline-ci/plumbline/api/config"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
	"github.com/plumbline-ci/plumbline/api/validation/broken"
	"github.com/plumbline-ci/plumbline/kindconfig"
)

// sameWords: each rule is refused by the webhook, in both versions, as the same functions refuse it where they are called
// in process. The configuration that a rule needs is changed under the running controller.
func sameWords(w *world) {
	groups := map[string][]broken.Rule{}
	var order []string
	for _, r := range broken.Rules() {
		text, err := json.Marshal([]any{r.Config, r.Flags()})
		if err != nil {
			w.Fatal(err)
		}
		if groups[string(text)] == nil {
			order = append(order, string(text))
		}
		groups[string(text)] = append(groups[string(text)], r)
	}
	refused := 0
	for _, key := range order {
		group := groups[key]
		w.configure(group[0].Config, group[0].Flags())
		// The webhook learns of another configuration through a watch.
		w.eventually("everything is refused under "+key, func() error {
			var wrong []error
			for _, r := range group {
				for _, version := range validation.Versions() {
					if !r.In(version) {
						continue
					}
					if err := w.refuses(r, version); err != nil {
						wrong = append(wrong, fmt.Errorf("%s: %w", r.Name(version), err))
					}
				}
			}
			return errors.Join(wrong...)
		})
		for _, r := range group {
			for _, version := range validation.Versions() {
				if r.In(version) {
					refused++
				}
			}
		}
	}
	if refused < 150 {
		w.Errorf("only %d inputs were refused", refused)
	}
	w.configure(nil, nil)
}

// configure makes the ConfigMaps say this and nothing else.
func (w *world) configure(defaults, flags map[string]string) {
	w.Helper()
	for name, data := range map[string]map[string]string{config.DefaultsName: defaults, config.FeatureFlagsName: flags} {
		m := &corev1.ConfigMap{}
		if err := w.admin.Get(w.Context(), client.ObjectKey{Namespace: kindconfig.Namespace, Name: name}, m); err != nil {
			w.Fatal(err)
		}
		m.Data = data
		if err := w.admin.Update(w.Context(), m); err != nil {
			w.Fatal(err)
		}
	}
}

// refuses tells how the answer to an input differs from what it should be.
func (w *world) refuses(r broken.Rule, version string) error {
	name, spec := r.Object(version)
	o := &unstructured.Unstructured{Object: map[string]any{}}
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(spec), &tree); err != nil {
		return err
	}
	o.Object["spec"] = tree
	kind := v1beta1.KindTask
	if r.OfRun() {
		kind = v1beta1.KindTaskRun
	}
	o.SetAPIVersion(v1beta1.Group + "/" + version)
	o.SetKind(kind)
	o.SetName(name)
	o.SetNamespace("team-a")
	cfg, err := config.Parse(r.Config, r.Flags())
	if err != nil {
		return err
	}
	text, err := json.Marshal(o.Object)
	if err != nil {
		return err
	}
	_, want := admission.Review{Version: version, Kind: kind, Operation: admission.Create, Object: text}.Admit(cfg)
	var denied *admission.Denied
	if !errors.As(want, &denied) || !strings.HasSuffix(denied.Error(), strings.Join(r.Wanted(version), "\n")) {
		return fmt.Errorf("in process it is not refused as the table says: %w", want)
	}
	got := w.admin.Create(w.Context(), o, client.DryRunAll)
	switch {
	case got == nil:
		return errors.New("it is admitted")
	case r.ID == "V-01":
		// Names of objects are the API server's to check, and it is the first to do so.
		if !strings.Contains(got.Error(), "metadata.name: Invalid value") {
			return fmt.Errorf("it is refused with %q", got.Error())
		}
	case got.Error() != denied.Error():
		return fmt.Errorf("it is refused with\n%s\nand in process with\n%s", got.Error(), denied.Error())
	}
	return nil
}

// badConfiguration: what cannot be parsed is refused where the webhook checks it, and elsewhere not taken over.
func badConfiguration(w *world) {
	m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: kindconfig.Namespace, Name: config.DefaultsName}}
	err := w.admin.Patch(w.Context(), m, client.RawPatch("application/merge-patch+json", []byte(`{"data":{"default-timeout-minutes":"soon"}}`)))
	if err == nil || !strings.HasPrefix(err.Error(), `admission webhook "config.webhook.pipeline.tekton.dev" denied the request: validation failed: `) {
		w.Errorf("a configuration that cannot be parsed: %v", err)
	}
	w.configure(map[string]string{config.KeyTimeoutMinutes: "7"}, map[string]string{config.KeyEnableAPIFields: "bogus"})
	tr := &v1.TaskRun{}
	w.eventually("the configuration is taken over", func() error {
		tr = &v1.TaskRun{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "defaulted"}, Spec: v1.TaskRunSpec{TaskRef: &v1.TaskRef{Name: "t"}}}
		if err := w.admin.Create(w.Context(), tr, client.DryRunAll); err != nil {
			return err
		}
		if tr.Spec.Timeout == nil || tr.Spec.Timeout.Minutes() != 7 {
			return fmt.Errorf("the timeout is %v", tr.Spec.Timeout)
		}
		return nil
	})
	w.eventually("the controller has told of flags that it cannot read", func() error {
		for line := range strings.SplitSeq(w.logs.String(), "\n") {
			if strings.Contains(line, "what the configuration said before stays in force") && strings.Contains(line, config.FeatureFlagsName) {
				return nil
			}
		}
		return errors.New("it has not")
	})
	w.configure(nil, nil)
}

// otherVersion: what is stored in one version is read in the other, through the webhook of the definitions.
func otherVersion(w *world) {
	w.create(&v1.Task{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "converted"}, Spec: v1.TaskSpec{Steps: []v1.Step{{
		Name: "s", Image: "busybox", ComputeResources: corev1.ResourceRequirements{},
	}}}})
	old := &v1beta1.Task{}
	w.eventually("the Task can be read as v1beta1", func() error {
		return w.admin.Get(w.Context(), client.ObjectKey{Namespace: "team-a", Name: "converted"}, old)
	})
	if len(old.Spec.Steps) != 1 || old.Spec.Steps[0].Image != "busybox" {
		w.Errorf("as v1beta1 it is %+v", old.Spec)
	}
}
