package shell

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// poll takes the status of a job that has ended.
func (s *shell) poll(j *job) {
	if j.done || j.proc == nil || !j.proc.Dead() {
		return
	}
	if st, err := s.p.Wait(j.proc, time.Time{}); err == nil {
		j.status, j.signal = st.Code, st.Signal
	} else if st, ok := j.proc.Status(); ok {
		j.status, j.signal = st.Code, st.Signal
	}
	j.done = true
}

// waitFor waits for a job; named says that the script asked for this one, which makes some shells tell that it was killed. A signal with a trap ends the wait: then the status is 128 and the signal.
func (s *shell) waitFor(j *job, named bool) (status int, interrupted bool) {
	defer func() {
		if s.kind != bash {
			s.reap()
		}
	}()
	for !j.done {
		st, err := s.p.Wait(j.proc, time.Time{})
		switch {
		case err == nil:
			j.status, j.signal, j.done = st.Code, st.Signal, true
			if named && s.kind != bash && st.Signal != 0 && st.Signal != container.SIGINT && st.Signal != container.SIGPIPE {
				s.reportSignal(st)
			}
			if s.kind == bash {
				continue
			}
			if status, caught := s.waitBroken(); caught { // by a job that has sent a signal and ended at once
				return status, true
			}
		case errors.Is(err, syscall.EINTR):
			if status, caught := s.waitBroken(); caught {
				return status, true
			}
		default:
			s.poll(j)
			if !j.done {
				return statusNotFound, false
			}
		}
	}
	return j.status, false
}

// waitBroken reports whether a signal ends the wait for a job, and the status of wait then.
func (s *shell) waitBroken() (status int, broken bool) {
	s.collect()
	if s.interrupted {
		return statusSignalBase + int(container.SIGINT), true
	}
	for _, sig := range s.caught {
		if sig != container.SIGCHLD {
			return statusSignalBase + int(sig), true
		}
	}
	return 0, false
}

func builtinWait(s *shell, args []string) int {
	if s.kind == bash {
		return waitOfBash(s, args)
	}
	args = args[1:]
	next := false
	switch {
	case len(args) == 0 || len(args[0]) < 2 || args[0][0] != '-':
	case args[0] == "--":
		args = args[1:]
	case args[0][1] == 'n' && s.kind == ash: // which looks at no letter behind it
		args, next = args[1:], true
	default:
		s.illegalOption(rune(args[0][1]))
		return statusUsage
	}
	if len(args) == 0 && next {
		return s.waitNextOfAsh()
	}
	if len(args) == 0 {
		for _, j := range slices.Clone(s.jobs) {
			if status, interrupted := s.waitFor(j, false); interrupted {
				return status
			}
			j.waited = true
		}
		return 0
	}
	status := 0
	for _, text := range args {
		j, err := s.awaited(text)
		if err != nil {
			s.complain(err.Error())
			return statusUsage
		}
		if status = statusNotFound; j == nil {
			continue
		}
		var interrupted bool
		if status, interrupted = s.waitFor(j, true); interrupted {
			return status
		}
		j.waited = true
	}
	return status
}

// waitNextOfAsh is wait -n of ash. It does what it should for jobs that succeed. A job that fails makes it wait for the others, too,
// and unless one of them succeeds the status is that of a process that signal 1 has killed.
func (s *shell) waitNextOfAsh() int {
	if len(s.jobs) == 0 {
		return statusNotFound
	}
	running := slices.DeleteFunc(slices.Clone(s.jobs), func(j *job) bool { return j.done })
	if len(running) == 0 {
		for _, j := range s.jobs {
			j.waited = true
		}
		return 0
	}
	for len(running) > 0 {
		j, caught := s.waitAny(running)
		switch {
		case j == nil:
			return caught
		case j.isPipeline(): // whose first process has ended before the job
			return statusSignalBase + int(container.SIGHUP)
		case j.status == 0:
			s.reap()
			return 0
		}
		running = slices.DeleteFunc(running, func(other *job) bool { return other == j })
	}
	return statusSignalBase + int(container.SIGHUP)
}

// isPipeline reports whether a job has several processes.
func (j *job) isPipeline() bool {
	_, ok := j.stmt.Cmd.(*syntax.Pipeline)
	return ok
}

// waitAny waits until one of the jobs has ended, and takes its status. A signal with a trap ends the wait: then there is no job,
// and the status is 128 and the signal.
func (s *shell) waitAny(jobs []*job) (ended *job, status int) {
	for {
		for _, j := range jobs {
			if s.poll(j); j.done {
				return j, 0
			}
		}
		err := s.p.Block(time.Time{}, func() bool {
			return slices.ContainsFunc(jobs, func(j *job) bool { return j.proc.Dead() })
		})
		if err == nil || !s.collect() {
			continue
		}
		switch {
		case s.interrupted:
			return nil, statusSignalBase + int(container.SIGINT)
		case len(s.caught) > 0:
			return nil, statusSignalBase + int(s.caught[0])
		}
	}
}

// awaited returns the job that an argument of wait names, by a number or a specification. A process that is no job is
// none.
func (s *shell) awaited(text string) (*job, error) {
	if strings.HasPrefix(text, "%") {
		return s.job(text, false)
	}
	pid, err := strconv.Atoi(text)
	if err != nil {
		return nil, &usageError{"Illegal number: " + text}
	}
	if i := slices.IndexFunc(s.jobs, func(j *job) bool { return j.pid == pid }); i >= 0 {
		return s.jobs[i], nil
	}
	return nil, nil
}

func builtinJobs(s *shell, args []string) int {
	if s.kind == bash {
		return jobsOfBash(s, args)
	}
	return s.listJobs(args)
}

// The signals of dash that have no names of their own, but those that count from the first or the last.
const (
	firstRealTime = 34
	midRealTime   = 49 // the last one that is counted from the first
	lastRealTime  = 64
)

// signalOfDash is the name of a signal in dash, which has none for some.
func signalOfDash(n container.Signal) string {
	switch {
	case n == container.SIGSTKFLT, n > container.SIGSYS && n < firstRealTime:
		return strconv.Itoa(int(n))
	case n == firstRealTime:
		return "RTMIN"
	case n == lastRealTime:
		return "RTMAX"
	case n > midRealTime:
		return fmt.Sprintf("RTMAX-%d", lastRealTime-n)
	case n > firstRealTime:
		return fmt.Sprintf("RTMIN+%d", n-firstRealTime)
	}
	return n.Name()
}

// signal returns the signal of a number or name. Bash and dash have names for those that are there for whatever a program wants, and
// dash knows no SIG before a name.
func (s *shell) signal(text string) (container.Signal, bool) {
	_, err := strconv.Atoi(text)
	if err == nil && s.kind != bash && !isNumber(text) { // there is a sign
		return 0, false
	}
	if sig, ok := container.ParseSignal(text); err == nil || s.kind == ash || s.kind == bash && ok {
		return sig, ok
	}
	name := signalOfDash
	if s.kind == bash {
		name, text = signalName, strings.TrimPrefix(strings.ToUpper(text), "SIG")
	}
	for n := container.SIGHUP; n <= lastRealTime; n++ {
		if strings.EqualFold(name(n), text) {
			return n, true
		}
	}
	return 0, s.kind == dash && strings.EqualFold(text, "EXIT")
}

// nameInKill is the name of a signal that kill -l and trap print.
func (s *shell) nameInKill(n container.Signal) string {
	switch {
	case s.kind == dash:
		return signalOfDash(n)
	case s.kind == ash && n == container.SIGIO:
		return "POLL"
	}
	return n.Name()
}

// signalNamedInDash is kill -l of dash: it prints the name of a signal, or of the one that a status stands for.
func (s *shell) signalNamedInDash(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		s.complain("Illegal number: " + text)
		return statusUsage
	}
	if n > statusSignalBase {
		n -= statusSignalBase
	}
	if n < 1 || n > lastRealTime {
		s.complain("invalid signal number or exit status: " + text)
		return statusUsage
	}
	s.print(1, signalOfDash(container.Signal(n))+"\n")
	return 0
}

// signalsNamed is kill -l of ash: it prints the names of numbers and the numbers of names.
func (s *shell) signalsNamed(words []string) int {
	for _, text := range words {
		n, err := strconv.Atoi(text)
		sig, ok := container.ParseSignal(text)
		switch {
		case err == nil:
			s.print(1, s.nameInKill(container.Signal(n&0x7f))+"\n")
		case ok:
			s.print(1, strconv.Itoa(int(sig))+"\n")
		case text == "POLL":
			s.print(1, strconv.Itoa(int(container.SIGIO))+"\n")
		default:
			s.print(2, s.name+": unknown signal '"+text+"'\n")
			return 1
		}
	}
	return 0
}

func builtinKill(s *shell, args []string) int {
	if s.kind == bash {
		return killOfBash(s, args)
	}
	sig := container.SIGTERM
	args = args[1:]
	if len(args) > 0 && args[0] == "-l" {
		if len(args) > 1 && s.kind == dash {
			return s.signalNamedInDash(args[1])
		}
		if len(args) > 1 {
			return s.signalsNamed(args[1:])
		}
		if s.kind == dash {
			s.print(1, "0\n")
			for n := container.Signal(1); n <= lastRealTime; n++ {
				s.print(1, signalOfDash(n)+"\n")
			}
			return 0
		}
		for n := container.Signal(1); n < 32; n++ {
			s.print(1, fmt.Sprintf("%2d) %s\n", int(n), s.nameInKill(n)))
		}
		return 0
	}
	if len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && args[0] != "--" {
		name := args[0][1:]
		args = args[1:]
		separate := (name == "s" || name == "n" && s.kind == bash) && len(args) > 0
		if separate {
			name, args = args[0], args[1:]
		}
		var ok bool
		if sig, ok = s.signal(name); !ok {
			if s.kind == dash {
				if name == "s" {
					s.complain("No arg for -s option")
				} else if separate {
					s.complain("invalid signal number or name: " + name)
				} else {
					s.complain("Illegal option -" + name[:1])
				}
				return statusUsage
			}
			s.print(2, s.name+": bad signal name '"+name+"'\n")
			return 1
		}
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		if s.kind == dash {
			s.complain("Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]")
			return statusUsage
		}
		s.print(2, s.name+": you need to specify whom to kill\n")
		return 1
	}
	status := 0
	for _, text := range args {
		pid, err := strconv.Atoi(text)
		if strings.HasPrefix(text, "%") {
			j, missing := s.job(text, false)
			if missing != nil {
				s.complain(missing.Error())
				return statusUsage
			}
			if pid, err = j.pid, nil; s.kind == dash { // which means a process group that there is not
				pid = -pid
			}
		}
		if err != nil && s.kind == dash {
			s.complain("Illegal number: " + text)
			return statusUsage
		}
		if err != nil {
			s.complain("invalid number '" + text + "'")
			status = 1
			continue
		}
		if err := s.p.Kill(pid, sig); err != nil {
			if s.kind == dash {
				s.complain(files.Message(err) + "\n")
			} else {
				s.print(2, fmt.Sprintf("sh: can't kill pid %d: %s\n", pid, files.Message(err)))
			}
			status = 1
		}
	}
	return status
}
