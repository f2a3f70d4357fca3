package clientset

import (
	"context"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

// form makes the empty objects that answers are read into.
type form func(scheme *runtime.Scheme, gvk schema.GroupVersionKind) (client.Object, client.ObjectList, error)

// typed is the form of a clientset.
func typed(scheme *runtime.Scheme, gvk schema.GroupVersionKind) (client.Object, client.ObjectList, error) {
	object, err := scheme.New(gvk)
	if err != nil {
		return nil, nil, err
	}
	items, err := scheme.New(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err != nil {
		return nil, nil, err
	}
	o, ok := object.(client.Object)
	l, listed := items.(client.ObjectList)
	if !ok || !listed {
		return nil, nil, fmt.Errorf("%T is no object of an API", object)
	}
	return o, l, nil
}

// untyped is the form of the dynamic client.
func untyped(_ *runtime.Scheme, gvk schema.GroupVersionKind) (client.Object, client.ObjectList, error) {
	o, l := &unstructured.Unstructured{}, &unstructured.UnstructuredList{}
	o.SetGroupVersionKind(gvk)
	l.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	return o, l, nil
}

// reactor makes requests of the actions of a fake.
type reactor struct {
	fake   *testing.Fake
	server *apiserver.Server
	client client.WithWatch
	door   Door
	actor  string
	form   form
	log    bounded
}

// newReactor makes the server what the fake reacts with.
func newReactor(fake *testing.Fake, o Options, f form) *reactor {
	r := &reactor{fake: fake, server: o.Server, client: NewClient(o), door: o.door(), actor: o.Actor, form: f,
		log: bounded{fake: fake, limit: o.actions()}}
	fake.AddReactor("*", "*", r.react)
	fake.AddWatchReactor("*", r.watch)
	return r
}

// apart runs fn without the fake's lock, which the fake holds while it asks its reactors: a request may have to wait for
// its turn, and others have turns too.
func (r *reactor) apart(fn func()) {
	r.fake.Unlock()
	defer r.fake.Lock()
	r.log.one()
	fn()
}

func (r *reactor) react(action testing.Action) (handled bool, ret runtime.Object, err error) {
	if _, discovery := action.(testing.ActionImpl); discovery || action.GetSubresource() == subresourceLog {
		return false, nil, nil // answered from Fake.Resources, and in pods.go
	}
	r.apart(func() { ret, err = r.do(action) })
	if err != nil {
		return true, nil, err // an answer beside an error would hide it from some callers
	}
	return true, ret, nil
}

func (r *reactor) watch(action testing.Action) (handled bool, w watch.Interface, err error) {
	r.apart(func() {
		var o metav1.ListOptions
		if a, ok := action.(testing.WatchActionImpl); ok {
			o = a.ListOptions
		}
		var s *stream
		var gvk schema.GroupVersionKind
		if gvk, err = r.kind(action); err != nil {
			return
		}
		empty := func() (client.Object, error) {
			o, _, err := r.form(r.server.Scheme(), gvk)
			return o, err
		}
		if s, err = open(r.server, r.door, source{actor: r.actor, gvk: gvk, namespace: action.GetNamespace(), options: o, empty: empty}); err == nil {
			w = s
		}
	})
	return true, w, err
}

// kind finds what the server serves under a resource.
func (r *reactor) kind(action testing.Action) (gvk schema.GroupVersionKind, err error) {
	r.door.Enter(func() { gvk, err = r.server.RESTMapper().KindFor(action.GetResource()) })
	if err != nil {
		return gvk, noPath(action)
	}
	return gvk, nil
}

// noPath is what a server says of a path that it does not have.
func noPath(action testing.Action) error {
	res := action.GetResource().GroupResource()
	return apierrors.NewGenericServerResponse(http.StatusNotFound, action.GetVerb(), res, "", "404 page not found", 0, true)
}

func (r *reactor) do(action testing.Action) (runtime.Object, error) {
	gvk, err := r.kind(action)
	if err != nil {
		return nil, err
	}
	object, list, err := r.form(r.server.Scheme(), gvk)
	if err != nil {
		return nil, err
	}
	namespace, sub := action.GetNamespace(), action.GetSubresource()
	named := func(name string) client.Object {
		object.SetName(name)
		object.SetNamespace(namespace)
		return object
	}
	ctx := context.Background()
	switch a := action.(type) {
	case testing.GetActionImpl:
		if sub != "" {
			return object, r.client.SubResource(sub).Get(ctx, named(a.Name), object)
		}
		return object, r.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: a.Name}, object, &client.GetOptions{Raw: &a.GetOptions})
	case testing.ListActionImpl:
		return list, r.client.List(ctx, list, &client.ListOptions{Namespace: namespace, Raw: &a.ListOptions})
	case testing.CreateActionImpl:
		return r.create(ctx, a, object)
	case testing.UpdateActionImpl:
		sent, err := r.sent(action, a.Object)
		if err != nil {
			return nil, err
		}
		o := client.UpdateOptions{DryRun: a.UpdateOptions.DryRun, FieldManager: a.UpdateOptions.FieldManager, FieldValidation: a.UpdateOptions.FieldValidation}
		if sub != "" {
			return sent, r.client.SubResource(sub).Update(ctx, sent, &client.SubResourceUpdateOptions{UpdateOptions: o})
		}
		return sent, r.client.Update(ctx, sent, &o)
	case testing.PatchActionImpl:
		patch := client.RawPatch(a.PatchType, a.Patch)
		o := client.PatchOptions{DryRun: a.PatchOptions.DryRun, Force: a.PatchOptions.Force, FieldManager: a.PatchOptions.FieldManager, FieldValidation: a.PatchOptions.FieldValidation}
		if sub != "" {
			return object, r.client.SubResource(sub).Patch(ctx, named(a.Name), patch, &client.SubResourcePatchOptions{PatchOptions: o})
		}
		return object, r.client.Patch(ctx, named(a.Name), patch, &o)
	case testing.DeleteActionImpl:
		if sub != "" {
			return nil, noPath(action)
		}
		return nil, r.client.Delete(ctx, named(a.Name), deletion(a.DeleteOptions))
	case testing.DeleteCollectionActionImpl:
		return nil, r.client.DeleteAllOf(ctx, object, &client.DeleteAllOfOptions{
			ListOptions: client.ListOptions{Namespace: namespace, Raw: &a.ListOptions}, DeleteOptions: *deletion(a.DeleteOptions),
		})
	}
	return nil, noPath(action)
}

// deletion honours every option, the outdated one too.
func deletion(o metav1.DeleteOptions) *client.DeleteOptions {
	out := &client.DeleteOptions{GracePeriodSeconds: o.GracePeriodSeconds, Preconditions: o.Preconditions, PropagationPolicy: o.PropagationPolicy, DryRun: o.DryRun}
	if orphan := o.OrphanDependents; orphan != nil && out.PropagationPolicy == nil { //nolint:staticcheck // clients may still send it
		policy := metav1.DeletePropagationBackground
		if *orphan {
			policy = metav1.DeletePropagationOrphan
		}
		out.PropagationPolicy = &policy
	}
	return out
}

// sent is the object that a request carries, in the namespace of its path.
func (r *reactor) sent(action testing.Action, body runtime.Object) (client.Object, error) {
	object, ok := body.(client.Object)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("a %T is no object of an API", body))
	}
	switch namespace := action.GetNamespace(); {
	case object.GetNamespace() == "":
		object.SetNamespace(namespace)
	case namespace != "" && object.GetNamespace() != namespace:
		return nil, apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	return object, nil
}

func (r *reactor) create(ctx context.Context, a testing.CreateActionImpl, of client.Object) (runtime.Object, error) {
	sent, err := r.sent(a, a.Object)
	if err != nil {
		return nil, err
	}
	o := client.CreateOptions{DryRun: a.CreateOptions.DryRun, FieldManager: a.CreateOptions.FieldManager, FieldValidation: a.CreateOptions.FieldValidation}
	switch a.Subresource {
	case "":
		return sent, r.client.Create(ctx, sent, &o)
	case apiserver.SubresourceFinalize: // the fake's verb for it is wrong
		return sent, r.client.SubResource(a.Subresource).Update(ctx, sent)
	}
	body, err := subresourceBody(sent)
	if err != nil {
		return nil, err
	}
	name := a.Name
	if name == "" {
		name = sent.GetName()
	}
	of.SetName(name)
	of.SetNamespace(sent.GetNamespace())
	return sent, r.client.SubResource(a.Subresource).Create(ctx, of, body, &client.SubResourceCreateOptions{CreateOptions: o})
}

// subresourceBody gives what is posted to a subresource the one Go type that the server knows for it.
func subresourceBody(sent client.Object) (client.Object, error) {
	switch body := sent.(type) {
	case *policyv1beta1.Eviction:
		return &policyv1.Eviction{ObjectMeta: body.ObjectMeta, DeleteOptions: body.DeleteOptions}, nil
	case *unstructured.Unstructured:
		var into client.Object
		switch body.GetKind() {
		case "Eviction":
			into = &policyv1.Eviction{}
		case "Binding":
			into = &corev1.Binding{}
		default:
			return sent, nil
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(body.Object, into); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		return into, nil
	}
	return sent, nil
}
