package utility

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
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

func sleep(p *container.Process, args []string) int {
	t := begin(p, args)
	if len(args) < 2 {
		return t.fail("missing operand")
	}
	var total time.Duration
	for _, a := range args[1:] {
		if a == "infinity" || a == "inf" {
			p.Pause()
			return 0
		}
		d, ok := duration(a)
		if !ok {
			return t.fail("invalid number '%s'", a)
		}
		total += d
	}
	_ = p.Sleep(total)
	return 0
}

func usleep(p *container.Process, args []string) int {
	t := begin(p, args)
	if len(args) < 2 {
		return t.fail("missing operand")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return t.fail("invalid number '%s'", args[1])
	}
	_ = p.Sleep(time.Duration(n) * time.Microsecond)
	return 0
}

// timeout is busybox's, which ends by the signal that it sent; that of GNU ends with exit code 124.
func timeout(p *container.Process, args []string) int {
	t := begin(p, args)
	gnu := t.gnu
	opts, rest, ok := t.options(args, "s:k:", true, nil)
	usage := 1
	if gnu {
		usage = 125
	}
	if !ok || len(rest) == 0 {
		if ok {
			t.complain("missing operand")
		}
		t.status = usage
		return t.end()
	}
	limit, ok := duration(rest[0])
	if !ok {
		t.complain("invalid number '%s'", rest[0])
		t.status = usage
		return t.end()
	}
	if len(rest) < 2 {
		t.complain("missing operand")
		t.status = usage
		return t.end()
	}
	sig := container.SIGTERM
	if has(opts, 's') {
		if sig, ok = container.ParseSignal(last(opts, 's')); !ok {
			t.complain("bad signal name '%s'", last(opts, 's'))
			t.status = usage
			return t.end()
		}
	}
	child, err := p.Spawn(container.Command{Path: rest[1], Args: rest[1:]})
	if err != nil {
		t.complain("can't execute '%s': %s", rest[1], message(err))
		t.status = 127
		return t.end()
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
			if expired && gnu && !has(opts, 'P') && st.Signal != container.SIGKILL {
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
				deadline = noDeadline
				continue
			}
			expired = true
			_ = p.Kill(child.PID(), sig)
			deadline = noDeadline
			if has(opts, 'k') {
				if after, ok := duration(last(opts, 'k')); ok {
					deadline = p.Now().Add(after)
				}
			}
		default:
			for s, ok := p.TakeSignal(); ok; s, ok = p.TakeSignal() {
				_ = p.Kill(child.PID(), s)
			}
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func env(p *container.Process, args []string) int {
	t := begin(p, args)
	environment := slices.Clone(p.Env)
	rest := args[1:]
	unset := func(name string) {
		environment = slices.DeleteFunc(environment, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
	}
	for len(rest) > 0 && len(rest[0]) > 0 && rest[0][0] == '-' {
		a := rest[0]
		rest = rest[1:]
		if a == "--" {
			break
		}
		switch {
		case a == "-" || a == "-i" || a == "--ignore-environment":
			environment = nil
		case a == "-u" && len(rest) > 0:
			unset(rest[0])
			rest = rest[1:]
		case strings.HasPrefix(a, "-u"):
			unset(a[2:])
		case a == "-S" && len(rest) > 0:
			rest = append(shellWords(rest[0]), rest[1:]...)
		case strings.HasPrefix(a, "-S"):
			rest = append(shellWords(a[2:]), rest...)
		case a == "-0":
		default:
			t.complain("invalid option -- '%s'", strings.TrimLeft(a, "-"))
			t.status = 125
			return t.end()
		}
	}
	for len(rest) > 0 && strings.Contains(rest[0], "=") {
		name, _, _ := strings.Cut(rest[0], "=")
		unset(name)
		environment = append(environment, rest[0])
		rest = rest[1:]
	}
	if len(rest) == 0 {
		for _, kv := range environment {
			t.out.WriteString(kv + "\n")
		}
		return t.end()
	}
	p.Env = environment
	err := p.Exec(rest, environment)
	t.complain("can't execute '%s': %s", rest[0], message(err))
	t.status = 126
	if message(err) == "No such file or directory" {
		t.status = 127
	}
	return t.end()
}

func printenv(p *container.Process, args []string) int {
	t := begin(p, args)
	if len(args) == 1 {
		for _, kv := range p.Env {
			t.out.WriteString(kv + "\n")
		}
		return t.end()
	}
	for _, name := range args[1:] {
		if v, ok := p.LookupEnv(name); ok {
			t.out.WriteString(v + "\n")
		} else {
			t.status = 1
		}
	}
	return t.end()
}

func id(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, _, ok := t.options(args, "ugnrG", false, nil)
	if !ok {
		return t.end()
	}
	named := has(opts, 'n')
	groups := []uint32{p.GID}
	for _, g := range p.Groups {
		if !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	switch {
	case has(opts, 'u'):
		t.out.WriteString(t.user(p.UID, !named) + "\n")
	case has(opts, 'g'):
		t.out.WriteString(t.group(p.GID, !named) + "\n")
	case has(opts, 'G') || t.name == "groups":
		names := make([]string, len(groups))
		for i, g := range groups {
			names[i] = t.group(g, !named && t.name != "groups")
		}
		t.out.WriteString(strings.Join(names, " ") + "\n")
	default:
		c := p.Container()
		describe := func(n uint32, name string, known bool) string {
			if known {
				return fmt.Sprintf("%d(%s)", n, name)
			}
			return strconv.FormatUint(uint64(n), 10)
		}
		user, known := c.UserName(p.UID)
		t.out.WriteString("uid=" + describe(p.UID, user, known))
		for i, g := range groups {
			name, known := c.GroupName(g)
			switch i {
			case 0:
				t.out.WriteString(" gid=" + describe(g, name, known) + " groups=" + describe(g, name, known))
			default:
				t.out.WriteString("," + describe(g, name, known))
			}
		}
		t.out.WriteByte('\n')
	}
	return t.end()
}

func whoami(p *container.Process, args []string) int {
	t := begin(p, args)
	name, ok := p.Container().UserName(p.UID)
	if !ok {
		return t.fail("unknown uid %d", p.UID)
	}
	t.out.WriteString(name + "\n")
	return t.end()
}

func hostname(p *container.Process, args []string) int {
	fmt.Fprintln(p.Stdout(), p.Container().Hostname())
	return 0
}

func uname(p *container.Process, args []string) int {
	t := begin(p, args)
	if t.name == "arch" {
		args = []string{"arch", "-m"}
	}
	opts, _, ok := t.options(args, "asnrvmpio", false, nil)
	if !ok {
		return t.end()
	}
	if len(opts) == 0 {
		opts['s'] = []string{""}
	}
	machine := "x86_64"
	if _, arch, _ := strings.Cut(p.Container().Platform(), "/"); strings.HasPrefix(arch, "arm64") {
		machine = "aarch64"
	} else if arch != "amd64" && arch != "" {
		machine, _, _ = strings.Cut(arch, "/")
	}
	var parts []string
	for _, x := range []struct {
		letter byte
		text   string
	}{{'s', "Linux"}, {'n', p.Container().Hostname()}, {'r', "6.1.0"}, {'v', "#1 SMP"}, {'m', machine}, {'o', "GNU/Linux"}} {
		if has(opts, x.letter) || has(opts, 'a') {
			parts = append(parts, x.text)
		}
	}
	t.out.WriteString(strings.Join(parts, " ") + "\n")
	return t.end()
}

func pwd(p *container.Process, args []string) int {
	fmt.Fprintln(p.Stdout(), p.Dir)
	return 0
}

func nproc(p *container.Process, args []string) int {
	fmt.Fprintln(p.Stdout(), 2)
	return 0
}

func tty(p *container.Process, args []string) int {
	fmt.Fprintln(p.Stdout(), "not a tty")
	return 1
}

func which(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "a", false, nil)
	_ = opts
	if !ok {
		return t.end()
	}
	for _, name := range names {
		found, err := p.LookPath(name)
		if err != nil {
			t.status = 1
			continue
		}
		t.out.WriteString(found + "\n")
	}
	return t.end()
}

func ps(p *container.Process, args []string) int {
	t := begin(p, args)
	t.out.WriteString("PID   USER     TIME  COMMAND\n")
	for _, q := range p.Container().List() {
		fmt.Fprintf(t.out, "%5d %-8s  0:00 %s\n", q.PID, t.user(q.UID, false), strings.Join(q.Args, " "))
	}
	return t.end()
}

func pidof(p *container.Process, args []string) int {
	t := begin(p, args)
	t.status = 1
	var pids []string
	for _, q := range p.Container().List() {
		if len(q.Args) > 0 && q.PID != p.PID() && len(args) > 1 && (base(q.Args[0]) == args[len(args)-1] || t.name == "pgrep" && strings.Contains(base(q.Args[0]), args[len(args)-1])) {
			pids = append(pids, strconv.Itoa(q.PID))
		}
	}
	if len(pids) == 0 {
		return 1
	}
	t.status = 0
	sep := " "
	if t.name == "pgrep" {
		sep = "\n"
	}
	t.out.WriteString(strings.Join(pids, sep) + "\n")
	return t.end()
}

func kill(p *container.Process, args []string) int {
	t := begin(p, args)
	sig := container.SIGTERM
	rest := args[1:]
	if len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' && rest[0] != "--" {
		name := rest[0][1:]
		rest = rest[1:]
		if name == "s" && len(rest) > 0 {
			name, rest = rest[0], rest[1:]
		}
		var ok bool
		if sig, ok = container.ParseSignal(name); !ok {
			return t.fail("bad signal name '%s'", name)
		}
	}
	if len(rest) == 0 {
		return t.fail("you need to specify whom to kill")
	}
	for _, text := range rest {
		if text == "--" {
			continue
		}
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.complain("invalid number '%s'", text)
			continue
		}
		if err := p.Kill(pid, sig); err != nil {
			t.complain("can't kill pid %d: %s", pid, message(err))
		}
	}
	return t.end()
}

func seq(p *container.Process, args []string) int {
	t := begin(p, args)
	separator, pad, format := "\n", false, ""
	rest := args[1:]
	for len(rest) > 1 && len(rest[0]) > 1 && rest[0][0] == '-' && !digit(rest[0][1]) && rest[0][1] != '.' {
		switch {
		case rest[0] == "-w":
			pad = true
			rest = rest[1:]
		case rest[0] == "-s":
			separator, _ = Escapes(rest[1], FormatString)
			rest = rest[2:]
		case rest[0] == "-f":
			format = rest[1]
			rest = rest[2:]
		case strings.HasPrefix(rest[0], "-s"):
			separator = rest[0][2:]
			rest = rest[1:]
		default:
			return t.fail("invalid option -- '%s'", rest[0][1:])
		}
	}
	if len(rest) == 0 || len(rest) > 3 {
		return t.fail("missing operand")
	}
	nums := make([]float64, len(rest))
	decimals := 0
	for i, text := range rest {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return t.fail("invalid number '%s'", text)
		}
		nums[i] = n
		if _, frac, ok := strings.Cut(text, "."); ok && (i < 2 || len(rest) < 3) {
			decimals = max(decimals, len(frac))
		}
	}
	first, step, end := 1.0, 1.0, nums[len(nums)-1]
	if len(nums) > 1 {
		first = nums[0]
	}
	if len(nums) > 2 {
		step = nums[1]
	}
	if step == 0 {
		return t.fail("increment is zero")
	}
	width := 0
	if pad {
		for _, text := range rest {
			width = max(width, len(text))
		}
	}
	for i := 0; ; i++ {
		p.Work(1)
		n := first + float64(i)*step
		if step > 0 && n > end+1e-9 || step < 0 && n < end-1e-9 {
			if i > 0 {
				t.out.WriteByte('\n')
			}
			return t.end()
		}
		if i > 0 {
			t.out.WriteString(separator)
		}
		if format != "" {
			f := formatter{p: p, args: []string{strconv.FormatFloat(n, 'f', decimals, 64)}, complain: func(string) {}}
			f.all(format)
			t.out.Write(f.out)
			f.release()
		} else {
			fmt.Fprintf(t.out, "%0*.*f", width, decimals, n)
		}
	}
}
