package processes

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/formatting"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// xargsRun is an xargs at work.
type xargsRun struct {
	t       *kit.Tool
	command []string
	replace string // what each item stands for in the command; empty if the items are appended
	most    int    // items for a command
	lines   int    // lines for a command, in place of items; 0 if they do not count
	room    int    // bytes for the items of a command, each with its end
	trace   bool
	status  int
}

// Xargs is the utility xargs.
func Xargs(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, rest, ok := t.Options(xargsOptional(args), "0rtn:I:P:pxs:E:a:", true, map[string]string{"no-run-if-empty": "r"})
	if !ok {
		return t.End()
	}
	x := xargsRun{t: t, command: rest, replace: kit.Last(opts, 'I'), trace: kit.Has(opts, 't')}
	if len(rest) == 0 {
		x.command = []string{"echo"}
	}
	if x.most, ok = t.Within(opts, 'n', math.MaxInt32, 1, math.MaxInt32); !ok {
		return t.End()
	}
	if x.room, ok = t.Within(opts, 's', 32<<10, 1, math.MaxInt32); !ok {
		return t.End()
	}
	if kit.Has(opts, 's') || !t.GNU {
		for _, a := range x.command {
			x.room -= len(a) + 1
		}
		if x.room <= 0 {
			return t.Fail("can't fit single argument within argument list size limit")
		}
	} else {
		x.room = math.MaxInt32
	}
	if kit.Has(opts, 'L') {
		x.lines = max(1, kit.Atoi(kit.Last(opts, 'L')))
	}
	if kit.Has(opts, 'p') {
		return t.Fail("can't open '/dev/tty': No such device or address")
	}
	in := "-"
	if kit.Has(opts, 'a') {
		in = kit.Last(opts, 'a')
	}
	r, done, err := t.Open(in)
	if err != nil {
		return t.Fail("can't open '%s': %s", in, kit.Message(err))
	}
	data, _ := t.ReadAll(r)
	done()
	input := x.items(string(data), opts)
	if len(input.items) > 0 || input.problem != "" || !kit.Has(opts, 'r') && x.replace == "" {
		x.all(input)
	}
	t.Status = x.status
	return t.End()
}

// xargsOptional rewrites the options whose value may be missing, which is attached: -i is -I{}, and -e is nothing.
func xargsOptional(args []string) []string {
	out := []string{args[0]}
	for i := 1; i < len(args); i++ {
		a := args[i]
		switch {
		case !strings.HasPrefix(a, "-") || a == "--":
			return append(out, args[i:]...)
		case a == "-i":
			a = "-I{}"
		case strings.HasPrefix(a, "-i"):
			a = "-I" + a[2:]
		case a == "-e":
			continue
		case strings.HasPrefix(a, "-e"):
			a = "-E" + a[2:]
		}
		out = append(out, a)
		if len(a) == 2 && strings.IndexByte("nIPsEaLd", a[1]) >= 0 && i+1 < len(args) {
			i++
			out = append(out, args[i])
		}
	}
	return out
}

// xargsInput is what xargs has read.
type xargsInput struct {
	items   []string
	lines   []int  // how many items there are up to the end of each line, where lines count
	problem string // what is wrong behind the items
}

// items splits the input.
func (x *xargsRun) items(text string, opts map[byte][]string) xargsInput {
	var items []string
	switch {
	case kit.Has(opts, '0'):
		items = strings.Split(text, "\x00")
	case kit.Has(opts, 'd'):
		separator, _ := formatting.Escapes(kit.Last(opts, 'd'), formatting.FormatString)
		items = strings.Split(text, separator)
	case x.replace != "" && !x.t.GNU:
		for line := range strings.SplitSeq(strings.ReplaceAll(text, "\x00", "\n"), "\n") {
			if line = strings.TrimLeft(line, " \t"); line != "" {
				items = append(items, line)
			}
		}
		return xargsInput{items: items}
	default:
		return x.words(text, kit.Last(opts, 'E'))
	}
	if n := len(items); items[n-1] == "" {
		items = items[:n-1]
	}
	return xargsInput{items: items}
}

// separates reports whether a character ends an item outside of quotes. With -I, a line is one item.
func (x *xargsRun) separates(c byte, begun bool) bool {
	blank := isBlank(c) || !x.t.GNU && kit.IsSpace(c)
	return c == '\n' || blank && (x.replace == "" || !begun)
}

// words splits at white space, with quotes and backslashes, until a word that is the end.
func (x *xargsRun) words(text, end string) (in xargsInput) {
	var b strings.Builder
	inWord := false
	quote := byte(0)
	for i := 0; i <= len(text); i++ {
		c := byte('\n')
		if i < len(text) {
			c = text[i]
		}
		switch {
		case quote != 0 && (i == len(text) || c == '\n' && x.t.GNU):
			in.problem = "unmatched " + map[byte]string{'\'': "single", '"': "double"}[quote] + " quote"
			if x.t.GNU {
				in.problem += "; by default quotes are special to xargs unless you use the -0 option"
			}
			return in
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				b.WriteByte(c)
			}
		case c == '\'' || c == '"':
			quote = c
			inWord = inWord || x.t.GNU
		case c == '\\' && i < len(text):
			if i+1 < len(text) {
				i++
				inWord = true
				b.WriteByte(text[i])
			}
		case x.separates(c, inWord || b.Len() > 0):
			word, _, _ := strings.Cut(b.String(), "\x00")
			if inWord || b.Len() > 0 {
				if end != "" && word == end {
					return in
				}
				in.items = append(in.items, word)
			}
			if n := len(in.items); c == '\n' && (i == 0 || !isBlank(text[i-1])) && (len(in.lines) == 0 && n > 0 || len(in.lines) > 0 && in.lines[len(in.lines)-1] < n) {
				in.lines = append(in.lines, n)
			}
			b.Reset()
			inWord = false
		default:
			inWord = true
			b.WriteByte(c)
		}
	}
	return in
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// all runs the command for all items. Where something is wrong behind them, BusyBox leaves the last command out unless
// it could not take more, and GNU's xargs runs it.
func (x *xargsRun) all(in xargsInput) {
	items := in.items
	if x.replace != "" {
		for _, item := range items {
			argv := make([]string, len(x.command))
			for i, a := range x.command {
				argv[i] = strings.ReplaceAll(a, x.replace, item)
			}
			if !x.run(argv) {
				return
			}
		}
		x.refuse(in.problem)
		return
	}
	done := 0
	for first := true; first && in.problem == "" || done < len(items); first = false {
		n, size := done, 0
		most := x.end(done, in)
		for n < most && size+len(items[n])+1 <= x.room {
			size += len(items[n]) + 1
			n++
		}
		if n == done && n < len(items) {
			x.t.Complain("argument line too long")
			x.status = 1
			return
		}
		if in.problem != "" && !x.t.GNU && n == len(items) && n < done+x.most {
			break
		}
		if !x.run(append(append([]string{}, x.command...), items[done:n]...)) {
			return
		}
		done = n
	}
	x.refuse(in.problem)
}

// end returns up to which item a command goes that begins at one.
func (x *xargsRun) end(from int, in xargsInput) int {
	if x.lines == 0 {
		return min(len(in.items), from+min(x.most, len(in.items)))
	}
	at, _ := slices.BinarySearch(in.lines, from+1)
	if at += x.lines - 1; at < len(in.lines) {
		return in.lines[at]
	}
	return len(in.items)
}

// refuse fails for what is wrong with the input.
func (x *xargsRun) refuse(problem string) {
	if problem == "" {
		return
	}
	x.t.Complain("%s", problem)
	if x.status == 0 || !x.t.GNU {
		x.status = 1
	}
}

// run runs a command. It reports whether to go on.
func (x *xargsRun) run(argv []string) bool {
	t := x.t
	_ = t.Out.Flush()
	if x.trace {
		fmt.Fprintln(t.P.Stderr(), strings.Join(argv, " "))
	}
	child, err := t.P.Spawn(container.Command{Path: argv[0], Args: argv, Stdin: -1})
	if err != nil {
		t.Failed(argv[0], err)
		if x.status = 126; kit.Message(err) == "No such file or directory" {
			x.status = 127
		}
		return false
	}
	st, err := t.P.Wait(child, kit.NoDeadline)
	switch {
	case err != nil:
		x.status = 1
		return false
	case st.Signal != 0:
		t.Complain("'%s' terminated by signal %d", argv[0], st.Signal)
		x.status = 125
		return false
	case st.Code == 255:
		t.Complain("%s: exited with status 255; aborting", argv[0])
		x.status = 124
		return false
	case st.Code != 0:
		x.status = 123
	}
	return true
}
