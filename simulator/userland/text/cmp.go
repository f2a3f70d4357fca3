package text

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Cmp is the utility cmp.
func Cmp(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	long := map[string]string{}
	if t.GNU {
		long = map[string]string{"silent": "s", "quiet": "s", "verbose": "l", "bytes": "n:"}
	}
	opts, names, ok := t.Options(args, "sln:", false, long)
	if !ok || t.Misused(names, 1, 4) {
		return t.End()
	}
	if kit.Has(opts, 's') && kit.Has(opts, 'l') {
		return t.Usage()
	}
	most := int64(-1)
	var skip [2]int64
	for i, text := range append(names[min(2, len(names)):len(names):len(names)], opts['n']...) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return t.Fail("invalid number '%s'", text)
		}
		if i < len(names)-2 {
			skip[i] = n
		} else {
			most = n
		}
	}
	if len(names) < 2 {
		names = append(names, "-")
	}
	if names[0] == "-" && names[1] == "-" {
		return t.End()
	}
	a, b, ok := both(t, names, kit.Has(opts, 's'))
	if !ok {
		return t.End()
	}
	a, b = a[min(skip[0], int64(len(a))):], b[min(skip[1], int64(len(b))):]
	if most >= 0 {
		a, b = a[:min(most, int64(len(a)))], b[:min(most, int64(len(b)))]
	}
	many := kit.Has(opts, 'l') || kit.Has(opts, 'n') && !t.GNU // BusyBox goes on if there is any option
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		t.Status = 1
		switch {
		case kit.Has(opts, 's'):
		case kit.Has(opts, 'l'):
			fmt.Fprintf(t.Out, "%d %3o %3o\n", i+1, a[i], b[i])
		default:
			fmt.Fprintf(t.Out, "%s %s differ: char %d, line %d\n", names[0], names[1], i+1, 1+bytes.Count(a[:i], []byte("\n")))
		}
		if !many {
			return t.End()
		}
	}
	if len(a) != len(b) {
		short := names[0]
		if len(b) < len(a) {
			short = names[1]
		}
		if !kit.Has(opts, 's') {
			t.Complain("EOF on %s", short)
		}
		t.Status = 1
	}
	return t.End()
}

func both(t *kit.Tool, names []string, silent bool) (a, b []byte, ok bool) {
	for i, name := range names[:2] {
		r, done, err := t.Open(name)
		if err != nil {
			switch t.Status = 2; {
			case errors.Is(err, kit.ErrDirectory) && !t.GNU: // can be opened, and not read
				t.Complain("%s: I/O error", name)
			case !silent:
				t.Failed(name, err)
			}
			t.Status = 2
			return nil, nil, false
		}
		data, err := t.ReadAll(r)
		done()
		if err != nil {
			text := "I/O error"
			if t.GNU {
				text = kit.Message(err)
			}
			t.Complain("%s: %s", name, text)
			t.Status = 2
			return nil, nil, false
		}
		if i == 0 {
			a = data
		} else {
			b = data
		}
	}
	return a, b, true
}
