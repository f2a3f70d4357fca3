package apiserver_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Pages, exact versions and bookmarks are compared with a real server in
// internal/apifacts; a real one does not forget fast enough to be asked about
// what has expired.

func names(l *corev1.ConfigMapList) []string {
	var out []string
	for i := range l.Items {
		out = append(out, l.Items[i].Name)
	}
	return out
}

func TestPagesExpireWithTheHistory(t *testing.T) {
	w := newWorld(t, func(o *apiserver.Options) { o.History = 3 })
	for _, name := range []string{"a", "b", "c"} {
		w.create(simpleConfigMap(name))
	}
	page := &corev1.ConfigMapList{}
	if err := w.c.List(ctx, page, client.InNamespace("ns"), client.Limit(1)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"d", "e", "f", "g"} {
		w.create(simpleConfigMap(name))
	}
	err := w.c.List(ctx, &corev1.ConfigMapList{}, client.InNamespace("ns"), client.Continue(page.Continue))
	if !apierrors.IsResourceExpired(err) {
		t.Fatalf("a page after the history: %v, want expired", err)
	}
	// The answer has a token with which the list goes on in the newest version.
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Continue == "" {
		t.Fatal("the answer has no token to go on with")
	}
	rest := &corev1.ConfigMapList{}
	if err := w.c.List(ctx, rest, client.InNamespace("ns"), client.Continue(status.Status().Continue)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"b", "c", "d", "e", "f", "g", "kube-root-ca.crt"}, names(rest)); diff != "" {
		t.Errorf("rest (-want +got):\n%s", diff)
	}
	err = w.c.List(ctx, &corev1.ConfigMapList{}, &client.ListOptions{Raw: &metav1.ListOptions{
		ResourceVersion: page.ResourceVersion, ResourceVersionMatch: metav1.ResourceVersionMatchExact,
	}})
	refused(t, err, 410, metav1.StatusReasonExpired, "The resourceVersion for the provided list is too old.")
}

func TestListsOfThePastHaveOldVersions(t *testing.T) {
	w := newWorld(t)
	cm := simpleConfigMap("a")
	w.create(cm)
	was := cm.ResourceVersion
	then := w.ResourceVersion()
	w.delete(cm)
	past := &corev1.ConfigMapList{}
	err := w.c.List(ctx, past, client.InNamespace("ns"), &client.ListOptions{Namespace: "ns", Raw: &metav1.ListOptions{
		ResourceVersion: then, ResourceVersionMatch: metav1.ResourceVersionMatchExact,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(past.Items) == 0 || past.Items[0].Name != "a" || past.Items[0].ResourceVersion != was {
		t.Errorf("the past has %v, want a in version %s first", names(past), was)
	}
}

func TestWatchTimeoutsAreOptional(t *testing.T) {
	seconds := int64(10)
	for _, test := range []struct {
		reason  string
		timeout bool
		ends    bool
	}{
		{reason: "a quiet world stays quiet", timeout: false, ends: false},
		{reason: "as a real server would", timeout: true, ends: true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			w := newWorld(t, func(o *apiserver.Options) { o.WatchTimeouts = test.timeout })
			got, err := w.c.Watch(ctx, &corev1.ConfigMapList{}, &client.ListOptions{Raw: &metav1.ListOptions{
				ResourceVersion: w.ResourceVersion(), TimeoutSeconds: &seconds, AllowWatchBookmarks: true,
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer got.Stop()
			w.create(simplePod("elsewhere"))
			w.run(time.Minute)
			w.create(simpleConfigMap("a"))
			w.run(time.Minute)
			e, open := <-got.ResultChan()
			switch {
			case !open:
				t.Error("the watch has ended without a bookmark")
			case test.ends && e.Type != watch.Bookmark:
				t.Errorf("first event %s, want a bookmark before the end", e.Type)
			case !test.ends && e.Type != watch.Added:
				t.Errorf("first event %s, want the object", e.Type)
			}
			if test.ends {
				if _, open := <-got.ResultChan(); open {
					t.Error("the watch has not ended")
				}
			}
		})
	}
}
