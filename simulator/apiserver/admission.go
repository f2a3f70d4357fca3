package apiserver

import (
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Operation is what admission is asked about.
type Operation string

// The operations that admission sees.
const (
	OperationCreate Operation = "CREATE"
	OperationUpdate Operation = "UPDATE"
	OperationDelete Operation = "DELETE"
)

// Request is a write that admission decides on.
type Request struct {
	*Call
	Operation Operation
	// Object is the new state; nil for deletions. Admit may edit it in place or
	// replace it; Validate may not.
	Object client.Object
	// OldObject is the present state, shared; nil for creations.
	OldObject client.Object
	// Raw is what the client sent where it sent a tree for a kind that is stored as
	// a Go type, and the patched fields where a patch left unknown ones; else nil.
	Raw map[string]any
	// Unknown lists the paths of the fields in Raw that the Go type does not have.
	// Without a word from admission they are dropped.
	Unknown []string

	resource *resource
}

// Admission is a plugin that sees every write after the built-in ones and before
// validation, as a mutating webhook does. An error refuses the write: a
// *StatusError reaches the client as it is, any other becomes the text of a 403
// Forbidden.
type Admission interface {
	Admit(*Request) error
}

// Validator is an Admission that wants to see writes once more, in their final
// form and after the API's own validation, as a validating webhook does.
type Validator interface {
	Validate(*Request) error
}

// AdmissionFunc makes a function an Admission.
type AdmissionFunc func(*Request) error

// Admit implements Admission.
func (f AdmissionFunc) Admit(r *Request) error { return f(r) }

// Selective is an Admission that is asked about some requests only, as the rules of
// a webhook have it. The answer must always be the same.
type Selective interface {
	Selects(gvk schema.GroupVersionKind, subresource string) bool
}

// hooks returns the plugins from outside that want to see a request.
func (s *Server) hooks(r *resource, subresource string) []Admission {
	if len(s.options.Admission) == 0 {
		return nil
	}
	list, ok := r.hooks[subresource]
	if !ok {
		for _, a := range s.options.Admission {
			if sel, ok := a.(Selective); !ok || sel.Selects(r.GVK, subresource) {
				list = append(list, a)
			}
		}
		if r.hooks == nil {
			r.hooks = map[string][]Admission{}
		}
		r.hooks[subresource] = list
	}
	return list
}

// admit runs the mutating plugins and returns the object they leave.
func (s *Server) admit(req *Request) (client.Object, error) {
	for _, a := range s.builtin {
		if err := a.Admit(req); err != nil {
			return nil, refusal(req, err)
		}
	}
	hooks := s.hooks(req.resource, req.Subresource)
	if len(hooks) == 0 {
		return req.Object, nil
	}
	r := req.resource
	var err error
	if req.Object != nil && req.OldObject != nil {
		// They may edit all of it, so none of it may be shared.
		if req.Object, err = r.shape.settle(req.Object, nil); err != nil {
			return nil, internal(err)
		}
	}
	for _, a := range hooks {
		if err := a.Admit(req); err != nil {
			return nil, refusal(req, err)
		}
	}
	if req.Object == nil {
		return nil, nil
	}
	if r.strategy.apply != nil && req.Subresource != SubresourceStatus {
		r.strategy.apply(req.Object)
	}
	// Whatever a webhook does comes back as JSON.
	if req.Object, err = r.shape.settle(req.Object, req.OldObject); err != nil {
		return nil, internal(err)
	}
	return req.Object, nil
}

func (s *Server) validateAdmission(req *Request) error {
	for _, list := range [][]Admission{s.builtin, s.hooks(req.resource, req.Subresource)} {
		for _, a := range list {
			if v, ok := a.(Validator); ok {
				if err := v.Validate(req); err != nil {
					return refusal(req, err)
				}
			}
		}
	}
	// The quota is asked last: what it counts must not be refused afterwards.
	if err := (quotas{s}).Validate(req); err != nil {
		return refusal(req, err)
	}
	return nil
}

func refusal(req *Request, err error) error {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return err
	}
	return req.resource.forbidden(req.subject(), err)
}

// subject is how a refusal names the object: one without a name yet goes by the
// base of its name to be.
func (r *Request) subject() string {
	obj := r.Object
	if obj == nil {
		obj = r.OldObject
	}
	if obj.GetName() == "" {
		return obj.GetGenerateName()
	}
	return obj.GetName()
}
