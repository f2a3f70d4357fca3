package kubelet

import (
	corev1 "k8s.io/api/core/v1"
)

// Limits of termination messages, in bytes. All containers of a Pod share
// messagePod evenly; what is over is cut without a word.
const (
	messagePod      = 12 << 10
	messageFile     = 4 << 10
	messageLog      = 2 << 10
	messageLogLines = 80
)

// message reads the termination message of an instance that has just ended.
func (s *slot) message(e ExitStatus) string {
	var text []byte
	if path := s.spec.TerminationMessagePath; path != "" && s.container != nil {
		b, err := s.container.ReadFile(path)
		if err == nil {
			text = b[:min(len(b), messageFile)]
		}
	}
	if len(text) == 0 && s.spec.TerminationMessagePolicy == corev1.TerminationMessageFallbackToLogsOnError && e.Code != 0 {
		text = s.log.tail(messageLogLines, messageLog)
	}
	return s.w.clip(string(text))
}

// clip cuts a message to the container's share of what the Pod may say.
func (w *worker) clip(message string) string {
	share := messagePod / (len(w.inits) + len(w.apps) + len(w.pod.Spec.EphemeralContainers))
	return message[:min(len(message), share)]
}
