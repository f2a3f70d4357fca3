package utility

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// Exit codes of jq.
const (
	jqUsage    = 2
	jqCompile  = 3
	jqFailed   = 5
	jqNothing  = 4 // -e and no output
	jqFalse    = 1 // -e and the last output is false or null
	jqMaxQuery = 64 << 10
)

// jqRun is a jq at work. The language is gojq's: objects come out with their keys sorted.
type jqRun struct {
	t       *tool
	names   []string // of variables
	values  []any
	query   string
	files   []string
	flags   map[string]bool
	indent  string
	named   map[string]any
	rest    []any // $ARGS.positional
	last    any
	printed bool
}

func jq(p *container.Process, args []string) int {
	r := &jqRun{t: begin(p, args), flags: map[string]bool{}, indent: "  ", named: map[string]any{}, rest: []any{}}
	if message := r.arguments(args[1:]); message != "" {
		fmt.Fprintf(p.Stderr(), "jq: error: %s\nUse jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://jqlang.github.io/jq\n", message)
		return jqUsage
	}
	if len(r.query) > jqMaxQuery {
		return r.broken("the program is too long")
	}
	query, err := gojq.Parse(jqPrelude + r.query)
	if err != nil {
		return r.broken(err.Error())
	}
	world := &jqWorld{p: p, sizes: map[uintptr]int64{}}
	world.query(query)
	inputs := &jqInputs{r: r}
	code, err := gojq.Compile(query,
		gojq.WithVariables(append(slices.Clip(r.names), "$ARGS")),
		gojq.WithEnvironLoader(func() []string { return p.Env }),
		gojq.WithInputIter(inputs),
		gojq.WithFunction(jqHeld, 0, 0, world.held),
		gojq.WithFunction(jqNow, 0, 0, func(any, []any) any { return float64(p.Now().UnixMicro()) / 1e6 }),
		gojq.WithFunction("debug", 0, 1, func(v any, args []any) any { return r.tell(v, args) }),
		gojq.WithFunction("stderr", 0, 0, func(v any, _ []any) any { return r.shout(v) }),
		gojq.WithFunction("input_filename", 0, 0, func(any, []any) any { return inputs.name() }),
	)
	if err != nil {
		return r.broken(err.Error())
	}
	values := append(slices.Clip(r.values), map[string]any{"positional": r.rest, "named": r.named})
	if r.flags["n"] {
		return r.finish(inputs, r.one(code, world, nil, values))
	}
	status := 0
	for {
		v, ok := inputs.Next()
		if !ok {
			break
		}
		if err, bad := v.(error); bad {
			return r.finish(inputs, r.parseFailed(err))
		}
		var halted bool
		s := r.one(code, world, v, values)
		if s, halted = s&0xff, s&jqHalted != 0; s != 0 || halted {
			status = s
		}
		if halted {
			return r.t.done(status)
		}
	}
	return r.finish(inputs, status)
}

// jqPrelude is what jq has and gojq has not.
const jqPrelude = "def leaf_paths: paths(scalars); "

// jqHalted marks an exit code that ends everything.
const jqHalted = 1 << 8

func (t *tool) done(status int) int {
	_ = t.out.Flush()
	return status
}

func (r *jqRun) broken(message string) int {
	_ = r.t.out.Flush()
	fmt.Fprintf(r.t.p.Stderr(), "jq: error: %s\njq: 1 compile error\n", message)
	return jqCompile
}

func (r *jqRun) parseFailed(err error) int {
	_ = r.t.out.Flush()
	fmt.Fprintf(r.t.p.Stderr(), "jq: %s\n", err)
	return jqUsage
}

// finish decides on the exit code.
func (r *jqRun) finish(inputs *jqInputs, status int) int {
	status &= 0xff
	if status == 0 && inputs.failed {
		status = jqUsage
	}
	if status == 0 && r.flags["e"] {
		switch {
		case !r.printed:
			status = jqNothing
		case r.last == nil || r.last == false:
			status = jqFalse
		}
	}
	return r.t.done(status)
}

// one runs the program for one input.
func (r *jqRun) one(code *gojq.Code, world *jqWorld, input any, values []any) int {
	iter := code.RunWithContext(world, input, values...)
	for {
		v, ok := iter.Next()
		if !ok {
			return 0
		}
		err, failed := v.(error)
		if !failed {
			r.print(v)
			continue
		}
		_ = r.t.out.Flush()
		var halt *gojq.HaltError
		if errors.As(err, &halt) {
			switch v := halt.Value().(type) {
			case nil:
			case string:
				r.t.p.Write(2, []byte(v))
			default:
				fmt.Fprintln(r.t.p.Stderr(), jqText(v))
			}
			return halt.ExitCode() | jqHalted
		}
		message := err.Error()
		var thrown gojq.ValueError
		if errors.As(err, &thrown) {
			message = strings.TrimPrefix(message, "error: ")
			if s, ok := thrown.Value().(string); ok {
				message = s
			} else {
				message += " (not a string)"
			}
		}
		fmt.Fprintf(r.t.p.Stderr(), "jq: error (at <stdin>:0): %s\n", message)
		return jqFailed
	}
}

func (r *jqRun) tell(v any, args []any) any {
	about := v
	if len(args) > 0 {
		about = args[0]
	}
	_ = r.t.out.Flush()
	fmt.Fprintf(r.t.p.Stderr(), "[\"DEBUG:\",%s]\n", jqText(about))
	return v
}

func (r *jqRun) shout(v any) any {
	_ = r.t.out.Flush()
	r.t.p.Write(2, []byte(jqText(v)))
	return v
}

// print prints one output.
func (r *jqRun) print(v any) {
	r.last, r.printed = v, true
	if s, ok := v.(string); ok && (r.flags["r"] || r.flags["j"]) {
		r.t.out.WriteString(s)
	} else {
		e := jqEncoder{out: r.t.out, indent: r.indent, ascii: r.flags["a"]}
		if r.flags["c"] {
			e.indent = ""
		}
		e.value(v, 0)
	}
	if !r.flags["j"] {
		r.t.out.WriteByte('\n')
	}
}

// arguments reads the command line. It returns what is wrong with it.
func (r *jqRun) arguments(args []string) string {
	letters := map[string]string{"null-input": "n", "raw-output": "r", "join-output": "j", "ascii-output": "a", "slurp": "s", "compact-output": "c",
		"exit-status": "e", "monochrome-output": "M", "sort-keys": "S", "raw-input": "R", "color-output": "C", "from-file": "f", "unbuffered": "u"}
	fromFile, hasQuery, positional := false, false, ""
	take := func(n int) []string {
		if len(args) < n {
			return nil
		}
		v := args[:n]
		args = args[n:]
		return v
	}
	for len(args) > 0 {
		a := args[0]
		args = args[1:]
		switch {
		case len(a) < 2 || a[0] != '-':
			switch {
			case !hasQuery:
				r.query, hasQuery = a, true
			case positional == "s":
				r.rest = append(r.rest, a)
			case positional == "j":
				v, err := jqParse(a)
				if err != nil {
					return "Invalid JSON text passed to --jsonargs"
				}
				r.rest = append(r.rest, v)
			default:
				r.files = append(r.files, a)
			}
		case a == "--":
			r.files = append(r.files, args...)
			args = nil
		case a == "--arg", a == "--argjson", a == "--slurpfile", a == "--rawfile":
			v := take(2)
			if v == nil {
				return a + " takes two parameters (e.g. " + a + " name value)"
			}
			if message := r.variable(a, v[0], v[1]); message != "" {
				return message
			}
		case a == "--args":
			positional = "s"
		case a == "--jsonargs":
			positional = "j"
		case a == "--tab":
			r.indent = "\t"
		case a == "--indent":
			v := take(1)
			if v == nil {
				return "--indent takes one parameter"
			}
			n, err := strconv.Atoi(v[0])
			if err != nil || n < 0 || n > 7 {
				return "Cannot indent more than 7 characters"
			}
			r.indent = strings.Repeat(" ", n)
		case strings.HasPrefix(a, "--"):
			letter, ok := letters[a[2:]]
			if !ok {
				return "Unknown option: " + a
			}
			r.flags[letter] = true
		default:
			for _, l := range strings.Split(a[1:], "") {
				if !strings.Contains("nrjascefMSRC", l) {
					return "Unknown option: " + a
				}
				r.flags[l] = true
			}
		}
		fromFile = r.flags["f"]
	}
	if !hasQuery {
		return "no program"
	}
	if fromFile {
		data, err := r.t.p.ReadFile(r.query)
		if err != nil {
			return "Could not open " + r.query + ": " + message(err)
		}
		r.query = string(data)
	}
	return ""
}

// variable makes a variable of --arg and its like.
func (r *jqRun) variable(how, name, text string) string {
	var v any = text
	if how != "--arg" && how != "--argjson" {
		data, err := r.t.p.ReadFile(text)
		if err != nil {
			return "Bad JSON in " + how + " " + name + " " + text + ": Could not open " + text + ": " + message(err)
		}
		v = string(data)
		if how == "--slurpfile" {
			list := []any{}
			d := jqDecoder(bytes.NewReader(data))
			for {
				var x any
				if err := d.Decode(&x); err == io.EOF {
					break
				} else if err != nil {
					return "Bad JSON in " + how + " " + name + " " + text
				}
				list = append(list, x)
			}
			v = list
		}
	}
	if how == "--argjson" {
		var err error
		if v, err = jqParse(text); err != nil {
			return "Invalid JSON text passed to --argjson"
		}
	}
	if i := slices.Index(r.names, "$"+name); i >= 0 {
		return ""
	}
	r.names, r.values = append(r.names, "$"+name), append(r.values, v)
	r.named[name] = v
	return ""
}

func jqDecoder(in io.Reader) *json.Decoder {
	d := json.NewDecoder(in)
	d.UseNumber()
	return d
}

func jqParse(text string) (any, error) {
	d := jqDecoder(strings.NewReader(text))
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

// jqInputs reads the inputs, one after the other.
type jqInputs struct {
	r       *jqRun
	at      int // of the files; 0 is none yet
	decoder *json.Decoder
	lines   []string
	started bool
	over    bool
	failed  bool
	done    func()
}

func (i *jqInputs) name() any {
	if i.at == 0 || i.at > len(i.r.files) {
		return nil
	}
	return i.r.files[i.at-1]
}

// open opens the next file.
func (i *jqInputs) open() (io.Reader, bool) {
	if i.done != nil {
		i.done()
		i.done = nil
	}
	if len(i.r.files) == 0 && !i.started {
		i.started = true
		return i.r.t.p.Stdin(), true
	}
	for i.started = true; i.at < len(i.r.files); {
		name := i.r.files[i.at]
		i.at++
		in, done, err := i.r.t.open(name)
		if err == nil {
			i.done = done
			return in, true
		}
		_ = i.r.t.out.Flush()
		fmt.Fprintf(i.r.t.p.Stderr(), "jq: error: Could not open %s: %s\n", name, message(err))
		i.failed = true
	}
	return nil, false
}

// Next implements gojq.Iter.
func (i *jqInputs) Next() (any, bool) {
	raw, slurp := i.r.flags["R"], i.r.flags["s"]
	switch {
	case i.over:
		return nil, false
	case slurp && raw:
		i.over = true
		return i.text(), true
	case slurp:
		i.over = true
		list := []any{}
		for {
			v, ok := i.value()
			if !ok {
				return list, true
			}
			if err, bad := v.(error); bad {
				return err, true
			}
			list = append(list, v)
		}
	case raw:
		if i.lines == nil {
			i.lines = slices.Collect(strings.Lines(i.text()))
		}
		if len(i.lines) == 0 {
			i.over = true
			return nil, false
		}
		line := i.lines[0]
		i.lines = i.lines[1:]
		return strings.TrimSuffix(line, "\n"), true
	}
	return i.value()
}

func (i *jqInputs) text() string {
	var b strings.Builder
	for {
		in, ok := i.open()
		if !ok {
			return b.String()
		}
		data, _ := i.r.t.readAll(in)
		b.Write(data)
	}
}

// value reads the next JSON value.
func (i *jqInputs) value() (any, bool) {
	for {
		if i.decoder == nil {
			in, ok := i.open()
			if !ok {
				i.over = true
				return nil, false
			}
			data, _ := i.r.t.readAll(in) // accounts for the memory
			i.decoder = jqDecoder(bytes.NewReader(data))
		}
		var v any
		switch err := i.decoder.Decode(&v); {
		case err == io.EOF:
			i.decoder = nil
		case err != nil:
			i.over = true
			return errors.New("parse error: " + err.Error()), true
		default:
			return v, true
		}
	}
}

// jqWorld accounts for what a jq program does. It is the context of its run: gojq asks a context before every
// instruction whether it is done.
type jqWorld struct {
	p     *container.Process
	steps int
	sizes map[uintptr]int64 // of arrays and objects, by their address
}

// Deadline implements context.Context.
func (w *jqWorld) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context.
func (w *jqWorld) Done() <-chan struct{} {
	if w.steps++; w.steps&7 == 0 {
		w.p.Spend(container.CommandCost)
	}
	return nil
}

// Err implements context.Context.
func (w *jqWorld) Err() error { return nil }

// Value implements context.Context.
func (w *jqWorld) Value(any) any { return nil }

// jqEncoder writes values as jq does.
type jqEncoder struct {
	out    io.Writer
	indent string // empty: all in one line
	ascii  bool
}

func jqText(v any) string {
	var b strings.Builder
	e := jqEncoder{out: &b}
	e.value(v, 0)
	return b.String()
}

// write writes; an error is met again when the buffer is flushed.
func (e *jqEncoder) write(text string) { _, _ = io.WriteString(e.out, text) }

func (e *jqEncoder) line(depth int) {
	if e.indent != "" {
		e.write("\n" + strings.Repeat(e.indent, depth))
	}
}

func (e *jqEncoder) value(v any, depth int) {
	switch v := v.(type) {
	case nil:
		e.write("null")
	case bool:
		e.write(strconv.FormatBool(v))
	case int:
		e.write(strconv.Itoa(v))
	case *big.Int:
		e.write(v.String())
	case json.Number:
		e.write(v.String())
	case float64:
		e.float(v)
	case string:
		e.string(v)
	case []any:
		e.write("[")
		for i, x := range v {
			if i > 0 {
				e.write(",")
			}
			e.line(depth + 1)
			e.value(x, depth+1)
		}
		if len(v) > 0 {
			e.line(depth)
		}
		e.write("]")
	case map[string]any:
		e.write("{")
		for i, key := range sortedKeys(v) {
			if i > 0 {
				e.write(",")
			}
			e.line(depth + 1)
			e.string(key)
			e.write(":")
			if e.indent != "" {
				e.write(" ")
			}
			e.value(v[key], depth+1)
		}
		if len(v) > 0 {
			e.line(depth)
		}
		e.write("}")
	}
}

func (e *jqEncoder) float(f float64) {
	if math.IsNaN(f) {
		e.write("null")
		return
	}
	f = min(max(f, -math.MaxFloat64), math.MaxFloat64)
	text := strconv.FormatFloat(f, 'g', 17, 64)
	if short := strconv.FormatFloat(f, 'g', -1, 64); len(short) < len(text) {
		text = short
	}
	if x := math.Abs(f); x >= 1e-5 && x < 1e17 || x == 0 {
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	e.write(text)
}

func (e *jqEncoder) string(s string) {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r < ' ' || r == 127:
			fmt.Fprintf(&b, `\u%04x`, r)
		case e.ascii && r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		case e.ascii && r > 127:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	b.WriteByte('"')
	e.write(b.String())
}
