package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
	kind, name, spec := r.Object(version)
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(spec), &tree); err != nil {
		return err
	}
	o := of(version, kind, name)
	o.Object["spec"] = tree
	cfg, err := config.Parse(r.Config, r.Flags())
	if err != nil {
		return err
	}
	denied, err := deniedInProcess(cfg, admission.Create, o, nil)
	if err != nil || !strings.HasSuffix(denied, strings.Join(r.Wanted(version), "\n")) {
		return fmt.Errorf("in process it is not refused as the table says: %s, %w", denied, err)
	}
	got := w.admin.Create(w.Context(), o, client.DryRunAll)
	if r.ID == "V-01" && got != nil {
		// Names of objects are the API server's to check, and it is the first to do so.
		if !strings.Contains(got.Error(), "metadata.name: Invalid value") {
			return fmt.Errorf("it is refused with %q", got.Error())
		}
		return nil
	}
	return same(got, denied)
}

// deniedInProcess is what the functions of package admission say.
func deniedInProcess(cfg *config.Config, operation admission.Operation, o, old *unstructured.Unstructured) (string, error) {
	review := admission.Review{Version: o.GroupVersionKind().Version, Kind: o.GetKind(), Operation: operation}
	var err error
	if review.Object, err = json.Marshal(o.Object); err != nil {
		return "", err
	}
	if old != nil {
		if review.OldObject, err = json.Marshal(old.Object); err != nil {
			return "", err
		}
	}
	_, err = review.Admit(cfg)
	var denied *admission.Denied
	if !errors.As(err, &denied) {
		return "", fmt.Errorf("it is not refused: %w", err)
	}
	return denied.Error(), nil
}

// same tells how what a client was told differs from what it should have been told.
func same(got error, denied string) error {
	switch {
	case got == nil:
		return errors.New("it is admitted")
	case got.Error() != denied:
		return fmt.Errorf("it is refused with\n%s\nand in process with\n%s", got.Error(), denied)
	}
	return nil
}

// sameWordsElsewhere: what does not fit the types of a version, and changes that come too late, are refused alike, too.
func sameWordsElsewhere(w *world) {
	const started, complete = "only status and statusMessage updates are allowed", "no updates are allowed"
	w.create(run("team-a", "under-way", "sleep 600"))
	w.create(run("team-a", "over", "true"))
	w.succeeded("team-a", "over")
	begun := &v1beta1.TaskRun{}
	w.eventually("the run has started", func() error {
		if err := w.admin.Get(w.Context(), client.ObjectKey{Namespace: "team-a", Name: "under-way"}, begun); err != nil {
			return err
		}
		if begun.Status.StartTime == nil {
			return errors.New("it has not started")
		}
		return nil
	})
	for _, version := range []string{v1beta1.Version, v1.Version} {
		for _, tt := range []struct{ kind, spec, says string }{
			{v1beta1.KindTaskRun, `{taskRef: {name: t}, bogus: 1}`, `unknown field "bogus"`},
			{v1beta1.KindTaskRun, `{taskSpec: {steps: [{image: i, bogus: 1}]}}`, `unknown field "bogus"`},
			{v1beta1.KindTask, `{steps: [{image: i, bogus: 1}]}`, `unknown field "bogus"`},
			{v1beta1.KindTaskRun, `{taskRef: {name: t}, timeout: 7}`, `cannot unmarshal number`},
			{v1beta1.KindTaskRun, `{taskRef: {name: t}, timeout: soon}`, `invalid duration`},
		} {
			o := of(version, tt.kind, "t")
			var tree map[string]any
			if err := yaml.Unmarshal([]byte(tt.spec), &tree); err != nil {
				w.Fatal(err)
			}
			o.Object["spec"] = tree
			denied, err := deniedInProcess(config.Default(), admission.Create, o, nil)
			if err == nil {
				err = same(w.admin.Create(w.Context(), o, client.DryRunAll), denied)
			}
			if err != nil || !strings.Contains(denied, tt.says) {
				w.Errorf("%s %s %s: %v, want %q", version, tt.kind, tt.spec, err, tt.says)
			}
		}
		for name, says := range map[string]string{"under-way": started, "over": complete} {
			var denied string
			var err, answer error
			for answer == nil || apierrors.IsConflict(answer) { // its status changes meanwhile
				old := of(version, v1beta1.KindTaskRun, name)
				if err := w.admin.Get(w.Context(), client.ObjectKeyFromObject(old), old); err != nil {
					w.Fatal(err)
				}
				o := old.DeepCopy()
				if err := unstructured.SetNestedField(o.Object, int64(3), "spec", "retries"); err != nil {
					w.Fatal(err)
				}
				if denied, err = deniedInProcess(config.Default(), admission.Update, o, old); err != nil {
					break
				}
				if answer = w.admin.Update(w.Context(), o, client.DryRunAll); answer == nil {
					break
				}
			}
			if err == nil {
				err = same(answer, denied)
			}
			if err != nil || !strings.HasSuffix(denied, "TaskRun is complete, "+says+": spec") && !strings.HasSuffix(denied, "TaskRun has started, "+says+": spec") {
				w.Errorf("%s, the run %s: %v, %s", version, name, err, denied)
			}
		}
	}
	if err := w.admin.Delete(w.Context(), begun); err != nil {
		w.Error(err)
	}
}

// of is an object without anything but a name.
func of(version, kind, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetAPIVersion(v1beta1.Group + "/" + version)
	o.SetKind(kind)
	o.SetName(name)
	o.SetNamespace("team-a")
	return o
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
	w.eventually("the controller has logged the flags that it cannot read", func() error {
		for line := range strings.SplitSeq(w.logs.String(), "\n") {
			if strings.Contains(line, "what the configuration said before stays in force") && strings.Contains(line, config.FeatureFlagsName) {
				return nil
			}
		}
		return errors.New("it has not logged them")
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
