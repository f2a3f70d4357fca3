package shell

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// The limits of processes are remembered and shown, and nothing is held to them: what bounds a container is its budget.

// resource is a limit as ulimit knows it.
type resource struct {
	letter byte
	// what it is to ash and bash, and its unit to bash; dash has its own word
	name, unit string
}

// resources lists the limits in the order of ash and bash; two are bash's alone.
var resources = []resource{
	{'R', "real-time non-blocking time", "microseconds"},
	{'c', "core file size", "blocks"}, {'d', "data seg size", "kbytes"}, {'e', "scheduling priority", ""}, {'f', "file size", "blocks"},
	{'i', "pending signals", ""}, {'l', "max locked memory", "kbytes"}, {'m', "max memory size", "kbytes"}, {'n', "open files", ""}, {'p', "pipe size", "512 bytes"},
	{'q', "POSIX message queues", "bytes"}, {'r', "real-time priority", ""}, {'s', "stack size", "kbytes"}, {'t', "cpu time", "seconds"},
	{'u', "max user processes", ""}, {'v', "virtual memory", "kbytes"}, {'x', "file locks", ""},
}

// What limits are in containers, if they are there at all.
func defaultLimit(letter byte) container.Limit {
	switch letter {
	case 'n':
		return container.Limit{Soft: 1048576, Hard: 1048576}
	case 's':
		return container.Limit{Soft: 8192, Hard: container.Unlimited}
	case 'e', 'r':
		return container.Limit{}
	case 'p': // the size of a pipe, which bash shows
		return container.Limit{Soft: 8, Hard: 8}
	}
	return container.Limit{Soft: container.Unlimited, Hard: container.Unlimited}
}

// ulimit is a call of ulimit.
type ulimit struct {
	s          *shell
	hard, soft bool
}

func builtinUlimit(s *shell, args []string) int {
	u := &ulimit{s: s}
	if s.kind == dash {
		return u.dash(args[1:])
	}
	type step struct {
		letter byte
		value  string
		set    bool
	}
	var steps []step
	args = args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && args[0] != "--" {
		flags := args[0][1:]
		args = args[1:]
		for i := 0; i < len(flags); i++ {
			switch l := flags[i]; {
			case l == 'H':
				u.hard = true
			case l == 'S':
				u.soft = true
			case l == 'a':
				u.all()
				return 0
			case !s.hasLimit(l):
				s.print(2, "ulimit: invalid option -- '"+string(l)+"'\n")
				return 1
			case i+1 < len(flags): // the rest is the value
				steps = append(steps, step{l, flags[i+1:], true})
				i = len(flags)
			case len(args) > 0 && !strings.HasPrefix(args[0], "-"):
				steps = append(steps, step{l, args[0], true})
				args = args[1:]
			default:
				steps = append(steps, step{letter: l})
			}
		}
	}
	if len(args) > 0 && args[0] == "--" && s.kind == bash {
		args = args[1:]
	}
	if len(steps) == 0 {
		steps = []step{{letter: 'f'}}
		if len(args) > 0 && args[0] != "--" {
			steps[0].value, steps[0].set = args[0], true
		}
	}
	for _, st := range steps {
		if !st.set {
			u.show(st.letter, len(steps) > 1)
		} else if !u.set(st.letter, st.value) {
			return 1
		}
	}
	return 0
}

// dash is ulimit of dash: of several limits it takes the last, and one value.
func (u *ulimit) dash(args []string) int {
	letter := byte('f')
	flags, args := leadingFlags(args)
	for _, l := range []byte(flags) {
		switch {
		case l == 'H':
			u.hard = true
		case l == 'S':
			u.soft = true
		case l == 'a':
			u.all()
			return 0
		case !u.s.hasLimit(l):
			u.s.illegalOption(rune(l))
			return statusUsage
		default:
			letter = l
		}
	}
	switch {
	case len(args) > 1:
		u.s.complain("too many arguments")
		return statusUsage
	case len(args) == 0:
		u.show(letter, false)
	case !u.set(letter, args[0]):
		return statusUsage
	}
	return 0
}

// hasLimit reports whether a shell knows the limit of a letter.
func (s *shell) hasLimit(letter byte) bool {
	letters := "cdefilmnqrstuvx"
	switch s.kind {
	case dash:
		letters = "cdflmnprstvw"
	case bash:
		letters = "bcdefiklmnpqrstuvxPRT"
	}
	return strings.IndexByte(letters, letter) >= 0
}

// limit is a limit as the process has it. Dash has other letters for two.
func (u *ulimit) limit(letter byte) container.Limit {
	if l, ok := u.s.p.Limits[u.resource(letter)]; ok {
		return l
	}
	return defaultLimit(u.resource(letter))
}

func (u *ulimit) resource(letter byte) byte {
	if u.s.kind == dash {
		switch letter {
		case 'p':
			return 'u'
		case 'w':
			return 'x'
		}
	}
	return letter
}

// blocks is how many of the blocks that limits are counted in make one of the shell's.
func (u *ulimit) blocks(letter byte) int64 {
	if u.s.kind == bash && !u.s.options.posix && (letter == 'c' || letter == 'f') {
		return 2
	}
	return 1
}

func (u *ulimit) text(letter byte) string {
	l := u.limit(letter)
	n := l.Soft
	if u.hard && !u.soft {
		n = l.Hard
	}
	if n == container.Unlimited {
		return "unlimited"
	}
	return strconv.FormatInt(n/u.blocks(letter), 10)
}

// show prints a limit, with what it is if there are several.
func (u *ulimit) show(letter byte, named bool) {
	if named {
		u.s.print(1, u.title(letter))
	}
	u.s.print(1, u.text(letter)+"\n")
}

func (u *ulimit) title(letter byte) string {
	for _, r := range resources {
		if r.letter != letter {
			continue
		}
		unit := r.unit
		if u.s.kind == bash {
			if unit != "" {
				unit += ", "
			}
			return fmt.Sprintf("%-20s %20s", r.name, "("+unit+"-"+string(letter)+") ")
		}
		if unit = strings.Replace(unit, "kbytes", "kb", 1); unit != "" {
			unit = " (" + unit + ")"
		}
		return fmt.Sprintf("%-31s (-%c) ", r.name+unit, letter)
	}
	return ""
}

// limitsOfDash lists the limits as dash names them.
var limitsOfDash = []struct {
	name   string
	letter byte
}{{"time(seconds)", 't'}, {"file(blocks)", 'f'}, {"data(kbytes)", 'd'}, {"stack(kbytes)", 's'}, {"coredump(blocks)", 'c'}, {"memory(kbytes)", 'm'},
	{"locked memory(kbytes)", 'l'}, {"process", 'p'}, {"nofiles", 'n'}, {"vmemory(kbytes)", 'v'}, {"locks", 'w'}, {"rtprio", 'r'}}

// all prints all limits.
func (u *ulimit) all() {
	if u.s.kind == dash {
		for _, l := range limitsOfDash {
			u.s.print(1, fmt.Sprintf("%-20s %s\n", l.name, u.text(l.letter)))
		}
		return
	}
	for _, r := range resources {
		if u.s.hasLimit(r.letter) {
			u.show(r.letter, true)
		}
	}
}

// set sets a limit, which cannot be made larger than the hard one.
func (u *ulimit) set(letter byte, value string) bool {
	s, l := u.s, u.limit(letter)
	n, ok := u.value(value, l)
	if !ok {
		switch s.kind {
		case dash:
			s.complain("bad number")
		case bash:
			s.complain(value + ": invalid number")
		default:
			s.print(2, s.name+": invalid number '"+value+"'\n")
		}
		return false
	}
	if n != container.Unlimited {
		n *= u.blocks(letter)
	}
	if n > l.Hard {
		switch s.kind {
		case dash:
			s.complain("error setting limit (Operation not permitted)")
		case bash:
			s.complain(strings.TrimSpace(strings.SplitN(u.title(letter), "(", 2)[0]) + ": cannot modify limit: Operation not permitted")
		default:
			s.print(2, s.name+": error setting limit: Operation not permitted\n")
		}
		return false
	}
	if u.hard || !u.soft {
		l.Hard = n
	}
	if u.soft || !u.hard {
		l.Soft = n
	}
	l.Soft = min(l.Soft, l.Hard)
	s.p.SetLimit(u.resource(letter), l)
	return true
}

// value reads the value of a limit.
func (u *ulimit) value(text string, l container.Limit) (int64, bool) {
	switch {
	case text == "unlimited":
		return container.Unlimited, true
	case u.s.kind == bash && text == "hard":
		return l.Hard, true
	case u.s.kind == bash && text == "soft":
		return l.Soft, true
	case text == "":
		return 0, u.s.kind != ash
	case strings.Trim(text, "0123456789") != "":
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil && u.s.kind != ash { // which take it for no limit
		return container.Unlimited, true
	}
	return n, err == nil
}
