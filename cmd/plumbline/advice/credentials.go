package advice

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// gitAnnotation begins the annotations that say for which server a Secret has credentials.
const gitAnnotation = "tekton.dev/git-"

// OfSecret returns the notes about a Secret with git credentials. Git compares a URL with its scheme, so a user name and
// password for a host alone are never used; for a key of ssh the host alone is right.
func OfSecret(m *fixture.Manifest) []Note {
	if m.Kind != "Secret" || m.Object["type"] != "kubernetes.io/basic-auth" {
		return nil
	}
	annotations := mapping(m.Object, "metadata", "annotations")
	var notes []Note
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		value, ok := annotations[key].(string)
		if !ok || !strings.HasPrefix(key, gitAnnotation) || strings.Contains(value, "://") {
			continue
		}
		at, _ := m.Find(value, "metadata.annotations")
		notes = append(notes, Note{At: at, Text: fmt.Sprintf("the annotation %s of secret/%s is %q: git uses a user name and password only for a URL with a scheme; write https://%s", key, m.Name, value, value)})
	}
	return notes
}
