package image

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// Tree says what is in an image's root file system, besides what every root has: /dev, /proc, /tmp and the like.
type Tree struct {
	// Programs are executables: path to program name.
	Programs map[string]string
	// Links are symbolic links: path to target.
	Links map[string]string
	// Files are other files: path to content; mode 0644.
	Files map[string]string
	// Scripts are executable files: path to content; mode 0755.
	Scripts map[string]string
	// Accounts are lines of /etc/passwd after root's, Groups of /etc/group.
	Accounts, Groups []string
	// Mode is the mode of the executables; 0 means 0755.
	Mode fs.FileMode
}

// NewRoot builds a root file system, frozen: images of several catalogues, also of kernels that run at the same time,
// may share it.
func NewRoot(t Tree) (*files.Volume, error) {
	v := files.NewVolume(func() time.Time { return kernel.Epoch }, files.Options{Mode: 0o755})
	b := builder{v: v}
	for _, dir := range []string{"bin", "dev", "etc", "home", "opt", "proc", "proc/self", "proc/sys/kernel/random", "run", "sys", "usr", "usr/bin", "var", "var/tmp"} {
		b.do(v.MkdirAll(dir, 0o755))
	}
	b.do(v.MkdirAll("tmp", 0o777|fs.ModeSticky))
	b.do(v.MkdirAll("root", 0o700))
	b.do(v.MkdirAll("dev/shm", 0o777|fs.ModeSticky))
	for i, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		b.do(v.Device("dev/"+name, []files.Device{files.Null, files.Zero, files.Full, files.Random, files.Random, files.Terminal}[i], 0o666))
	}
	for fd, name := range []string{"stdin", "stdout", "stderr"} {
		b.do(v.Descriptor("dev/"+name, fd))
	}
	for fd := range 64 {
		b.do(v.Descriptor(fmt.Sprintf("dev/fd/%d", fd), fd))
		b.do(v.Descriptor(fmt.Sprintf("proc/self/fd/%d", fd), fd))
	}
	generated := map[string]string{"etc/hostname": "hostname", "etc/hosts": "hosts", "etc/resolv.conf": "resolv.conf", "proc/mounts": "mounts",
		"proc/self/mounts": "mounts", "proc/uptime": "uptime", "proc/meminfo": "meminfo", "proc/cpuinfo": "cpuinfo", "proc/sys/kernel/random/uuid": "uuid"}
	for _, name := range slices.Sorted(maps.Keys(generated)) {
		b.do(v.Generate(name, generated[name]))
	}
	b.file("etc/passwd", lines("root:x:0:0:root:/root:/bin/sh", t.Accounts))
	b.file("etc/group", lines("root:x:0:", t.Groups))
	mode := t.Mode
	if mode == 0 {
		mode = 0o755
	}
	for _, name := range slices.Sorted(maps.Keys(t.Programs)) {
		b.do(v.WriteFile(name, Executable(t.Programs[name]), mode))
	}
	for _, name := range slices.Sorted(maps.Keys(t.Links)) {
		b.do(v.Remove(name))
		b.do(v.Symlink(t.Links[name], name))
	}
	for _, name := range slices.Sorted(maps.Keys(t.Files)) {
		b.file(name, t.Files[name])
	}
	for _, name := range slices.Sorted(maps.Keys(t.Scripts)) {
		b.do(v.WriteFile(name, []byte(t.Scripts[name]), 0o755))
	}
	v.Freeze()
	return v, b.err
}

type builder struct {
	v   *files.Volume
	err error
}

func (b *builder) do(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *builder) file(name, content string) { b.do(b.v.WriteFile(name, []byte(content), 0o644)) }

func lines(first string, rest []string) string {
	out := first + "\n"
	for _, l := range rest {
		out += l + "\n"
	}
	return out
}

// Applets lists the utilities that base images contain. Package userland has a program for each.
func Applets() []string {
	return []string{"[", "[[", "arch", "awk", "base64", "basename", "cat", "chgrp", "chmod", "chown", "cmp", "cp", "cut", "date", "dd", "df",
		"diff", "dirname", "du", "echo", "egrep", "env", "expr", "false", "fgrep", "find", "fold", "grep", "groups", "head", "hexdump", "hostname",
		"id", "kill", "ln", "ls", "md5sum", "mkdir", "mkfifo", "mktemp", "mount", "mv", "nl", "nproc", "od", "paste", "pgrep", "pidof",
		"printenv", "printf", "ps", "pwd", "readlink", "realpath", "rev", "rm", "rmdir", "sed", "seq", "sha1sum", "sha256sum", "sha512sum", "sleep", "sort",
		"stat", "sync", "tac", "tail", "tee", "test", "timeout", "touch", "tr", "true", "truncate", "tty", "uname", "uniq", "unlink",
		"usleep", "wc", "comm", "gzip", "gunzip", "zcat", "tar", "nohup", "nice", "ionice", "setsid", "xxd", "expand", "unexpand", "strings",
		"dos2unix", "unix2dos", "split", "shuf", "install", "getopt", "cksum", "mountpoint", "which", "whoami", "xargs", "yes"}
}

// Busybox is the tree of an image that has everything in /bin: the utilities and sh.
func Busybox() Tree {
	t := Tree{Programs: map[string]string{"bin/sh": "sh", "bin/ash": "sh", "bin/busybox": "busybox"}, Links: map[string]string{"usr/bin/env": "../../bin/env"},
		Accounts: []string{"daemon:x:1:1:daemon:/usr/sbin:/bin/false", "www-data:x:33:33:www-data:/var/www:/bin/false", "nobody:x:65534:65534:nobody:/home:/bin/false"},
		Groups:   []string{"daemon:x:1:", "www-data:x:33:", "nobody:x:65534:"}}
	for _, name := range Applets() {
		t.Programs["bin/"+name] = name
	}
	return t
}

// Distribution is the tree of a Linux distribution's image: the utilities in /usr/bin, with /bin a link to it, and
// bash. Its sh is busybox's; coreutils makes it dash.
func Distribution(release string, bash bool) Tree {
	t := Busybox()
	programs := map[string]string{}
	for name, program := range t.Programs {
		if program != "busybox" {
			programs["usr/"+name] = program
		}
	}
	if bash {
		programs["usr/bin/bash"] = "bash"
	}
	t.Programs = programs
	t.Links = map[string]string{"bin": "usr/bin"}
	t.Files = map[string]string{"etc/os-release": release}
	return t
}

// GNU names GNU's version of a utility. Images with BusyBox have programs by the utilities' own names, which refuse the
// options that BusyBox refuses.
func GNU(utility string) string { return utility + ".gnu" }

// WithGNU gives a tree GNU's versions of all utilities in it.
func WithGNU(t Tree) Tree {
	programs := map[string]string{}
	for name, program := range t.Programs {
		if slices.Contains(Applets(), program) {
			program = GNU(program)
		}
		programs[name] = program
	}
	t.Programs = programs
	return t
}

// coreutils gives a tree the programs in which Debian differs so that a script would notice: GNU's utilities, and dash
// for sh.
func coreutils(t Tree) Tree {
	t = WithGNU(t)
	delete(t.Programs, "usr/bin/ash")
	delete(t.Programs, "usr/bin/[[")
	t.Programs["usr/bin/sh"], t.Programs["usr/bin/dash"] = "dash", "dash"
	return t
}

// redHat is coreutils for Red Hat's distributions and Fedora, whose sh is bash.
func redHat(t Tree) Tree {
	t = coreutils(t)
	delete(t.Programs, "usr/bin/dash")
	t.Programs["usr/bin/sh"] = "bash-as-sh"
	return t
}

// Only is the tree of an image without a shell: one program.
func Only(name, program string) Tree {
	return Tree{Programs: map[string]string{path.Clean("/" + name): program}}
}
