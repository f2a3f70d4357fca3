package kubelet

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// ensureImage sees to it that the container's image is on the node. It reports
// false, and notes why, when it is not.
func (w *worker) ensureImage(s *slot) (Image, bool) {
	name := s.spec.Image
	if !validReference(name) {
		message := fmt.Sprintf("Failed to apply default image tag %q: couldn't parse image name %q: invalid reference format", name, name)
		w.event(s.fieldPath, corev1.EventTypeWarning, reasonInspectFailed, message)
		w.event(s.fieldPath, corev1.EventTypeWarning, reasonFailed, "Error: "+reasonInvalidImageName)
		s.wait(reasonInvalidImageName, message)
		return Image{}, false
	}
	image, err := w.k.o.Images.Image(name)
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

// validReference checks an image reference by the grammar of distribution: an
// optional host, a lower-case path, a tag, a digest.
func validReference(name string) bool {
	if name == "" || strings.ContainsAny(name, " \t\n") {
		return false
	}
	rest, digest, hasDigest := strings.Cut(name, "@")
	if hasDigest {
		algorithm, hex, ok := strings.Cut(digest, ":")
		if !ok || algorithm == "" || len(hex) < 32 || strings.Trim(hex, "0123456789abcdefABCDEF") != "" {
			return false
		}
	}
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.Contains(rest[i:], "/") {
		tag := rest[i+1:]
		if tag == "" || len(tag) > 128 || tag[0] == '.' || tag[0] == '-' || strings.Trim(tag, wordCharacters+".-") != "" {
			return false
		}
		rest = rest[:i]
	}
	parts := strings.Split(rest, "/")
	if first := parts[0]; len(parts) > 1 && (strings.ContainsAny(first, ".:") || first == "localhost" || strings.ToLower(first) != first) {
		if strings.Trim(first, wordCharacters+".-:[]") != "" {
			return false
		}
		parts = parts[1:]
	}
	for _, p := range parts {
		if p == "" || strings.Trim(p, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" || strings.ContainsRune("._-", rune(p[0])) || strings.ContainsRune("._-", rune(p[len(p)-1])) {
			return false
		}
	}
	return true
}

const wordCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
