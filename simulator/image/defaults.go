package image

import (
	"fmt"
	"maps"
)

const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Toolbox is the image with everything: bash, GNU's utilities, and jq, which the distributions' images do not have.
const Toolbox = "plumbline.dev/toolbox:latest"

// Models are the kinds of images that a description may name ([Description.Like]), with the image of the catalogue that is
// of each kind.
func Models() map[string]string {
	return map[string]string{
		"busybox": "busybox", "alpine": "alpine", "debian": "debian", "ubuntu": "ubuntu", "ubi": ubi, "distroless": distroless,
		"bash": "bash", "toolbox": Toolbox,
	}
}

const (
	ubi        = "registry.access.redhat.com/ubi9/ubi"
	distroless = "gcr.io/distroless/static"
)

// Defaults returns the base images: busybox, alpine, debian, ubuntu, ubi, distroless, bash, jq and the toolbox. Images of one
// kind share their root.
func Defaults() ([]*Image, error) {
	withBash := Distribution("NAME=\"Alpine Linux\"\nID=alpine\n", true)
	withBash.Programs["usr/local/bin/bash"] = "bash"
	withBash.Scripts = map[string]string{"usr/local/bin/docker-entrypoint.sh": bashEntrypoint}
	toolbox := withBash
	toolbox.Programs = maps.Clone(withBash.Programs)
	toolbox.Programs["usr/bin/jq"] = "jq"
	toolbox = WithGNU(toolbox)
	root := []string{searchPath}
	var out []*Image
	for _, i := range []struct {
		tree  Tree
		image Image
	}{
		{Busybox(), Image{Reference: "busybox", Cmd: []string{"sh"}, Env: root}},
		{Distribution("NAME=\"Alpine Linux\"\nID=alpine\n", false), Image{Reference: "alpine", Cmd: []string{"/bin/sh"}, Env: root}},
		{coreutils(Distribution("NAME=\"Debian GNU/Linux\"\nID=debian\n", true)), Image{Reference: "debian", Cmd: []string{"bash"}, Env: root}},
		{coreutils(Distribution("NAME=\"Ubuntu\"\nID=ubuntu\n", true)), Image{Reference: "ubuntu", Cmd: []string{"/bin/bash"}, Env: root}},
		{redHat(Distribution("NAME=\"Red Hat Enterprise Linux\"\nID=\"rhel\"\n", true)), Image{Reference: ubi, Cmd: []string{"/bin/bash"}, Env: root}},
		{Tree{Accounts: []string{"nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin"}, Groups: []string{"nonroot:x:65532:"}}, Image{Reference: distroless, Env: root}},
		{withBash, Image{Reference: "bash", Entrypoint: []string{"docker-entrypoint.sh"}, Cmd: []string{"bash"}, Env: root}},
		{toolbox, Image{Reference: Toolbox, Entrypoint: []string{"docker-entrypoint.sh"}, Cmd: []string{"bash"}, Env: root}},
		{toolbox, Image{Reference: "ghcr.io/jqlang/jq", Entrypoint: []string{"jq"}, Env: root}},
	} {
		var err error
		made := i.image
		if made.Root, err = NewRoot(i.tree); err != nil {
			return nil, fmt.Errorf("the root of %s: %w", made.Reference, err)
		}
		out = append(out, &made)
	}
	return out, nil
}

// bashEntrypoint is the start script of the image bash: a first argument that is an option or no command goes to bash.
const bashEntrypoint = `#!/usr/bin/env bash
set -Eeuo pipefail
if [ "${1#-}" != "$1" ] || ! command -v "$1" > /dev/null; then
	set -- bash "$@"
fi
exec "$@"
`
