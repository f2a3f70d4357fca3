// Package remote asks, on behalf of a run, for a Task or a Pipeline that is not in the cluster, and reads the answer (spec of Pipelines
// §3.5). It is what the reconcilers of TaskRuns and PipelineRuns share. It does not matter what answers: a resolver of this repository or of
// another program, or a user with kubectl.
//
//	remote.go  the question: a ResolutionRequest, made once
//	object.go  the answer: an object of the API, decoded, filled in and checked
//
// # Names
//
// The name of a request is derived from what asks, so that a request that was made but not noticed is found again, and that a TaskRun
// finds what its PipelineRun has asked for it. Requests outlive nothing: they belong to the run that made them. One of the same name that
// belongs to something else, as to an earlier run of that name, is neither read nor changed; then the name has the run's UID in it, too.
package remote

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolution "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// ErrInProgress says that there is no answer yet. A change of the request wakes its owner.
var ErrInProgress = errors.New("resource request in progress")

// RequestError says that the request was answered with a no, or with something that cannot be read. Asking again changes nothing.
type RequestError struct{ Err error }

func (e *RequestError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RequestError) Unwrap() error { return e.Err }

func refused(format string, args ...any) error { return &RequestError{fmt.Errorf(format, args...)} }

// Pass is what a pass over a run gives. Package pass has both.
type Pass interface {
	// Get reads from the cache, and from the API server what is not there.
	Get(ctx context.Context, key client.ObjectKey, object client.Object) error
	// Confirm returns an error unless the pass decides on the present state of the run.
	Confirm(ctx context.Context) error
}

// Question is what is asked for, and by whom.
type Question struct {
	// Owner is the run that asks, of kind GVK.
	Owner client.Object
	GVK   schema.GroupVersionKind
	// For is the name of the run that the answer is for: the owner's, or that of a TaskRun which it is about to make.
	For      string
	Resolver string
	// Params have no variables left.
	Params []v1beta1.Param
}

// Answer is what was found.
type Answer struct {
	Text   string // base64
	Source *v1beta1.ConfigSource
}

// Ask makes a request, or finds the one that was made. The errors are ErrInProgress, a *RequestError, or those of the API.
func Ask(ctx context.Context, p Pass, create client.Writer, q Question) (Answer, error) {
	request, err := q.find(ctx, p)
	if err != nil {
		return Answer{}, err
	}
	if request.UID == "" {
		if err := p.Confirm(ctx); err != nil {
			return Answer{}, err
		}
		if err := create.Create(ctx, request); err != nil {
			return Answer{}, err
		}
		return Answer{}, ErrInProgress
	}
	return answerOf(request)
}

// Known is the answer if there is one. Nothing is asked for.
func Known(ctx context.Context, p Pass, q Question) (Answer, error) {
	request, err := q.find(ctx, p)
	if err != nil {
		return Answer{}, err
	}
	return answerOf(request)
}

// answerOf reads a request. One that was not made yet has no answer either.
func answerOf(request *resolution.ResolutionRequest) (Answer, error) {
	switch c := request.Status.Succeeded(); {
	case c.IsTrue():
		return Answer{Text: request.Status.Data, Source: request.Status.Source}, nil
	case c.IsFalse():
		return Answer{}, refused("error requesting remote resource: %s", c.Message)
	default:
		return Answer{}, ErrInProgress
	}
}

// find is the request that answers the question, or, without a UID, the one to make.
func (q Question) find(ctx context.Context, p Pass) (*resolution.ResolutionRequest, error) {
	taken := false
	for _, name := range []string{Name(q.Resolver, q.Owner.GetNamespace(), q.For, ""), Name(q.Resolver, q.Owner.GetNamespace(), q.For, q.whose())} {
		request := &resolution.ResolutionRequest{}
		err := p.Get(ctx, client.ObjectKey{Namespace: q.Owner.GetNamespace(), Name: name}, request)
		switch {
		case err == nil && q.owns(request):
			return request, nil
		case err == nil:
			taken = true
		case !apierrors.IsNotFound(err):
			return nil, err
		}
	}
	own := types.UID("")
	if taken {
		own = q.whose()
	}
	return q.request(Name(q.Resolver, q.Owner.GetNamespace(), q.For, own)), nil
}

// whose is the UID of the run that requests belong to: of a TaskRun of a PipelineRun it is the latter's, which may have asked for it.
func (q Question) whose() types.UID {
	if of := metav1.GetControllerOf(q.Owner); of != nil && of.Kind == v1beta1.KindPipelineRun {
		return of.UID
	}
	return q.Owner.GetUID()
}

// owns reports whether a request belongs to the run that asks, or to the PipelineRun of that.
func (q Question) owns(request *resolution.ResolutionRequest) bool {
	of := metav1.GetControllerOf(request)
	return of != nil && (of.UID == q.Owner.GetUID() || of.UID == q.whose())
}

func (q Question) request(name string) *resolution.ResolutionRequest {
	return &resolution.ResolutionRequest{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: q.Owner.GetNamespace(), Name: name,
			Labels:          map[string]string{resolution.LabelType: q.Resolver},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(q.Owner, q.GVK)},
		},
		Spec: resolution.ResolutionRequestSpec{Params: q.Params},
	}
}

// Name is the name of a request: of a resolver, and the run that the answer is for. uid is empty unless another request has that name.
func Name(resolver, namespace, run string, uid types.UID) string {
	hash := fnv.New128a()
	text := namespace + "/" + run
	if uid != "" {
		text += "/" + string(uid)
	}
	hash.Write([]byte(text)) // never fails
	return fmt.Sprintf("%s-%x", resolver, hash.Sum(nil))
}
