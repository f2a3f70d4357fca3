package files

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
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// GzipTool is gzip, gunzip and zcat.
func GzipTool(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "cdfkqvt123456789n", false, map[string]string{"stdout": "c", "force": "f", "test": "t", "best": "9", "fast": "1"})
	if !ok {
		return t.End()
	}
	unpack := t.Name != "gzip" || kit.Has(opts, 'd') || kit.Has(opts, 't')
	convert := func(data []byte) ([]byte, bool) {
		if !unpack {
			return pack(data), true
		}
		out, err := unpacked(t, data)
		if err != nil {
			t.Complain("%s", err)
		}
		return out, err == nil
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, name := range names {
		r, done, err := t.Open(name)
		if err != nil {
			t.Failed(name, err)
			continue
		}
		data, _ := t.ReadAll(r)
		done()
		target := name + ".gz"
		if unpack {
			target, ok = strings.CutSuffix(name, ".gz")
			if tgz := strings.HasSuffix(name, ".tgz"); tgz {
				target, ok = strings.TrimSuffix(name, ".tgz")+".tar", true
			}
			if !ok && name != "-" && !kit.Has(opts, 'c') && t.Name != "zcat" && !kit.Has(opts, 't') {
				t.Complain("%s: unknown suffix - ignored", name)
				continue
			}
		}
		out, good := convert(data)
		switch {
		case !good || kit.Has(opts, 't'):
		case name == "-" || kit.Has(opts, 'c') || t.Name == "zcat":
			t.Out.Write(out)
		default:
			if _, err := p.Lstat(target); err == nil && !kit.Has(opts, 'f') {
				t.Complain("can't open '%s': File exists", target)
				continue
			}
			mode := uint16(0o644)
			if info, err := p.Stat(name); err == nil {
				mode = info.Perm()
			}
			if err := p.WriteFile(target, out, mode); err != nil {
				t.Failed(target, err)
				continue
			}
			if !kit.Has(opts, 'k') {
				if err := p.Unlink(name); err != nil {
					t.Failed(name, err)
				}
			}
		}
	}
	return t.End()
}

func pack(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if w.OS = 3; len(data) == 0 { // Unix; and gzip's shortest way to say nothing
		return []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	}
	_, _ = w.Write(data) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

var (
	errMagic = errors.New("invalid magic")
	errShort = errors.New("corrupted data")
)

// unpacked decompresses; what comes out is accounted for, since little can become much.
func unpacked(t *kit.Tool, data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, errMagic
	}
	var out []byte
	buf := make([]byte, 64<<10)
	held := int64(0)
	defer func() { t.P.Allocate(-held) }()
	for {
		n, err := r.Read(buf)
		out = append(out, buf[:n]...)
		held += int64(n)
		t.P.Allocate(int64(n))
		t.P.Spend(container.CommandCost)
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
	*kit.Tool
	opts map[byte][]string
	only []string
	skip []string
	cut  int // leading components that go

	archive *files.Info // the archive that is being made
	linked  []linkedFile
	removed bool // that the beginning of a name is left out has been said
}

// TarMain is the utility tar.
func TarMain(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	args = append([]string{}, args...)
	if len(args) > 1 && !strings.HasPrefix(args[1], "-") {
		args[1] = "-" + args[1]
	}
	opts, names, ok := t.Options(args, "ctxvzOkmopahf:C:", false, map[string]string{"create": "c", "extract": "x", "list": "t", "file": "f:", "directory": "C:",
		"verbose": "v", "gzip": "z", "strip-components": "S:", "to-stdout": "O", "no-same-owner": "o", "no-same-permissions": "m", "overwrite": "w",
		"numeric-owner": "o", "keep": "k", "dereference": "h", "same-permissions": "p", "touch": "m", "no-recursion": "n", "auto-compress": "a", "version": "V"})
	if !ok {
		return t.End()
	}
	if kit.Has(opts, 'V') && !t.GNU {
		t.Out.WriteString("tar (busybox) 1.35.0\n")
		return t.End()
	}
	if modes := kit.Btoi(kit.Has(opts, 'c')) + kit.Btoi(kit.Has(opts, 'x')) + kit.Btoi(kit.Has(opts, 't')); modes != 1 && !t.GNU {
		return t.Usage()
	}
	if dir := kit.Last(opts, 'C'); dir != "" {
		if info, err := p.Stat(dir); err != nil || !info.IsDir() {
			return t.Fail("can't change directory to '%s': No such file or directory", dir)
		}
	}
	a := &tarTool{Tool: t, opts: opts, skip: opts['e'], cut: kit.Atoi(kit.Last(opts, 'S'))}
	switch {
	case kit.Has(opts, 'c'):
		a.create(names)
	case kit.Has(opts, 'x'), kit.Has(opts, 't'):
		a.only = names
		a.extract()
	default:
		t.Complain("must specify one of -c, -x or -t")
		t.Status = 2
		return t.End()
	}
	return t.End()
}

// place is where a name of the archive, or an operand, lies.
func (a *tarTool) place(name string) string {
	if dir := kit.Last(a.opts, 'C'); dir != "" && !strings.HasPrefix(name, "/") {
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
		a.Complain("empty archive")
		return
	}
	file := kit.Last(a.opts, 'f')
	if file != "" && file != "-" {
		if err := a.P.WriteFile(file, nil, 0o666); err != nil {
			a.Complain("can't open '%s': %s", file, kit.Message(err))
			return
		}
		a.archive, _ = a.P.Stat(file)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		info, err := a.describe(a.place(name))
		if err != nil {
			a.Failed(name, err)
			continue
		}
		a.add(w, strings.TrimSuffix(name, "/"), a.place(name), info)
	}
	_ = w.Close()
	data := b.Bytes()
	if kit.Has(a.opts, 'z') || kit.Has(a.opts, 'a') && strings.HasSuffix(file, "gz") {
		data = pack(data)
	}
	if file == "" || file == "-" {
		a.Out.Write(data)
	} else if err := a.P.WriteFile(file, data, 0o666); err != nil {
		a.Complain("can't open '%s': %s", file, kit.Message(err))
	}
	if a.Status != 0 {
		a.Complain("error exit delayed from previous errors")
	}
}

// describe finds out about a file to be archived: with -h, about what a link points to.
func (a *tarTool) describe(name string) (*files.Info, error) {
	if kit.Has(a.opts, 'h') {
		return a.P.Stat(name)
	}
	return a.P.Lstat(name)
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
		before := a.Status
		a.Complain("removing leading '%s' from member names", name[:len(name)-len(rest)])
		a.Status, a.removed = before, true
	}
	return rest
}

// add puts a file into the archive, and what is below it.
func (a *tarTool) add(w *tar.Writer, name, from string, info *files.Info) {
	if a.skipped(strings.TrimPrefix(name, "./")) {
		return
	}
	if a.archive != nil && a.archive.Same(info) {
		before := a.Status
		a.Complain("%s: file is the archive; skipping", name)
		a.Status = before
		return
	}
	member := a.member(name)
	h := &tar.Header{Name: member, Mode: int64(info.Perm()), Uid: int(info.UID()), Gid: int(info.GID()), ModTime: info.ModTime(), Format: tar.FormatGNU}
	h.Uname, _ = a.P.Container().UserName(info.UID())
	h.Gname, _ = a.P.Container().GroupName(info.GID())
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
		data, err := a.P.ReadFile(from)
		if err != nil {
			a.Complain("can't open '%s': %s", from, kit.Message(err))
			return
		}
		h.Typeflag, h.Size, content = tar.TypeReg, int64(len(data)), data
	default:
		return
	}
	if kit.Has(a.opts, 'v') {
		fmt.Fprintln(a.verbose(), h.Name)
	}
	a.write(w, h, content)
	if info.Kind() == files.Directory && !kit.Has(a.opts, 'n') {
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
	a.Hold(member)
	a.linked = append(a.linked, linkedFile{info, member})
	return ""
}

func (a *tarTool) write(w *tar.Writer, h *tar.Header, content []byte) {
	a.P.Allocate(h.Size)
	a.P.Allocate(-h.Size)
	if err := w.WriteHeader(h); err != nil {
		a.Complain("%s: cannot be archived", h.Name)
		return
	}
	_, _ = w.Write(content) // into a buffer
}

// addAll adds the entries of a directory.
func (a *tarTool) addAll(w *tar.Writer, name, from string) {
	entries, err := a.P.ReadDir(from)
	if err != nil {
		a.Failed(from, err)
	}
	for _, e := range entries {
		a.P.Spend(container.CommandCost)
		file := strings.TrimSuffix(from, "/") + "/" + e.Name()
		if kit.Has(a.opts, 'h') {
			to, err := a.P.Stat(file)
			if err != nil {
				a.Failed(file, err)
				continue
			}
			e = to
		}
		a.add(w, name+"/"+path.Base(file), file, e)
	}
}

// verbose is where the names of -v go: not among the data.
func (a *tarTool) verbose() io.Writer {
	if f := kit.Last(a.opts, 'f'); kit.Has(a.opts, 'c') && (f == "" || f == "-") || kit.Has(a.opts, 'O') && a.GNU {
		return a.P.Stderr()
	}
	return a.Out
}

func (a *tarTool) extract() {
	name := kit.Last(a.opts, 'f')
	if name == "" {
		name = "-"
	}
	in, done, err := a.Open(name)
	if err != nil {
		a.Complain("can't open '%s': %s", name, kit.Message(err))
		return
	}
	data, _ := a.ReadAll(in)
	done()
	const block = 512 // what BusyBox reads before it looks whether the archive is compressed
	packed := len(data) > 1 && data[0] == 0x1f && data[1] == 0x8b && (a.GNU || kit.Has(a.opts, 'z') || len(data) >= block)
	if kit.Has(a.opts, 'z') || packed {
		if data, err = unpacked(a.Tool, data); err != nil {
			a.Complain("%s", err)
			return
		}
	}
	if len(data) < block && !a.GNU {
		a.Complain("short read")
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
			a.Complain("invalid tar magic")
			return
		}
		a.P.Spend(container.CommandCost)
		if a.chosen(h.Name, found) && !a.skipped(strings.TrimSuffix(h.Name, "/")) && !a.one(h, r) {
			return
		}
	}
	for _, want := range a.only {
		if !found[want] {
			a.Complain("%s: not found in archive", want)
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
		} else if n := strings.Count(clean, "/") + 1; !a.GNU && (kit.Fnmatch{Wide: a.Unicode()}).Matches(clean, components(name, n)) {
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
	if kit.Has(a.opts, 't') {
		a.list(h)
		return true
	}
	if kit.Has(a.opts, 'v') {
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
		a.Complain("name with '..' is skipped")
		return true
	}
	if name = strings.TrimSuffix(name, "/"); name == "" || name == "." {
		return true
	}
	target := a.place(name)
	if kit.Has(a.opts, 'O') {
		if h.Typeflag == tar.TypeReg {
			var out io.Writer = a.Out
			if !a.GNU { // whose list of names waits until the end
				out = a.P.Stdout()
			}
			_, _ = io.Copy(out, r)
		}
		return true
	}
	if err := a.P.MkdirAll(path.Dir(target), 0o777); err != nil {
		a.Failed(target, err)
		return true
	}
	if _, err := a.P.Lstat(target); err == nil && h.Typeflag != tar.TypeDir {
		if kit.Has(a.opts, 'k') {
			if a.Complain("can't open '%s': File exists", target); !a.GNU {
				return false
			}
			return true
		}
		_ = a.P.Unlink(target)
	}
	if err := a.put(h, r, target); err != nil {
		a.Complain("can't create '%s': %s", target, kit.Message(err))
	}
	return true
}

// list prints one entry.
func (a *tarTool) list(h *tar.Header) {
	if !kit.Has(a.opts, 'v') {
		a.Out.WriteString(h.Name + "\n")
		return
	}
	to := ""
	switch h.Typeflag {
	case tar.TypeSymlink:
		to = " -> " + h.Linkname
	case tar.TypeLink:
		if to = " -> " + h.Linkname; a.GNU {
			to = " link to " + h.Linkname
		}
	}
	fmt.Fprintf(a.Out, "%s %s/%s %9d %s %s%s\n", listMode(h.FileInfo().Mode()), h.Uname, h.Gname, h.Size, h.ModTime.UTC().Format("2006-01-02 15:04:05"), h.Name, to)
}

func (a *tarTool) put(h *tar.Header, r io.Reader, target string) error {
	switch h.Typeflag {
	case tar.TypeDir:
		if err := a.P.MkdirAll(target, 0o777); err != nil {
			return err
		}
		return a.P.Chmod(target, uint16(h.Mode)&0o7777)
	case tar.TypeSymlink:
		return a.P.Symlink(h.Linkname, target)
	case tar.TypeLink:
		return a.P.Link(a.place(h.Linkname), target)
	case tar.TypeFifo:
		if err := a.P.Mkfifo(target, uint16(h.Mode)&0o777); err != nil {
			return err
		}
	case tar.TypeReg:
		data, err := io.ReadAll(r) // a part of what is held already
		if err != nil {
			return err
		}
		if err := a.P.WriteFile(target, data, 0o666); err != nil {
			return err
		}
	default:
		return nil
	}
	if a.P.UID == 0 && !kit.Has(a.opts, 'o') {
		if err := a.P.Chown(target, h.Uid, h.Gid, false); err != nil {
			return err
		}
	}
	if err := a.P.Chmod(target, uint16(h.Mode)&0o7777); err != nil {
		return err
	}
	if kit.Has(a.opts, 'm') {
		return nil
	}
	return a.P.Chtimes(target, h.ModTime)
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
