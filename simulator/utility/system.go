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
	if len(args) > 1 && args[1] == "--" {
		args = args[1:]
	}
	if t.misused(args[1:], 1, -1) {
		return t.end()
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
	if t.misused(args[1:], 1, 1) {
		return t.end()
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
	if !ok || t.misused(rest, 2, -1) {
		return t.end()
	}
	usage := wrongCall(t.name, gnu)
	limit, ok := duration(rest[0])
	if !ok {
		t.complain("invalid number '%s'", rest[0])
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
	var after time.Duration
	if has(opts, 'k') {
		var ok bool
		if after, ok = duration(last(opts, 'k')); !ok {
			t.complain("invalid number '%s'", last(opts, 'k'))
			t.status = usage
			return t.end()
		}
	}
	child, err := p.Spawn(container.Command{Path: rest[1], Args: rest[1:]})
	if err != nil {
		t.complain("can't execute '%s': %s", rest[1], message(err))
		if t.status = 126; message(err) == "No such file or directory" {
			t.status = 127
		}
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
				deadline = p.Now().Add(after)
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
	if t.gnu {
		args = splitString(args)
	}
	opts, rest, ok := t.options(args, "iu:0", true, map[string]string{"ignore-environment": "i", "unset": "u:", "null": "0"})
	if !ok {
		return t.end()
	}
	if len(rest) > 0 && rest[0] == "-" {
		opts['i'], rest = []string{""}, rest[1:]
	}
	unset := func(name string) {
		environment = slices.DeleteFunc(environment, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
	}
	if has(opts, 'i') {
		environment = nil
	}
	for _, name := range opts['u'] {
		unset(name)
	}
	for len(rest) > 0 && strings.Contains(rest[0], "=") {
		name, _, _ := strings.Cut(rest[0], "=")
		unset(name)
		environment = append(environment, rest[0])
		rest = rest[1:]
	}
	if dir := last(opts, 'C'); has(opts, 'C') {
		if len(rest) == 0 {
			t.complain("must specify command with --chdir (-C)")
			return t.usage()
		}
		if err := p.Chdir(dir); err != nil {
			t.complain("cannot change directory to '%s': %s", dir, message(err))
			t.status = 125
			return t.end()
		}
	}
	if len(rest) == 0 {
		end := "\n"
		if has(opts, '0') {
			end = "\x00"
		}
		for _, kv := range environment {
			t.out.WriteString(kv + end)
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

// splitString replaces the option -S of GNU's env by the words of its value.
func splitString(args []string) []string {
	for i := 1; i < len(args); i++ {
		a := args[i]
		var value string
		attached := true
		switch {
		case strings.HasPrefix(a, "--split-string="):
			value = strings.TrimPrefix(a, "--split-string=")
		case strings.HasPrefix(a, "--") || !strings.HasPrefix(a, "-"):
			if !strings.HasPrefix(a, "-") || a == "--" {
				return args
			}
			continue
		case strings.HasPrefix(strings.TrimLeft(a[1:], "i0v"), "S"):
			before, after, _ := strings.Cut(a, "S")
			value, attached = after, after != ""
			if before != "-" {
				args = slices.Insert(slices.Clone(args), i, before)
				i++
			}
		case a == "-u" || a == "-C":
			i++
			continue
		default:
			continue
		}
		rest := args[i+1:]
		if !attached {
			if len(rest) == 0 {
				return args
			}
			value, rest = rest[0], rest[1:]
		}
		return slices.Concat(args[:i], shellWords(value), rest)
	}
	return args
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
	letters, most := "gnruG", 1
	if t.name == "groups" {
		letters = ""
	}
	opts, names, ok := t.options(args, letters, false, nil)
	if !ok || t.misused(names, 0, most) {
		return t.end()
	}
	if len(opts) > 1+btoi(has(opts, 'n'))+btoi(has(opts, 'r')) || (has(opts, 'n') || has(opts, 'r')) && !has(opts, 'u') && !has(opts, 'g') && !has(opts, 'G') {
		return t.usage()
	}
	who := account{uid: p.UID, groups: []uint32{p.GID}}
	for _, g := range p.Groups {
		if !slices.Contains(who.groups, g) {
			who.groups = append(who.groups, g)
		}
	}
	if len(names) > 0 {
		if who, ok = t.account(names[0]); !ok {
			return t.fail("unknown user %s", names[0])
		}
	}
	named := has(opts, 'n') || t.name == "groups"
	switch {
	case has(opts, 'u'):
		t.out.WriteString(t.user(who.uid, !named) + "\n")
	case has(opts, 'g'):
		t.out.WriteString(t.group(who.groups[0], !named) + "\n")
	case has(opts, 'G') || t.name == "groups":
		all := make([]string, len(who.groups))
		for i, g := range who.groups {
			all[i] = t.group(g, !named)
		}
		t.out.WriteString(strings.Join(all, " ") + "\n")
	default:
		t.out.WriteString(t.identity(who) + "\n")
	}
	return t.end()
}

// account is a user with its groups, the own one first.
type account struct {
	uid    uint32
	groups []uint32
}

// account finds a user by its name.
func (t *tool) account(name string) (account, bool) {
	c := t.p.Container()
	uid, ok := c.UserID(name)
	gid, _ := c.UserGroup(name)
	who := account{uid: uid, groups: []uint32{gid}}
	for _, g := range c.GroupsOf(name) {
		if !slices.Contains(who.groups, g) {
			who.groups = append(who.groups, g)
		}
	}
	return who, ok
}

// identity is the line that id prints.
func (t *tool) identity(who account) string {
	c := t.p.Container()
	describe := func(n uint32, name string, known bool) string {
		if known {
			return fmt.Sprintf("%d(%s)", n, name)
		}
		return strconv.FormatUint(uint64(n), 10)
	}
	user, known := c.UserName(who.uid)
	out := "uid=" + describe(who.uid, user, known)
	for i, g := range who.groups {
		name, known := c.GroupName(g)
		group := describe(g, name, known)
		if i == 0 {
			out += " gid=" + group + " groups=" + group
		} else {
			out += "," + group
		}
	}
	return out
}

func whoami(p *container.Process, args []string) int {
	t := begin(p, args)
	if t.misused(args[1:], 0, 0) {
		return t.end()
	}
	name, ok := p.Container().UserName(p.UID)
	if !ok {
		return t.fail("unknown uid %d", p.UID)
	}
	t.out.WriteString(name + "\n")
	return t.end()
}

func hostname(p *container.Process, args []string) int {
	t := begin(p, args)
	var long map[string]string
	if t.gnu {
		long = map[string]string{"short": "s", "fqdn": "f", "long": "f", "domain": "d", "ip-address": "i", "file": "F:"}
	}
	opts, names, ok := t.options(args, "dfisvF:", false, long)
	if !ok || t.misused(names, 0, 1) {
		return t.end()
	}
	name := p.Container().Hostname()
	short, domain, _ := strings.Cut(name, ".")
	switch {
	case len(names) > 0 || has(opts, 'F'):
		return t.fail("sethostname: Operation not permitted")
	case has(opts, 's'):
		name = short
	case has(opts, 'd'):
		name = domain
	case has(opts, 'i'):
		name = "127.0.0.1"
	}
	if name != "" || !has(opts, 'd') {
		t.out.WriteString(name + "\n")
	}
	return t.end()
}

func uname(p *container.Process, args []string) int {
	t := begin(p, args)
	if t.name == "arch" {
		args = []string{"arch", "-m"}
	}
	opts, names, ok := t.options(args, "aimnoprsv", false, map[string]string{"all": "a", "kernel-name": "s", "nodename": "n", "kernel-release": "r",
		"kernel-version": "v", "machine": "m", "processor": "p", "operating-system": "o"})
	if !ok || t.misused(names, 0, 0) {
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
	}{{'s', "Linux"}, {'n', p.Container().Hostname()}, {'r', "6.1.0"}, {'v', "#1 SMP"}, {'m', machine}, {'p', "unknown"}, {'i', "unknown"}, {'o', "GNU/Linux"}} {
		if has(opts, x.letter) || has(opts, 'a') && x.text != "unknown" {
			parts = append(parts, x.text)
		}
	}
	t.out.WriteString(strings.Join(parts, " ") + "\n")
	return t.end()
}

func pwd(p *container.Process, args []string) int {
	t := begin(p, args)
	if _, _, ok := t.options(args, "LP", false, map[string]string{"logical": "L", "physical": "P"}); ok {
		t.out.WriteString(p.Dir + "\n")
	}
	return t.end()
}

func nproc(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "", false, map[string]string{"all": "a", "ignore": "i:"})
	if !ok || t.gnu && t.misused(names, 0, 0) {
		return t.end()
	}
	ignored, ok := t.within(opts, 'i', 0, 0, 1<<31-1)
	if !ok {
		return t.end()
	}
	fmt.Fprintln(t.out, max(1, 2-ignored))
	return t.end()
}

func tty(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "s", false, map[string]string{"silent": "s", "quiet": "s"})
	if !ok || t.gnu && t.misused(names, 0, 0) {
		return t.end()
	}
	if len(names) > 0 {
		t.complain("ignoring all arguments")
	}
	if !has(opts, 's') {
		t.out.WriteString("not a tty\n")
	}
	t.status = 1
	return t.end()
}

func which(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "a", false, nil)
	if !ok || t.misused(names, 1, -1) {
		return t.end()
	}
	for _, name := range names {
		found, err := p.LookPath(name)
		if err != nil {
			t.status = 1
			continue
		}
		t.out.WriteString(found + "\n")
		if has(opts, 'a') && !strings.Contains(name, "/") {
			t.others(name, found)
		}
	}
	return t.end()
}

// others prints where else in PATH a program is.
func (t *tool) others(name, first string) {
	path, _ := t.p.LookupEnv("PATH")
	for _, dir := range strings.Split(path, ":") {
		file := strings.TrimSuffix(dir, "/") + "/" + name
		if info, err := t.p.Stat(file); file != first && err == nil && !info.IsDir() && t.p.Access(file, 1) == nil {
			t.out.WriteString(file + "\n")
		}
	}
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
	if len(rest) > 0 && rest[0] == "-l" {
		return t.signals(rest[1:])
	}
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

// signalName is a signal's name to kill, which calls one of them otherwise than shells do.
func signalName(n int) string {
	if s := container.Signal(n); s != container.SIGIO {
		return s.Name()
	}
	return "POLL"
}

// signals is kill -l: it lists the signals, or finds names for numbers and numbers for names.
func (t *tool) signals(which []string) int {
	const most = 31
	if len(which) == 0 {
		for n := 1; n <= most; n++ {
			fmt.Fprintf(t.out, "%2d) %s\n", n, signalName(n))
		}
	}
	for _, text := range which {
		n, err := strconv.Atoi(text)
		if err != nil {
			sig, ok := container.ParseSignal(text)
			if !ok {
				return t.fail("unknown signal '%s'", text)
			}
			fmt.Fprintln(t.out, int(sig))
			continue
		}
		switch n &= 0x7f; {
		case n == 0 && !t.gnu:
			fmt.Fprintln(t.out, "EXIT")
		case n >= 1 && n <= most:
			fmt.Fprintln(t.out, signalName(n))
		default:
			fmt.Fprintln(t.out, n)
		}
	}
	return t.end()
}
