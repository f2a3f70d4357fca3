// Package utility holds the utilities of simulated images: what busybox offers, as far as scripts of build steps use
// it. Options that exist in busybox and are not known here are refused with busybox's message, so that a script never
// runs on with a result that is silently different.
//
// A [Utility] works on the files, descriptors and clock of its [container.Process] and on nothing else. Shells run some
// of them in their own process (echo, printf, test).
package utility

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

// Utility is a program that gets its arguments, the name first, apart from its process. It returns the exit code.
type Utility func(p *container.Process, args []string) int

// Programs returns all utilities as programs, by the names that images use: each as that of BusyBox, and as GNU's under
// the name that image.GNU gives.
func Programs() map[string]container.Program {
	out := make(map[string]container.Program, 128)
	for name, u := range table() {
		applet := withHelp(u)
		out[name] = func(p *container.Process) int { return applet(p, p.Args) }
		out[image.GNU(name)] = asGNU(withVersion(name, u))
	}
	out["busybox"] = func(p *container.Process) int { return multicall(p, out) }
	return out
}

// multicall is busybox by its own name: its first argument says which utility to be.
func multicall(p *container.Process, all map[string]container.Program) int {
	if name := base(p.Args[0]); name != "busybox" {
		if run := all[name]; run != nil {
			return run(p)
		}
	}
	if len(p.Args) < 2 {
		fmt.Fprintln(p.Stdout(), banner)
		return 0
	}
	if name := p.Args[1]; name == "sh" || name == "ash" {
		_ = p.Exec(append([]string{"/bin/sh"}, p.Args[2:]...), p.Env) // returns only if that cannot be executed
		return 127
	}
	run := all[p.Args[1]]
	if run == nil || p.Args[1] == "busybox" {
		fmt.Fprintf(p.Stderr(), "%s: applet not found\n", p.Args[1])
		return 127
	}
	p.Args = p.Args[1:]
	return run(p)
}

func table() map[string]Utility {
	return map[string]Utility{
		"[": Test, "[[": Test, "test": Test, "true": func(*container.Process, []string) int { return 0 }, "false": func(*container.Process, []string) int { return 1 },
		"echo": Echo, "printf": Printf, "cat": cat, "head": head, "tail": tail, "tee": tee, "tr": tr, "wc": wc, "cut": cut, "sort": sortLines, "uniq": uniq,
		"grep": grep, "egrep": grep, "fgrep": grep, "sed": sed, "rev": rev, "tac": tac, "nl": nl, "fold": fold, "paste": paste, "cmp": cmp, "diff": diff,
		"expr": expr, "seq": seq, "date": date, "sleep": sleep, "usleep": usleep, "touch": touch, "mkdir": mkdir, "rm": rm,
		"rmdir": rmdir, "mv": mv, "cp": cp, "ln": ln, "ls": ls, "chmod": chmod, "chown": chown, "chgrp": chown, "stat": stat, "find": find, "xargs": xargs,
		"basename": basename, "dirname": dirname, "readlink": readlink, "realpath": realpath, "env": env, "printenv": printenv, "id": id, "whoami": whoami,
		"groups": id, "hostname": hostname, "uname": uname, "arch": uname, "pwd": pwd, "yes": yes, "base64": base64Tool,
		"md5sum": checksum, "sha1sum": checksum, "sha256sum": checksum, "sha512sum": checksum, "od": od, "hexdump": hexdump, "mktemp": mktemp,
		"mkfifo": mkfifo, "mount": mount, "df": df, "du": du, "ps": ps, "pidof": pidof, "pgrep": pidof, "kill": kill, "timeout": timeout, "which": which,
		"dd": dd, "awk": awkTool, "jq": jqTool, "comm": comm, "gzip": gzipTool, "gunzip": gzipTool, "zcat": gzipTool, "tar": tarMain,
		"nohup": become, "nice": become, "ionice": become, "setsid": become, "xxd": xxd, "expand": expand, "unexpand": expand, "strings": stringsTool,
		"dos2unix": unix, "unix2dos": unix, "split": split, "shuf": shuf, "install": install, "getopt": getopt, "cksum": cksum, "mountpoint": mountpoint,
		"nproc": nproc, "sync": func(*container.Process, []string) int { return 0 }, "tty": tty, "unlink": unlink, "truncate": truncate,
	}
}

// tool is a utility at work: its name for messages, and buffered output.
type tool struct {
	p      *container.Process
	name   string
	gnu    bool // it is GNU's version
	zero   bool // lines end in NUL
	nul    bool // lines end in NUL or newline, as for most utilities of BusyBox that read lines
	out    *bufio.Writer
	status int
	given  []byte // the letters of all options, in order
}

func begin(p *container.Process, args []string) *tool {
	_, gnu := p.State.(gnuTools)
	return &tool{p: p, name: base(args[0]), gnu: gnu, out: bufio.NewWriterSize(p.Stdout(), 1024)}
}

// end writes out what is buffered and returns the exit code.
func (t *tool) end() int {
	if err := t.out.Flush(); err != nil && t.status == 0 {
		if errors.Is(err, errBroken) {
			t.status = 1
		} else {
			t.unwritten(err)
		}
	}
	return t.status
}

var errBroken = errors.New("broken pipe")

// complain prints a message with the utility's name and makes the exit code 1.
func (t *tool) complain(format string, args ...any) {
	_ = t.out.Flush()
	fmt.Fprintf(t.p.Stderr(), t.name+": "+format+"\n", args...)
	if t.status == 0 {
		t.status = 1
	}
}

// failed prints an error about a file.
func (t *tool) failed(name string, err error) { t.complain("%s: %s", name, files.Message(err)) }

// fail prints a message and ends with exit code 1.
func (t *tool) fail(format string, args ...any) int {
	t.complain(format, args...)
	return t.end()
}

// options reads options: letters that take no value, and letters followed by ":" that take one. Long options are mapped
// to letters by long; "?" behind the letter allows a value behind "=". Options may stand behind operands unless strict.
// It complains about an option that is wrong, and sets the exit code.
func (t *tool) options(args []string, letters string, strict bool, long map[string]string) (opts map[byte][]string, rest []string, ok bool) {
	opts = map[byte][]string{}
	letters, long = t.dialect(letters, long)
	args = args[1:]
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			return opts, append(rest, args...), true
		case strings.HasPrefix(arg, "--"):
			name, value, has := strings.Cut(arg[2:], "=")
			letter, known := longOption(long, name)
			if !known {
				t.complain("unrecognized option '%s'", arg)
				t.usage()
				return nil, nil, false
			}
			if has && len(letter) == 1 {
				t.complain("option '%s' doesn't allow an argument", arg[:len(name)+2])
				t.usage()
				return nil, nil, false
			}
			if strings.HasSuffix(letter, ":") && !has {
				if len(args) == 0 {
					t.complain("option '%s' requires an argument", arg)
					t.usage()
					return nil, nil, false
				}
				value, args = args[0], args[1:]
			}
			opts[letter[0]] = append(opts[letter[0]], value)
			t.given = append(t.given, letter[0])
		case len(arg) < 2 || arg[0] != '-':
			if strict {
				return opts, append(append(rest, arg), args...), true
			}
			rest = append(rest, arg)
		default:
			for i := 1; i < len(arg); i++ {
				at := strings.IndexByte(letters, arg[i])
				if at < 0 || arg[i] == ':' {
					t.complain("invalid option -- '%c'", arg[i])
					t.usage()
					return nil, nil, false
				}
				t.given = append(t.given, arg[i])
				if at+1 >= len(letters) || letters[at+1] != ':' {
					opts[arg[i]] = append(opts[arg[i]], "")
					continue
				}
				value := arg[i+1:]
				if value == "" {
					if len(args) == 0 {
						t.complain("option requires an argument -- '%c'", arg[i])
						t.usage()
						return nil, nil, false
					}
					value, args = args[0], args[1:]
				}
				opts[arg[i]] = append(opts[arg[i]], value)
				break
			}
		}
	}
	return opts, rest, true
}

// longOption finds the letter of a long option, whose name may be cut short as long as only one begins that way.
func longOption(long map[string]string, name string) (letter string, ok bool) {
	if letter, ok = long[name]; ok {
		return letter, true
	}
	for _, full := range slices.Sorted(maps.Keys(long)) {
		if !strings.HasPrefix(full, name) {
			continue
		}
		if ok && long[full] != letter {
			return "", false
		}
		letter, ok = long[full], true
	}
	return letter, ok
}

func has(opts map[byte][]string, letter byte) bool { return len(opts[letter]) > 0 }

func last(opts map[byte][]string, letter byte) string {
	if v := opts[letter]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// open opens an operand for reading; "-" is standard input.
func (t *tool) open(name string) (r io.Reader, done func(), err error) {
	if name == "-" {
		return t.p.Stdin(), func() {}, nil
	}
	fd, err := t.p.OpenFile(name, files.Read, 0)
	if err != nil {
		return nil, nil, err
	}
	if h := t.p.FileHandle(fd); h != nil && h.Stat().IsDir() {
		t.p.Close(fd)
		return nil, nil, errDirectory
	}
	return t.p.Descriptor(fd), func() { t.p.Close(fd) }, nil
}

// inputs calls f for each operand, or for standard input if there are none. A file that cannot be opened is reported.
func (t *tool) inputs(names []string, f func(name string, r io.Reader) (more bool)) {
	t.inputsOf(names, "can't open", f)
}

// inputsOf is inputs with the words about a file that cannot be opened; without, the name alone is said.
func (t *tool) inputsOf(names []string, verb string, f func(name string, r io.Reader) (more bool)) {
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, name := range names {
		r, done, err := t.open(name)
		if errors.Is(err, errDirectory) {
			t.complain("read error: Is a directory")
			continue
		}
		if err != nil {
			if verb == "" {
				t.failed(name, err)
			} else {
				t.complain("%s '%s': %s", verb, name, files.Message(err))
			}
			continue
		}
		in := &checked{Reader: r}
		more := f(name, in)
		done()
		t.unread(name, in.err)
		if !more {
			return
		}
	}
}

// ReadAll reads a descriptor to its end.
func ReadAll(p *container.Process, fd int) ([]byte, error) {
	t := tool{p: p}
	return t.readAll(p.Descriptor(fd))
}

// readAll reads all of an input into memory, which is accounted for: an input without end ends in the OOM killer.
func (t *tool) readAll(r io.Reader) ([]byte, error) {
	out := make([]byte, 0, 512)
	for {
		if len(out) == cap(out) {
			t.p.Allocate(int64(cap(out)))
			out = append(out, 0)[:len(out)]
		}
		n, err := r.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
}

// lines calls f for each line without its newline; ended reports whether it had one.
func (t *tool) lines(r io.Reader, f func(line string, ended bool) (more bool)) error {
	in := t.lineReader(r)
	for {
		line, ended, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || !f(line, ended) {
			return err
		}
	}
}

// lineReader reads lines one after the other. What it holds of a long one is accounted for.
type lineReader struct {
	t    *tool
	in   *bufio.Reader
	end  byte
	met  byte   // what the last line ended in
	rest string // of a line that had a NUL
	err  error  // met behind the last line
}

func (t *tool) lineReader(r io.Reader) *lineReader {
	l := &lineReader{t: t, in: bufio.NewReaderSize(r, 1024), end: '\n'}
	if t.zero {
		l.end = 0
	}
	return l
}

// next returns the next line without its newline; ended reports whether it had one.
func (l *lineReader) next() (line string, ended bool, err error) {
	if line = l.rest; line == "" {
		if line, err = l.read(); err != nil {
			return "", false, err
		}
	}
	l.rest = ""
	if at := strings.IndexByte(line, 0); at >= 0 && l.t.nul {
		l.met, l.rest = 0, line[at+1:]
		return line[:at], true, nil
	}
	l.met = l.end
	text := strings.TrimSuffix(line, string([]byte{l.end}))
	return text, len(text) < len(line), nil
}

// read reads a line with what it ends in.
func (l *lineReader) read() (line string, err error) {
	if l.err != nil {
		return "", l.err
	}
	var long []byte // the beginning of a line that does not fit the buffer
	for {
		part, err := l.in.ReadSlice(l.end)
		if errors.Is(err, bufio.ErrBufferFull) {
			l.t.p.Allocate(int64(len(part)))
			long = append(long, part...)
			continue
		}
		line = string(part)
		if long != nil {
			line = string(append(long, part...))
			l.t.p.Allocate(-int64(len(long)))
		}
		if l.err = err; line == "" {
			return "", err
		}
		return line, nil
	}
}

// within reads the number that is an option's value.
func (t *tool) within(opts map[byte][]string, letter byte, otherwise, low, high int) (n int, ok bool) {
	if !has(opts, letter) {
		return otherwise, true
	}
	text := last(opts, letter)
	n, err := strconv.Atoi(text)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		t.complain("invalid number '%s'", text)
	case err != nil || n < low || n > high:
		t.complain("number %s is not in %d..%d range", text, low, high)
	default:
		return n, true
	}
	return 0, false
}

// unicode reports whether the environment says that text is UTF-8. Without a locale each byte is a character.
func (t *tool) unicode() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		for _, v := range t.p.Env {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				value = strings.ToLower(value)
				return strings.Contains(value, ".utf-8") || strings.Contains(value, ".utf8")
			}
		}
	}
	return false
}

// passing accounts for n bytes that are held for a moment, before they are made.
func (t *tool) passing(n int) {
	t.p.Work(uint32(n >> 11))
	t.p.Allocate(int64(n))
	t.p.Allocate(-int64(n))
}

// mostNested bounds how deep the expressions of a tool may nest.
const mostNested = 10_000

// nested ends the container of a tool whose expressions nest too deep.
func nested(p *container.Process, name string, depth int) {
	if depth > mostNested {
		p.Exceed(fmt.Sprintf("its %s nested more than %d deep", name, mostNested))
	}
}

// hold accounts for a line that is kept.
func (t *tool) hold(line string) { t.p.Allocate(int64(len(line)) + 16) }

func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
