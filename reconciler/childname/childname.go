// Package childname derives the name of an object from the name of the object that owns it (spec §4.1).
//
// The same parent and suffix always give the same name, so that a controller which has lost its memory finds the child
// that it made before, and a child that already exists is noticed. Names fit into a label value and a DNS label: at
// most 63 characters. A name that would be longer keeps its head, for people, and gets a hash, for uniqueness.
package childname

import (
	"crypto/md5" //nolint:gosec // not for security: the names of the reference, which other tools compute too
	"encoding/hex"
	"strings"
)

const (
	maxLength  = 63
	hashLength = 2 * md5.Size
	headLength = maxLength - hashLength
)

// Of is the name of the child of parent with that suffix, such as "-pod".
func Of(parent, suffix string) string {
	if len(parent)+len(suffix) <= maxLength {
		return parent + suffix
	}
	if head := headLength - len(suffix); head > 0 {
		return parent[:min(head, len(parent))] + hash(parent) + suffix
	}
	// The suffix alone leaves no room for a head: it takes part in the hash, and what fits of it is kept.
	name := parent[:min(headLength, len(parent))] + hash(parent+suffix)
	name += suffix[:min(maxLength-len(name), len(suffix))]
	return strings.TrimRight(name, "-")
}

func hash(s string) string {
	sum := md5.Sum([]byte(s)) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}
