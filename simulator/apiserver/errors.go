package apiserver

import (
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// optimisticLockMessage is what a write gets that was made against an older
// version of its object.
const optimisticLockMessage = "the object has been modified; please apply your changes to the latest version and try again"

// namespaceMismatch is what a body gets whose namespace is not that of its URL.
const namespaceMismatch = "the namespace of the provided object does not match the namespace sent on the request"

func (r *resource) notFound(name string) error { return apierrors.NewNotFound(r.gr, name) }

func (r *resource) alreadyExists(name string, obj client.Object) error {
	err := apierrors.NewAlreadyExists(r.gr, name)
	if obj.GetDeletionTimestamp() != nil {
		err.ErrStatus.Message = "object is being deleted: " + err.ErrStatus.Message
	}
	return err
}

func (r *resource) stale(name string) error {
	return apierrors.NewConflict(r.gr, name, fmt.Errorf("%s", optimisticLockMessage))
}

func (r *resource) invalid(name string, errs field.ErrorList) error {
	return apierrors.NewInvalid(r.GVK.GroupKind(), name, errs)
}

func (r *resource) forbidden(name string, err error) error {
	return apierrors.NewForbidden(r.gr, name, err)
}

// storageConflict is how a failed precondition inside the storage reads.
func (r *resource) storageConflict(path, name string, want, have types.UID) error {
	return apierrors.NewConflict(r.gr, name, fmt.Errorf(
		"StorageError: invalid object, Code: 4, Key: /registry/%s/%s, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: %v, UID in object meta: %v",
		r.Plural, path, want, have))
}

// internal is an error without a reason of its own; a server passes its text on
// with a code of 500.
func internal(err error) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: err.Error(),
	}}
}

// preconditionConflict is a failed precondition of a deletion. A real server puts
// the kind where elsewhere the resource is.
func (r *resource) preconditionConflict(name, text string) error {
	return apierrors.NewConflict(schema.GroupResource{Group: r.GVK.Group, Resource: r.GVK.Kind}, name, fmt.Errorf("%s", text))
}

// unsupportedMediaType is the answer to a patch of a type that a resource does
// not take.
func unsupportedMediaType(accepted string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusUnsupportedMediaType,
		Reason:  metav1.StatusReasonUnsupportedMediaType,
		Message: "the body of the request was in an unknown format - accepted media types include: " + accepted,
	}}
}

// noSubresource is the answer to a path that is not served.
func noSubresource() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusNotFound,
		Reason:  metav1.StatusReasonNotFound,
		Message: "the server could not find the requested resource",
		Details: &metav1.StatusDetails{},
	}}
}

func methodNotSupported(r *resource, action string) error {
	return apierrors.NewMethodNotSupported(r.gr, action)
}

// methodNotAllowed is what a client makes of a refusal that has no body.
func methodNotAllowed() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusMethodNotAllowed,
		Reason:  metav1.StatusReasonMethodNotAllowed,
		Message: "the server does not allow this method on the requested resource",
		Details: &metav1.StatusDetails{},
	}}
}

// unknownMediaType is what a client makes of the refusal of a patch of a type that no
// resource takes.
func unknownMediaType() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusUnsupportedMediaType,
		Reason:  metav1.StatusReasonUnsupportedMediaType,
		Message: "415: Unsupported Media Type",
		Details: &metav1.StatusDetails{},
	}}
}
