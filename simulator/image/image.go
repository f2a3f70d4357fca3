// Package image is the catalogue of container images of a simulated cluster.
//
// An [Image] is what a registry and a node know of an image: its reference, digest, configuration, and its root file
// system as a frozen [files.Volume]. A program in it is a file with a header that names a Go function ([Executable]);
// the container package looks that name up when the file is executed, so copying the file copies the program.
//
// The catalogue knows a few base images ([Defaults]); everything else has to be added. An image that is not in the
// catalogue cannot be pulled.
package image

import (
	"bytes"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/files"
)

// Image is an image that can be run. It must not be changed once it is in a catalogue.
type Image struct {
	// Reference is the full name, for example docker.io/library/busybox:latest.
	Reference string
	// Digest is that of the manifest: sha256:…. Add derives it from the reference if it is empty.
	Digest string
	// Tag is the tag beside the digest by which the image was asked for first; a reference with a digest has none.
	Tag string
	// ID is that of the configuration, which container statuses show. Add derives it from the reference if it is empty.
	ID              string
	Entrypoint, Cmd []string
	Env             []string
	// User is a number or name, optionally with a group: "1000:1000"; empty is root.
	User string
	// UserUnknown says that User is a guess: where a Pod demands another user than root, the image is taken to have one.
	UserUnknown bool
	// Own says that the image is part of what the cluster is made of: no mock stands in for what it runs.
	Own        bool
	WorkingDir string
	// Platforms are os/arch or os/arch/variant; empty means linux/amd64 alone.
	Platforms []string
	// Root is the file system. It is shared by all containers of the image, which see it copy-on-write.
	Root *files.Volume
}

// RepoDigest is the form in which a container status names the image: repository@digest.
func (i *Image) RepoDigest() string {
	if at := strings.IndexByte(i.Reference, '@'); at >= 0 {
		return i.Reference[:at] + "@" + i.Digest
	}
	name := i.Reference
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name = name[:colon]
	}
	return name + "@" + i.Digest
}

// Name is the reference, with the tag that it was asked for by.
func (i *Image) Name() string {
	if name, digest, found := strings.Cut(i.Reference, "@"); found && i.Tag != "" {
		return name + ":" + i.Tag + "@" + digest
	}
	return i.Reference
}

const (
	// UnknownEntrypoint is the entrypoint of an image whose entrypoint is not known; its file has the program UnknownProgram,
	// which ends with an error.
	UnknownEntrypoint = "/unknown-entrypoint"
	// UnknownProgram is the program of UnknownEntrypoint.
	UnknownProgram = "unknown-entrypoint"
)

// magic is what the file of a program begins with: the header of an ELF file for amd64 that has no segments, which no
// linker writes. A shell that takes it for a script drops the zeros and stops at the end of its first line, which is no
// syntax, as it does with the files of real programs. The zeros are as many as bash needs not to source it.
var magic = []byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00" + // 64 bits, little endian
	"\x03\x00\x3e\x00\x01\x00\x00\x00" + "\x50\x61\x00\x00\x00\x00\x00\x00" + // a shared object for amd64, and where it starts
	"\x40\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00" + // where its tables are, and flags
	"\x40\x00\x38\x00\x00\x00\x40\x00\x00\x00\x00\x00" + // sizes and numbers of entries
	strings.Repeat("\x00", 320) + "&;\x00")

// Executable is the content of a file that runs the named program.
func Executable(program string) []byte { return append(append(bytes.Clone(magic), program...), '\n') }

// ProgramOf returns the program that a file with this content runs.
func ProgramOf(content []byte) (name string, ok bool) {
	rest, ok := bytes.CutPrefix(content, magic)
	if !ok {
		return "", false
	}
	line, _, ok := bytes.Cut(rest[:min(len(rest), 128)], []byte("\n"))
	return string(line), ok
}
