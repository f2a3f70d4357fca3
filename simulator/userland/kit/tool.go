package kit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

// NoDeadline is a wait without end.
var NoDeadline time.Time

// Utility is a program that gets its arguments, the name first, apart from its process. It returns the exit code.
type Utility func(p *container.Process, args []string) int

// Tool is a utility at work: its name for messages, and buffered output.
type Tool struct {
	P      *container.Process
	Name   string
	GNU    bool // it is GNU's version
	Zero   bool // lines end in NUL
	Nul    bool // lines end in NUL or newline, as for most utilities of BusyBox that read lines
	Out    *bufio.Writer
	Status int
	Given  []byte // the letters of all options, in order
	effort int    // that was not yet accounted for
	users  names
	groups names
}

// Begin starts a utility: its name is the base of the first argument.
func Begin(p *container.Process, args []string) *Tool {
	_, gnu := p.State.(GNUTools)
	return &Tool{P: p, Name: Base(args[0]), GNU: gnu, Out: bufio.NewWriterSize(p.Stdout(), 1024)}
}

// End writes out what is buffered and returns the exit code.
func (t *Tool) End() int {
	if err := t.Out.Flush(); err != nil && (t.Status == 0 || !t.GNU && onUnwritten(t.Name) == complains) {
		if errors.Is(err, errBroken) {
			t.Status = 1
		} else {
			t.unwritten(err)
		}
	}
	return t.Status
}

var errBroken = errors.New("broken pipe")

// Complain prints a message with the utility's name and makes the exit code 1.
func (t *Tool) Complain(format string, args ...any) {
	_ = t.Out.Flush()
	fmt.Fprintf(t.P.Stderr(), t.Name+": "+format+"\n", args...)
	if t.Status == 0 {
		t.Status = 1
	}
}

// Failed prints an error about a file.
func (t *Tool) Failed(name string, err error) { t.Complain("%s: %s", name, files.Message(err)) }

// Fail prints a message and ends with exit code 1.
func (t *Tool) Fail(format string, args ...any) int {
	t.Complain(format, args...)
	return t.End()
}

// Options reads options: letters that take no value, and letters followed by ":" that take one. Long options are mapped
// to letters by long; "?" behind the letter allows a value behind "=". Options may stand behind operands unless strict.
// It complains about an option that is wrong, and sets the exit code.
func (t *Tool) Options(args []string, letters string, strict bool, long map[string]string) (opts map[byte][]string, rest []string, ok bool) {
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
				t.Complain("unrecognized option '%s'", arg)
				t.Usage()
				return nil, nil, false
			}
			if has && len(letter) == 1 {
				t.Complain("option '%s' doesn't allow an argument", arg[:len(name)+2])
				t.Usage()
				return nil, nil, false
			}
			if strings.HasSuffix(letter, ":") && !has {
				if len(args) == 0 {
					t.Complain("option '%s' requires an argument", arg)
					t.Usage()
					return nil, nil, false
				}
				value, args = args[0], args[1:]
			}
			opts[letter[0]] = append(opts[letter[0]], value)
			t.Given = append(t.Given, letter[0])
		case len(arg) < 2 || arg[0] != '-':
			if strict {
				return opts, append(append(rest, arg), args...), true
			}
			rest = append(rest, arg)
		default:
			for i := 1; i < len(arg); i++ {
				at := strings.IndexByte(letters, arg[i])
				if at < 0 || arg[i] == ':' {
					t.Complain("invalid option -- '%c'", arg[i])
					t.Usage()
					return nil, nil, false
				}
				t.Given = append(t.Given, arg[i])
				if at+1 >= len(letters) || letters[at+1] != ':' {
					opts[arg[i]] = append(opts[arg[i]], "")
					continue
				}
				value := arg[i+1:]
				if value == "" {
					if len(args) == 0 {
						t.Complain("option requires an argument -- '%c'", arg[i])
						t.Usage()
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

// Has reports whether an option was given.
func Has(opts map[byte][]string, letter byte) bool { return len(opts[letter]) > 0 }

// Last is the value of an option that counts, or nothing.
func Last(opts map[byte][]string, letter byte) string {
	if v := opts[letter]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// Open opens an operand for reading; "-" is standard input.
func (t *Tool) Open(name string) (r io.Reader, done func(), err error) {
	if name == "-" {
		return t.P.Stdin(), func() {}, nil
	}
	fd, err := t.P.OpenFile(name, files.Read, 0)
	if err != nil {
		return nil, nil, err
	}
	if h := t.P.FileHandle(fd); h != nil && h.Stat().IsDir() {
		t.P.Close(fd)
		return nil, nil, ErrDirectory
	}
	return t.P.Descriptor(fd), func() { t.P.Close(fd) }, nil
}

// Inputs calls f for each operand, or for standard input if there are none. A file that cannot be opened is reported.
func (t *Tool) Inputs(names []string, f func(name string, r io.Reader) (more bool)) {
	t.InputsOf(names, "can't open", f)
}

// InputsOf is inputs with the words about a file that cannot be opened; without, the name alone is said.
func (t *Tool) InputsOf(names []string, verb string, f func(name string, r io.Reader) (more bool)) {
	given := len(names) > 0
	if !given {
		names = []string{"-"}
	}
	for _, name := range names {
		r, done, err := t.Open(name)
		if errors.Is(err, ErrDirectory) {
			t.Complain("read error: Is a directory")
			continue
		}
		if err != nil {
			if verb == "" {
				t.Failed(name, err)
			} else {
				t.Complain("%s '%s': %s", verb, name, files.Message(err))
			}
			continue
		}
		in := &Checked{Reader: r}
		more := f(name, in)
		done()
		if !given {
			name = ""
		}
		t.Unread(name, in.Err)
		if !more {
			return
		}
	}
}

// ReadAll reads a descriptor to its end.
func ReadAll(p *container.Process, fd int) ([]byte, error) {
	t := Tool{P: p}
	return t.ReadAll(p.Descriptor(fd))
}

// ReadAll reads all of an input into memory, which is accounted for: an input without end ends in the OOM killer.
func (t *Tool) ReadAll(r io.Reader) ([]byte, error) {
	out := make([]byte, 0, 512)
	for {
		if len(out) == cap(out) {
			t.P.Allocate(int64(cap(out)))
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

// Lines calls f for each line without its newline; ended reports whether it had one.
func (t *Tool) Lines(r io.Reader, f func(line string, ended bool) (more bool)) error {
	in := t.LineReader(r)
	for {
		line, ended, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || !f(line, ended) {
			return err
		}
	}
}

// LineReader reads lines one after the other. What it holds of a long one is accounted for.
type LineReader struct {
	t    *Tool
	in   *bufio.Reader
	end  byte
	Met  byte   // what the last line ended in
	rest string // of a line that had a NUL
	err  error  // met behind the last line
}

func (t *Tool) LineReader(r io.Reader) *LineReader {
	l := &LineReader{t: t, in: bufio.NewReaderSize(r, 1024), end: '\n'}
	if t.Zero {
		l.end = 0
	}
	return l
}

// Next returns the next line without its newline; ended reports whether it had one.
func (l *LineReader) Next() (line string, ended bool, err error) {
	l.t.Effort(PerLine)
	if line = l.rest; line == "" {
		if line, err = l.read(); err != nil {
			return "", false, err
		}
	}
	l.rest = ""
	if at := strings.IndexByte(line, 0); at >= 0 && l.t.Nul {
		l.Met, l.rest = 0, line[at+1:]
		return line[:at], true, nil
	}
	l.Met = l.end
	text := strings.TrimSuffix(line, string([]byte{l.end}))
	return text, len(text) < len(line), nil
}

// read reads a line with what it ends in.
func (l *LineReader) read() (line string, err error) {
	if l.err != nil {
		return "", l.err
	}
	var long []byte // the beginning of a line that does not fit the buffer
	for {
		part, err := l.in.ReadSlice(l.end)
		if errors.Is(err, bufio.ErrBufferFull) {
			l.t.P.Allocate(int64(len(part)))
			long = append(long, part...)
			continue
		}
		line = string(part)
		if long != nil {
			line = string(append(long, part...))
			l.t.P.Allocate(-int64(len(long)))
		}
		if l.err = err; line == "" {
			return "", err
		}
		return line, nil
	}
}

// Within reads the number that is an option's value.
func (t *Tool) Within(opts map[byte][]string, letter byte, otherwise, low, high int) (n int, ok bool) {
	if !Has(opts, letter) {
		return otherwise, true
	}
	text := Last(opts, letter)
	n, err := strconv.Atoi(text)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		t.Complain("invalid number '%s'", text)
	case err != nil || n < low || n > high:
		t.Complain("number %s is not in %d..%d range", text, low, high)
	default:
		return n, true
	}
	return 0, false
}

// Unicode reports whether the environment says that text is UTF-8. Without a locale each byte is a character.
func (t *Tool) Unicode() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		for _, v := range t.P.Env {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				value = strings.ToLower(value)
				return strings.Contains(value, ".utf-8") || strings.Contains(value, ".utf8")
			}
		}
	}
	return false
}

// Passing accounts for n bytes that are held for a moment, before they are made.
func (t *Tool) Passing(n int) {
	t.Effort(n / 8)
	t.P.Allocate(int64(n))
	t.P.Allocate(-int64(n))
}

// What things cost in the steps of [Tool.Effort].
const (
	// PerLine is for a line that is read.
	PerLine = 32
	// stepsACommand is how many steps take about as long as a command of a shell.
	stepsACommand = 256
)

// Effort accounts for n small steps: each is about as much as to look at a few bytes.
func (t *Tool) Effort(n int) {
	if t.effort += n; t.effort >= stepsACommand {
		t.P.Compute(t.effort / stepsACommand)
		t.effort %= stepsACommand
	}
}

// mostNested bounds how deep the expressions of a tool may nest.
const mostNested = 10_000

// Nested ends the container of a tool whose expressions nest too deep.
func Nested(p *container.Process, name string, depth int) {
	if depth > mostNested {
		p.Exceed(fmt.Sprintf("its %s nested more than %d deep", name, mostNested))
	}
}

// Hold accounts for a line that is kept.
func (t *Tool) Hold(line string) { t.P.Allocate(int64(len(line)) + 16) }

// Base is the last part of a path.
func Base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
