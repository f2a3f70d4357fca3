package fake

import (
	"bytes"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/simulator/kubelet"
)

// keptLog is how much is kept of the end of a container's log beyond the life of its Pod.
const keptLog = 4 << 10

// keptLogs are the ends of logs by namespace/pod/container: the node forgets them with the Pod, and a failure is
// explained when the Pod may be gone.
type keptLogs map[string][]byte

var _ conformance.LogKeeper = (*Cluster)(nil)

// keeping returns what is to see all output, and passes it on.
func (l keptLogs) keeping(next func(kubelet.Output)) func(kubelet.Output) {
	return func(o kubelet.Output) {
		key := o.Namespace + "/" + o.Pod + "/" + o.Container
		text := append(l[key], o.Data...)
		if len(text) > 2*keptLog {
			text = bytes.Clone(text[len(text)-keptLog:])
		}
		l[key] = text
		if next != nil {
			next(o)
		}
	}
}

// KeptLog implements conformance.LogKeeper.
func (c *Cluster) KeptLog(namespace, pod, container string) string {
	text := c.kept[namespace+"/"+pod+"/"+container]
	return string(text[max(0, len(text)-keptLog):])
}
