package text

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/dates"
	"github.com/plumbline-ci/plumbline/simulator/userland/jq"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Exit codes of jq.
const (
	jqUsage   = 2
	jqCompile = 3
	jqFailed  = 5
	jqBroken  = 4  // an input is not JSON
	jqSpecial = 10 // from here on, a status that shows as 10 less with -e, and without only if the program has ended itself
	jqNothing = 14 // no output
	jqFalse   = 11 // the last output is false or null
	// jqMaxProgram is how long a program may be.
	jqMaxProgram = 256 << 10
)

// jqRun is a jq at work.
type jqRun struct {
	t         *kit.Tool
	machine   *jq.Machine
	inputs    *jqInputs
	variables []jq.Variable
	named     []jq.Variable
	query     string
	files     []string
	flags     map[string]bool
	halted    bool // the program has ended itself
	indent    string
	rest      []any // $ARGS.positional
}

// JqTool is the utility jq.
func JqTool(p *container.Process, args []string) int {
	r := &jqRun{t: kit.Begin(p, args), flags: map[string]bool{}, indent: "  "}
	r.inputs = &jqInputs{r: r}
	r.machine = jq.NewMachine(kit.Meter{P: p}, jqWorld{r})
	defer r.machine.Close()
	complaint, over := r.arguments(args[1:])
	switch {
	case complaint != "":
		fmt.Fprintf(p.Stderr(), "jq: %s\n%s", complaint, jqHelp)
		return jqUsage
	case over:
		return r.t.End()
	}
	if len(r.query) > jqMaxProgram {
		return r.broken("the program is too long")
	}
	r.variables = append(r.variables, jq.Variable{Name: "ARGS", Value: r.machine.Arguments(r.rest, r.named)})
	program, err := r.machine.Compile(r.query, r.variables)
	if err != nil {
		return r.broken(err.Error())
	}
	if r.flags["n"] {
		return r.finish(r.one(program, nil))
	}
	status := 0
	for { // halt ends the program for one input only
		v, err := r.inputs.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && r.flags["seq"] {
			r.ignore(err)
			continue
		}
		if err != nil {
			_ = r.t.Out.Flush()
			fmt.Fprintf(p.Stderr(), "parse error: %s\n", err)
			return r.finish(jqBroken)
		}
		status = r.one(program, v)
	}
	return r.finish(status)
}

// ignore reports an input of --seq that is broken.
func (r *jqRun) ignore(err error) {
	_ = r.t.Out.Flush()
	fmt.Fprintf(r.t.P.Stderr(), "ignoring parse error: %s\n", err)
}

const jqHelp = "Use jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://stedolan.github.io/jq\n"

// broken reports what is wrong with a program.
func (r *jqRun) broken(problems string) int {
	_ = r.t.Out.Flush()
	list := strings.Split(problems, "\n")
	for _, problem := range list {
		fmt.Fprintf(r.t.P.Stderr(), "jq: error: %s at <top-level>, line 1:\n%s\n", problem, r.query)
	}
	plural := "s"
	if len(list) == 1 {
		plural = ""
	}
	fmt.Fprintf(r.t.P.Stderr(), "jq: %d compile error%s\n", len(list), plural)
	return jqCompile
}

func (r *jqRun) finish(status int) int {
	_ = r.t.Out.Flush()
	switch {
	case r.inputs.failed: // which counts more than what the program has done
		return jqUsage
	case status < jqSpecial:
		return status
	case r.flags["e"]:
		return status - jqSpecial
	case r.halted:
		return status
	}
	return 0
}

// one runs the program for one input.
func (r *jqRun) one(program *jq.Program, input any) (status int) {
	status = jqNothing
	r.machine.Start(program, input)
	for {
		v, more, err := r.machine.Next()
		if more {
			r.print(v)
			status = 0
			if v == nil || v == false {
				status = jqFalse
			}
			continue
		}
		if err == nil {
			return status
		}
		_ = r.t.Out.Flush()
		var halt *jq.Halt
		if errors.As(err, &halt) {
			if s, ok := halt.Value.(string); ok && halt.Say {
				r.t.P.Write(2, []byte(s))
			} else if halt.Say && halt.Value != nil {
				r.t.P.Write(2, []byte(r.text(halt.Value)+"\n"))
			}
			r.halted = true
			return halt.Code
		}
		var failed *jq.Error
		message := ": " + err.Error()
		if errors.As(err, &failed) {
			if s, ok := failed.Value.(string); ok {
				message = ": " + s
			} else {
				message = " (not a string): " + r.text(failed.Value)
			}
		}
		r.t.P.Write(2, []byte("jq: error (at "+r.inputs.where()+")"+message+"\n"))
		return jqFailed
	}
}

func (r *jqRun) text(v any) string {
	var b strings.Builder
	r.machine.Encode(v, jq.Format{}, func(part string) { b.WriteString(part) })
	return b.String()
}

// print prints one output.
func (r *jqRun) print(v any) {
	if r.flags["seq"] {
		r.t.Out.WriteByte('\x1e')
	}
	if s, ok := v.(string); ok && (r.flags["r"] || r.flags["j"]) {
		r.t.Out.WriteString(s)
	} else {
		f := jq.Format{Indent: r.indent, ASCII: r.flags["a"], Sorted: r.flags["S"], Color: r.flags["C"] && !r.flags["M"]}
		if r.flags["c"] {
			f.Indent = ""
		}
		r.machine.Encode(v, f, func(part string) { r.t.Out.WriteString(part) })
	}
	if !r.flags["j"] {
		r.t.Out.WriteByte('\n')
	}
}

var (
	jqLong = map[string]string{"null-input": "n", "raw-output": "r", "join-output": "j", "ascii-output": "a", "slurp": "s", "compact-output": "c",
		"exit-status": "e", "monochrome-output": "M", "sort-keys": "S", "raw-input": "R", "color-output": "C", "from-file": "f", "unbuffered": "u",
		"stream": "stream", "seq": "seq"}
	jqTaking = map[string]int{"--arg": 2, "--argjson": 2, "--slurpfile": 2, "--rawfile": 2, "--indent": 1}
)

// arguments reads the command line. It returns what is wrong with it, or that all is done.
func (r *jqRun) arguments(args []string) (complaint string, over bool) {
	has, positional, options := false, "", true
	for len(args) > 0 {
		a := args[0]
		args = args[1:]
		if n := jqTaking[a]; n > 0 && options {
			if len(args) < n {
				if n == 1 {
					return a + " takes one parameter", false
				}
				return fmt.Sprintf("%s takes two parameters (e.g. %s %s)", a, a, map[string]string{"--arg": "varname value", "--argjson": "varname text"}[a]), false
			}
			if complaint = r.taking(a, args[:n]); complaint != "" {
				return complaint, false
			}
			args = args[n:]
			continue
		}
		switch {
		case len(a) < 2 || a[0] != '-' || a[1] != '-' && !isAlpha(a[1]) || !options:
			if complaint = r.operand(a, &has, positional); complaint != "" {
				return complaint, false
			}
		case a == "--":
			options = false
		case a == "--args":
			positional = "s"
		case a == "--jsonargs":
			positional = "j"
		case a == "--tab":
			r.indent = "\t"
		case a == "--help" || a == "-h":
			r.t.Out.WriteString("jq - commandline JSON processor [version 1.6]\n\nUsage:\tjq [options] <jq filter> [file...]\n")
			return "", true
		case a == "--version" || a == "-V":
			r.t.Out.WriteString("jq-1.6\n")
			return "", true
		case strings.HasPrefix(a, "--"):
			letter, ok := jqLong[a[2:]]
			if !ok {
				return "Unknown option: " + a, false
			}
			r.flags[letter] = true
		default:
			for _, l := range strings.Split(a[1:], "") {
				if !strings.Contains("nrjascefMSRC", l) {
					return "Unknown option: " + a, false
				}
				r.flags[l] = true
			}
		}
	}
	if !has {
		r.query = "."
	}
	if r.flags["f"] && has {
		data, err := r.t.P.ReadFile(r.query)
		if err != nil {
			return "Could not open " + r.query + ": " + kit.Message(err), false
		}
		r.query = string(data)
	}
	return "", false
}

// operand is an argument that is not an option: the program, a file, or a positional argument.
func (r *jqRun) operand(a string, has *bool, positional string) (complaint string) {
	switch {
	case !*has:
		r.query, *has = a, true
	case positional == "s":
		r.rest = append(r.rest, jq.Valid(a))
	case positional == "j":
		v, err := r.machine.Parse(a)
		if err != nil {
			return "Invalid JSON text passed to --jsonargs"
		}
		r.rest = append(r.rest, v)
	default:
		r.files = append(r.files, a)
	}
	return ""
}

// taking is an option with values.
func (r *jqRun) taking(option string, values []string) (complaint string) {
	if option == "--indent" {
		n := leadingInteger(values[0])
		if n < -1 || n > 7 {
			return "--indent takes a number between -1 and 7"
		}
		r.indent = strings.Repeat(" ", max(n, 0))
		return ""
	}
	name, text := values[0], values[1]
	var v any = jq.Valid(text)
	switch option {
	case "--argjson":
		var err error
		if v, err = r.machine.Parse(text); err != nil {
			return "Invalid JSON text passed to --argjson"
		}
	case "--slurpfile", "--rawfile":
		data, err := r.read(text)
		if err != nil {
			return "Bad JSON in " + option + " " + name + " " + text + ": Could not open " + text + ": " + kit.Message(err)
		}
		v = jq.Valid(data)
		if option == "--slurpfile" {
			if v, err = r.machine.ParseAll(data); err != nil {
				return "Bad JSON in " + option + " " + name + " " + text + ": " + err.Error()
			}
		}
	}
	if !slices.ContainsFunc(r.variables, func(known jq.Variable) bool { return known.Name == name }) {
		r.variables = append(r.variables, jq.Variable{Name: name, Value: v})
		r.named = append(r.named, jq.Variable{Name: name, Value: v})
	}
	return ""
}

// leadingInteger is the number that a text begins with, or 0.
func leadingInteger(text string) int {
	text = strings.TrimLeft(text, " \t\n\v\f\r")
	sign := 1
	if strings.HasPrefix(text, "-") {
		sign, text = -1, text[1:]
	}
	n, _ := strconv.Atoi(kit.DigitRun(text))
	return sign * n
}

// read reads a file; its memory is accounted for.
func (r *jqRun) read(name string) (string, error) {
	in, done, err := r.t.Open(name)
	if err != nil {
		return "", err
	}
	defer done()
	data, err := r.t.ReadAll(in)
	return string(data), err
}

// jqInputs reads the inputs, one after the other.
type jqInputs struct {
	r       *jqRun
	at      int // of the files; 0 is none yet
	started bool
	over    bool
	failed  bool
	decoder *jq.Decoder
	events  []any // of --stream
	closing bool  // the last one comes after another at the same bracket
	cut     bool  // the last file does not end in a newline, so that jq has met its end
	ended   bool  // all files are read, and none is at work
	text    string
	lines   int // of what was read
}

// where is the place that an error is reported at.
func (i *jqInputs) where() string {
	if !i.started {
		return "<unknown>"
	}
	name := i.name()
	if name == "" {
		name = "<stdin>"
	}
	return fmt.Sprintf("%s:%d", name, i.line())
}

func (i *jqInputs) name() string {
	if i.at == 0 || i.at > len(i.r.files) || i.r.files[i.at-1] == "-" {
		return ""
	}
	return i.r.files[i.at-1]
}

func (i *jqInputs) line() int {
	if i.decoder != nil {
		i.lines = i.decoder.Lines()
	}
	return i.lines
}

// open reads the next file.
func (i *jqInputs) open() (text string, ok bool) {
	if len(i.r.files) == 0 {
		if i.started {
			return "", false
		}
		i.started = true
		data, err := i.r.t.ReadAll(i.r.t.P.Stdin())
		i.failed = i.failed || err != nil
		i.cut = !strings.HasSuffix(string(data), "\n")
		return string(data), true
	}
	for i.started = true; i.at < len(i.r.files); {
		name := i.r.files[i.at]
		text, err := i.r.read(name)
		if err == nil {
			i.at++
			i.cut = !strings.HasSuffix(text, "\n")
			return text, true
		}
		_ = i.r.t.Out.Flush()
		i.failed = true
		i.at++
		if message := kit.Message(err); !errors.Is(err, kit.ErrDirectory) {
			fmt.Fprintf(i.r.t.P.Stderr(), "jq: error: Could not open file %s: %s\n", name, message)
		} else if i.at < len(i.r.files) { // it can be opened and not read, which jq 1.6 notices when it goes on
			fmt.Fprintf(i.r.t.P.Stderr(), "Input error: %s\n", message)
		}
	}
	return "", false
}

// next returns the next input; io.EOF ends them.
func (i *jqInputs) next() (any, error) {
	raw, slurp := i.r.flags["R"], i.r.flags["s"]
	switch {
	case i.over:
		return nil, io.EOF
	case slurp && raw:
		i.over = true
		var all strings.Builder
		for text, ok := i.open(); ok; text, ok = i.open() {
			all.WriteString(jq.Valid(text)) // no character begins in one file and ends in the next
		}
		return all.String(), nil
	case slurp:
		i.over = true
		return i.r.machine.Collect(i.whole)
	case raw:
		return i.rawLine()
	}
	return i.value()
}

// whole is value for --slurp: what is broken of a sequence is left out.
func (i *jqInputs) whole() (any, error) {
	for {
		v, err := i.value()
		if err == nil || errors.Is(err, io.EOF) || !i.r.flags["seq"] {
			return v, err
		}
		i.r.ignore(err)
	}
}

func (i *jqInputs) rawLine() (any, error) {
	for i.text == "" {
		text, ok := i.open()
		if !ok {
			i.over, i.ended = true, i.cut
			return nil, io.EOF
		}
		i.text = text
	}
	line, rest, ended := strings.Cut(i.text, "\n")
	line = jq.Valid(line)
	for !ended { // a last line goes on in the next file
		text, ok := i.open()
		if !ok {
			break
		}
		var head string
		head, rest, ended = strings.Cut(text, "\n")
		line += jq.Valid(head)
	}
	if ended {
		i.lines++
	}
	i.text = rest
	return line, nil
}

// value reads the next JSON value, or part of one.
func (i *jqInputs) value() (any, error) {
	for {
		if len(i.events) > 0 {
			v := i.events[0]
			i.events = i.events[1:]
			if len(i.events) == 0 && i.closing && !i.decoder.More() { // jq looks for more before it tells that the value has ended
				i.ended = true
			}
			return v, nil
		}
		if i.decoder == nil {
			text, ok := i.open()
			if !ok {
				i.over = true
				i.ended = i.cut && !i.r.flags["s"]
				return nil, io.EOF
			}
			i.decoder = i.r.machine.NewDecoder(text)
			i.decoder.GoOn(i.open)
			if i.r.flags["seq"] {
				i.decoder.Sequence()
			}
		}
		v, err := i.decoder.Next()
		switch {
		case errors.Is(err, io.EOF):
			i.line()
			i.decoder = nil
			continue
		case err != nil:
			if i.r.flags["seq"] {
				i.decoder = nil
			} else {
				i.over = true
			}
			return nil, err
		case !i.r.flags["stream"]:
			return v, nil
		}
		i.events = i.r.machine.Events(v)
		i.closing = jq.ClosesAlone(i.events)
	}
}

// jqWorld is what a program sees of its process.
type jqWorld struct{ r *jqRun }

// Input implements jq.World.
func (w jqWorld) Input() (any, error) {
	v, err := w.r.inputs.next()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("break")
	}
	return v, err
}

// InputName implements jq.World.
func (w jqWorld) InputName() string {
	if w.r.inputs.ended {
		return ""
	}
	if name := w.r.inputs.name(); name != "" || !w.r.inputs.started {
		return name
	}
	return "<stdin>"
}

// InputLine implements jq.World.
func (w jqWorld) InputLine() int { return w.r.inputs.line() }

// Environ implements jq.World.
func (w jqWorld) Environ() []string { return w.r.t.P.Env }

// Now implements jq.World.
func (w jqWorld) Now() float64 { return float64(w.r.t.P.Now().UnixMicro()) / 1e6 }

// Strftime implements jq.World.
func (w jqWorld) Strftime(format string, seconds int64) string {
	return dates.Strftime(format, time.Unix(seconds, 0).UTC())
}

// Message implements jq.World.
func (w jqWorld) Message(text string) {
	_ = w.r.t.Out.Flush()
	w.r.t.P.Write(2, []byte(text))
}

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
