package kubelet

import (
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// ensureImage sees to it that the container's image is on the node. It reports
// false, and notes why, when it is not.
func (w *worker) ensureImage(s *slot) (Image, bool) {
	name := s.spec.Image
	image, err := w.k.o.Images.Image(name)
	var invalid *InvalidReferenceError
	if errors.As(err, &invalid) {
		message := fmt.Sprintf("Failed to apply default image tag %q: %s", name, invalid.Message)
		w.event(s.fieldPath, corev1.EventTypeWarning, reasonInspectFailed, message)
		w.event(s.fieldPath, corev1.EventTypeWarning, reasonFailed, "Error: "+reasonInvalidImageName)
		s.wait(reasonInvalidImageName, message)
		return Image{}, false
	}
	if missing := w.k.o.Faults.Pull; missing != nil && err == nil {
		err = missing(name)
	}
	present := err == nil && (image.Local || w.k.images[name])
	policy := s.spec.ImagePullPolicy
	switch {
	case present && policy != corev1.PullAlways:
		w.event(s.fieldPath, corev1.EventTypeNormal, reasonPulled,
			fmt.Sprintf("Container image %q already present on machine and can be accessed by the pod", name))
		return image, true
	case policy == corev1.PullNever:
		message := fmt.Sprintf("Container image %q is not present with pull policy of Never", name)
		w.event(s.fieldPath, corev1.EventTypeWarning, reasonNeverPull, message)
		w.event(s.fieldPath, corev1.EventTypeWarning, reasonFailed, "Error: "+reasonNeverPull)
		s.wait(reasonNeverPull, message)
		return Image{}, false
	}
	if wait := s.pulls.remaining(w.now()); wait > 0 {
		message := fmt.Sprintf("Back-off pulling image %q", name)
		w.event(s.fieldPath, corev1.EventTypeNormal, reasonBackOff, message)
		w.event(s.fieldPath, corev1.EventTypeWarning, reasonFailed, "Error: "+reasonImagePullBackOff)
		if s.pullErr != "" {
			message += ": " + reasonErrImagePull + ": " + s.pullErr
		}
		s.wait(reasonImagePullBackOff, message)
		return Image{}, false
	}
	w.event(s.fieldPath, corev1.EventTypeNormal, reasonPulling, fmt.Sprintf("Pulling image %q", name))
	begun := w.now()
	if err != nil {
		return Image{}, w.pullFailed(s, err)
	}
	if present {
		// Always: only the manifest is fetched again.
		if !w.pause(w.k.timing.PullFail) {
			return Image{}, false
		}
	} else if !w.pause(w.k.timing.Pull) {
		return Image{}, false
	}
	w.k.images[name] = true
	s.pulls = backOff{}
	took := w.now().Sub(begun).Round(time.Millisecond)
	w.event(s.fieldPath, corev1.EventTypeNormal, reasonPulled,
		fmt.Sprintf("Successfully pulled image %q in %s (%s including waiting). Image size: %d bytes.", name, took, took, image.Size))
	return image, true
}

func (w *worker) pullFailed(s *slot, err error) bool {
	if !w.pause(w.k.timing.PullFail) {
		return false
	}
	s.pullErr = err.Error()
	s.pulls.grow()
	s.pulls.since = w.now()
	w.event(s.fieldPath, corev1.EventTypeWarning, reasonFailed, fmt.Sprintf("Failed to pull image %q: %s", s.spec.Image, s.pullErr))
	w.event(s.fieldPath, corev1.EventTypeWarning, reasonFailed, "Error: "+reasonErrImagePull)
	s.wait(reasonErrImagePull, s.pullErr)
	return false
}
