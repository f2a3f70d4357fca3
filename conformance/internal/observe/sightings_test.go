package observe

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

func TestSightingsAreSortedByResourceVersion(t *testing.T) {
	t.Parallel()
	start := time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)
	object := func(kind, uid, version string) *unstructured.Unstructured {
		o := &unstructured.Unstructured{}
		o.SetKind(kind)
		o.SetUID(types.UID(uid))
		o.SetResourceVersion(version)
		return o
	}
	for _, tt := range []struct {
		reason string
		seen   []*unstructured.Unstructured
		want   []string
	}{
		{
			"a watch that is behind: the run is over before its Pod is seen to end",
			[]*unstructured.Unstructured{object("Pod", "p", "9"), object("TaskRun", "r", "11"), object("Pod", "p", "10")},
			[]string{"9 at 0s", "10 at 2s", "11 at 2s"},
		},
		{
			"by number and not by letter",
			[]*unstructured.Unstructured{object("TaskRun", "r", "100"), object("Pod", "p", "99")},
			[]string{"99 at 1s", "100 at 1s"},
		},
		{
			"resourceVersions in a foreign format have no order",
			[]*unstructured.Unstructured{object("TaskRun", "r", "b"), object("Pod", "p", "a")},
			[]string{"b at 0s", "a at 1s"},
		},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			l := NewSightings()
			for i, o := range tt.seen {
				l.Saw(start.Add(time.Duration(i)*time.Second), watch.Modified, o)
			}
			var got []string
			l.Tell(func(_ watch.EventType, o *unstructured.Unstructured) {
				got = append(got, o.GetResourceVersion()+" at "+l.Now().Sub(start).String())
			})
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			last := tt.seen[len(tt.seen)-1]
			if !l.Reached(last) {
				t.Error("what was seen is not reached")
			}
		})
	}
	l := NewSightings()
	l.Saw(start, watch.Added, object("Pod", "p", "5"))
	for version, want := range map[string]bool{"4": true, "5": true, "6": false} {
		if got := l.Reached(object("Pod", "p", version)); got != want {
			t.Errorf("at version 5, %s is reached: %v", version, got)
		}
	}
	if l.Reached(object("Pod", "another", "1")) {
		t.Error("an object that was not seen is reached")
	}
}
