package attached_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/targets/attached"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// loose is an object of the API without a Go type.
func loose(version, kind string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetGroupVersionKind(schema.GroupVersionKind{Group: v1beta1.Group, Version: version, Kind: kind})
	return o
}

// TestInformerOfUnstructuredObjects has one of each version, for subjects with their own Go types and for those without.
func TestInformerOfUnstructuredObjects(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, version string
		scheme          *runtime.Scheme
	}{
		{"the version that is stored", "v1beta1", nil},
		{"the version that is converted to", "v1", nil},
		{"a subject with a scheme that does not know the kind", "v1", runtime.NewScheme()},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var heard []string
			c, err := cluster(t, attached.Options{Scheme: tt.scheme, Run: func(ctx context.Context, d attached.Deps) error {
				runs, err := d.Informer(loose(tt.version, "TaskRun"))
				if err != nil {
					return err
				}
				say := func(what string, object any) {
					mu.Lock()
					defer mu.Unlock()
					o, ok := object.(*unstructured.Unstructured)
					if !ok {
						t.Errorf("%s of a %T", what, object)
						return
					}
					heard = append(heard, what+" "+o.GroupVersionKind().Version+" "+o.GetKind()+" "+o.GetName())
				}
				if _, err := runs.AddEventHandler(cache.ResourceEventHandlerFuncs{
					AddFunc: func(o any) { say("add", o) }, DeleteFunc: func(o any) { say("delete", o) },
				}); err != nil {
					return err
				}
				d.Go(func() { runs.RunWithContext(ctx) })
				cache.WaitForCacheSync(ctx.Done(), runs.HasSynced)
				return idle(ctx)
			}})
			if err != nil {
				t.Fatal(err)
			}
			o := loose(tt.version, "TaskRun")
			o.SetNamespace("default")
			o.SetName("mine")
			o.Object["spec"] = map[string]any{"taskSpec": map[string]any{"steps": []any{map[string]any{"name": "only", "image": "busybox", "script": "true"}}}}
			for _, do := range []func() error{
				func() error { return c.Client().Create(t.Context(), o) },
				func() error { return c.Client().Delete(t.Context(), o) },
			} {
				if err := do(); err != nil {
					t.Fatal(err)
				}
				if err := c.WaitUntil(t.Context(), c.Now().Add(time.Second), func() bool { return false }); !errors.Is(err, conformance.ErrDeadline) {
					t.Fatal(err)
				}
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			kind := tt.version + " TaskRun mine"
			if got, want := strings.Join(heard, ", "), "add "+kind+", delete "+kind; got != want {
				t.Errorf("heard %q, want %q", got, want)
			}
		})
	}
}

// TestUselessInformerIsReported: the report names the subject, within a minute of the subject's own time.
func TestUselessInformerIsReported(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		run    func(ctx context.Context, d attached.Deps) error
		says   string
	}{
		{"its kind is not served", func(ctx context.Context, d attached.Deps) error {
			runs, err := d.Informer(loose("v1", "Rundown"))
			if err != nil {
				return err
			}
			d.Go(func() { runs.RunWithContext(ctx) })
			cache.WaitForCacheSync(ctx.Done(), runs.HasSynced)
			return idle(ctx)
		}, `subject toy: the informer of tekton.dev/v1, Kind=Rundown cannot watch: failed to list tekton.dev/v1, Kind=Rundown: no matches for kind "Rundown" in version "tekton.dev/v1"`},
		{"its kind is not served, and the subject does not wait", func(ctx context.Context, d attached.Deps) error {
			runs, err := d.Informer(loose("v1", "Rundown"))
			if err != nil {
				return err
			}
			runs.RunWithContext(ctx)
			return nil
		}, `subject toy: the informer of tekton.dev/v1, Kind=Rundown cannot watch: `},
		{"it was not started", func(ctx context.Context, d attached.Deps) error {
			runs, err := d.Informer(&v1beta1.TaskRun{})
			if err != nil {
				return err
			}
			cache.WaitForCacheSync(ctx.Done(), runs.HasSynced)
			return idle(ctx)
		}, "subject toy: the subject waits for informers that have not synced in 1m0s: is each of them started?\n"},
		{"an informer of the factory was not started", func(ctx context.Context, d attached.Deps) error {
			cache.WaitForNamedCacheSync("mine", ctx.Done(), d.Informers.Core().V1().Pods().Informer().HasSynced)
			return idle(ctx)
		}, "subject toy: the subject waits for informers that have not synced in 1m0s"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			c, err := cluster(t, attached.Options{Run: tt.run})
			if err == nil {
				err = c.WaitUntil(t.Context(), c.Now().Add(2*time.Minute), func() bool { return false })
				if again := c.Close(); again != nil {
					t.Errorf("reported twice: %v", again)
				}
			}
			var own *conformance.ImplementationError
			if !errors.As(err, &own) || !strings.HasPrefix(err.Error(), tt.says) {
				t.Errorf("got %v\nwant an error of the implementation, %s", err, tt.says)
			}
		})
	}
}

// TestEndOfSubjectIsReportedOnce: the first fixture reports that a subject returned or panicked, and the others name it.
func TestEndOfSubjectIsReportedOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, cause string
		run           func(context.Context, attached.Deps) error
	}{
		{"it returns", "subject toy: the subject has ended: Run returned before its context ended", func(context.Context, attached.Deps) error { return nil }},
		{"it panics", "subject toy: the subject panicked: out of cheese", func(context.Context, attached.Deps) error { panic("out of cheese") }},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			target, err := fake.New(fake.Options{Subject: attached.Subject(t, attached.Options{Name: "toy", Run: tt.run})})
			if err != nil {
				t.Fatal(err)
			}
			report, err := conformance.Judge(t.Context(), conformance.Options{
				Target: target, Implementation: reference.Implementation(), Claims: coreClaims(), Seed: 1, Parallel: 2,
				Filter: conformance.Filter{Names: []string{"timeout-*"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			full, short := "", map[string]int{}
			for _, f := range report.Fixtures {
				switch {
				case f.Verdict != reports.Fail:
					if !f.Skipped() {
						t.Errorf("%s: %s", f.Name, f.Verdict)
					}
				case f.Failure.Message == tt.cause && full == "":
					full = f.Name
				default:
					short[f.Failure.Message]++
					if x := f.Failure; x.Got != "" || len(x.History)+len(x.Events)+len(x.Logs) > 0 {
						t.Errorf("%s tells it again:\n%+v", f.Name, x)
					}
				}
			}
			if want := tt.cause + "; see fixture " + full; full == "" || len(short) != 1 || short[want] < 2 {
				t.Errorf("%q tells it, and the others say %v", full, short)
			}
			if text := render.Summary(report); strings.Count(text, tt.cause) != 1 || strings.Contains(text, "; see") {
				t.Errorf("the summary has it other than once:\n%s", text)
			}
		})
	}
}
