package fault

import (
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"strings"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

// What a request may meet. The first group never arrives, or is refused for the
// server's own state; the second is served, and the client is told otherwise; the
// third are lies, for fixtures that want them.
const (
	InternalError      = "InternalError"
	Timeout            = "Timeout"
	ServerTimeout      = "ServerTimeout"
	TooManyRequests    = "TooManyRequests"
	ServiceUnavailable = "ServiceUnavailable"
	ConnectionRefused  = "ConnectionRefused"
	Conflict           = "Conflict"

	// TimeoutAfterWrite: the write took effect, the answer says that it took too long.
	TimeoutAfterWrite = "TimeoutAfterWrite"
	// ConnectionReset: the write took effect, the connection broke before the answer.
	ConnectionReset = "ConnectionReset"

	AlreadyExists = "AlreadyExists"
	NotFound      = "NotFound"
	Forbidden     = "Forbidden"
)

func answers() []string {
	return []string{
		InternalError, Timeout, ServerTimeout, TooManyRequests, ServiceUnavailable, ConnectionRefused, Conflict,
		TimeoutAfterWrite, ConnectionReset, AlreadyExists, NotFound, Forbidden,
	}
}

// Intercept is the point api, and notes where a controller is to die. It is an
// apiserver.Interceptor.
func (in *Injector) Intercept(c *apiserver.Call, next func() error) error {
	if !in.active {
		return next()
	}
	var hit *armed
	for _, f := range in.faults {
		if f.Point != API && f.Point != Controller || f.timed() || !f.matches(c) {
			continue
		}
		if f.Point == Controller && f.Verb == "" && !writes(c.Verb) {
			continue
		}
		if in.occurs(f) && hit == nil {
			hit = f
		}
	}
	if hit == nil {
		return next()
	}
	on := describe(c)
	if hit.Point == Controller {
		err := next()
		in.strike(hit, "behind "+on)
		in.crash = &Crashed{Behind: on, Delay: hit.delay()}
		return err
	}
	in.strike(hit, on)
	return answer(hit.What, c, next)
}

// matches reports whether a request is what the fault is about.
func (f *armed) matches(c *apiserver.Call) bool {
	return c.Verb != apiserver.Watch && f.Actor == c.Actor &&
		(f.Verb == "" || f.Verb == string(c.Verb)) &&
		(f.Kind == "" || strings.EqualFold(f.Kind, c.GVK.Kind)) &&
		(f.Subresource == "" || f.Subresource == c.Subresource) &&
		(f.Name == "" || f.Name == nameOf(c))
}

func nameOf(c *apiserver.Call) string {
	if c.Name == "" && c.Object != nil {
		return c.Object.GetName()
	}
	return c.Name
}

func writes(v apiserver.Verb) bool {
	switch v {
	case apiserver.Create, apiserver.Update, apiserver.Patch, apiserver.Delete, apiserver.DeleteCollection:
		return true
	}
	return false
}

// describe renders a request: "update TaskRun/status ns/name".
func describe(c *apiserver.Call) string {
	kind := c.GVK.Kind
	if c.Subresource != "" {
		kind += "/" + c.Subresource
	}
	return fmt.Sprintf("%s %s %s/%s", c.Verb, kind, c.Namespace, nameOf(c))
}

// answer is what the client gets instead of the server's answer.
func answer(what string, c *apiserver.Call, next func() error) error {
	name := nameOf(c)
	switch what {
	case TimeoutAfterWrite, ConnectionReset:
		if err := unseen(c, next); err != nil {
			return err
		}
		if what == ConnectionReset {
			return broken("read", syscall.ECONNRESET)
		}
		return apierrors.NewTimeoutError("request did not complete within requested timeout - context deadline exceeded", 0)
	case Timeout:
		return apierrors.NewTimeoutError("request did not complete within requested timeout - context deadline exceeded", 0)
	case ServerTimeout:
		return apierrors.NewServerTimeout(c.Resource, string(c.Verb), 1)
	case TooManyRequests:
		return apierrors.NewTooManyRequests("too many requests, please try again later", 1)
	case ServiceUnavailable:
		return apierrors.NewServiceUnavailable("the server is currently unable to handle the request")
	case ConnectionRefused:
		return broken("dial", syscall.ECONNREFUSED)
	case Conflict:
		return apierrors.NewConflict(c.Resource, name, errors.New(
			"the object has been modified; please apply your changes to the latest version and try again"))
	case AlreadyExists:
		return apierrors.NewAlreadyExists(c.Resource, name)
	case NotFound:
		return apierrors.NewNotFound(c.Resource, name)
	case Forbidden:
		return apierrors.NewForbidden(schema.GroupResource{Group: c.Resource.Group, Resource: c.Resource.Resource}, name, errors.New("not now"))
	}
	return apierrors.NewInternalError(errors.New("etcdserver: request timed out"))
}

// unseen serves the request without the client getting what it says: the object that
// was sent stays as it was.
func unseen(c *apiserver.Call, next func() error) error {
	if c.Object == nil {
		return next()
	}
	sent, ok := c.Object.DeepCopyObject().(client.Object)
	err := next()
	if ok && reflect.TypeOf(sent) == reflect.TypeOf(c.Object) {
		reflect.ValueOf(c.Object).Elem().Set(reflect.ValueOf(sent).Elem())
	}
	return err
}

// broken is an error of the connection.
func broken(op string, cause syscall.Errno) error {
	call := op
	if op == "dial" {
		call = "connect"
	}
	return &net.OpError{
		Op: op, Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 96, 0, 1), Port: 443}, Err: os.NewSyscallError(call, cause),
	}
}
