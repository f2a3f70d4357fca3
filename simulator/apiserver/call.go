package apiserver

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Verb is what a request does, as RBAC names it.
type Verb string

// The verbs of requests.
const (
	Get              Verb = "get"
	List             Verb = "list"
	Watch            Verb = "watch"
	Create           Verb = "create"
	Update           Verb = "update"
	Patch            Verb = "patch"
	Delete           Verb = "delete"
	DeleteCollection Verb = "deletecollection"
)

// Subresources that are served.
const (
	SubresourceStatus   = "status"
	SubresourceBinding  = "binding"
	SubresourceEviction = "eviction"
	SubresourceFinalize = "finalize"
)

// Call is one request.
type Call struct {
	Actor       string // the name given to Server.Client
	Verb        Verb
	GVK         schema.GroupVersionKind
	Resource    schema.GroupResource
	Subresource string
	Namespace   string
	Name        string // empty for lists, and for creations until the name is known
	DryRun      bool
	// Object is what the client sent with a create or update. It is the client's
	// own and must not be modified.
	Object client.Object
	// PatchData is what the client sent with a patch.
	PatchData []byte

	request Request // what admission is asked about the call
}

// admitting returns the request that admission is asked about. A call has one at a time.
func (c *Call) admitting(r Request) *Request {
	c.request = r
	c.request.Call = c
	return &c.request
}

// Interceptor stands between clients and the server. It may answer in the
// server's stead without calling next (the request never arrived), call next and
// pass on what it says, or call next and return an error all the same (the answer
// was lost). next must not be called twice.
type Interceptor func(c *Call, next func() error) error

// serve is the one function that every request goes through.
func (s *Server) serve(c *Call, do func() error) error {
	s.expire()
	if len(s.options.Users) > 0 {
		do = s.authorized(c, do)
	}
	err := pass(s.options.Intercept, c, do)
	s.runAfter()
	return err
}

// pass sends a request through interceptors, of which the first is the outermost.
func pass(through []Interceptor, c *Call, do func() error) error {
	switch len(through) {
	case 0:
		return do()
	case 1:
		return through[0](c, do)
	}
	return through[0](c, func() error { return pass(through[1:], c, do) })
}

// later has fn run when the request that is being served has been: it is where
// the server's own controllers act on what the request has written.
func (s *Server) later(fn func()) { s.after = append(s.after, fn) }

func (s *Server) runAfter() {
	if s.settling {
		return
	}
	s.settling = true
	for len(s.after) > 0 {
		fn := s.after[0]
		s.after = s.after[1:]
		fn()
	}
	s.after = nil
	s.settling = false
}

func (s *Server) warn(c *Call, text string) {
	if s.options.OnWarning != nil {
		s.options.OnWarning(Warning{Actor: c.Actor, Text: text})
	}
}
