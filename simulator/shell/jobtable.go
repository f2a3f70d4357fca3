package shell

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// The table of jobs of ash and dash. A job keeps its place after it has ended, until jobs has reported it, or until a new
// job needs the place and a wait has asked for the old one. The newest job is the current one.

// mostJobs is how many jobs a shell keeps.
const mostJobs = 4096

// freePlace returns the lowest number that a new job can have. A job that has been waited for gives way. Commands in the
// foreground are jobs, too, as long as they run.
func (s *shell) freePlace() int {
	for n := 1; ; n++ {
		i := slices.IndexFunc(s.jobs, func(j *job) bool { return j.number == n })
		if i < 0 {
			return n
		}
		if s.jobs[i].done && s.jobs[i].waited {
			s.jobs = slices.Delete(slices.Clone(s.jobs), i, i+1)
			return n
		}
	}
}

// takePlace makes a command in the foreground take the place of a job.
func (s *shell) takePlace() {
	if s.kind != bash && len(s.jobs) > 0 {
		s.freePlace()
	}
}

// reap takes the statuses of all jobs that have ended: ash and dash do so whenever they wait for anything.
func (s *shell) reap() {
	for _, j := range s.jobs {
		s.poll(j)
	}
	if len(s.jobs) > mostJobs {
		s.jobs = slices.DeleteFunc(slices.Clone(s.jobs), func(j *job) bool { return j.done && j.pid != int(s.lastJob) })
	}
}

// frozen is the table as a child of ash sees it that is there for the command jobs alone. Other children have no jobs.
func (s *shell) frozen(st *syntax.Stmt) []*job {
	call, ok := st.Cmd.(*syntax.Call)
	if s.kind != ash || !ok || len(call.Args) == 0 || len(st.Redirs) > 0 {
		return nil
	}
	if name, ok := call.Args[0].Literal(); !ok || name != "jobs" {
		return nil
	}
	var out []*job
	for _, j := range s.jobs {
		same := *j
		same.proc = nil
		out = append(out, &same)
	}
	return out
}

// job returns the job that a specification names. foreground says that fg or bg asks, which need the control of jobs.
func (s *shell) job(spec string, foreground bool) (*job, error) {
	current := func(back int, what string) (*job, error) {
		if len(s.jobs) < back {
			return nil, &usageError{"No " + what + " job"}
		}
		return s.jobs[len(s.jobs)-back], nil
	}
	var found *job
	var err error
	name, isSpec := strings.CutPrefix(spec, "%")
	switch {
	case spec == "" && foreground || isSpec && (name == "" || name == "+" || name == "%"):
		found, err = current(1, "current")
	case isSpec && name == "-":
		found, err = current(2, "previous")
	case isSpec:
		n, convErr := strconv.Atoi(name)
		if i := slices.IndexFunc(s.jobs, func(j *job) bool { return convErr == nil && j.number == n }); i >= 0 {
			found = s.jobs[i]
		}
	}
	switch {
	case err != nil:
		return nil, err
	case found == nil && s.kind == dash:
		return nil, &usageError{"No such job: " + spec}
	case found == nil:
		return nil, &usageError{spec + ": no such job"}
	case foreground && spec == "":
		return nil, &usageError{"job (null) not created under job control"}
	case foreground:
		return nil, &usageError{"job " + spec + " not created under job control"}
	}
	return found, nil
}

// listJobs is jobs.
func (s *shell) listJobs(args []string) int {
	pids, ids := false, false
	flags, specs := leadingFlags(args[1:])
	for _, l := range flags {
		switch l {
		case 'p':
			pids, ids = true, false
		case 'l':
			pids, ids = false, true
		default:
			s.illegalOption(l)
			return statusUsage
		}
	}
	s.reap()
	if len(specs) == 0 {
		for i := len(s.jobs) - 1; i >= 0; i-- {
			s.showJob(s.jobs[i], pids, ids)
		}
		return 0
	}
	for _, spec := range specs {
		j, err := s.job(spec, false)
		if err != nil {
			s.complain(err.Error())
			return statusUsage
		}
		s.showJob(j, pids, ids)
	}
	return 0
}

// showJob prints a line about a job, which it forgets if the job has ended. Without the control of jobs, the shells do
// not know what the commands were.
func (s *shell) showJob(j *job, pids, ids bool) {
	if pids {
		s.print(1, strconv.Itoa(j.pid)+"\n")
	} else {
		const width = 33
		text := fmt.Sprintf("[%d]%s ", j.number, s.jobMark(j))
		if ids {
			text += strconv.Itoa(j.pid) + " "
		}
		text = fmt.Sprintf("%-*s", width, text+jobState(j))
		if p, ok := j.stmt.Cmd.(*syntax.Pipeline); ok && !ids {
			text += strings.Repeat(" | ", len(p.Stages)-1)
		}
		s.print(1, text+"\n")
	}
	if j.done {
		s.jobs = slices.DeleteFunc(slices.Clone(s.jobs), func(other *job) bool { return other == j })
	}
}

// jobMark tells the current and the previous job.
func (s *shell) jobMark(j *job) string {
	mark := " "
	switch n := len(s.jobs); {
	case s.jobs[n-1] == j:
		mark = "+"
	case n > 1 && s.jobs[n-2] == j:
		mark = "-"
	}
	if s.kind == dash {
		return " " + mark
	}
	return mark + " "
}

// jobState is what a list of jobs says of one.
func jobState(j *job) string {
	switch {
	case !j.done:
		return "Running"
	case j.signal == container.SIGINT:
		return "Interrupt"
	case j.signal == container.SIGPIPE:
		return "Broken pipe"
	case j.signal != 0:
		return j.signal.Description()
	case j.status != 0:
		return fmt.Sprintf("Done(%d)", j.status)
	}
	return "Done"
}
