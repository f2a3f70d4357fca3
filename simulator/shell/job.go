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
		case errors.Is(err, syscall.EINTR):
			s.collect()
			for _, sig := range s.caught {
				if sig != container.SIGCHLD {
					return statusSignalBase + int(sig), true
				}
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

func builtinWait(s *shell, args []string) int {
	if s.kind == bash {
		return waitOfBash(s, args)
	}
	args = args[1:]
	switch {
	case len(args) == 0 || len(args[0]) < 2 || args[0][0] != '-':
	case args[0] == "--", args[0] == "-n" && s.kind == ash && len(args) > 1:
		args = args[1:]
	default:
		s.illegalOption(rune(args[0][1]))
		return statusUsage
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
		sig, ok = container.ParseSignal(name)
		if !ok || s.kind == dash && len(name) > 3 && strings.EqualFold(name[:3], "SIG") {
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
