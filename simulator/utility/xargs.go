package utility

import (
	"fmt"
	"math"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// xargsRun is an xargs at work.
type xargsRun struct {
	t       *tool
	command []string
	replace string // what each item stands for in the command; empty if the items are appended
	most    int    // items for a command
	room    int    // bytes for the items of a command, each with its end
	trace   bool
	status  int
}

func xargs(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, rest, ok := t.options(xargsOptional(args), "0rtn:I:P:pxs:E:a:", true, map[string]string{"no-run-if-empty": "r"})
	if !ok {
		return t.end()
	}
	x := xargsRun{t: t, command: rest, replace: last(opts, 'I'), trace: has(opts, 't')}
	if len(rest) == 0 {
		x.command = []string{"echo"}
	}
	if x.most, ok = t.within(opts, 'n', math.MaxInt32, 1, math.MaxInt32); !ok {
		return t.end()
	}
	if x.room, ok = t.within(opts, 's', 32<<10, 1, math.MaxInt32); !ok {
		return t.end()
	}
	if has(opts, 's') || !t.gnu {
		for _, a := range x.command {
			x.room -= len(a) + 1
		}
		if x.room <= 0 {
			return t.fail("can't fit single argument within argument list size limit")
		}
	} else {
		x.room = math.MaxInt32
	}
	if has(opts, 'L') {
		x.most = max(1, atoi(last(opts, 'L')))
	}
	if has(opts, 'p') {
		return t.fail("can't open '/dev/tty': No such device or address")
	}
	in := "-"
	if has(opts, 'a') {
		in = last(opts, 'a')
	}
	r, done, err := t.open(in)
	if err != nil {
		return t.fail("can't open '%s': %s", in, message(err))
	}
	data, _ := t.readAll(r)
	done()
	items, problem := x.items(string(data), opts)
	if len(items) > 0 || !has(opts, 'r') && x.replace == "" && problem == "" {
		x.all(items)
	}
	if problem != "" && x.status == 0 {
		return t.fail("%s", problem)
	}
	t.status = x.status
	return t.end()
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

// items splits the input. It returns what is wrong with it, behind the items before.
func (x *xargsRun) items(text string, opts map[byte][]string) (items []string, problem string) {
	switch {
	case has(opts, '0'):
		items = strings.Split(text, "\x00")
	case has(opts, 'd'):
		separator, _ := Escapes(last(opts, 'd'), FormatString)
		items = strings.Split(text, separator)
	case x.replace != "":
		if !x.t.gnu {
			text = strings.ReplaceAll(text, "\x00", "\n")
		}
		for line := range strings.SplitSeq(text, "\n") {
			if line = strings.TrimLeft(line, " \t"); line != "" {
				items = append(items, line)
			}
		}
		return items, ""
	default:
		items, problem = x.words(text, last(opts, 'E'))
		return items, problem
	}
	if n := len(items); items[n-1] == "" {
		items = items[:n-1]
	}
	return items, ""
}

// words splits at white space, with quotes and backslashes, until a word that is the end.
func (x *xargsRun) words(text, end string) (items []string, problem string) {
	var b strings.Builder
	inWord := false
	quote := byte(0)
	for i := 0; i <= len(text); i++ {
		c := byte('\n')
		if i < len(text) {
			c = text[i]
		}
		switch {
		case i == len(text) && quote != 0:
			return items, "unmatched " + map[byte]string{'\'': "single", '"': "double"}[quote] + " quote"
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				b.WriteByte(c)
			}
		case c == '\'' || c == '"':
			quote = c
			inWord = inWord || x.t.gnu
		case c == '\\' && i+1 < len(text):
			inWord = true
			i++
			b.WriteByte(text[i])
		case isSpace(c):
			word, _, _ := strings.Cut(b.String(), "\x00")
			if inWord || b.Len() > 0 {
				if end != "" && word == end {
					return items, ""
				}
				items = append(items, word)
			}
			b.Reset()
			inWord = false
		default:
			inWord = true
			b.WriteByte(c)
		}
	}
	return items, ""
}

// all runs the command for all items.
func (x *xargsRun) all(items []string) {
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
		return
	}
	for first := true; first || len(items) > 0; first = false {
		n, size := 0, 0
		for n < len(items) && n < x.most && size+len(items[n])+1 <= x.room {
			size += len(items[n]) + 1
			n++
		}
		if n == 0 && len(items) > 0 {
			x.t.complain("argument line too long")
			x.status = 1
			return
		}
		if !x.run(append(append([]string{}, x.command...), items[:n]...)) {
			return
		}
		items = items[n:]
	}
}

// run runs a command. It reports whether to go on.
func (x *xargsRun) run(argv []string) bool {
	t := x.t
	_ = t.out.Flush()
	if x.trace {
		fmt.Fprintln(t.p.Stderr(), strings.Join(argv, " "))
	}
	child, err := t.p.Spawn(container.Command{Path: argv[0], Args: argv, Stdin: -1})
	if err != nil {
		t.failed(argv[0], err)
		if x.status = 126; message(err) == "No such file or directory" {
			x.status = 127
		}
		return false
	}
	st, err := t.p.Wait(child, noDeadline)
	switch {
	case err != nil:
		x.status = 1
		return false
	case st.Signal != 0:
		t.complain("'%s' terminated by signal %d", argv[0], st.Signal)
		x.status = 125
		return false
	case st.Code == 255:
		t.complain("%s: exited with status 255; aborting", argv[0])
		x.status = 124
		return false
	case st.Code != 0:
		x.status = 123
	}
	return true
}
