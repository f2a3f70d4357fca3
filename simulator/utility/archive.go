package utility

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

// gzipTool is gzip, gunzip and zcat.
func gzipTool(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "cdfkqvt123456789n", false, map[string]string{"stdout": "c", "force": "f", "test": "t", "best": "9", "fast": "1"})
	if !ok {
		return t.end()
	}
	unpack := t.name != "gzip" || has(opts, 'd') || has(opts, 't')
	convert := func(data []byte) ([]byte, bool) {
		if !unpack {
			return pack(data), true
		}
		out, err := t.unpacked(data)
		if err != nil {
			t.complain("%s", err)
		}
		return out, err == nil
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, name := range names {
		r, done, err := t.open(name)
		if err != nil {
			t.failed(name, err)
			continue
		}
		data, _ := t.readAll(r)
		done()
		target := name + ".gz"
		if unpack {
			target, ok = strings.CutSuffix(name, ".gz")
			if tgz := strings.HasSuffix(name, ".tgz"); tgz {
				target, ok = strings.TrimSuffix(name, ".tgz")+".tar", true
			}
			if !ok && name != "-" && !has(opts, 'c') && t.name != "zcat" && !has(opts, 't') {
				t.complain("%s: unknown suffix - ignored", name)
				continue
			}
		}
		out, good := convert(data)
		switch {
		case !good || has(opts, 't'):
		case name == "-" || has(opts, 'c') || t.name == "zcat":
			t.out.Write(out)
		default:
			if _, err := p.Lstat(target); err == nil && !has(opts, 'f') {
				t.complain("can't open '%s': File exists", target)
				continue
			}
			mode := uint16(0o644)
			if info, err := p.Stat(name); err == nil {
				mode = info.Perm()
			}
			if err := p.WriteFile(target, out, mode); err != nil {
				t.failed(target, err)
				continue
			}
			if !has(opts, 'k') {
				if err := p.Unlink(name); err != nil {
					t.failed(name, err)
				}
			}
		}
	}
	return t.end()
}

func pack(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

var (
	errMagic = errors.New("invalid magic")
	errShort = errors.New("corrupted data")
)

// unpacked decompresses; what comes out is accounted for, since little can become much.
func (t *tool) unpacked(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, errMagic
	}
	var out []byte
	buf := make([]byte, 64<<10)
	held := int64(0)
	defer func() { t.p.Allocate(-held) }()
	for {
		n, err := r.Read(buf)
		out = append(out, buf[:n]...)
		held += int64(n)
		t.p.Allocate(int64(n))
		t.p.Spend(container.CommandCost)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, errShort
		}
	}
}

// tarTool is tar with the options that build steps use.
type tarTool struct {
	*tool
	opts map[byte][]string
	only []string
	skip []string
	cut  int // leading components that go

	archive *files.Info // the archive that is being made
	linked  []linkedFile
	removed bool // that the beginning of a name is left out has been said
}

func tarMain(p *container.Process, args []string) int {
	t := begin(p, args)
	args = append([]string{}, args...)
	if len(args) > 1 && !strings.HasPrefix(args[1], "-") {
		args[1] = "-" + args[1]
	}
	opts, names, ok := t.options(args, "ctxvzOkmopahf:C:", false, map[string]string{"create": "c", "extract": "x", "list": "t", "file": "f:", "directory": "C:",
		"verbose": "v", "gzip": "z", "strip-components": "S:", "to-stdout": "O", "no-same-owner": "o", "no-same-permissions": "m", "overwrite": "w",
		"numeric-owner": "o", "keep": "k", "dereference": "h", "same-permissions": "p", "touch": "m", "no-recursion": "n", "auto-compress": "a", "version": "V"})
	if !ok {
		return t.end()
	}
	if has(opts, 'V') && !t.gnu {
		t.out.WriteString("tar (busybox) 1.35.0\n")
		return t.end()
	}
	if modes := btoi(has(opts, 'c')) + btoi(has(opts, 'x')) + btoi(has(opts, 't')); modes != 1 && !t.gnu {
		return t.usage()
	}
	if dir := last(opts, 'C'); dir != "" {
		if info, err := p.Stat(dir); err != nil || !info.IsDir() {
			return t.fail("can't change directory to '%s': No such file or directory", dir)
		}
	}
	a := &tarTool{tool: t, opts: opts, skip: opts['e'], cut: atoi(last(opts, 'S'))}
	switch {
	case has(opts, 'c'):
		a.create(names)
	case has(opts, 'x'), has(opts, 't'):
		a.only = names
		a.extract()
	default:
		t.complain("must specify one of -c, -x or -t")
		t.status = 2
		return t.end()
	}
	return t.end()
}

// place is where a name of the archive, or an operand, lies.
func (a *tarTool) place(name string) string {
	if dir := last(a.opts, 'C'); dir != "" && !strings.HasPrefix(name, "/") {
		return path.Join(dir, name)
	}
	return name
}

func (a *tarTool) skipped(name string) bool {
	for _, pattern := range a.skip {
		for _, candidate := range []string{name, path.Base(name)} {
			if ok, _ := path.Match(pattern, candidate); ok {
				return true
			}
		}
	}
	return false
}

func (a *tarTool) create(names []string) {
	if len(names) == 0 {
		a.complain("empty archive")
		return
	}
	file := last(a.opts, 'f')
	if file != "" && file != "-" {
		if err := a.p.WriteFile(file, nil, 0o666); err != nil {
			a.complain("can't open '%s': %s", file, message(err))
			return
		}
		a.archive, _ = a.p.Stat(file)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		info, err := a.describe(a.place(name))
		if err != nil {
			a.failed(name, err)
			continue
		}
		a.add(w, strings.TrimSuffix(name, "/"), a.place(name), info)
	}
	_ = w.Close()
	data := b.Bytes()
	if has(a.opts, 'z') || has(a.opts, 'a') && strings.HasSuffix(file, "gz") {
		data = pack(data)
	}
	if file == "" || file == "-" {
		a.out.Write(data)
	} else if err := a.p.WriteFile(file, data, 0o666); err != nil {
		a.complain("can't open '%s': %s", file, message(err))
	}
	if a.status != 0 {
		a.complain("error exit delayed from previous errors")
	}
}

// describe finds out about a file to be archived: with -h, about what a link points to.
func (a *tarTool) describe(name string) (*files.Info, error) {
	if has(a.opts, 'h') {
		return a.p.Stat(name)
	}
	return a.p.Lstat(name)
}

// member is the name of a file in the archive: without what could lead out of the directory that it is unpacked in.
func (a *tarTool) member(name string) string {
	rest := name
	for {
		if trimmed := strings.TrimPrefix(strings.TrimLeft(rest, "/"), "../"); trimmed != rest {
			rest = trimmed
			continue
		}
		_, after, found := strings.Cut(rest, "/../")
		if !found {
			break
		}
		rest = after
	}
	if rest != name && !a.removed {
		before := a.status
		a.complain("removing leading '%s' from member names", name[:len(name)-len(rest)])
		a.status, a.removed = before, true
	}
	return rest
}

// add puts a file into the archive, and what is below it.
func (a *tarTool) add(w *tar.Writer, name, from string, info *files.Info) {
	if a.skipped(strings.TrimPrefix(name, "./")) {
		return
	}
	if a.archive != nil && a.archive.Same(info) {
		before := a.status
		a.complain("%s: file is the archive; skipping", name)
		a.status = before
		return
	}
	member := a.member(name)
	h := &tar.Header{Name: member, Mode: int64(info.Perm()), Uid: int(info.UID()), Gid: int(info.GID()), ModTime: info.ModTime(), Format: tar.FormatGNU}
	h.Uname, _ = a.p.Container().UserName(info.UID())
	h.Gname, _ = a.p.Container().GroupName(info.GID())
	var content []byte
	switch info.Kind() {
	case files.Directory:
		h.Typeflag, h.Name = tar.TypeDir, strings.TrimSuffix(member, "/")+"/"
	case files.Symlink:
		h.Typeflag, h.Linkname = tar.TypeSymlink, info.Target()
	case files.Fifo:
		h.Typeflag = tar.TypeFifo
	case files.Regular:
		if to := a.linkTo(info, member); to != "" {
			h.Typeflag, h.Linkname = tar.TypeLink, to
			break
		}
		data, err := a.p.ReadFile(from)
		if err != nil {
			a.complain("can't open '%s': %s", from, message(err))
			return
		}
		h.Typeflag, h.Size, content = tar.TypeReg, int64(len(data)), data
	default:
		return
	}
	if has(a.opts, 'v') {
		fmt.Fprintln(a.verbose(), h.Name)
	}
	a.write(w, h, content)
	if info.Kind() == files.Directory && !has(a.opts, 'n') {
		a.addAll(w, name, from)
	}
}

// linkTo returns the name under which a file with several names is in the archive already.
func (a *tarTool) linkTo(info *files.Info, member string) string {
	if info.Links() < 2 {
		return ""
	}
	for _, l := range a.linked {
		if l.info.Same(info) {
			return l.to
		}
	}
	a.hold(member)
	a.linked = append(a.linked, linkedFile{info, member})
	return ""
}

func (a *tarTool) write(w *tar.Writer, h *tar.Header, content []byte) {
	a.p.Allocate(h.Size)
	a.p.Allocate(-h.Size)
	if err := w.WriteHeader(h); err != nil {
		a.complain("%s: cannot be archived", h.Name)
		return
	}
	_, _ = w.Write(content) // into a buffer
}

// addAll adds the entries of a directory.
func (a *tarTool) addAll(w *tar.Writer, name, from string) {
	entries, err := a.p.ReadDir(from)
	if err != nil {
		a.failed(from, err)
	}
	for _, e := range entries {
		a.p.Spend(container.CommandCost)
		file := strings.TrimSuffix(from, "/") + "/" + e.Name()
		if has(a.opts, 'h') {
			to, err := a.p.Stat(file)
			if err != nil {
				a.failed(file, err)
				continue
			}
			e = to
		}
		a.add(w, name+"/"+path.Base(file), file, e)
	}
}

// verbose is where the names of -v go: not among the data.
func (a *tarTool) verbose() io.Writer {
	if f := last(a.opts, 'f'); has(a.opts, 'c') && (f == "" || f == "-") || has(a.opts, 'O') && a.gnu {
		return a.p.Stderr()
	}
	return a.out
}

func (a *tarTool) extract() {
	name := last(a.opts, 'f')
	if name == "" {
		name = "-"
	}
	in, done, err := a.open(name)
	if err != nil {
		a.complain("can't open '%s': %s", name, message(err))
		return
	}
	data, _ := a.readAll(in)
	done()
	const block = 512 // what BusyBox reads before it looks whether the archive is compressed
	packed := len(data) > 1 && data[0] == 0x1f && data[1] == 0x8b && (a.gnu || has(a.opts, 'z') || len(data) >= block)
	if has(a.opts, 'z') || packed {
		if data, err = a.unpacked(data); err != nil {
			a.complain("%s", err)
			return
		}
	}
	if len(data) < block && !a.gnu {
		a.complain("short read")
		return
	}
	found := map[string]bool{}
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			a.complain("invalid tar magic")
			return
		}
		a.p.Spend(container.CommandCost)
		if a.chosen(h.Name, found) && !a.skipped(strings.TrimSuffix(h.Name, "/")) && !a.one(h, r) {
			return
		}
	}
	for _, want := range a.only {
		if !found[want] {
			a.complain("%s: not found in archive", want)
		}
	}
}

func (a *tarTool) chosen(name string, found map[string]bool) bool {
	if len(a.only) == 0 {
		return true
	}
	for _, want := range a.only {
		if clean := strings.TrimSuffix(want, "/"); name == want || strings.TrimSuffix(name, "/") == clean || strings.HasPrefix(name, clean+"/") {
			found[want] = true
			return true
		} else if n := strings.Count(clean, "/") + 1; !a.gnu && (fnmatch{wide: a.unicode()}).matches(clean, components(name, n)) {
			return true // but BusyBox will not find it among the names
		}
	}
	return false
}

// components returns the first n components of a path.
func components(name string, n int) string {
	parts := strings.Split(name, "/")
	return strings.Join(parts[:min(n, len(parts))], "/")
}

// one lists or extracts one entry. It reports whether the others follow.
func (a *tarTool) one(h *tar.Header, r io.Reader) bool {
	if has(a.opts, 't') {
		a.list(h)
		return true
	}
	if has(a.opts, 'v') {
		fmt.Fprintln(a.verbose(), h.Name)
	}
	name := strings.TrimLeft(h.Name, "/")
	if parts := strings.Split(strings.TrimPrefix(name, "./"), "/"); a.cut > 0 {
		if len(parts) <= a.cut {
			return true
		}
		name = strings.Join(parts[a.cut:], "/")
	}
	if strings.Contains("/"+name+"/", "/../") {
		a.complain("name with '..' is skipped")
		return true
	}
	if name = strings.TrimSuffix(name, "/"); name == "" || name == "." {
		return true
	}
	target := a.place(name)
	if has(a.opts, 'O') {
		if h.Typeflag == tar.TypeReg {
			var out io.Writer = a.out
			if !a.gnu { // whose list of names waits until the end
				out = a.p.Stdout()
			}
			_, _ = io.Copy(out, r)
		}
		return true
	}
	if err := a.p.MkdirAll(path.Dir(target), 0o777); err != nil {
		a.failed(target, err)
		return true
	}
	if _, err := a.p.Lstat(target); err == nil && h.Typeflag != tar.TypeDir {
		if has(a.opts, 'k') {
			if a.complain("can't open '%s': File exists", target); !a.gnu {
				return false
			}
			return true
		}
		_ = a.p.Unlink(target)
	}
	if err := a.put(h, r, target); err != nil {
		a.complain("can't create '%s': %s", target, message(err))
	}
	return true
}

// list prints one entry.
func (a *tarTool) list(h *tar.Header) {
	if !has(a.opts, 'v') {
		a.out.WriteString(h.Name + "\n")
		return
	}
	to := ""
	switch h.Typeflag {
	case tar.TypeSymlink:
		to = " -> " + h.Linkname
	case tar.TypeLink:
		if to = " -> " + h.Linkname; a.gnu {
			to = " link to " + h.Linkname
		}
	}
	fmt.Fprintf(a.out, "%s %s/%s %9d %s %s%s\n", listMode(h.FileInfo().Mode()), h.Uname, h.Gname, h.Size, h.ModTime.UTC().Format("2006-01-02 15:04:05"), h.Name, to)
}

func (a *tarTool) put(h *tar.Header, r io.Reader, target string) error {
	switch h.Typeflag {
	case tar.TypeDir:
		if err := a.p.MkdirAll(target, 0o777); err != nil {
			return err
		}
		return a.p.Chmod(target, uint16(h.Mode)&0o7777)
	case tar.TypeSymlink:
		return a.p.Symlink(h.Linkname, target)
	case tar.TypeLink:
		return a.p.Link(a.place(h.Linkname), target)
	case tar.TypeFifo:
		if err := a.p.Mkfifo(target, uint16(h.Mode)&0o777); err != nil {
			return err
		}
	case tar.TypeReg:
		data, err := io.ReadAll(r) // a part of what is held already
		if err != nil {
			return err
		}
		if err := a.p.WriteFile(target, data, 0o666); err != nil {
			return err
		}
	default:
		return nil
	}
	if a.p.UID == 0 && !has(a.opts, 'o') {
		if err := a.p.Chown(target, h.Uid, h.Gid, false); err != nil {
			return err
		}
	}
	if err := a.p.Chmod(target, uint16(h.Mode)&0o7777); err != nil {
		return err
	}
	if has(a.opts, 'm') {
		return nil
	}
	return a.p.Chtimes(target, h.ModTime)
}

// listMode is a mode as ls prints it.
func listMode(m fs.FileMode) string {
	kind := byte('-')
	switch {
	case m.IsDir():
		kind = 'd'
	case m&fs.ModeSymlink != 0:
		kind = 'l'
	case m&fs.ModeNamedPipe != 0:
		kind = 'p'
	}
	return modeText(kind, files.UnixMode(m))
}
