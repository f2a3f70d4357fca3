package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/refusal"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
	"github.com/plumbline-ci/plumbline/conformance/source"
)

// attempts is how often a request is repeated that the API server could not answer.
const attempts = 5

// actions do spec.when.
type actions struct {
	*run
	// checks wait for what an action waits for.
	checks *checks
	// last is when the action before was seen to be complete.
	last time.Time
}

// act does spec.when.
func (s *actions) act(ctx context.Context) error {
	for _, m := range s.fixture.Manifests {
		if !m.Given && len(s.fixture.Spec.When) > 0 {
			continue
		}
		if err := s.apply(ctx, m, m.Pos, "spec.when"); err != nil {
			return err
		}
	}
	for i := range s.fixture.Spec.When {
		a := &s.fixture.Spec.When[i]
		path := fmt.Sprintf("spec.when[%d].%s", i, a.Verb())
		if err := s.do(ctx, a, path); err != nil {
			return err
		}
		s.last = s.cluster.Now()
	}
	return nil
}

func (s *actions) do(ctx context.Context, a *fixture.Action, path string) error {
	switch {
	case a.Apply != nil:
		for i := range a.Apply.Of {
			r := &a.Apply.Of[i]
			if err := s.apply(ctx, s.fixture.Manifest(r), r.Pos, path); err != nil {
				return err
			}
		}
		return nil
	case a.Patch != nil:
		if a.Patch.Merge != nil {
			return s.patch(ctx, "patch", &a.Patch.On, types.MergePatchType, a.Patch.Merge.Value, a.Patch.Subresource, a.Patch.Pos, path)
		}
		return s.patch(ctx, "patch", &a.Patch.On, types.JSONPatchType, jsonPatch(*a.Patch.JSON), a.Patch.Subresource, a.Patch.Pos, path)
	case a.Cancel != nil:
		return s.cancel(ctx, a.Cancel, path)
	case a.Delete != nil:
		return s.delete(ctx, a.Delete, path)
	case a.Exec != nil:
		return s.exec(ctx, a.Exec, path)
	case a.Logs != nil:
		x := &fixture.Condition{Pos: a.Logs.Pos, On: &a.Logs.On, Container: a.Logs.Container, Logs: a.Logs.Text}
		return s.checks.await(ctx, x, s.waits.patience(), path)
	case a.Once != nil:
		return s.checks.await(ctx, a.Once, s.waits.patience(), path)
	case a.After != nil:
		left := s.last.Add(time.Duration(*a.After)).Sub(s.cluster.Now())
		if left <= 0 {
			return nil
		}
		_, err := s.waits.wait(ctx, left, func() bool { return false })
		return err
	}
	return nil
}

func jsonPatch(ops []fixture.JSONOp) any {
	out := make([]any, len(ops))
	for i, op := range ops {
		m := map[string]any{"op": op.Op, "path": op.Path}
		if op.From != "" {
			m["from"] = op.From
		}
		if op.Value != nil {
			m["value"] = op.Value.Value
		}
		out[i] = m
	}
	return out
}

// apply creates the object, or merges the document into the one that is there.
func (s *actions) apply(ctx context.Context, m *fixture.Manifest, pos source.Position, path string) error {
	ref := m.Reference()
	named := s.seen.Named(ref)
	o := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(m.Object)}
	o.SetNamespace(named.GetNamespace())
	err := s.request(ctx, func() error { return s.cluster.Client().Create(ctx, o) })
	if apierrors.IsAlreadyExists(err) {
		body := runtime.DeepCopyJSON(m.Object)
		return s.patch(ctx, "apply", ref, types.MergePatchType, body, "", pos, path)
	}
	if err != nil {
		return s.denied("apply", ref, err, pos, path)
	}
	if m.Generated {
		s.seen.Called(ref, o.GetName())
	}
	return s.shown(ctx, ref)
}

// shown waits until a watch has shown an object that was created, if its kind is watched.
func (s *actions) shown(ctx context.Context, r *fixture.Ref) error {
	kind, _ := s.fixture.KindOf(r)
	must, _ := s.seen.Watched()
	if !slices.ContainsFunc(must, func(k fixture.KindInfo) bool { return k.Kind == kind.Kind && k.APIVersion() == kind.APIVersion() }) {
		return nil
	}
	ok, err := s.waits.wait(ctx, DefaultBudget, s.seen.Changed(func() bool { return len(s.seen.Find(r)) > 0 }))
	if err == nil && !ok {
		err = fmt.Errorf("%s was created, but no watch has shown it within %v", r.String(), DefaultBudget)
	}
	return err
}

func (s *actions) patch(ctx context.Context, action string, r *fixture.Ref, kind types.PatchType, body any, subresource string, pos source.Position, path string) error {
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding the patch: %w", err)
	}
	if o, n := s.seen.Chosen(r); o == nil {
		return failure(pos, path, fmt.Sprintf("there are %d objects %s, and one is to be changed", n, r.String()))
	}
	err = s.request(ctx, func() error {
		o, _ := s.seen.Chosen(r)
		if o == nil {
			return apierrors.NewNotFound(schema.GroupResource{Resource: r.Kind}, r.String())
		}
		p := client.RawPatch(kind, data)
		if subresource != "" {
			return s.cluster.Client().SubResource(subresource).Patch(ctx, o, p)
		}
		return s.cluster.Client().Patch(ctx, o, p)
	})
	if err != nil {
		return s.denied(action, r, err, pos, path)
	}
	return nil
}

func (s *actions) cancel(ctx context.Context, a *fixture.Cancel, path string) error {
	status := a.Status
	if status == "" {
		status, _ = fixture.CancelStatus(a.On.Kind)
	}
	spec := map[string]any{"status": status}
	if a.Message != "" {
		spec["statusMessage"] = a.Message
	}
	return s.patch(ctx, "cancel", &a.On, types.MergePatchType, map[string]any{"spec": spec}, "", a.Pos, path)
}

func (s *actions) delete(ctx context.Context, a *fixture.Delete, path string) error {
	var options []client.DeleteOption
	if a.GracePeriod != nil {
		options = append(options, client.GracePeriodSeconds(int64(time.Duration(*a.GracePeriod).Seconds())))
	}
	o, n := s.seen.Chosen(&a.On)
	if o == nil {
		return failure(a.Pos, path, fmt.Sprintf("there are %d objects %s, and one is to be deleted", n, a.On.String()))
	}
	err := s.request(ctx, func() error { return s.cluster.Client().Delete(ctx, o, options...) })
	if err != nil {
		return s.denied("delete", &a.On, err, a.Pos, path)
	}
	return nil
}

func (s *actions) exec(ctx context.Context, a *fixture.Exec, path string) error {
	namespace, pod, container := s.container(&a.On, a.Container)
	if pod == "" {
		return failure(a.Pos, path, fmt.Sprintf("there is no %s to run a command in", a.On.String()))
	}
	stdout, stderr, exit, err := s.cluster.Exec(ctx, namespace, pod, container, a.Command)
	if err != nil {
		return fmt.Errorf("running %q in %s of pod %s: %w", a.Command, container, pod, err)
	}
	if exit != a.Exit {
		f := failure(a.Pos, path, fmt.Sprintf("the command %q ended with an unexpected exit code: %s", a.Command, strings.TrimSpace(stderr)))
		f.Object, f.Path, f.Want, f.Got = a.On.String(), "exit", fmt.Sprint(a.Exit), fmt.Sprint(exit)
		return f
	}
	if a.Stdout.Given() {
		if diff := a.Stdout.Match(stdout); len(diff) > 0 {
			f := failure(diff[0].Pos, path, fmt.Sprintf("the command %q printed unexpected output", a.Command))
			f.Object, f.Path, f.Want, f.Got = a.On.String(), "stdout", diff[0].Want, diff[0].Got
			return f
		}
	}
	s.proven(a.Pos, path, a.On.String(), nil, fmt.Sprintf("exit code %d", exit))
	return nil
}

// request repeats what the API server was too busy to answer.
func (s *actions) request(ctx context.Context, do func() error) error {
	for n := 1; ; n++ {
		err := do()
		again := apierrors.IsConflict(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err)
		if err == nil || !again || n == attempts {
			return err
		}
		if _, waitErr := s.waits.wait(ctx, time.Second, func() bool { return false }); waitErr != nil {
			return errors.Join(err, waitErr)
		}
	}
}

// isRefusal reports whether an error is an answer of admission: the request is understood
// and not wanted.
func isRefusal(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	code := status.Status().Code
	return code == 400 || code == 403 || code == 422
}

// tooLarge reports whether an object is larger than a request may be, or than what is stored of it. The latter is an
// internal error to a real API server, too, which passes on what etcd says.
func tooLarge(err error) bool {
	return apierrors.IsRequestEntityTooLargeError(err) || strings.Contains(err.Error(), "etcdserver: request is too large")
}

// valueless is what the API's own types say of a param without a value: it cannot even be written down.
const valueless = "impossible ParamValues.Type"

// accepted is what is wanted of a request that was refused.
const accepted = "(accepted)"

// refused is a failure because of a manifest, with the API server's answer.
type refused struct {
	*verdict.Failed
	manifest *fixture.Manifest
	answer   error
}

// Unwrap returns the failure.
func (r *refused) Unwrap() error { return r.Failed }

// explain returns what is wrong with a manifest that was refused, at its places in the file.
func (s *actions) explain(m *fixture.Manifest, err error) source.Errors {
	return refusal.Explain(m, s.fixture.Source, s.cluster.Client().Scheme(), err)
}

// denied sorts out an answer: expected by a check, the implementation's fault, or the machine's.
func (s *actions) denied(action string, r *fixture.Ref, err error, pos source.Position, path string) error {
	kind, _ := s.fixture.KindOf(r)
	switch {
	case isRefusal(err):
		if s.expectsRefusal(action, r) {
			s.refused[action+" "+r.String()] = err
			return nil
		}
		if s.allowsRefusal(action, r) {
			s.proven(pos, path, r.String(), nil, "refused, which is allowed: "+err.Error())
			return nil
		}
		m := s.fixture.Manifest(r)
		if kind.Group != fixture.GroupTekton {
			if m != nil && action == "apply" {
				return s.explain(m, err)
			}
			return &source.Error{Position: pos, Path: path, Message: fmt.Sprintf("the API server refuses to %s %s: %v", action, r.Short(), err), Hint: "correct the action"}
		}
		f := failure(pos, path, fmt.Sprintf("%s was refused", r.String()))
		f.Object, f.Want, f.Got = r.String(), accepted, err.Error()
		if action != "apply" {
			return f
		}
		return &refused{f, m, err}
	case tooLarge(err) && s.fixture.Manifest(r) != nil && action == "apply":
		m := s.fixture.Manifest(r)
		return source.Errors{{Position: m.Pos, Message: m.Ref() + " was refused: " + err.Error(),
			Hint: "make it smaller: a cluster stores at most 1.5 MiB for each object; put long text into an image or a volume"}}
	case strings.Contains(err.Error(), valueless) && s.fixture.Manifest(r) != nil:
		return s.explain(s.fixture.Manifest(r), err)
	case apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) && action != "apply":
		f := failure(pos, path, fmt.Sprintf("there is no %s to %s", r.String(), action))
		f.Object, f.Got = r.String(), err.Error()
		return f
	}
	return fmt.Errorf("%s: cannot %s %s: %w", pos, action, r.String(), err)
}

// allowsRefusal reports whether the documents leave it open if this request is refused.
func (s *actions) allowsRefusal(action string, r *fixture.Ref) bool {
	return slices.ContainsFunc(s.fixture.Spec.When, func(a fixture.Action) bool {
		return a.Refusal() == fixture.RefusalAllowed && a.Verb() == action && slices.ContainsFunc(a.Targets(), func(t fixture.Ref) bool { return t.String() == r.String() })
	})
}

func (s *actions) expectsRefusal(action string, r *fixture.Ref) bool {
	return slices.ContainsFunc(s.fixture.Spec.Then, func(c fixture.Check) bool {
		return c.Rejected != nil && c.Rejected.Request() == action && c.Rejected.On.String() == r.String()
	})
}
