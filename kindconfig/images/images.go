// Package images makes the container images of this repository, and those that fixtures use, without a container engine
// and without a registry.
//
// [Builder] compiles the programs of cmd, static, and puts each alone into an image. [Busybox] and [Debian] make small
// images of files that are there, for machines that reach no registry. [Copy] fetches those same images where one is
// reached. [WriteArchive] and [ReadArchive] carry images about in a file that docker load, ctr import and kind load take.
//
// Whatever goes in is the same, the digest is the same: times are fixed, files are sorted, and nothing names the machine.
//
// # Limits
//
// An image is for one platform, linux and the builder's architecture. The controller's image has the certificates of
// authorities that the building machine trusts, if it has them where Linux distributions do, and without them it asks no
// registry over TLS.
package images

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Names of the programs' images.
const (
	Controller        = "controller"
	Entrypoint        = "entrypoint"
	Nop               = "nop"
	WorkingDirInit    = "workingdirinit"
	SidecarLogResults = "sidecarlogresults"
	Registry          = "registry"
	Outside           = "outside"
	Injector          = "injector"
)

// Module is the Go module that the programs are in.
const Module = "github.com/plumbline-ci/plumbline"

// programDirectory is where a program is in its image: Pods of TaskRuns say where they expect the launcher.
const programDirectory = "/ko-app"

// nonroot is the user that runs the programs: the customary user that is not root.
const nonroot = "65532:65532"

// Image is an image with a name, which is a reference or the beginning of one.
type Image struct {
	Name string
	v1.Image
}

// Program is a program that gets an image of its own.
type Program struct {
	// Name is the image's, and the binary's.
	Name string
	// Package is what is compiled.
	Package string
	// Authorities says that it talks to servers of the world, and needs the authorities that it trusts.
	Authorities bool
}

// Programs are those of this repository that run in a cluster, by name.
func Programs() []Program {
	var out []Program
	for _, n := range []string{Controller, Entrypoint, Injector, Nop, Outside, Registry, SidecarLogResults, WorkingDirInit} {
		out = append(out, Program{Name: n, Package: Module + "/cmd/" + n, Authorities: n == Controller})
	}
	return out
}

// Select are the programs of these names.
func Select(names ...string) ([]Program, error) {
	all := Programs()
	var out []Program
	for _, n := range names {
		i := slices.IndexFunc(all, func(p Program) bool { return p.Name == n })
		if i < 0 {
			return nil, fmt.Errorf("there is no program %s", n)
		}
		out = append(out, all[i])
	}
	return out, nil
}

// path is where the program is in its image.
func (p Program) path() string { return path.Join(programDirectory, p.Name) }

// ByDigest is the reference of an image in a registry, by its digest: host:port/name@sha256:….
func ByDigest(registry string, i Image) (string, error) {
	repository, err := name.NewRepository(registry + "/" + i.Repository())
	if err != nil {
		return "", fmt.Errorf("image %s: %w", i.Name, err)
	}
	digest, err := i.Digest()
	if err != nil {
		return "", fmt.Errorf("image %s: %w", i.Name, err)
	}
	return repository.Digest(digest.String()).Name(), nil
}

// Repository is the name without tag and digest.
func (i Image) Repository() string {
	short, _, _ := strings.Cut(i.Name, "@")
	if at := strings.LastIndexByte(short, ':'); at > strings.LastIndexByte(short, '/') {
		short = short[:at]
	}
	return short
}

// ShortName is the last part of the repository.
func (i Image) ShortName() string { return path.Base(i.Repository()) }

// InRegistry is the name in another registry: without the one that it names now, with its tag.
func (i Image) InRegistry() string {
	first, rest, several := strings.Cut(i.Name, "/")
	if several && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return rest
	}
	return i.Name
}
