package validation

import (
	"regexp"
	"strings"
)

// imageReference is the grammar of an image reference: [host[:port]/]path[:tag][@digest] (the distribution
// specification's reference grammar).
var imageReference = regexp.MustCompile(`^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?/)?` +
	`[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`)

// badImageReference says why text is not an image reference, or returns nothing.
func badImageReference(text string) string {
	if imageReference.MatchString(text) && !strings.Contains(text, "//") {
		return ""
	}
	return "could not parse reference: " + text
}
