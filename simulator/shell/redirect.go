package shell

import (
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// savedDescriptor is what a redirection hides: a copy of the descriptor, or -1 if it was closed.
type savedDescriptor struct{ fd, copy int }

// firstSaved is the lowest descriptor that a shell uses for itself.
const firstSaved = 10

func (s *shell) save(fd int) savedDescriptor {
	c, err := s.p.Dup(fd, firstSaved, true)
	if err != nil {
		c = -1
	}
	return savedDescriptor{fd, c}
}

// undo restores descriptors.
func (s *shell) undo(list []savedDescriptor) {
	for i := len(list) - 1; i >= 0; i-- {
		d := list[i]
		if d.copy < 0 {
			s.p.Close(d.fd)
			continue
		}
		_ = s.p.Dup2(d.copy, d.fd)
		s.p.Close(d.copy)
	}
}

// keep makes redirections permanent.
func (s *shell) keep(list []savedDescriptor) {
	for _, d := range list {
		if d.copy >= 0 {
			s.p.Close(d.copy)
		}
	}
}

// redirection says how long redirections last.
type redirection uint8

const (
	final      redirection = iota // they stay
	restorable                    // they are undone
	ofChild                       // they are undone, but a real shell makes them in a child, which reports mistakes
)

// redirect performs redirections. After a failure, which it reports, not all have been
// performed.
func (s *shell) redirect(redirs []*syntax.Redirect, how redirection) (undo []savedDescriptor, ok bool) {
	for _, r := range redirs {
		tolerant := s.strict()
		ok := s.redirectOne(r, how, &undo)
		if s.tolerant = tolerant; !ok {
			if s.flow == goOn {
				s.status = 1
				if s.kind == dash {
					s.status = statusUsage
				}
			}
			return undo, false
		}
	}
	return undo, true
}

func (s *shell) redirectOne(r *syntax.Redirect, how redirection, undo *[]savedDescriptor) bool {
	fd := 1
	switch r.Op {
	case "<", "<>", "<&", "<<", "<<-", "<<<":
		fd = 0
	}
	variable := ""
	if r.N != "" {
		n, err := strconv.Atoi(r.N)
		if err != nil {
			variable = strings.Trim(r.N, "{}")
		} else if n > 9 && s.kind != bash || n >= 200 {
			s.complain(strconv.Itoa(n) + ": bad file descriptor")
			return false
		}
		fd = n
	}
	if how != final && variable == "" {
		*undo = append(*undo, s.save(fd))
	}
	switch r.Op {
	case "<&", ">&":
		return s.duplicate(r, fd, variable, how, undo)
	}
	opened, ok := s.open(r)
	if !ok {
		return false
	}
	if variable != "" {
		n, err := s.p.Dup(opened, firstSaved, false)
		s.p.Close(opened)
		if err != nil {
			return false
		}
		s.setValue(variable, strconv.Itoa(n))
		return true
	}
	if opened != fd {
		_ = s.p.Dup2(opened, fd)
		s.p.Close(opened)
	}
	if opened == fd && s.kind == ash { // it was closed, and ash leaves standard error alone
		return true
	}
	if r.Op == "&>" || r.Op == "&>>" {
		if how != final {
			*undo = append(*undo, s.save(2))
		}
		_ = s.p.Dup2(1, 2)
	}
	return true
}

// open opens the file, document or string of a redirection.
func (s *shell) open(r *syntax.Redirect) (fd int, ok bool) {
	switch r.Op {
	case "<<", "<<-":
		text, err := s.hereDocument(r)
		if err != nil && s.kind != bash { // the redirection has failed, and nothing else
			_, _, _ = s.p.Pipe() // which ash and dash had made for the text, and leave open
			s.complain(err.Error())
			return -1, false
		}
		if s.problem(err) {
			return -1, false
		}
		fd, err = s.p.OpenBytes([]byte(text))
		return fd, !s.problem(err)
	case "<<<":
		text, err := s.hereString(r.Word)
		if s.problem(err) {
			return -1, false
		}
		fd, err = s.p.OpenBytes([]byte(text + "\n"))
		return fd, !s.problem(err)
	}
	name, ok := s.fileName(r.Word)
	if !ok {
		return -1, false
	}
	flags := files.Write | files.Create | files.Truncate
	create := true
	switch r.Op {
	case "<":
		flags, create = files.Read, false
	case "<>":
		flags = files.Read | files.Write | files.Create
	case ">>", "&>>":
		flags = files.Append | files.Create
	case ">", "&>":
		if s.options.noclobber {
			if info, serr := s.p.Stat(name); serr == nil && info.Kind() == files.Regular {
				switch s.kind {
				case bash:
					s.complain(name + ": cannot overwrite existing file")
				case dash:
					s.complain("cannot create " + name + ": File exists")
				default:
					s.complain("can't create " + name + ": File exists")
				}
				return -1, false
			}
			if s.kind == dash && s.p.Exists(name) { // which does not create it then
				create = false
			}
		}
	}
	fd, err := s.p.OpenFile(name, flags, 0o666)
	if err != nil {
		if create {
			s.cannotCreate(name, err)
		} else {
			s.cannotOpen(name, err)
		}
		return -1, false
	}
	return fd, true
}

// fileName expands the name of a redirection's file. In bash it has to be one field.
func (s *shell) fileName(w *syntax.Word) (string, bool) {
	if s.kind != bash || s.options.posix {
		name, err := s.single(w)
		return name, !s.problem(err)
	}
	fields, err := s.appendFields(nil, w)
	if s.problem(err) {
		return "", false
	}
	if len(fields) != 1 {
		s.complain(syntax.PrintWord(w) + ": ambiguous redirect")
		return "", false
	}
	return fields[0], true
}

// duplicate performs n>&m, n<&m, n>&- and, in bash, >&file.
func (s *shell) duplicate(r *syntax.Redirect, fd int, variable string, how redirection, undo *[]savedDescriptor) bool {
	text, err := s.single(r.Word)
	if s.problem(err) {
		return false
	}
	if text == "-" {
		if variable != "" {
			if n, err := strconv.Atoi(s.value(variable)); err == nil {
				s.p.Close(n)
			}
			return true
		}
		s.p.Close(fd)
		return true
	}
	move := strings.HasSuffix(text, "-")
	from, err := strconv.Atoi(strings.TrimSuffix(text, "-"))
	if err != nil {
		if r.Op == ">&" && r.N == "" && s.kind != dash {
			all := *r
			all.Op = "&>"
			opened, ok := s.open(&all)
			if !ok {
				return false
			}
			if opened != 1 {
				_ = s.p.Dup2(opened, 1)
				s.p.Close(opened)
			} else if s.kind == ash { // it was closed, and ash leaves standard error alone
				return true
			}
			if how != final {
				*undo = append(*undo, s.save(2))
			}
			_ = s.p.Dup2(1, 2)
			return true
		}
		switch s.kind {
		case bash:
			s.complain(text + ": ambiguous redirect")
		case dash:
			s.complain("Syntax error: Bad fd number")
			s.status, s.flow = statusUsage, exiting
		default:
			s.complain("syntax error: bad fd number")
			s.status, s.flow = statusUsage, exiting
		}
		return false
	}
	if variable != "" {
		n, err := s.p.Dup(from, firstSaved, false)
		if err != nil {
			s.complain(text + ": Bad file descriptor")
			return false
		}
		s.setValue(variable, strconv.Itoa(n))
		return true
	}
	if err := s.p.Dup2(from, fd); err != nil {
		if s.kind != dash || fd != 2 || how != restorable { // dash has closed its standard error by then
			s.complain(text + ": Bad file descriptor")
		}
		return false
	}
	if move && from != fd {
		s.p.Close(from)
	}
	return true
}

// hereDocument returns the text of a here-document; it is expanded unless its end word was quoted.
func (s *shell) hereDocument(r *syntax.Redirect) (string, error) {
	if r.Quoted {
		return r.Raw, nil
	}
	return s.document(r.Doc)
}

// highestNamed is the highest descriptor that has a name in /dev/fd.
const highestNamed = 63

// closeSubstitutions closes the pipes of the process substitutions of a command, down to those of the commands around it.
func (s *shell) closeSubstitutions(mark int) {
	if len(s.opened) <= mark {
		return
	}
	for _, fd := range s.opened[mark:] {
		s.p.Close(fd)
	}
	s.opened = s.opened[:mark]
}

// endSubstitutions closes the pipes of all process substitutions, as bash does behind what is inside of a compound command.
// The commands of a function, and those of a list of several, close their own. The only command of a line of -c or eval
// leaves them open.
func (s *shell) endSubstitutions() {
	if s.lists == 0 {
		s.forgetSubstitutions()
	}
}

// forgetSubstitutions closes the pipes of all process substitutions, as bash does behind a function and where a child does the
// work of a compound command.
func (s *shell) forgetSubstitutions() {
	if s.calls == 0 {
		s.closeSubstitutions(0)
	}
}

// raise moves a descriptor as high as it has a name, and returns it.
func (s *shell) raise(low int, closeOnExec bool) int {
	high := highestNamed
	for high > low && s.p.IsOpen(high) {
		high--
	}
	if high <= low {
		return low
	}
	fd, err := s.p.Dup(low, high, closeOnExec)
	if err != nil {
		return low
	}
	s.p.Close(low)
	return fd
}

// processSubstitution starts <(…) or >(…) and returns the path of its pipe.
func (s *shell) processSubstitution(ps *syntax.ProcSubst) (string, error) {
	r, w, err := s.p.Pipe()
	if err != nil {
		return "", err
	}
	mine, theirs, stream := r, w, 1
	if ps.Out {
		mine, theirs, stream = w, r, 0
	}
	run := func(c *shell) { c.statements(ps.List, true) }
	if s.kind == bash {
		sc := s.parseSubstitution(syntax.PrintProcess(ps), false)
		defer s.release(sc)
		run = func(c *shell) {
			c.base, c.inEval = max(c.line, 1)-1, true
			if n := len(sc.Lines); n > 0 && sc.Rest == "" {
				c.last = lastCall(sc.Lines[n-1], false)
			}
			c.lines(sc, true)
		}
	}
	child := s.fork(func(c *shell) int {
		p := c.p
		p.Close(mine)
		_ = p.Dup2(theirs, stream)
		if theirs != stream {
			p.Close(theirs)
		}
		c.traced++
		run(c)
		return c.leave()
	})
	if s.kind == bash {
		s.lastJob = int32(child.PID())
		s.keepUnlisted(unlisted{pid: child.PID(), substitution: true, proc: child})
	}
	s.p.Close(theirs)
	named := s.raise(mine, false) // the child, which runs later, has the pipe where it was
	s.opened = append(s.opened, named)
	return "/dev/fd/" + strconv.Itoa(named), nil
}
