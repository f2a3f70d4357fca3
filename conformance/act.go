package conformance

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
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
)

func lower(s string) string { return strings.ToLower(s) }

// attempts is how often a request is repeated that the API server could not answer.
const attempts = 5

// act does spec.when.
func (s *session) act(ctx context.Context) error {
	if len(s.fixture.Spec.When) == 0 {
		for _, m := range s.fixture.Manifests {
			if err := s.apply(ctx, m, m.Pos, "spec.when"); err != nil {
				return err
			}
		}
		return nil
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

func (s *session) do(ctx context.Context, a *fixture.Action, path string) error {
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
		return s.await(ctx, x, s.patience(), path)
	case a.Once != nil:
		return s.await(ctx, a.Once, s.patience(), path)
	case a.After != nil:
		left := s.last.Add(time.Duration(*a.After)).Sub(s.cluster.Now())
		if left <= 0 {
			return nil
		}
		_, err := s.wait(ctx, left, func() bool { return false })
		return err
	}
	return nil
}

// patience is how long a wait may take that is not under test.
func (s *session) patience() time.Duration {
	if s.tried {
		return s.allowance(0)
	}
	return max(defaultBudget, s.allowance(0))
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

// object returns an empty object that names what a reference stands for.
func (s *session) object(r *fixture.Ref) *unstructured.Unstructured {
	kind, _ := s.fixture.KindOf(r)
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(kind.APIVersion())
	o.SetKind(kind.Kind)
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	o.SetName(s.world.actual(r))
	o.SetNamespace(s.world.namespaceOf(kind, r))
	return o
}

// apply creates the object, or merges the document into the one that is there.
func (s *session) apply(ctx context.Context, m *fixture.Manifest, pos source.Position, path string) error {
	ref := m.Reference()
	named := s.object(ref)
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
		s.world.called(ref, o.GetName())
	}
	return s.seen(ctx, ref)
}

// seen waits until a watch has shown an object that was created, if its kind is watched.
func (s *session) seen(ctx context.Context, r *fixture.Ref) error {
	kind, _ := s.fixture.KindOf(r)
	must, _ := s.fixture.Watched()
	if !slices.ContainsFunc(must, func(k fixture.KindInfo) bool { return k.Kind == kind.Kind && k.APIVersion() == kind.APIVersion() }) {
		return nil
	}
	ok, err := s.wait(ctx, defaultBudget, s.changed(func() bool { return len(s.world.find(r)) > 0 }))
	if err == nil && !ok {
		err = fmt.Errorf("%s was created, but no watch has shown it within %v", r.String(), defaultBudget)
	}
	return err
}

func (s *session) patch(ctx context.Context, action string, r *fixture.Ref, kind types.PatchType, body any, subresource string, pos source.Position, path string) error {
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding the patch: %w", err)
	}
	err = s.request(ctx, func() error {
		o, p := s.object(r), client.RawPatch(kind, data)
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

func (s *session) cancel(ctx context.Context, a *fixture.Cancel, path string) error {
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

func (s *session) delete(ctx context.Context, a *fixture.Delete, path string) error {
	var options []client.DeleteOption
	if a.GracePeriod != nil {
		options = append(options, client.GracePeriodSeconds(int64(time.Duration(*a.GracePeriod).Seconds())))
	}
	err := s.request(ctx, func() error { return s.cluster.Client().Delete(ctx, s.object(&a.On), options...) })
	if err != nil {
		return s.denied("delete", &a.On, err, a.Pos, path)
	}
	return nil
}

func (s *session) exec(ctx context.Context, a *fixture.Exec, path string) error {
	namespace, pod, container := s.container(&a.On, a.Container)
	if pod == "" {
		return s.failure(a.Pos, path, fmt.Sprintf("there is no %s to run a command in", a.On.String()))
	}
	stdout, stderr, exit, err := s.cluster.Exec(ctx, namespace, pod, container, a.Command)
	if err != nil {
		return fmt.Errorf("running %q in %s of pod %s: %w", a.Command, container, pod, err)
	}
	if exit != a.Exit {
		f := s.failure(a.Pos, path, fmt.Sprintf("the command %q ended with an unexpected exit code: %s", a.Command, strings.TrimSpace(stderr)))
		f.Object, f.Path, f.Want, f.Got = a.On.String(), "exit", fmt.Sprint(a.Exit), fmt.Sprint(exit)
		return f
	}
	if a.Stdout.Given() {
		if diff := a.Stdout.Match(stdout); len(diff) > 0 {
			f := s.failure(diff[0].Pos, path, fmt.Sprintf("the command %q printed unexpected output", a.Command))
			f.Object, f.Path, f.Want, f.Got = a.On.String(), "stdout", diff[0].Want, diff[0].Got
			return f
		}
	}
	s.proven(a.Pos, path, a.On.String(), nil, fmt.Sprintf("exit code %d", exit))
	return nil
}

// container returns the newest Pod that a reference stands for, and the container,
// or its first.
func (s *session) container(r *fixture.Ref, container string) (namespace, podName, containerName string) {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	var newest *life
	for _, l := range s.world.find(r) {
		if !l.last().gone && (newest == nil || l.versions[0].seq > newest.versions[0].seq) {
			newest = l
		}
	}
	if newest == nil {
		return "", "", ""
	}
	if container == "" {
		if list := containers(newest.last().object); len(list) > 0 {
			container = list[0]
		}
	}
	return newest.namespace, newest.name, container
}

// containers lists the names of a Pod's containers, without its init containers.
func containers(pod *unstructured.Unstructured) []string { return named(pod, "containers") }

// named lists the names in a list of a Pod's spec.
func named(pod *unstructured.Unstructured, list string) []string {
	var names []string
	for _, c := range entries(pod.Object, "spec", list) {
		if name, ok := c["name"].(string); ok {
			names = append(names, name)
		}
	}
	return names
}

// request repeats what the API server was too busy to answer.
func (s *session) request(ctx context.Context, do func() error) error {
	for n := 1; ; n++ {
		err := do()
		again := apierrors.IsConflict(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err)
		if err == nil || !again || n == attempts {
			return err
		}
		if _, waitErr := s.wait(ctx, time.Second, func() bool { return false }); waitErr != nil {
			return errors.Join(err, waitErr)
		}
	}
}

// refusal says whether an error is an answer of admission: the request is understood
// and not wanted.
func refusal(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	code := status.Status().Code
	return code == 400 || code == 403 || code == 422
}

// tooLarge says whether an object is larger than a request may be, or than what is stored of it. The latter is an
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
	*failed
	manifest *fixture.Manifest
	answer   error
}

// Unwrap returns the failure.
func (r *refused) Unwrap() error { return r.failed }

// denied sorts out an answer: expected by a check, the implementation's fault, or the machine's.
func (s *session) denied(action string, r *fixture.Ref, err error, pos source.Position, path string) error {
	kind, _ := s.fixture.KindOf(r)
	switch {
	case refusal(err):
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
				return s.mistakes(m, err)
			}
			return &source.Error{Position: pos, Path: path, Message: fmt.Sprintf("the API server refuses to %s %s: %v", action, r.Short(), err), Hint: "correct the action"}
		}
		f := s.failure(pos, path, fmt.Sprintf("%s was refused", r.String()))
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
		return s.mistakes(s.fixture.Manifest(r), err)
	case apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) && action != "apply":
		f := s.failure(pos, path, fmt.Sprintf("there is no %s to %s", r.String(), action))
		f.Object, f.Got = r.String(), err.Error()
		return f
	}
	return fmt.Errorf("%s: cannot %s %s: %w", pos, action, r.String(), err)
}

// allowsRefusal says whether the documents leave it open if this request is refused.
func (s *session) allowsRefusal(action string, r *fixture.Ref) bool {
	return slices.ContainsFunc(s.fixture.Spec.When, func(a fixture.Action) bool {
		return a.Refusal() == fixture.RefusalAllowed && a.Verb() == action && slices.ContainsFunc(a.Targets(), func(t fixture.Ref) bool { return t.String() == r.String() })
	})
}

func (s *session) expectsRefusal(action string, r *fixture.Ref) bool {
	return slices.ContainsFunc(s.fixture.Spec.Then, func(c fixture.Check) bool {
		return c.Rejected != nil && c.Rejected.Request() == action && c.Rejected.On.String() == r.String()
	})
}
