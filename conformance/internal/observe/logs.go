package observe

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/internal/untyped"
)

// rescueLimit bounds reading the logs of one Pod that is being deleted: its grace period is hardly longer.
const rescueLimit = 20 * time.Second

// Logs are those of Pods that were being deleted. On a real cluster a log is gone with its Pod, and a run that is timed out or
// cancelled deletes the very Pod whose log would tell why. So it is read when the deletion is seen.
type Logs struct {
	// Read reads the log of one container.
	Read func(ctx context.Context, namespace, pod, container string) (string, error)

	mu   sync.Mutex
	logs map[string]string // by namespace/pod/container
	pods map[string]bool   // by uid
	work sync.WaitGroup
}

// Wait waits until nothing is being read.
func (l *Logs) Wait() { l.work.Wait() }

// rescuing reads a Pod's logs when it is seen to be deleted, and passes versions on.
func (l *Logs) rescuing(ctx context.Context, handler Handler) Handler {
	return func(event watch.EventType, pod *unstructured.Unstructured) {
		handler(event, pod)
		if event != watch.Modified || pod.GetDeletionTimestamp() == nil {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		uid := string(pod.GetUID())
		if l.pods[uid] {
			return
		}
		if l.pods == nil {
			l.pods, l.logs = map[string]bool{}, map[string]string{}
		}
		l.pods[uid] = true
		l.work.Go(func() { l.rescue(ctx, pod) })
	}
}

func (l *Logs) rescue(ctx context.Context, pod *unstructured.Unstructured) {
	ctx, cancel := context.WithTimeout(ctx, rescueLimit)
	defer cancel()
	for _, name := range append(Containers(pod, "initContainers"), Containers(pod, "containers")...) {
		text, err := l.read(ctx, pod.GetNamespace(), pod.GetName(), name)
		if err != nil {
			continue // it has not begun, or is gone already
		}
		l.mu.Lock()
		l.logs[pod.GetNamespace()+"/"+pod.GetName()+"/"+name] = Tail(text)
		l.mu.Unlock()
	}
}

// read reads one log; a target that panics has no log.
func (l *Logs) read(ctx context.Context, namespace, pod, container string) (text string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the target panicked: %v", p)
		}
	}()
	return l.Read(ctx, namespace, pod, container)
}

// Kept returns the log of a Pod that is gone, and whether it was read in time.
func (l *Logs) Kept(namespace, pod, container string) (string, bool) {
	l.work.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	text, ok := l.logs[namespace+"/"+pod+"/"+container]
	return text, ok
}

// Containers lists the names in a list of a Pod's spec: containers or initContainers.
func Containers(pod *unstructured.Unstructured, list string) []string {
	var names []string
	for _, c := range untyped.Maps(pod.Object, "spec", list) {
		if name, ok := c["name"].(string); ok {
			names = append(names, name)
		}
	}
	return names
}
