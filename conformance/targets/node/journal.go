package node

import (
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kubelet"
)

// keptOutput is how many bytes are kept of what one instance of a container has written.
const keptOutput = 1 << 20

// journal is what containers have written, line by line with the time, and how their Pods ended. The node writes it on
// the kernel's goroutine, and requests read it on theirs.
type journal struct {
	mu   sync.Mutex
	pods map[client.ObjectKey]*corev1.Pod
	logs map[logKey][]*instance
	// some is closed when something has happened.
	some chan struct{}
	// waiting is whether a request waits for that.
	waiting bool
}

type logKey struct {
	pod       client.ObjectKey
	container string
}

// instance is one run of a container.
type instance struct {
	restarts int
	lines    []line
	size     int
	// dropped is how many lines are no longer kept.
	dropped int
}

// line is a line of output, or the part of one that has been written so far.
type line struct {
	at     time.Time
	stream int
	data   []byte
}

func (l *line) complete() bool { return len(l.data) > 0 && l.data[len(l.data)-1] == '\n' }

func newJournal() *journal {
	return &journal{pods: map[client.ObjectKey]*corev1.Pod{}, logs: map[logKey][]*instance{}, some: make(chan struct{})}
}

// next returns a channel that is closed at the next news.
func (j *journal) next() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.waiting = true
	return j.some
}

// tell wakes those who wait. The lock is held.
func (j *journal) tell() {
	if j.waiting {
		close(j.some)
		j.some, j.waiting = make(chan struct{}), false
	}
}

// write takes in output.
func (j *journal) write(o kubelet.Output) {
	j.mu.Lock()
	defer j.mu.Unlock()
	key := logKey{client.ObjectKey{Namespace: o.Namespace, Name: o.Pod}, o.Container}
	runs := j.logs[key]
	if len(runs) == 0 || runs[len(runs)-1].restarts != o.Restarts {
		runs = append(runs, &instance{restarts: o.Restarts})
		if len(runs) > 2 { // older ones cannot be asked for
			runs = slices.Delete(runs, 0, len(runs)-2)
		}
		j.logs[key] = runs
	}
	runs[len(runs)-1].add(o.Stream, o.Data, time.Now())
	j.tell()
}

func (i *instance) add(stream int, data []byte, at time.Time) {
	i.size += len(data)
	for len(data) > 0 {
		part := data
		if end := slices.Index(data, '\n'); end >= 0 {
			part = data[:end+1]
		}
		data = data[len(part):]
		if last := len(i.lines) - 1; last >= 0 && i.lines[last].stream == stream && !i.lines[last].complete() {
			i.lines[last].data = append(i.lines[last].data, part...)
			continue
		}
		i.lines = append(i.lines, line{at: at, stream: stream, data: slices.Clone(part)})
	}
	for i.size > keptOutput && len(i.lines) > 1 {
		i.size -= len(i.lines[0].data)
		i.lines[0].data = nil
		i.lines = i.lines[1:]
		i.dropped++
	}
}

// observe follows the Pods of a node.
func (j *journal) observe(node string) func(informer.Event) {
	return func(e informer.Event) {
		pod, ok := e.Object.(*corev1.Pod)
		if !ok || pod.Spec.NodeName != node {
			return
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		key := client.ObjectKeyFromObject(pod)
		if e.Type == watch.Deleted {
			delete(j.pods, key)
			for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
				for i := range list {
					delete(j.logs, logKey{key, list[i].Name})
				}
			}
		} else {
			j.pods[key] = pod
		}
		j.tell()
	}
}

// pod is a Pod of the node, or nil.
func (j *journal) pod(key client.ObjectKey) *corev1.Pod {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.pods[key]
}

// list are the Pods of the node, sorted.
func (j *journal) list() []corev1.Pod {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]corev1.Pod, 0, len(j.pods))
	for _, p := range j.pods {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b corev1.Pod) int { return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name) })
	return out
}

// run finds the last instance of a container, or the one before. It is nil if that has written nothing, or there was none.
func (j *journal) run(key logKey, previous bool) *instance {
	j.mu.Lock()
	defer j.mu.Unlock()
	runs := j.logs[key]
	if previous {
		restarts := 0
		if s := statusOf(j.pods[key.pod], key.container); s != nil {
			restarts = int(s.RestartCount)
		}
		for _, r := range runs {
			if r.restarts == restarts-1 {
				return r
			}
		}
		return nil
	}
	if len(runs) == 0 {
		return nil
	}
	return runs[len(runs)-1]
}

// since are the lines of an instance from a place on, and the place after them. A last line that is not complete is left
// out if more may come.
func (j *journal) since(i *instance, place int, more bool) ([]line, int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	from := min(max(place-i.dropped, 0), len(i.lines))
	lines := i.lines[from:]
	if more && len(lines) > 0 && !lines[len(lines)-1].complete() {
		lines = lines[:len(lines)-1]
	}
	return slices.Clone(lines), i.dropped + from + len(lines)
}

// ended reports whether nothing more will be written by a run of a container.
func (j *journal) ended(key logKey, restarts int) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	pod := j.pods[key.pod]
	if pod == nil || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return true
	}
	s := statusOf(pod, key.container)
	return s != nil && (int(s.RestartCount) > restarts || int(s.RestartCount) == restarts && s.State.Terminated != nil)
}

// statusOf finds the status of a container.
func statusOf(pod *corev1.Pod, container string) *corev1.ContainerStatus {
	if pod == nil {
		return nil
	}
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range list {
			if list[i].Name == container {
				return &list[i]
			}
		}
	}
	return nil
}

// has reports whether a Pod has a container of the name.
func has(pod *corev1.Pod, container string) bool {
	named := func(c corev1.Container) bool { return c.Name == container }
	return slices.ContainsFunc(pod.Spec.InitContainers, named) || slices.ContainsFunc(pod.Spec.Containers, named)
}
