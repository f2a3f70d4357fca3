package remote_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/targets/internal/remote"
)

// server answers lists and watches as it was told to. What it was not told to answer it does not answer.
type server struct {
	client.WithWatch
	lists   []func(*unstructured.UnstructuredList) error
	watches []func() (watch.Interface, error)
}

func (s *server) List(_ context.Context, into client.ObjectList, _ ...client.ListOption) error {
	next := s.lists[0]
	s.lists = s.lists[1:]
	return next(into.(*unstructured.UnstructuredList))
}

func (s *server) Watch(ctx context.Context, _ client.ObjectList, _ ...client.ListOption) (watch.Interface, error) {
	if len(s.watches) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	next := s.watches[0]
	s.watches = s.watches[1:]
	return next()
}

// pod is a version of one; its uid is its name's, unless it is another one of that name.
func pod(name, version string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion("v1")
	u.SetKind("Pod")
	u.SetNamespace("n")
	u.SetName(name)
	u.SetUID(types.UID(name))
	u.SetResourceVersion(version)
	return u
}

func another(name, version string) *unstructured.Unstructured {
	u := pod(name, version)
	u.SetUID(types.UID(name + "-2"))
	return u
}

func listed(version string, items ...*unstructured.Unstructured) func(*unstructured.UnstructuredList) error {
	return func(l *unstructured.UnstructuredList) error {
		l.SetResourceVersion(version)
		for _, u := range items {
			l.Items = append(l.Items, *u)
		}
		return nil
	}
}

func unlisted(err error) func(*unstructured.UnstructuredList) error {
	return func(*unstructured.UnstructuredList) error { return err }
}

func watched(events ...watch.Event) func() (watch.Interface, error) {
	return func() (watch.Interface, error) {
		w := watch.NewFakeWithChanSize(len(events), false)
		for _, e := range events {
			w.Action(e.Type, e.Object)
		}
		w.Stop()
		return w, nil
	}
}

func unwatched(err error) func() (watch.Interface, error) {
	return func() (watch.Interface, error) { return nil, err }
}

// TestEveryEventAndGapIsReported: versions that were not seen are reported as a gap.
func TestEveryEventAndGapIsReported(t *testing.T) {
	t.Parallel()
	is := func(t watch.EventType, u *unstructured.Unstructured) watch.Event {
		return watch.Event{Type: t, Object: u}
	}
	gone := apierrors.NewResourceExpired("too old")
	const gap = "ERROR versions of Pod before resourceVersion 9 were not seen: too old"
	for _, tt := range []struct {
		reason  string
		lists   []func(*unstructured.UnstructuredList) error
		watches []func() (watch.Interface, error)
		want    []string
		ends    string // why the world does
	}{
		{reason: "existing objects, and their later versions", lists: []func(*unstructured.UnstructuredList) error{listed("1", pod("a", "1"))},
			watches: []func() (watch.Interface, error){watched(is(watch.Modified, pod("a", "2")), is(watch.Added, pod("b", "3")), is(watch.Deleted, pod("a", "4")))},
			want:    []string{"ADDED a 1", "MODIFIED a 2", "ADDED b 3", "DELETED a 4"}},
		{reason: "a connection that ends is taken up", lists: []func(*unstructured.UnstructuredList) error{listed("1")},
			watches: []func() (watch.Interface, error){watched(is(watch.Added, pod("a", "2"))), unwatched(errors.New("refused")), watched(is(watch.Modified, pod("a", "3")))},
			want:    []string{"ADDED a 2", "MODIFIED a 3"}},
		{reason: "after a gap there is what differs", lists: []func(*unstructured.UnstructuredList) error{
			listed("1", pod("a", "1"), pod("b", "1"), pod("c", "1"), pod("d", "1")), listed("9", pod("a", "1"), pod("b", "8"), another("d", "7"), pod("e", "9")),
		},
			watches: []func() (watch.Interface, error){watched(watch.Event{Type: watch.Error, Object: &gone.ErrStatus}), watched(is(watch.Modified, pod("a", "10")))},
			want:    []string{"ADDED a 1", "ADDED b 1", "ADDED c 1", "ADDED d 1", gap, "DELETED c 1", "DELETED d 1", "MODIFIED b 8", "ADDED d 7", "ADDED e 9", "MODIFIED a 10"}},
		{reason: "a gap that is an answer, not an event", lists: []func(*unstructured.UnstructuredList) error{listed("1"), listed("9", pod("a", "9"))},
			watches: []func() (watch.Interface, error){unwatched(gone)}, want: []string{gap, "ADDED a 9"}},
		{reason: "several gaps", lists: []func(*unstructured.UnstructuredList) error{listed("1"), listed("9"), listed("9")},
			watches: []func() (watch.Interface, error){unwatched(gone), unwatched(gone)}, want: []string{gap, gap}},
		{reason: "an API server that is away is waited for", lists: []func(*unstructured.UnstructuredList) error{
			listed("1"), unlisted(errors.New("refused")), unlisted(apierrors.NewServiceUnavailable("soon")), listed("9", pod("a", "9")),
		},
			watches: []func() (watch.Interface, error){unwatched(gone)}, want: []string{gap, "ADDED a 9"}},
		{reason: "losing the right to list is reported", lists: []func(*unstructured.UnstructuredList) error{listed("1"), unlisted(apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("no")))},
			watches: []func() (watch.Interface, error){unwatched(gone)}, ends: `watching Pod: pods is forbidden: no`},
		{reason: "losing the right to watch is reported", lists: []func(*unstructured.UnstructuredList) error{listed("1")},
			watches: []func() (watch.Interface, error){unwatched(apierrors.NewUnauthorized("who?"))}, ends: "watching Pod: who?"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := remote.NewWorld(t.Context(), &server{lists: tt.lists, watches: tt.watches})
				var got []string
				stop, err := w.Observe(schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, "n", func(e watch.EventType, o *unstructured.Unstructured) {
					if e == watch.Error {
						message, _, _ := unstructured.NestedString(o.Object, "message")
						got = append(got, fmt.Sprintf("%s %s", e, message))
						return
					}
					got = append(got, fmt.Sprintf("%s %s %s", e, o.GetName(), o.GetResourceVersion()))
				})
				if err != nil {
					t.Fatal(err)
				}
				// On the time of the test this takes none: all that can happen has happened.
				_ = w.WaitUntil(t.Context(), time.Now().Add(time.Hour), func() bool { return w.Running.Err() != nil })
				stop()
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				ends := ""
				if err := context.Cause(w.Running); err != nil {
					ends = err.Error()
				}
				if ends != tt.ends {
					t.Errorf("the world ended with %q, want %q", ends, tt.ends)
				}
				w.End(errors.New("the test is over"))
			})
		})
	}
}
