// Package clientset is the simulated API server as client-go's clients see it, for controllers that are written with
// client-go, and that have goroutines of their own.
//
// [New] returns a k8s.io/client-go/kubernetes/fake.Clientset and [NewDynamic] a dynamic/fake.FakeDynamicClient whose
// reactors are the server: a request is answered as for any other client, with the server's defaulting, validation,
// admission, resourceVersions, preconditions and errors. There is no object tracker: a bare one knows neither
// subresources nor options. [NewClient] is the same for controller-runtime's client.WithWatch.
//
//	clientset.go  the clientset, and how requests get to the kernel: Door
//	react.go      an action of client-go's fakes as a request
//	watch.go      watches as channels
//	pods.go       what the fakes do not tell reactors: logs
//	dynamic.go    the dynamic client
//	client.go     controller-runtime's client
//
// Reactors of a test's own go before the server's (PrependReactor), as with any fake. The server's let go of the fake's
// lock while they work, so that requests do not wait for each other, and a request made inside another one is no
// deadlock. The log of actions (Fake.Actions) is bounded: when it holds DefaultActions of them it is emptied.
//
// Limits: only what the server serves is there; other kinds answer as on a server that does not have them (404). The
// fakes have no way for a context into a reactor, so a request cannot be cancelled. Logs are what has been written so
// far, also with Follow. Watches do not end by TimeoutSeconds.
package clientset

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	fakediscovery "k8s.io/client-go/discovery/fake"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/testing"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

// Door is the way between the goroutines of a subject and the kernel's.
type Door interface {
	// Enter runs fn on the kernel's goroutine, between events, and returns when it has run. Any goroutine of the subject
	// may call it.
	Enter(fn func())
	// Post has fn run on the subject's side before the kernel goes on. It is called on the kernel's goroutine, and may
	// return before fn has run; functions run in the order they were posted.
	Post(fn func())
}

// Direct is the Door of callers that step the kernel themselves: there is only one goroutine. Watches have a goroutine each
// even so.
type Direct struct{}

// Enter implements Door.
func (Direct) Enter(fn func()) { fn() }

// Post implements Door.
func (Direct) Post(fn func()) { fn() }

// DefaultActions is how many actions a fake remembers.
const DefaultActions = 1000

// Options are what clients are made of. Server and Actor are required.
type Options struct {
	Server *apiserver.Server
	// Actor names the client in the trace, to faults and to admission.
	Actor string
	// Door leads to the kernel; nil means Direct.
	Door Door
	// Logs returns what a container has written. It is called on the kernel's goroutine; nil means that no Pod has logs.
	Logs func(namespace, pod, container string) ([]byte, error)
	// Actions is how many actions are remembered; 0 means DefaultActions.
	Actions int
}

// Clientset is client-go's fake clientset over a server.
type Clientset struct {
	*fake.Clientset
	o      Options
	served *reactor
}

var _ kubernetes.Interface = (*Clientset)(nil)

// New returns a clientset.
func New(o Options) *Clientset {
	c := &Clientset{Clientset: fake.NewSimpleClientset(), o: o}
	c.ReactionChain, c.WatchReactionChain = nil, nil
	c.served = newReactor(&c.Fake, o, typed)
	c.Resources = resources(o.Server)
	if d, ok := c.Discovery().(*fakediscovery.FakeDiscovery); ok {
		d.FakedServerVersion = &version.Info{Major: strconv.Itoa(apiserver.Major), Minor: strconv.Itoa(apiserver.Minor), GitVersion: apiserver.Version() + ".0"}
	}
	return c
}

// CoreV1 is the fake's, except for the logs of Pods.
func (c *Clientset) CoreV1() corev1client.CoreV1Interface { return core{c.Clientset.CoreV1(), c} }

// resources lists what a server serves, for discovery.
func resources(s *apiserver.Server) []*metav1.APIResourceList {
	var kinds []schema.GroupVersionKind
	for gvk := range s.Scheme().AllKnownTypes() { //plumbline:unordered sorted below
		kinds = append(kinds, gvk)
	}
	slices.SortFunc(kinds, func(a, b schema.GroupVersionKind) int { return strings.Compare(a.String(), b.String()) })
	var out []*metav1.APIResourceList
	for _, gvk := range kinds {
		mapping, err := s.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
		if err != nil {
			continue
		}
		gv := gvk.GroupVersion().String()
		if len(out) == 0 || out[len(out)-1].GroupVersion != gv {
			out = append(out, &metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: gv})
		}
		list := out[len(out)-1]
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name: mapping.Resource.Resource, Kind: gvk.Kind, Namespaced: mapping.Scope.Name() == "namespace",
			Verbs: metav1.Verbs{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"},
		})
	}
	return out
}

// bounded empties a fake's log of actions when it is full. It is called without the fake's lock.
type bounded struct {
	fake  *testing.Fake
	limit int64
	count atomic.Int64
}

func (b *bounded) one() {
	if b.count.Add(1) >= b.limit {
		b.count.Store(0)
		b.fake.ClearActions()
	}
}

func (o *Options) door() Door {
	if o.Door == nil {
		return Direct{}
	}
	return o.Door
}

func (o *Options) actions() int64 {
	if o.Actions > 0 {
		return int64(o.Actions)
	}
	return DefaultActions
}
