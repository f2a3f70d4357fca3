package conformance

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// rescueLimit bounds reading the logs of one Pod that is being deleted: its grace period is hardly longer.
const rescueLimit = 20 * time.Second

// rescued are the logs of Pods that were being deleted. On a real cluster a log is gone
// with its Pod, and a run that is timed out or cancelled deletes the very Pod whose log
// would tell why: so it is read when the deletion is seen. On virtual time nothing can
// read it meanwhile; such a cluster may be a [LogKeeper].
type rescued struct {
	mu   sync.Mutex
	logs map[string]string // by namespace/pod/container
	pods map[string]bool   // by uid
	work sync.WaitGroup
}

// rescuing reads a Pod's logs when it is seen to be deleted.
func (s *session) rescuing(ctx context.Context, kind fixture.KindInfo, handler func(watch.EventType, *unstructured.Unstructured)) func(watch.EventType, *unstructured.Unstructured) {
	if s.virtual || kind.Name != "pod" {
		return handler
	}
	return func(event watch.EventType, pod *unstructured.Unstructured) {
		handler(event, pod)
		if event != watch.Modified || pod.GetDeletionTimestamp() == nil {
			return
		}
		r := &s.rescued
		r.mu.Lock()
		defer r.mu.Unlock()
		uid := string(pod.GetUID())
		if r.pods[uid] {
			return
		}
		if r.pods == nil {
			r.pods, r.logs = map[string]bool{}, map[string]string{}
		}
		r.pods[uid] = true
		r.work.Go(func() { s.rescue(ctx, pod) })
	}
}

func (s *session) rescue(ctx context.Context, pod *unstructured.Unstructured) {
	ctx, cancel := context.WithTimeout(ctx, rescueLimit)
	defer cancel()
	for _, name := range append(named(pod, "initContainers"), containers(pod)...) {
		text, err := s.readLog(ctx, pod.GetNamespace(), pod.GetName(), name)
		if err != nil {
			continue // it has not begun, or is gone already
		}
		s.rescued.mu.Lock()
		s.rescued.logs[pod.GetNamespace()+"/"+pod.GetName()+"/"+name] = tail(text)
		s.rescued.mu.Unlock()
	}
}

// readLog reads one log; a target that panics has no log.
func (s *session) readLog(ctx context.Context, namespace, pod, container string) (text string, err error) {
	defer recovered(&err, "the target")
	return s.cluster.Logs(ctx, namespace, pod, container)
}

// lost is the log of a Pod that is gone, as far as it was kept.
func (s *session) lost(namespace, pod, container string) (string, bool) {
	if keeper, ok := s.cluster.(LogKeeper); ok {
		return keeper.KeptLog(namespace, pod, container), true
	}
	s.rescued.work.Wait()
	s.rescued.mu.Lock()
	defer s.rescued.mu.Unlock()
	text, ok := s.rescued.logs[namespace+"/"+pod+"/"+container]
	return text, ok
}
