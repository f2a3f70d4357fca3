package text

import (
	"errors"
	"io"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// follow prints what is appended to a file, for ever.
func follow(t *kit.Tool, name string) {
	info, err := t.P.Stat(name)
	if err != nil {
		return
	}
	off := info.Size()
	changed := true
	sub := t.P.Watch(func() { changed = true }, name)
	defer sub.Close()
	for {
		data, err := t.P.ReadFile(name)
		if err == nil {
			if int64(len(data)) < off {
				off = 0
			}
			if int64(len(data)) > off {
				t.P.Write(1, data[off:])
				off = int64(len(data))
			}
		}
		changed = false
		if t.P.Block(kit.NoDeadline, func() bool { return changed }) != nil {
			return
		}
	}
}

// Tail is the utility tail.
func Tail(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(oldStyle(args, true), "n:c:qvfFs:", false, nil)
	if !ok {
		return t.End()
	}
	much, ok := amountOf(t, opts, "+")
	if !ok {
		return t.End()
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	var open []string
	var inputs []io.Reader
	for _, name := range names {
		r, _, err := t.Open(name)
		switch {
		case errors.Is(err, kit.ErrDirectory):
			r = nil
		case err != nil && t.GNU:
			t.Complain("cannot open '%s' for reading: %s", name, kit.Message(err))
			continue
		case err != nil:
			t.Complain("can't open '%s': %s", name, kit.Message(err))
			continue
		}
		open, inputs = append(open, name), append(inputs, r)
	}
	several := len(open) > 1
	if t.GNU {
		several = len(names) > 1
	}
	titled := showsTitles(t, several, kit.Has(opts, 'v'))
	for i, name := range open {
		if titled {
			if name == "-" && t.GNU {
				name = "standard input"
			}
			title(t, name, i == 0)
		}
		switch {
		case inputs[i] != nil:
			in := &kit.Checked{Reader: inputs[i]}
			tailOf(t, in, much)
			t.Unread(name, in.Err)
		case t.GNU:
			t.Complain("error reading '%s': Is a directory", name)
		default:
			t.Complain("read error: Is a directory")
		}
	}
	if !kit.Has(opts, 'f') && !kit.Has(opts, 'F') {
		return t.End()
	}
	if len(open) == 0 {
		return t.Fail("no files")
	}
	_ = t.Out.Flush()
	follow(t, open[len(open)-1])
	return t.End()
}

// tailOf prints the end of a file.
func tailOf(t *kit.Tool, r io.Reader, much amount) {
	data, _ := t.ReadAll(r)
	skip := max(0, much.n-1)
	if much.bytes {
		if !much.back {
			skip = max(0, int64(len(data))-much.n)
		}
		t.Out.Write(data[min(int64(len(data)), skip):])
		return
	}
	if much.back {
		t.Out.Write(data[behindLines(data, skip):])
	} else {
		t.Out.Write(data[lastLines(data, much.n):])
	}
}
