package resolution

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	resolution "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// answers has one resolver answer the requests that are its own.
type answers struct {
	deps     reconciler.Deps
	resolver resolver.Resolver
}

// Reconcile implements reconcile.Reconciler.
func (a *answers) Reconcile(ctx context.Context, q reconcile.Request) (reconcile.Result, error) {
	request := &resolution.ResolutionRequest{}
	if err := a.deps.Client.Get(ctx, q.NamespacedName, request); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if request.Labels[resolution.LabelType] != a.resolver.Type() || answered(request) {
		return reconcile.Result{}, nil
	}
	found, err := a.answer(ctx, request)
	var no *refusal
	switch {
	case errors.As(err, &no):
		err = a.store(ctx, request, func(r *resolution.ResolutionRequest) {
			set(r, failed(resolution.ReasonFailed, no.message), a.deps.Clock.Now())
		})
	case err == nil:
		err = a.store(ctx, request, func(r *resolution.ResolutionRequest) {
			r.Status.Data, r.Status.Source = base64.StdEncoding.EncodeToString(found.Data), found.Source
			r.Status.Annotations = maps.Clone(r.Status.Annotations)
			if r.Status.Annotations == nil && len(found.Annotations) > 0 {
				r.Status.Annotations = map[string]string{}
			}
			maps.Copy(r.Status.Annotations, found.Annotations)
		})
		if refusedForGood(err) { // as what is too large to be stored
			message := fmt.Sprintf("error getting %q %q: %v", a.resolver.Name(), q.NamespacedName, err)
			err = a.store(ctx, request, func(r *resolution.ResolutionRequest) {
				set(r, failed(resolution.ReasonFailed, message), a.deps.Clock.Now())
			})
		}
	}
	return afterWrite(err)
}

// refusal is the answer that there is none.
type refusal struct{ message string }

func (e *refusal) Error() string { return e.message }

// answer is what the resolver finds. An error that is no refusal is the cluster's trouble, and passes.
func (a *answers) answer(ctx context.Context, request *resolution.ResolutionRequest) (resolver.Resource, error) {
	key := client.ObjectKeyFromObject(request)
	config, err := a.config(ctx)
	if err != nil {
		return resolver.Resource{}, a.unconfigured(key, err)
	}
	r := resolver.Request{
		Namespace: request.Namespace, Name: request.Name, Params: map[string]v1beta1.ParamValue{}, Config: config,
		Cluster: pass.Reading(func(key client.ObjectKey, into client.Object) error { return a.deps.Reader.Get(ctx, key, into) }),
	}
	for _, p := range request.Spec.Params {
		r.Params[p.Name] = p.Value
	}
	enabled, err := a.enabled(ctx)
	if err != nil {
		return resolver.Resource{}, a.unconfigured(key, err)
	}
	if !enabled {
		err = fmt.Errorf("cannot handle resolution request, %s feature flag not true", a.resolver.Flag())
	} else {
		err = a.resolver.Validate(ctx, r)
	}
	switch {
	case pass.Unread(err):
		return resolver.Resource{}, err
	case err != nil:
		return resolver.Resource{}, &refusal{fmt.Sprintf("invalid resource request %q: %v", key, err)}
	}
	bounded, done := a.bounded(ctx, config)
	defer done()
	found, err := a.resolver.Resolve(bounded, r)
	switch {
	case err == nil:
		return found, nil
	case errors.Is(bounded.Err(), context.DeadlineExceeded) && ctx.Err() == nil:
		return found, &refusal{context.DeadlineExceeded.Error()}
	case pass.Unread(err) || ctx.Err() != nil:
		return found, err
	default:
		return found, &refusal{fmt.Sprintf("error getting %q %q: %v", a.resolver.Name(), key, err)}
	}
}

// unconfigured is what follows when the configuration cannot be read: where there is no right to, every request gets that for an answer.
func (a *answers) unconfigured(key client.ObjectKey, err error) error {
	if pass.Passes(err) {
		return err
	}
	return &refusal{fmt.Sprintf("error getting %q %q: reading the resolver's configuration: %v", a.resolver.Name(), key, err)}
}

// bounded is a context that ends when the resolver has had its time, where there is a clock for that.
func (a *answers) bounded(ctx context.Context, config map[string]string) (context.Context, context.CancelFunc) {
	if a.deps.Deadline == nil {
		return ctx, func() {}
	}
	var timeout time.Duration
	if timed, ok := a.resolver.(resolver.Timed); ok {
		timeout = timed.Timeout(config)
	}
	if timeout <= 0 {
		timeout = resolver.DefaultTimeout
	}
	return a.deps.Deadline(ctx, timeout)
}

// refusedForGood reports whether the API server does not take what it is given.
func refusedForGood(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && !pass.Passes(err) && !apierrors.IsNotFound(err)
}

// config is what the resolver's ConfigMap says, or what it would if it were installed.
func (a *answers) config(ctx context.Context) (map[string]string, error) {
	m, ok, err := a.configMap(ctx, a.resolver.ConfigMap())
	if err != nil || ok {
		return m, err
	}
	return a.resolver.Defaults(), nil
}

// enabled reports whether the resolver is switched on, as it is unless something else is said.
func (a *answers) enabled(ctx context.Context) (bool, error) {
	flags, _, err := a.configMap(ctx, FlagsName)
	if err != nil {
		return false, err
	}
	value, said := flags[a.resolver.Flag()]
	return !said || value == "true", nil
}

func (a *answers) configMap(ctx context.Context, name string) (data map[string]string, found bool, err error) {
	m := &corev1.ConfigMap{}
	err = a.deps.Reader.Get(ctx, client.ObjectKey{Namespace: Namespace, Name: name}, m)
	if apierrors.IsNotFound(err) {
		return nil, false, nil
	}
	return m.Data, err == nil, err
}
