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

// unlisted is a child of bash that jobs does not list: a job that has ended, or a process substitution.
type unlisted struct {
	pid, status  int
	substitution bool
	proc         *container.Process // of a process substitution, until it was waited for
}

// mostUnlisted is how many of them bash keeps.
const mostUnlisted = 4096

func (s *shell) keepUnlisted(u unlisted) {
	s.unlisted = append(s.unlisted, u)
	s.unlisted = s.unlisted[max(0, len(s.unlisted)-mostUnlisted):]
}

// waitForUnlisted waits for a process substitution, if the child is one, and returns the status of the child.
func (s *shell) waitForUnlisted(u *unlisted) (status int, interrupted bool) {
	if u.proc == nil {
		return u.status, false
	}
	j := job{proc: u.proc, pid: u.pid}
	if status, interrupted = s.waitFor(&j, true); !interrupted {
		u.status, u.proc = status, nil
	}
	return status, interrupted
}

// waitForSubstitution waits for the last process substitution, as "wait" does. It forgets the others, and all jobs that
// have ended, so that "wait $!" does not know them from here on.
func (s *shell) waitForSubstitution() (status int, interrupted bool) {
	last := len(s.unlisted) - 1
	for last >= 0 && !s.unlisted[last].substitution {
		last--
	}
	if last < 0 || s.unlisted[last].proc == nil || s.unlisted[last].proc.Dead() {
		s.unlisted = nil
		return 0, false
	}
	u := s.unlisted[last]
	if status, interrupted = s.waitForUnlisted(&u); interrupted {
		return status, true
	}
	s.unlisted = []unlisted{u}
	return 0, false
}

// notify reports the jobs that a signal has killed and takes those that have ended off the list. Bash does so when it
// has waited for a command.
func (s *shell) notify() {
	if s.kind != bash || len(s.jobs) == 0 {
		return
	}
	for _, j := range s.jobs {
		if s.poll(j); j.done {
			s.reportKilled(j)
			s.keepUnlisted(unlisted{pid: j.pid, status: j.status})
		}
	}
	s.jobs = slices.DeleteFunc(slices.Clone(s.jobs), func(j *job) bool { return j.done })
}

// monitors reports whether bash controls jobs: after set -m, outside of subshells.
func (s *shell) monitors() bool { return s.kind == bash && s.options.monitor && !s.subshell }

// reportKilled says that a background job was killed. The usual ways to end one are not worth a word, unless bash controls jobs.
func (s *shell) reportKilled(j *job) {
	switch j.signal {
	case 0, container.SIGINT, container.SIGTERM, container.SIGPIPE:
		if s.monitors() {
			s.print(2, s.jobLine(j, false))
		}
		return
	}
	if text := j.signal.Description(); text != "" && s.reportsKills() && s.traps[j.signal.Name()] == "" {
		s.print(2, fmt.Sprintf("%s%5d %-24s%s\n", s.prefixOf(""), j.pid, text, syntax.PrintStmt(j.stmt)))
	}
}

// reportsKills reports whether the shell reports killed children: the substitutions of a script given by -c do not.
func (s *shell) reportsKills() bool { return !s.inSubstitution || !s.isCommand }

// reportForeground says that a signal has killed a command.
func (s *shell) reportForeground(child *container.Process, sig container.Signal, st *syntax.Stmt) {
	text := sig.Description()
	if text == "" || !s.reportsKills() || sig == container.SIGINT || sig == container.SIGPIPE {
		return
	}
	if sig != container.SIGTERM && s.traps[sig.Name()] == "" {
		text = fmt.Sprintf("%s%5d %-24s%s", s.prefixOf(""), child.PID(), text, syntax.PrintStmt(st))
	}
	s.printDeath(text + "\n")
}

// jobNumber returns the number of the next job.
func (s *shell) jobNumber() int {
	if s.kind != bash {
		return s.freePlace()
	}
	if len(s.jobs) == 0 {
		return 1
	}
	return s.jobs[len(s.jobs)-1].number + 1
}

// findJob returns the job that a %specification names.
func (s *shell) findJob(text string) *job {
	spec := strings.TrimPrefix(text, "%")
	switch spec {
	case "", "%", "+":
		if len(s.jobs) > 0 {
			return s.jobs[len(s.jobs)-1]
		}
		return nil
	case "-":
		if len(s.jobs) > 1 {
			return s.jobs[len(s.jobs)-2]
		}
		return s.findJob("%+")
	}
	number, err := strconv.Atoi(spec)
	for _, j := range s.jobs {
		command := syntax.PrintStmt(j.stmt)
		inside, ok := strings.CutPrefix(spec, "?")
		switch {
		case err == nil && j.number == number,
			err != nil && ok && strings.Contains(command, inside),
			err != nil && !ok && strings.HasPrefix(command, spec):
			return j
		}
	}
	return nil
}

// waitOfBash is bash's wait.
func waitOfBash(s *shell, args []string) int {
	defer s.notify()
	args = args[1:]
	next, variable := false, ""
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		flags := args[0][1:]
		if args = args[1:]; flags == "-" {
			break
		}
		for i, l := range flags {
			next = next || l == 'n'
			if l != 'p' {
				continue
			}
			if variable = flags[i+1:]; variable == "" {
				variable, args = args[0], args[1:]
			}
			break
		}
	}
	if variable != "" {
		if base, _, _ := strings.Cut(variable, "["); !syntax.IsName(base) {
			s.complain("`" + variable + "': not a valid identifier")
			return 1
		}
		_ = s.unset(variable)
	}
	waited := func(pid int) {
		if variable != "" {
			_ = s.assignNamed(variable, strconv.Itoa(pid))
		}
	}
	switch {
	case next:
		return s.waitNextOf(args, waited)
	case len(args) == 0:
		for _, j := range slices.Clone(s.jobs) {
			if status, interrupted := s.waitFor(j, false); interrupted {
				return status
			}
		}
		s.notify()
		status, _ := s.waitForSubstitution()
		return status
	}
	status := 0
	for _, text := range args {
		var interrupted bool
		if status, interrupted = s.waitForOne(text, waited); interrupted {
			return status
		}
	}
	return status
}

// waitForOne waits for what a process ID or a %specification names.
func (s *shell) waitForOne(text string, waited func(pid int)) (status int, interrupted bool) {
	if strings.HasPrefix(text, "%") {
		j := s.findJob(text)
		if j == nil {
			s.complain(text + ": no such job")
			return statusNotFound, false
		}
		status, interrupted = s.waitFor(j, true)
		waited(j.pid)
		return status, interrupted
	}
	pid, err := strconv.Atoi(text)
	if err != nil || pid < 0 {
		s.complain("`" + text + "': not a pid or valid job spec")
		return 1, false
	}
	for _, j := range s.jobs {
		if j.pid == pid {
			status, interrupted = s.waitFor(j, true)
			waited(pid)
			return status, interrupted
		}
	}
	for i := range s.unlisted {
		if s.unlisted[i].pid == pid {
			status, interrupted = s.waitForUnlisted(&s.unlisted[i])
			waited(pid)
			return status, interrupted
		}
	}
	s.complain("pid " + text + " is not a child of this shell")
	return statusNotFound, false
}

// waitNextOf waits for whichever of the named jobs, or of all, ends next.
func (s *shell) waitNextOf(names []string, waited func(pid int)) int {
	jobs := s.jobs
	if len(names) > 0 {
		jobs = nil
		for _, name := range names {
			pid, err := strconv.Atoi(name)
			i := slices.IndexFunc(s.jobs, func(j *job) bool { return err == nil && j.pid == pid })
			switch j := s.findJob(name); {
			case i >= 0:
				jobs = append(jobs, s.jobs[i])
			case j != nil && strings.HasPrefix(name, "%"):
				jobs = append(jobs, j)
			default:
				s.complain(name + ": no such job")
			}
		}
	}
	if len(jobs) == 0 {
		return statusNotFound
	}
	j, caught := s.waitAny(jobs)
	if j == nil {
		return caught
	}
	s.reportKilled(j)
	s.jobs = slices.DeleteFunc(slices.Clone(s.jobs), func(other *job) bool { return other == j })
	s.keepUnlisted(unlisted{pid: j.pid, status: j.status})
	waited(j.pid)
	return j.status
}

// jobsOfBash is bash's jobs.
func jobsOfBash(s *shell, args []string) int {
	flags, args := leadingFlags(args[1:])
	jobs, status := s.jobs, 0
	if len(args) > 0 {
		jobs = nil
		for _, text := range args {
			j := s.findJob(text)
			if j == nil || text == "" || text[0] != '%' && !isNumber(text) {
				s.complain(text + ": no such job")
				status = 1
				continue
			}
			jobs = append(jobs, j)
		}
	}
	for _, j := range jobs {
		if s.poll(j); strings.Contains(flags, "s") || j.done && strings.Contains(flags, "r") {
			continue
		}
		if strings.Contains(flags, "p") {
			s.print(1, strconv.Itoa(j.pid)+"\n")
			continue
		}
		s.print(1, s.jobLine(j, strings.Contains(flags, "l")))
	}
	for _, j := range jobs {
		if j.done {
			s.keepUnlisted(unlisted{pid: j.pid, status: j.status})
		}
	}
	s.jobs = slices.DeleteFunc(slices.Clone(s.jobs), func(j *job) bool { return j.done && slices.Contains(jobs, j) })
	return status
}

func isNumber(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// jobLine is a job as jobs lists it.
func (s *shell) jobLine(j *job, long bool) string {
	mark := " "
	switch n := len(s.jobs); {
	case s.jobs[n-1] == j:
		mark = "+"
	case n > 1 && s.jobs[n-2] == j:
		mark = "-"
	}
	state, end := "Running", " &"
	if j.done {
		end = ""
		switch {
		case j.signal != 0:
			state = j.signal.Description()
		case j.status != 0:
			state = "Exit " + strconv.Itoa(j.status)
		default:
			state = "Done"
		}
	}
	pid := " "
	if long {
		pid = fmt.Sprintf("%5d", j.pid)
	}
	return fmt.Sprintf("[%d]%s %s%-24s%s%s\n", j.number, mark, pid+map[bool]string{true: " ", false: ""}[long], state, syntax.PrintStmt(j.stmt), end)
}

// disown takes jobs off the list.
func builtinDisown(s *shell, args []string) int {
	flags, names := "", args[1:]
	for len(names) > 0 && len(names[0]) > 1 && names[0][0] == '-' {
		flags += names[0][1:]
		names = names[1:]
	}
	drop := func(gone func(j *job) bool) { s.jobs = slices.DeleteFunc(slices.Clone(s.jobs), gone) }
	switch {
	case strings.Contains(flags, "h"):
		return 0
	case len(names) == 0 && strings.ContainsAny(flags, "ar"):
		drop(func(*job) bool { return true })
		return 0
	case len(names) == 0:
		names = []string{"%+"}
	}
	status := 0
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		found := s.findJob(name)
		if err == nil {
			if i := slices.IndexFunc(s.jobs, func(j *job) bool { return j.pid == pid }); i >= 0 {
				found = s.jobs[i]
			}
		}
		if found == nil {
			if name == "%+" {
				name = "current"
			}
			s.complain(name + ": no such job")
			status = 1
			continue
		}
		drop(func(j *job) bool { return j == found })
	}
	return status
}

// builtinForeground is fg and bg, which need the control of jobs. Without a terminal, ash and dash do not have it.
func builtinForeground(s *shell, args []string) int {
	if s.kind != bash {
		spec := ""
		if _, specs := leadingFlags(args[1:]); len(specs) > 0 {
			spec = specs[0]
		}
		_, err := s.job(spec, true)
		s.complain(err.Error())
		return statusUsage
	}
	if !s.monitors() {
		s.complain("no job control")
		return 1
	}
	spec := "current"
	if len(args) > 1 {
		spec = args[1]
	}
	j := s.findJob(strings.TrimPrefix(spec, "current"))
	switch {
	case j == nil:
		s.complain(spec + ": no such job")
		return 1
	case args[0] == "bg":
		s.complain(fmt.Sprintf("job %d already in background", j.number))
		return 0
	}
	s.print(1, syntax.PrintStmt(j.stmt)+"\n")
	status, _ := s.waitFor(j, true)
	s.jobs = slices.DeleteFunc(slices.Clone(s.jobs), func(other *job) bool { return other == j })
	return status
}

// killOfBash is bash's kill.
func killOfBash(s *shell, args []string) int {
	sig := container.SIGTERM
	args = args[1:]
options:
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		flag := args[0]
		args = args[1:]
		switch {
		case flag == "--":
			break options
		case flag == "-l" || flag == "-L":
			return s.listSignals(args)
		case flag == "-s" || flag == "-n":
			if len(args) == 0 {
				s.complain(flag + ": option requires an argument")
				s.usage("kill")
				return 1
			}
			flag, args = args[0], args[1:]
		default:
			flag = flag[1:]
		}
		var ok bool
		if sig, ok = s.parseSignal(flag); !ok {
			s.complain(flag + ": invalid signal specification")
			return 1
		}
		if len(args) > 0 && args[0] != "--" {
			break
		}
	}
	if len(args) == 0 {
		s.usage("kill")
		return statusUsage
	}
	status := 1
	for _, text := range args {
		pid, err := strconv.Atoi(text)
		switch {
		case strings.HasPrefix(text, "%"):
			j := s.findJob(text)
			if j == nil {
				s.complain(text + ": no such job")
				continue
			}
			pid = j.pid
		case text == "":
			s.complain("`': not a pid or valid job spec")
			continue
		case err != nil:
			s.complain(text + ": arguments must be process or job IDs")
			continue
		}
		if err := s.p.Kill(pid, sig); err != nil {
			s.complain(fmt.Sprintf("(%d) - %s", pid, files.Message(err)))
			continue
		}
		status = 0
	}
	return status
}

// listSignals is kill -l: of all signals, or of those that are named.
func (s *shell) listSignals(names []string) int {
	if len(names) == 0 {
		if s.options.posix {
			s.print(1, signalLine()+"\n")
		} else {
			s.print(1, signalTable())
		}
		return 0
	}
	status := 0
	for _, text := range names {
		sig, ok := s.parseSignal(text)
		n, err := strconv.Atoi(text)
		switch {
		case err == nil && n > statusSignalBase && n < statusSignalBase+65:
			s.print(1, signalName(container.Signal(n-statusSignalBase))+"\n")
		case err == nil && n >= 0 && n < 65:
			s.print(1, signalName(container.Signal(n))+"\n")
		case err != nil && ok:
			s.print(1, strconv.Itoa(int(sig))+"\n")
		default:
			s.complain(text + ": invalid signal specification")
			status = 1
		}
	}
	return status
}

// parseSignal reads a signal as bash's kill does, which in POSIX mode knows no SIG before a name.
func (s *shell) parseSignal(text string) (container.Signal, bool) {
	if s.options.posix && strings.HasPrefix(strings.ToUpper(text), "SIG") {
		return 0, false
	}
	return s.signal(text)
}

// signalLine lists the signals in one line.
func signalLine() string {
	var names []string
	for n := container.Signal(1); n < 65; n++ {
		if name := signalName(n); name != "" && name != strconv.Itoa(int(n)) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// signalName returns the name of a signal, also of those that are there for whatever a program wants.
func signalName(n container.Signal) string {
	const first, last = 34, 64
	switch {
	case n == first:
		return "RTMIN"
	case n == last:
		return "RTMAX"
	case n > first && n <= first+15:
		return "RTMIN+" + strconv.Itoa(int(n-first))
	case n > first && n < last:
		return "RTMAX-" + strconv.Itoa(int(last-n))
	}
	return n.Name()
}

// signalTable lists the signals, five in a line.
func signalTable() string {
	var b strings.Builder
	column := 0
	for n := container.Signal(1); n < 65; n++ {
		name := signalName(n)
		if isNumber(name) {
			continue
		}
		fmt.Fprintf(&b, "%2d) SIG%s", int(n), name)
		if column++; column < 5 {
			b.WriteByte('\t')
			continue
		}
		b.WriteByte('\n')
		column = 0
	}
	if column > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}

// waitChild waits for a child in the foreground; signals are acted upon when it has ended.
func (s *shell) waitChild(child *container.Process) (container.ExitStatus, bool) {
	for {
		st, err := s.p.Wait(child, time.Time{})
		switch {
		case err == nil:
			if s.kind != bash {
				s.reap()
			}
			return st, true
		case errors.Is(err, syscall.EINTR):
			s.collect()
		default:
			return container.ExitStatus{Code: statusNotFound}, false
		}
	}
}

// awaitStages waits for the stages of a pipeline of bash, of which a nil one has run in the shell itself, and returns their
// exit codes.
func (s *shell) awaitStages(children []*container.Process, stmt *syntax.Stmt) []int {
	statuses := make([]int, len(children))
	last := -1 // whose status is that of the pipeline
	var killed container.Signal
	for i, child := range children {
		statuses[i] = s.status
		if child == nil {
			continue
		}
		st, _ := s.waitChild(child)
		statuses[i] = st.Code
		if i == len(children)-1 && (st.Code != 0 || !s.options.pipefail) || st.Code != 0 && s.options.pipefail {
			last, killed = i, st.Signal
		}
	}
	if last >= 0 && killed != 0 {
		s.reportForeground(children[last], killed, stmt)
	}
	s.notify()
	return statuses
}
