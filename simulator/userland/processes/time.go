package processes

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// duration reads a time as sleep does: a number, with fractions, and s, m, h or d.
func duration(text string) (time.Duration, bool) {
	unit := time.Second
	if text == "" {
		return 0, false
	}
	switch text[len(text)-1] {
	case 's':
		text = text[:len(text)-1]
	case 'm':
		unit, text = time.Minute, text[:len(text)-1]
	case 'h':
		unit, text = time.Hour, text[:len(text)-1]
	case 'd':
		unit, text = 24*time.Hour, text[:len(text)-1]
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || strings.ContainsAny(text, "xXpP_") {
		return 0, false
	}
	const most = 100 * 365 * 24 * time.Hour
	if n*float64(unit) > float64(most) {
		return most, true
	}
	return time.Duration(n * float64(unit)), true
}

// Sleep is the utility sleep.
func Sleep(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	if len(args) > 1 && args[1] == "--" {
		args = args[1:]
	}
	if t.Misused(args[1:], 1, -1) {
		return t.End()
	}
	var total time.Duration
	for _, a := range args[1:] {
		if a == "infinity" || a == "inf" {
			p.Pause()
			return 0
		}
		d, ok := duration(a)
		if !ok {
			return t.Fail("invalid number '%s'", a)
		}
		total += d
	}
	_ = p.Sleep(total)
	return 0
}

// Usleep is the utility usleep.
func Usleep(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	if t.Misused(args[1:], 1, 1) {
		return t.End()
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return t.Fail("invalid number '%s'", args[1])
	}
	_ = p.Sleep(time.Duration(n) * time.Microsecond)
	return 0
}

// Timeout is busybox's, which ends by the signal that it sent; that of GNU ends with exit code 124.
func Timeout(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	gnu := t.GNU
	opts, rest, ok := t.Options(args, "s:k:", true, nil)
	if !ok || t.Misused(rest, 2, -1) {
		return t.End()
	}
	usage := kit.WrongCall(t.Name, gnu)
	limit, ok := duration(rest[0])
	if !ok {
		t.Complain("invalid number '%s'", rest[0])
		t.Status = usage
		return t.End()
	}
	sig := container.SIGTERM
	if kit.Has(opts, 's') {
		if sig, ok = container.ParseSignal(kit.Last(opts, 's')); !ok {
			t.Complain("bad signal name '%s'", kit.Last(opts, 's'))
			t.Status = usage
			return t.End()
		}
	}
	var after time.Duration
	if kit.Has(opts, 'k') {
		var ok bool
		if after, ok = duration(kit.Last(opts, 'k')); !ok {
			t.Complain("invalid number '%s'", kit.Last(opts, 'k'))
			t.Status = usage
			return t.End()
		}
	}
	child, err := p.Spawn(container.Command{Path: rest[1], Args: rest[1:]})
	if err != nil {
		t.Complain("can't execute '%s': %s", rest[1], kit.Message(err))
		if t.Status = 126; kit.Message(err) == "No such file or directory" {
			t.Status = 127
		}
		return t.End()
	}
	var deadline time.Time
	if limit > 0 {
		deadline = p.Now().Add(limit)
	}
	for _, s := range []container.Signal{container.SIGTERM, container.SIGINT, container.SIGHUP, container.SIGQUIT} {
		p.Handle(s)
	}
	expired := false
	for {
		st, err := p.Wait(child, deadline)
		switch {
		case err == nil:
			if expired && gnu && !kit.Has(opts, 'P') && st.Signal != container.SIGKILL {
				return 124
			}
			if expired && !gnu && st.Signal == sig { // it ends as the command did
				p.Default(sig)
				_ = p.Kill(p.PID(), sig)
			}
			return st.Code
		case errors.Is(err, container.ErrTimeout):
			if expired {
				_ = p.Kill(child.PID(), container.SIGKILL)
				deadline = kit.NoDeadline
				continue
			}
			expired = true
			_ = p.Kill(child.PID(), sig)
			deadline = kit.NoDeadline
			if kit.Has(opts, 'k') {
				deadline = p.Now().Add(after)
			}
		default:
			for s, ok := p.TakeSignal(); ok; s, ok = p.TakeSignal() {
				_ = p.Kill(child.PID(), s)
			}
		}
	}
}
