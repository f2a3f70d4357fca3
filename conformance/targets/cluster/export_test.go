package cluster

import corev1 "k8s.io/api/core/v1"

// MapImage tells what an image of a fixture is called on a cluster, and what that is called by fixtures.
func MapImage(there map[string]string, name string) (here, back string, err error) {
	m, err := newImages(there)
	if err != nil {
		return "", "", err
	}
	here = m.forward(name)
	return here, m.backward(here), nil
}

// SubstitutedOn is what simulated nodes put into the implementation's place.
func SubstitutedOn(nodes []corev1.Node) []string { return substitutedOn(nodes) }

// RealNodes reports whether nodes have kubelets.
func RealNodes(nodes []corev1.Node) bool { return realNodes(nodes) }
