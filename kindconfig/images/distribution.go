package images

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Names of the images that fixtures and their users name.
const (
	BusyboxName = "busybox"
	AlpineName  = "alpine"
	DebianName  = "debian"
)

// applets are links to busybox, in /bin. It has more, which are called as busybox NAME.
const applets = "[ arch ash awk base64 basename bunzip2 bzip2 cat chgrp chmod chown chroot cksum clear cmp cp cut date dd df diff dirname du echo " +
	"egrep env expr false fgrep find flock fold free getopt grep groups gunzip gzip head hexdump hostid hostname httpd id install kill killall " +
	"less link ln logger ls lzcat md5sum mkdir mkfifo mknod mktemp more mount mv nc netstat nl nohup nproc nslookup od paste patch pgrep pidof ping " +
	"pkill printenv printf ps pwd readlink realpath renice rev rm rmdir sed seq setsid sh sha1sum sha256sum sha512sum shuf sleep sort split stat " +
	"stty su sum sync tac tail tar tee telnet test timeout top touch tr true truncate tty umount uname uniq unlink unxz unzip uptime usleep vi " +
	"watch wc wget which who whoami xargs xxd xz xzcat yes zcat"

// Busybox is an image of a static busybox, with a shell and the usual utilities in /bin.
func Busybox(binary []byte, architecture string) (v1.Image, error) {
	return shell(binary, architecture, nil, "sh")
}

// Alpine stands in for the image alpine where that one cannot be had: the same shell and utilities, in an image of its own.
func Alpine(binary []byte, architecture string) (v1.Image, error) {
	release := File{Content: []byte("NAME=\"Alpine Linux\"\nID=alpine\nPRETTY_NAME=\"busybox in place of Alpine Linux\"\n"), Mode: 0o644}
	return shell(binary, architecture, Files{"/etc/os-release": release}, "/bin/sh")
}

func shell(binary []byte, architecture string, more Files, command string) (v1.Image, error) {
	files := Files{
		"/bin/busybox": {Content: binary, Mode: 0o755}, "/tmp": temporary(), "/root": {Mode: os.ModeDir | 0o700},
		"/home": {Mode: os.ModeDir | 0o755}, "/var/tmp": temporary(), "/usr/bin/env": {Link: "/bin/busybox"},
		"/etc/passwd": {Content: []byte("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n"), Mode: 0o644},
		"/etc/group":  {Content: []byte("root:x:0:\nnobody:x:65534:\n"), Mode: 0o644},
	}
	for applet := range strings.FieldsSeq(applets) {
		files["/bin/"+applet] = File{Link: "busybox"}
	}
	for name, file := range more {
		files[name] = file
	}
	return New(files, architecture, v1.Config{Cmd: []string{command}, Env: []string{searchPath}})
}

// Debian is an image of some packages of an unpacked Debian, which comes as a tar file: those of the list, as dpkg knows
// them, without their documentation.
func Debian(root io.ReadSeeker, architecture string, packages ...string) (v1.Image, error) {
	wanted, err := owned(root, packages)
	if err != nil {
		return nil, err
	}
	files := Files{"/tmp": temporary(), "/root": {Mode: os.ModeDir | 0o700}}
	err = each(root, func(name string, header *tar.Header, content io.Reader) error {
		// Packages still say /bin and /lib of what is below /usr now.
		if !wanted[name] && !wanted[strings.TrimPrefix(name, "/usr")] || documentation(name) {
			return nil
		}
		file := File{Mode: header.FileInfo().Mode()}
		switch header.Typeflag {
		case tar.TypeDir:
		case tar.TypeSymlink:
			file.Link = header.Linkname
		case tar.TypeReg:
			var err error
			if file.Content, err = io.ReadAll(content); err != nil {
				return err
			}
		case tar.TypeLink:
			target, ok := files[path.Join("/", header.Linkname)]
			if !ok {
				return nil
			}
			file = target
		default:
			return nil
		}
		files[name] = file
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the unpacked Debian: %w", err)
	}
	return New(files, architecture, v1.Config{Cmd: []string{"bash"}, Env: []string{searchPath}})
}

// always is in a Debian whatever packages are wanted: made by scripts of packages, and the links of the merged /usr.
func always() []string {
	return []string{"/bin", "/sbin", "/lib", "/lib64", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/bin/sh", "/usr/bin/awk", "/etc/alternatives/awk"}
}

// owned are the files of the packages.
func owned(root io.ReadSeeker, packages []string) (map[string]bool, error) {
	wanted, found := map[string]bool{}, map[string]bool{}
	for _, name := range always() {
		wanted[name] = true
	}
	const lists = "/var/lib/dpkg/info/"
	err := each(root, func(name string, _ *tar.Header, content io.Reader) error {
		list, ok := strings.CutSuffix(strings.TrimPrefix(name, lists), ".list")
		pkg, _, _ := strings.Cut(list, ":")
		if !ok || !strings.HasPrefix(name, lists) || !slices.Contains(packages, pkg) {
			return nil
		}
		found[pkg] = true
		text, err := io.ReadAll(content)
		for line := range strings.SplitSeq(string(text), "\n") {
			if line != "" && line != "/." {
				wanted[line] = true
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the unpacked Debian: %w", err)
	}
	for _, pkg := range packages {
		if !found[pkg] {
			return nil, fmt.Errorf("the unpacked Debian has no package %s", pkg)
		}
	}
	return wanted, nil
}

func documentation(name string) bool {
	for _, dir := range []string{"/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/share/info/", "/usr/share/lintian/"} {
		if strings.HasPrefix(name, dir) {
			return true
		}
	}
	return false
}

// ReadFile is one file of a tar file.
func ReadFile(root io.ReadSeeker, path string) ([]byte, error) {
	var out []byte
	err := each(root, func(name string, header *tar.Header, content io.Reader) error {
		if name != path || header.Typeflag != tar.TypeReg {
			return nil
		}
		var err error
		if out, err = io.ReadAll(content); err == nil {
			err = errFound
		}
		return err
	})
	switch {
	case errors.Is(err, errFound):
		return out, nil
	case err != nil:
		return nil, err
	}
	return nil, fmt.Errorf("%s: %w", path, os.ErrNotExist)
}

// errFound ends a search.
var errFound = errors.New("found")

// each goes through a tar file from its beginning. Names are absolute.
func each(root io.ReadSeeker, do func(name string, header *tar.Header, content io.Reader) error) error {
	if _, err := root.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r := tar.NewReader(root)
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if name := path.Join("/", header.Name); name != "/" {
			if err := do(name, header, r); err != nil {
				return err
			}
		}
	}
}

// Copy fetches an image for a platform of linux from the registry that its name says, and calls it otherwise.
func Copy(ctx context.Context, from, called, architecture string) (Image, error) {
	ref, err := name.ParseReference(from)
	if err != nil {
		return Image{}, fmt.Errorf("image %s: %w", from, err)
	}
	image, err := remote.Image(ref, remote.WithContext(ctx), remote.WithPlatform(v1.Platform{OS: "linux", Architecture: architecture}))
	if err != nil {
		return Image{}, fmt.Errorf("fetching image %s: %w", from, err)
	}
	return Image{Name: called, Image: image}, nil
}
