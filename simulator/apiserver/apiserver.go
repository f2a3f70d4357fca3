// Package apiserver is a Kubernetes API server in one value: it keeps typed
// objects, orders writes by one resourceVersion, and answers requests as
// kube-apiserver would, down to the text of its errors.
//
// # Model
//
// A request is a [Call] and goes through one function ([Server.serve]), where
// interceptors may refuse it, fail it or lose its answer; that is where faults
// are put. A write decodes, runs mutating admission, applies the kind's strategy
// (defaulting, what this endpoint may change, validation), runs validating
// admission and commits. A commit numbers the object, files it, tells observers
// at once and watchers later, each with a delay of its own.
//
// Stored objects are immutable. Inside the simulator readers share them
// ([Server.Watch], [Server.Observe], package informer); a client gets copies. An
// object is stored exactly as a JSON round trip would leave it (package
// roundtrip), but no JSON is made for typed objects; a version of an object
// shares with the version before whatever the write did not change.
//
// Kinds whose Go type is in the scheme are stored as that type, others as
// *unstructured.Unstructured; a client may use either form for any typed kind.
//
// # Limits
//
// There is no authentication and no authorization. A kind of several versions is
// kept in one and converted into the others (see Converter); a write through another
// version that changes nothing but what its conversion loses is not a change. The
// subresources served are those of the Subresource constants.
//
// Server-side apply is done by the code that a real server uses. managedFields cost
// milliseconds a write, so they are kept of objects that a client has applied, from
// then on; what was there before belongs to "before-first-apply". Options.ManageFields
// keeps them of everything (see apply.go). Managers of objects that are written by
// their Go types own what JSON has of them.
//
// Lists of the past, further pages and watches last as long as the history
// (Options.History), and answer 410 after it. A request for a version of the future is
// refused at once, where a real server waits three seconds. Bookmarks come after the
// initial events and before the end of a watch, not every minute (see bookmark.go);
// watches end by their timeoutSeconds under Options.WatchTimeouts alone.
//
// A PodDisruptionBudget's status has no writer: without a controller for it, it
// allows no eviction of a running Pod. ValidatingAdmissionPolicies are not served. What
// the rules of a definition would cost is not estimated when it is created. Objects are
// weighed (1.5 MiB) only if spec or status has more than half a MiB of text in a
// field.
package apiserver

import (
	"fmt"
	"strconv"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/kernel"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Options are what a Server is made of. Kernel is required.
type Options struct {
	Kernel *kernel.Kernel
	// Scheme knows the Go types of kinds. Nil means the built-in kinds alone.
	Scheme *runtime.Scheme
	// Types is what is known about Go types. Servers that share it start much faster. It brings its Scheme, so that the
	// one above is not used. Nil means one of its own.
	Types *Types
	// Kinds are served besides the built-in ones. Creating a
	// CustomResourceDefinition adds more.
	Kinds []Kind
	// Converter turns objects of kinds of several versions from one into another: of
	// Kinds, and of definitions that ask for a webhook.
	Converter Converter
	// Admission is asked about every write, after the built-in plugins; see also
	// Selective and Validator.
	Admission []Admission
	// Users are the users that actors are, by the names of actors: what they may do is for RBAC to say. All other actors may do
	// everything.
	Users map[string]string
	// Intercept wraps every request, the first one outermost. See Interceptor.
	Intercept []Interceptor
	// WatchLag is how long an event takes from commit to handler, drawn for each
	// event and watcher. Order is kept per watcher. Zero means DefaultWatchLag.
	WatchLag Lag
	// History is how many changes of each kind are kept for watches that start in
	// the past. Zero means DefaultHistory.
	History int
	// VerifyShared makes the server keep a private copy of every stored object and
	// compare when the object is replaced or VerifyShared is called: it finds
	// actors that modify shared objects. Costs memory and time.
	VerifyShared bool
	// ManageFields keeps managedFields of every object from its creation. Otherwise
	// only objects that a client has applied have them: it makes writes slow.
	ManageFields bool
	// WatchTimeouts ends watches when their timeoutSeconds are over. Otherwise they
	// last until they are stopped, so that a world in which nothing happens is quiet.
	WatchTimeouts bool
	// OnWarning, if set, gets what a real server puts into Warning headers, such as
	// unknown fields that were dropped.
	OnWarning func(Warning)
}

// Lag is a range of delays, [Min, Max). With a Tail beyond Max, one delay in a few is
// drawn from [Max, Tail).
type Lag struct{ Min, Max, Tail time.Duration }

// tailShare is how many delays are from the tail.
const tailShare = 1.0 / 8

func (l Lag) draw(from *kernel.Stream) time.Duration {
	if l.Tail > l.Max && from.Chance(tailShare) {
		return from.Between(l.Max, l.Tail)
	}
	return from.Between(l.Min, l.Max)
}

// DefaultWatchLag is what a watch event takes on an idle cluster: encoding,
// network, decoding.
var DefaultWatchLag = Lag{Min: time.Millisecond, Max: 5 * time.Millisecond}

// DefaultHistory is how many changes of a kind a watch can look back.
const DefaultHistory = 1000

// firstVersion is the resourceVersion of an empty server.
const firstVersion = 1

// Warning is something a server tells a client besides the answer.
type Warning struct {
	Actor string
	Text  string
}

// Server is the API server. It is not safe for concurrent use: everything happens
// on the kernel's goroutine. [Server.AttachedClient] is for others.
type Server struct {
	kernel    *kernel.Kernel
	scheme    *runtime.Scheme
	options   Options
	types     *Types
	resources registry
	version   uint64
	names     *kernel.Stream
	uids      *kernel.Stream
	observers []*observer
	builtin   []Admission
	watches   uint64
	after     []func()
	settling  bool
	shared    sharedCopies
	mortal    []*resource // kinds whose objects do not live for ever
}

// New returns a server with the namespaces that every cluster has, and nothing
// else in them.
func New(o Options) *Server {
	if o.Kernel == nil {
		panic("apiserver: Options.Kernel is required")
	}
	if o.Types == nil {
		o.Types = NewTypes(o.Scheme)
	}
	o.Scheme = o.Types.scheme
	if o.WatchLag == (Lag{}) {
		o.WatchLag = DefaultWatchLag
	}
	if o.History == 0 {
		o.History = DefaultHistory
	}
	s := &Server{
		kernel:  o.Kernel,
		scheme:  o.Scheme,
		options: o,
		types:   o.Types,
		version: firstVersion,
		names:   o.Kernel.Stream("apiserver/names"),
		uids:    o.Kernel.Stream("apiserver/uids"),
	}
	s.resources.init()
	if o.VerifyShared {
		s.shared = sharedCopies{}
	}
	for _, b := range builtins() {
		s.mustRegister(b.Kind, b.strategy)
	}
	for _, k := range o.Kinds {
		s.mustRegister(k, customStrategy())
	}
	s.resources.remap(s.types)
	s.builtin = s.builtinAdmission()
	for _, name := range systemNamespaces {
		s.createSystemNamespace(name)
	}
	return s
}

// Register adds a kind. Registering a kind again changes nothing but its
// subresources.
func (s *Server) Register(k Kind) error {
	if err := s.register(k, customStrategy()); err != nil {
		return err
	}
	s.resources.remap(s.types)
	return nil
}

func (s *Server) mustRegister(k Kind, st strategy) {
	if err := s.register(k, st); err != nil {
		panic(fmt.Sprintf("apiserver: %v", err))
	}
}

// Scheme returns the scheme the server was made with.
func (s *Server) Scheme() *runtime.Scheme { return s.scheme }

// ResourceVersion returns the version of the last write.
func (s *Server) ResourceVersion() string { return strconv.FormatUint(s.version, 10) }

// Len returns how many objects of a kind are stored.
func (s *Server) Len(gvk schema.GroupVersionKind) int {
	if r := s.resources.byGVK[gvk]; r != nil {
		return len(r.stored().table.byPath)
	}
	return 0
}

// Shared returns the stored object, which must not be modified, or nil. It is for
// judges and invariants; actors use a client.
func (s *Server) Shared(gvk schema.GroupVersionKind, key client.ObjectKey) client.Object {
	if r := s.resources.byGVK[gvk]; r != nil {
		if e := r.stored().table.get(key); e != nil {
			return e.object()
		}
	}
	return nil
}

// Each calls fn with every stored object of a kind in namespace ns (all, if it is
// empty), in the order of their keys, until fn returns false. Objects are shared.
func (s *Server) Each(gvk schema.GroupVersionKind, ns string, fn func(client.Object) bool) {
	if r := s.resources.byGVK[gvk]; r != nil {
		r.stored().table.each(ns, "", func(e *entry) bool { return fn(e.object()) })
	}
}

// now is the time that goes into objects.
func (s *Server) now() metav1.Time {
	return metav1.Time{Time: s.kernel.Now().Truncate(time.Second)}
}

// OwnedBy returns the stored, shared objects of all kinds that name uid among
// their owners: kinds in the order they were registered, objects in that of their
// keys.
func (s *Server) OwnedBy(uid types.UID) []client.Object {
	var out []client.Object
	for _, r := range s.resources.order {
		if o := r.table.byOwner[uid]; o != nil {
			o.ascend("", func(e *entry) bool {
				out = append(out, e.object())
				return true
			})
		}
	}
	return out
}
