package image

import "strings"

// Known is what a reference's name says about its image.
type Known struct {
	// Like is a key of Models.
	Like string
	// Certain says that it is known what the image runs, and as which user: as the model, but for Entrypoint and Cmd.
	Certain         bool
	Entrypoint, Cmd []string
	// Programs are those that the image is there for, and that the simulation does not have.
	Programs []string
}

// familiar are repositories, by the patterns of their names without "docker.io/library/" and "docker.io/"; the first that
// matches counts.
func familiar() []struct {
	repository string
	known      Known
} {
	official := func(like string, cmd string, programs ...string) Known {
		k := Known{Like: like, Certain: true, Programs: programs}
		if cmd != "" {
			k.Cmd = []string{cmd}
		}
		return k
	}
	return []struct {
		repository string
		known      Known
	}{
		{"busybox", official("busybox", "sh")},
		{"alpine", official("alpine", "/bin/sh")},
		{"debian", official("debian", "bash")},
		{"ubuntu", official("ubuntu", "/bin/bash")},
		{"bash", Known{Like: "bash", Certain: true, Entrypoint: []string{"docker-entrypoint.sh"}, Cmd: []string{"bash"}}},
		{"ghcr.io/jqlang/jq", Known{Like: "toolbox", Certain: true, Entrypoint: []string{"jq"}}},
		{"alpine/git", Known{Like: "alpine", Certain: true, Entrypoint: []string{"git"}, Cmd: []string{"--help"}, Programs: []string{"git"}}},
		{"alpine/*", Known{Like: "alpine"}},
		{"python", official("debian", "python3", "/usr/local/bin/python3", "/usr/local/bin/python", "/usr/local/bin/pip")},
		{"golang", official("debian", "bash", "/usr/local/go/bin/go", "git")},
		{"node", Known{Like: "debian", Programs: []string{"/usr/local/bin/node", "/usr/local/bin/npm", "/usr/local/bin/npx"}}},
		{"ruby", official("debian", "irb", "/usr/local/bin/ruby", "/usr/local/bin/irb", "/usr/local/bin/gem", "/usr/local/bin/bundle")},
		{"rust", official("debian", "bash", "/usr/local/cargo/bin/cargo", "/usr/local/cargo/bin/rustc")},
		{"perl", Known{Like: "debian", Programs: []string{"/usr/local/bin/perl"}}},
		{"maven", Known{Like: "ubuntu", Programs: []string{"mvn", "java"}}},
		{"gradle", Known{Like: "ubuntu", Programs: []string{"gradle", "java"}}},
		{"eclipse-temurin", Known{Like: "ubuntu", Programs: []string{"java"}}},
		{"docker", Known{Like: "alpine", Programs: []string{"docker"}}},
		{"gcr.io/kaniko-project/*", Known{Like: "distroless", Certain: true, Entrypoint: []string{"/kaniko/executor"}, Programs: []string{"/kaniko/executor"}}},
		{"gcr.io/distroless/*", Known{Like: "distroless"}},
		{"cgr.dev/chainguard/static", Known{Like: "distroless"}},
		{"registry.access.redhat.com/*", Known{Like: "ubi"}},
		{"registry.redhat.io/*", Known{Like: "ubi"}},
		{"registry.fedoraproject.org/*", official("ubi", "/bin/bash")},
		{"quay.io/centos/*", official("ubi", "/bin/bash")},
	}
}

// distributions are words in a repository's last part, or in a tag, that name what an image is made from.
var distributions = []struct{ word, like string }{
	{"distroless", "distroless"}, {"alpine", "alpine"}, {"busybox", "busybox"},
	{"ubi", "ubi"}, {"ubi7", "ubi"}, {"ubi8", "ubi"}, {"ubi9", "ubi"}, {"fedora", "ubi"}, {"centos", "ubi"}, {"rhel", "ubi"},
	{"rockylinux", "ubi"}, {"almalinux", "ubi"}, {"amazonlinux", "ubi"}, {"oraclelinux", "ubi"},
	{"ubuntu", "ubuntu"}, {"bionic", "ubuntu"}, {"focal", "ubuntu"}, {"jammy", "ubuntu"}, {"noble", "ubuntu"},
	{"debian", "debian"}, {"stretch", "debian"}, {"buster", "debian"}, {"bullseye", "debian"}, {"bookworm", "debian"}, {"trixie", "debian"},
}

// Guessed returns what the name of a reference suggests: the kind of a well-known repository, or a distribution that the
// last part of the repository or the tag names as a word. Everything else is like the toolbox, with an entrypoint and a user
// that are not known.
func Guessed(repository, tag string) Known {
	k := Known{Like: "toolbox"}
	short := strings.TrimPrefix(strings.TrimPrefix(repository, "docker.io/"), "library/")
	found := false
	for _, f := range familiar() {
		if found = glob(f.repository, short); found {
			k = f.known
			break
		}
	}
	named := distribution(tag)
	if !found && named == "" {
		named = distribution(short[strings.LastIndexByte(short, '/')+1:])
	}
	if named != "" {
		k.Like = named
	}
	if k.Like == "distroless" && hasWord(tag, "debug") {
		k.Like = "busybox"
	}
	return k
}

// distribution is what a text names as a word, with or without a version: alpine in 3.12-alpine3.19.
func distribution(text string) string {
	for _, d := range distributions {
		if hasWord(text, d.word) {
			return d.like
		}
	}
	return ""
}

func hasWord(text, word string) bool {
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return r == '-' || r == '_' || r == '.' }) {
		if rest, ok := strings.CutPrefix(w, word); ok && strings.Trim(rest, digits) == "" {
			return true
		}
	}
	return false
}

// guessed makes the image that a name suggests.
func (c *Catalogue) guessed(name, tag string) (*Image, error) {
	k := Guessed(name, tag)
	made, err := c.model(Models()[k.Like])
	if err != nil {
		return nil, err
	}
	if k.Certain {
		made.Entrypoint, made.Cmd = k.Entrypoint, k.Cmd
	} else {
		made.unknown()
	}
	d := Description{Programs: k.Programs}
	if !k.Certain {
		d.Programs = append(d.Programs, UnknownEntrypoint)
	}
	made.Root, err = d.root(made.Root)
	return made, err
}

// unknown says that neither entrypoint nor user are known.
func (i *Image) unknown() {
	i.Entrypoint, i.Cmd, i.UserUnknown = []string{UnknownEntrypoint}, nil, true
}
