package secondkind_test

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/internal/secondkind"
)

// hasty: the Batch is said to be over while its TaskRun still runs.
type reconciler struct {
	subject.Deps
	hasty bool
}

// subjectOf is the reference with a controller of Batches beside it.
func subjectOf(hasty bool) *subject.Subject {
	s := reference.Subject()
	s.Trusted = false
	s.Also = append(s.Also, subject.Controller{
		Name: "batch", For: v1beta1.GroupVersion.WithKind(secondkind.Kind), Owns: []schema.GroupVersionKind{v1beta1.GroupVersion.WithKind(v1beta1.KindTaskRun)},
		New: func(d subject.Deps) (reconcile.Reconciler, error) { return &reconciler{d, hasty}, nil },
	})
	return s
}

// Reconcile makes the Batch's TaskRun, and copies how it ended.
func (r *reconciler) Reconcile(ctx context.Context, q reconcile.Request) (reconcile.Result, error) {
	b := &secondkind.Batch{}
	if err := r.Client.Get(ctx, q.NamespacedName, b); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	b = b.DeepCopyObject().(*secondkind.Batch)
	if b.Status.CompletionTime != nil || b.DeletionTimestamp != nil {
		return reconcile.Result{}, nil
	}
	run := &v1beta1.TaskRun{}
	err := r.Client.Get(ctx, q.NamespacedName, run)
	if apierrors.IsNotFound(err) {
		err = r.Client.Create(ctx, taskRunOf(b))
		if apierrors.IsAlreadyExists(err) {
			err = nil
		}
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	c := run.Status.GetCondition(v1beta1.ConditionSucceeded)
	switch {
	case r.hasty && c != nil:
		r.set(b, corev1.ConditionTrue, "Succeeded")
	case c == nil || c.Status == corev1.ConditionUnknown:
		r.set(b, corev1.ConditionUnknown, "Running")
	default:
		r.set(b, c.Status, "Done")
	}
	return reconcile.Result{}, r.Client.Status().Update(ctx, b)
}

func (r *reconciler) set(b *secondkind.Batch, status corev1.ConditionStatus, reason string) {
	now := metav1.NewTime(r.Clock.Now())
	if b.Status.StartTime == nil {
		b.Status.StartTime = &now
	}
	if status != corev1.ConditionUnknown {
		b.Status.CompletionTime = &now
	}
	b.Status.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: status, Reason: reason}, now)
}

func taskRunOf(b *secondkind.Batch) *v1beta1.TaskRun {
	run := &v1beta1.TaskRun{}
	run.Name, run.Namespace = b.Name, b.Namespace
	run.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(b, v1beta1.GroupVersion.WithKind(secondkind.Kind))}
	step := v1beta1.Step{Script: b.Spec.Script}
	step.Name, step.Image = "work", b.Spec.Image
	run.Spec.TaskSpec = &v1beta1.TaskSpec{Steps: []v1beta1.Step{step}}
	return run
}
