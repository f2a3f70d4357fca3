package pipelinerun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/childname"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/progress"
)

// childName is the name of a child: of the task, or of one combination of its matrix.
func (p *pipelineRunPass) childName(t *progress.Task, combination int) string {
	if combination < 0 {
		if name := p.recorded.names[t.Spec.Name]; name != "" && t.Spec.Matrix == nil {
			return name
		}
		return childname.Of(p.Run.Name, "-"+t.Spec.Name)
	}
	return childname.Of(p.Run.Name, fmt.Sprintf("-%s-%d", t.Spec.Name, combination))
}

// child is what the cache knows under a name, or the API server knows of a child that the status has. It is nil if there is none
// that belongs to the run.
func (p *pipelineRunPass) child(t *progress.Task, name string) *progress.Child {
	c, known := p.children[name]
	if known {
		return c
	}
	if c = p.settledChild(name); c != nil {
		p.children[name] = c
		return c
	}
	c, err := p.look(p.ctx, p.Deps.Client, t, name)
	if err == nil && c == nil {
		if p.recorded.kinds[name] != "" {
			if c, err = p.look(p.ctx, p.Deps.Reader, t, name); err == nil && c == nil {
				c = p.recordedChild(name)
			}
		}
	}
	if err != nil {
		p.trouble = errors.Join(p.trouble, err)
	}
	p.children[name] = c
	return c
}

// know takes note of a child that this pass has made, found or changed.
func (p *pipelineRunPass) know(name string, c *progress.Child) {
	p.children[name] = c
	p.changes++
}

// look reads a child. Of a custom task it is a Run or a CustomRun: which of them is made may have changed since.
func (p *pipelineRunPass) look(ctx context.Context, from client.Reader, t *progress.Task, name string) (*progress.Child, error) {
	for _, o := range p.childKinds(t) {
		err := from.Get(ctx, client.ObjectKey{Namespace: p.Run.Namespace, Name: name}, o)
		switch {
		case err == nil && metav1.IsControlledBy(o, p.Run):
			return p.childOf(o), nil
		case err != nil && !apierrors.IsNotFound(err):
			return nil, err
		}
	}
	return nil, nil
}

// childKinds are empty objects of the kinds that a child of a task can have. They are good until the next call: a pass over a large
// run looks at many children, and keeps a [progress.Child] of each.
func (p *pipelineRunPass) childKinds(t *progress.Task) []client.Object {
	if t.Custom {
		return []client.Object{&v1alpha1.Run{}, &v1beta1.CustomRun{}}
	}
	if p.room == nil {
		p.room = []client.Object{&v1beta1.TaskRun{}}
	}
	*p.room[0].(*v1beta1.TaskRun) = v1beta1.TaskRun{}
	return p.room
}

// childOf is how an object stands as a child, of which nothing is kept but what the object shares with others.
func (p *pipelineRunPass) childOf(o client.Object) *progress.Child {
	c := p.newChild()
	c.Name, c.Began = o.GetName(), o.GetCreationTimestamp().Time
	whole := p.Config.FeatureFlags.EmbeddedStatus != embedMinimal
	switch o := o.(type) {
	case *v1beta1.TaskRun:
		c.Asked, c.Message = o.Spec.Status != "", string(o.Spec.StatusMessage)
		taskRunStands(c, &o.Status)
		if whole {
			status := o.Status
			c.Status = &status
		}
	case *v1alpha1.Run:
		c.APIVersion, c.Kind = runVersion, v1alpha1.KindRun
		c.Asked, c.Message = o.Spec.Status != "", string(o.Spec.StatusMessage)
		customStands(c, &o.Status)
		c.Status = &o.Status
	case *v1beta1.CustomRun:
		c.APIVersion, c.Kind = betaVersion, v1beta1.KindCustomRun
		c.Asked, c.Message = o.Spec.Status != "", string(o.Spec.StatusMessage)
		customStands(c, &o.Status)
		c.Status = &o.Status
	}
	return c
}

// newChild is an empty child. They are made many at a time.
func (p *pipelineRunPass) newChild() *progress.Child {
	const several = 32
	if len(p.spare) == 0 {
		p.spare = make([]progress.Child, several)
	}
	c := &p.spare[0]
	p.spare = p.spare[1:]
	return c
}

// The versions of children, as they refer to themselves.
var (
	betaVersion = v1beta1.GroupVersion.String()
	runVersion  = v1alpha1.GroupVersion.String()
)

// taskRunStands fills in what the status of a TaskRun says.
func taskRunStands(c *progress.Child, s *v1beta1.TaskRunStatus) {
	c.APIVersion, c.Kind = betaVersion, v1beta1.KindTaskRun
	c.Succeeded, c.Attempts = s.Succeeded(), len(s.RetriesStatus)
	for _, r := range s.TaskRunResults {
		c.Results = append(c.Results, progress.Result{Name: r.Name, Value: r.Value})
	}
}

// customStands fills in what the status of a Run or a CustomRun says.
func customStands(c *progress.Child, s *v1beta1.CustomRunStatus) {
	c.Succeeded, c.Attempts = s.Succeeded(), len(s.RetriesStatus)
	for _, r := range s.Results {
		c.Results = append(c.Results, progress.Result{Name: r.Name, Value: v1beta1.StringValue(r.Value)})
	}
	if s.StartTime != nil {
		c.Began = s.StartTime.Time
	}
}

// confirmNotBegun asks the API server for children of tasks that look as if they had never begun and are about to be taken for
// such: they may have been made without that being known. It reports whether any was found.
func (p *pipelineRunPass) confirmNotBegun(ctx context.Context, run *progress.Run) (found bool, err error) {
	starting := map[*progress.Task]bool{}
	for _, t := range run.Next() {
		starting[t] = true
	}
	for _, t := range run.Due() {
		if starting[t] || p.recorded.skipped[t.Spec.Name] {
			continue
		}
		for _, i := range t.Missing() {
			c, err := p.look(ctx, p.Deps.Reader, t, t.Names[i])
			if err != nil {
				return found, err
			}
			if c != nil {
				p.know(t.Names[i], c)
				found = true
			}
		}
	}
	return found, nil
}

// begin makes the children that are due. What the API server is in trouble with is tried again; what it refuses for good is
// remembered.
func (p *pipelineRunPass) begin(ctx context.Context, run *progress.Run) error {
	next := run.Next()
	if len(next) == 0 {
		return nil
	}
	if err := p.Confirm(ctx); err != nil {
		return err
	}
	if !run.Begun() {
		if err := p.prepareWorkspaces(ctx); err != nil {
			return err
		}
	}
	var trouble []error
	for _, t := range next {
		if err := p.beginTask(ctx, run, t); err != nil {
			trouble = append(trouble, err)
		}
	}
	return errors.Join(trouble...)
}

func (p *pipelineRunPass) beginTask(ctx context.Context, run *progress.Run, t *progress.Task) error {
	pt := run.Complete(t)
	propagated := p.Config.FeatureFlags.Alpha()
	bound, sources, missing := bindings(pt, p.bindings(), nothing, propagated)
	if missing != "" {
		optional, err := p.optionalWorkspaces(ctx, pt)
		if err != nil {
			return err
		}
		bound, sources, missing = bindings(pt, p.bindings(), optional, propagated)
	}
	if missing != "" {
		p.cannotStart(t, v1beta1.PipelineRunReasonCreateRunFailed, fmt.Sprintf("expected workspace %q to be provided by pipelinerun for pipeline task %q", missing, pt.Name))
		return nil
	}
	for _, i := range t.Missing() {
		b := &blueprint{run: p.Run, task: t, complete: pt, name: t.Names[i], workspaces: bound, assistant: p.assistantOf(sources)}
		if t.Combinations != nil {
			b.params = t.Combinations[i]
		}
		if err := p.beginChild(ctx, t, b); err != nil {
			return err
		}
	}
	return nil
}

func (p *pipelineRunPass) object(t *progress.Task, b *blueprint) client.Object {
	switch {
	case !t.Custom:
		return b.taskRun()
	case p.Config.FeatureFlags.CustomTaskVersion == v1beta1.Version:
		return b.customRun()
	default:
		return b.aRun()
	}
}

func (p *pipelineRunPass) beginChild(ctx context.Context, t *progress.Task, b *blueprint) error {
	o := p.object(t, b)
	kind := "TaskRun"
	if t.Custom {
		kind = "Run"
	}
	err := p.Deps.Client.Create(ctx, o)
	if err == nil {
		p.know(b.name, p.childOf(o))
		return nil
	}
	// It may be there: the cache is behind, or an earlier answer was lost, and the refusal is of a second one.
	exists := apierrors.IsAlreadyExists(err)
	if exists || !pass.Passes(err) {
		made, lookErr := p.look(ctx, p.Deps.Reader, t, b.name)
		if lookErr != nil {
			return lookErr
		}
		if made != nil {
			p.know(b.name, made)
			return nil
		}
	}
	message := fmt.Sprintf("Failed to create %s %q: %v", kind, b.name, err)
	p.Event(corev1.EventTypeWarning, kind+"CreationFailed", message)
	switch {
	case exists && p.makesRoom(ctx, t, b.name):
		return err
	case exists:
		p.cannotStart(t, v1beta1.PipelineRunReasonCreateRunFailed, fmt.Sprintf("%s %q of pipeline task %q cannot be made: an object of that name does not belong to PipelineRun %s/%s", kind, b.name, t.Spec.Name, p.Run.Namespace, p.Run.Name))
		return nil
	case pass.Passes(err) || pass.OverQuota(err):
		return err
	default:
		p.cannotStart(t, v1beta1.PipelineRunReasonCreateRunFailed, message)
		return nil
	}
}

// makesRoom reports whether the object that has a child's name is on its way out: it is being deleted, or belongs to a run of this
// name that is gone.
func (p *pipelineRunPass) makesRoom(ctx context.Context, t *progress.Task, name string) bool {
	for _, o := range p.childKinds(t) {
		if err := p.Deps.Reader.Get(ctx, client.ObjectKey{Namespace: p.Run.Namespace, Name: name}, o); err != nil {
			continue
		}
		of := metav1.GetControllerOf(o)
		return o.GetDeletionTimestamp() != nil || of != nil && of.Kind == v1beta1.KindPipelineRun && of.Name == p.Run.Name && of.UID != p.Run.UID
	}
	return true // it is gone by now
}

// cannotStart remembers that a task cannot be started.
func (p *pipelineRunPass) cannotStart(t *progress.Task, reason, message string) {
	p.changes++
	p.problems[t.Spec.Name] = progress.Problem{Reason: reason, Message: message}
	data, err := json.Marshal(p.problems)
	if err != nil {
		return // strings can be written
	}
	s := &p.Run.Status.Status
	s.Annotations = maps.Clone(s.Annotations)
	if s.Annotations == nil {
		s.Annotations = map[string]string{}
	}
	s.Annotations[ProblemsAnnotation] = string(data)
}

// problemsOf are the tasks that could not be started before.
func problemsOf(s *v1beta1.PipelineRunStatus) map[string]progress.Problem {
	out := map[string]progress.Problem{}
	if text := s.Annotations[ProblemsAnnotation]; text != "" {
		if json.Unmarshal([]byte(text), &out) != nil {
			return map[string]progress.Problem{}
		}
	}
	return out
}

// cause is why children are asked to end.
type cause int

const (
	byUser cause = iota
	byTimeout
)

// requests are what is written to a child of each kind to end it, by cause.
var requests = map[string]struct {
	status   string
	messages [2]string
}{
	v1beta1.KindTaskRun:   {string(v1beta1.TaskRunSpecStatusCancelled), [2]string{string(v1beta1.TaskRunCancelledByPipeline), string(v1beta1.TaskRunTimedOutByPipeline)}},
	v1alpha1.KindRun:      {string(v1beta1.RunSpecStatusCancelled), [2]string{string(v1beta1.RunCancelledByPipeline), string(v1beta1.RunTimedOutByPipeline)}},
	v1beta1.KindCustomRun: {string(v1beta1.RunSpecStatusCancelled), [2]string{string(v1beta1.CustomRunCancelledByPipeline), string(v1beta1.CustomRunTimedOutByPipeline)}},
}

// stop asks the children of tasks that run to end, unless they have been asked before. Children that are gone need nothing.
func (p *pipelineRunPass) stop(ctx context.Context, tasks []*progress.Task, why cause) error {
	var problems []error
	for _, t := range tasks {
		for _, c := range t.Children {
			if c == nil || c.Asked || c.Done(t.Spec.Retries) {
				continue
			}
			if err := p.stopChild(ctx, c, why); err != nil && !apierrors.IsNotFound(err) {
				problems = append(problems, fmt.Errorf("Failed to patch %s `%s` with cancellation: %w", c.Kind, c.Name, err))
			}
		}
	}
	return errors.Join(problems...)
}

func (p *pipelineRunPass) stopChild(ctx context.Context, c *progress.Child, why cause) error {
	request := requests[c.Kind]
	target := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: c.APIVersion, Kind: c.Kind}, ObjectMeta: metav1.ObjectMeta{Namespace: p.Run.Namespace, Name: c.Name}}
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value string `json:"value"`
	}
	err := p.Patch(ctx, target, types.JSONPatchType, []operation{
		{"add", "/spec/status", request.status},
		{"add", "/spec/statusMessage", request.messages[why]},
	})
	if err == nil {
		stopped := *c
		stopped.Asked, stopped.Message = true, request.messages[why]
		p.know(c.Name, &stopped)
	}
	return err
}
