package shell

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// call runs a simple command.
func (s *shell) call(cmd *syntax.Call, redirs []*syntax.Redirect, tail bool) {
	s.p.Spend(container.CommandCost)
	s.line = cmd.Line + s.base
	if s.announce(&syntax.Stmt{Cmd: cmd, Redirs: redirs}); s.flow != goOn {
		return
	}
	s.substituted = false
	fields, err := s.commandFields(cmd)
	if s.problem(err) || s.substituted && s.endsByInterrupt() {
		s.keepExitTrap(cmd)
		return
	}
	if len(fields) == 0 {
		s.assignments(cmd, redirs)
		s.keepExitTrap(cmd)
		if s.flow != discarding || s.kind != bash {
			s.lastArg, s.lastArgExported = "", false
		}
		if s.flow == goOn {
			s.pipestatus = []int{s.status}
		}
		return
	}
	s.runCall(cmd, fields, redirs, tail)
	if s.flow == goOn {
		s.pipestatus = []int{s.status}
	}
	if s.kind == bash && s.flow != discarding {
		s.lastArg, s.lastArgExported = fields[len(fields)-1], false
	}
}

// keepExitTrap has the EXIT trap of the parent run in a child of bash that is there for one command, if a mistake in its words
// ends it: it has not forgotten the trap yet.
func (s *shell) keepExitTrap(cmd *syntax.Call) {
	action := s.inherited["EXIT"]
	if s.own != cmd || !s.solo || s.flow < discarding || s.kind != bash || action == "" {
		return
	}
	if s.traps == nil {
		s.traps = map[string]string{}
	}
	s.traps["EXIT"] = action
}

func (s *shell) runCall(cmd *syntax.Call, fields []string, redirs []*syntax.Redirect, tail bool) {
	name := fields[0]
	special := s.isSpecial(name)
	if !special && s.refuses(cmd.Assigns) {
		return
	}
	if fn := s.functions[name]; fn != nil && !special {
		s.withRedirects(cmd.Assigns, fields, redirs, false, false, func() { s.callFunction(name, fn, fields[1:], len(cmd.Assigns) > 0) })
		s.exitCall()
		return
	}
	if s.kind == bash && strings.HasPrefix(name, "%") && !s.isStage { // without its redirections
		name, redirs = "fg", nil
	}
	if b := s.builtin(name); b != nil {
		special = special || s.becomesSpecial(cmd.Assigns, name)
		s.withRedirects(cmd.Assigns, fields, redirs, special, name == "exec", func() {
			before := s.command
			s.command, s.unwritten, s.misused, s.misassigned, s.fatal = name, nil, false, false, false
			s.status = s.performBuiltin(b, fields)
			if special && s.kind == bash && s.flow == goOn {
				s.endAtMistake(name)
			}
			if s.unwritten != nil && (s.status == 0 || s.kind == dash) && s.flow == goOn && !s.careless(name) {
				s.writeError(s.unwritten)
				if s.kind == bash && listsVariables(fields) {
					s.status = 0
				}
			}
			s.command = before
		})
		s.arrayArgs, s.arrayShift = nil, 0
		return
	}
	s.external(cmd, redirs, fields, tail)
}

// endAtMistake ends bash in POSIX mode if a special built-in has been called wrongly, or has made an assignment that failed.
// Only the latter ends it where a failure is expected too.
func (s *shell) endAtMistake(name string) {
	switch name {
	case "eval", ".", "source", "return", "exit", "exec", ":":
	default:
		s.misused = s.misused || s.status == statusUsage
	}
	if s.misassigned {
		s.flow = exiting
	}
	s.fatal = s.misused
}

// refuses complains about an assignment before a command to a variable that is read only, which ends bash in POSIX mode.
func (s *shell) refuses(assigns []*syntax.Assign) bool {
	if s.kind != bash || !s.options.posix {
		return false
	}
	for _, a := range assigns {
		if s.vars[s.target(a.Name)].readonly {
			s.print(2, s.prefixOf("")+s.readonly(a.Name).Error()+"\n")
			s.flow, s.status = exiting, 1
			return true
		}
	}
	return false
}

// commandFields expands the words of a command. The arguments of commands that declare variables are not split where
// they are assignments.
func (s *shell) commandFields(cmd *syntax.Call) ([]string, error) {
	if len(cmd.Args) == 0 {
		return nil, nil
	}
	first, isLit := cmd.Args[0].Literal()
	if s.kind == bash && (!isLit || !declares(first)) || len(cmd.Args) == 1 {
		return s.fieldsOf(cmd.Args)
	}
	out, err := s.fieldsOf(cmd.Args[:1])
	if err != nil || len(out) == 0 {
		rest, rerr := s.fieldsOf(cmd.Args[1:])
		if err == nil {
			err = rerr
		}
		return append(out, rest...), err
	}
	declaring := declares(out[0]) && (s.kind == bash || out[0] == "export" || out[0] == "readonly" || out[0] == "local")
	for _, w := range cmd.Args[1:] {
		if !declaring && out[0] == "command" {
			text, _ := w.Literal()
			declaring = text == "export" || text == "readonly" || text == "local"
		}
		switch {
		case w.Assign != nil:
			if s.arrayArgs == nil {
				s.arrayArgs = map[int]*syntax.Assign{}
			}
			s.arrayArgs[len(out)] = w.Assign
			if s.arrayArgs[len(out)], err = s.expandedArray(w.Assign, keyedBy(out[1:])); err != nil {
				return nil, err
			}
			out = append(out, w.Assign.Name)
		case declaring && assignmentLength(w) > 0:
			if out, err = s.appendAssigned(out, w); err != nil {
				return nil, err
			}
		default:
			before := len(out)
			if out, err = s.appendFields(out, w); err != nil {
				return nil, err
			}
			s.holdFields(out[before:])
		}
	}
	return out, nil
}

// keyedBy reports whether options declare associative arrays.
func keyedBy(words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return word != "" && word[0] == '-' && strings.Contains(word, "A") })
}

// expandedArray expands the value of an array among the arguments of a command, which bash does before the command runs,
// and returns it as literal text.
func (s *shell) expandedArray(a *syntax.Assign, keyed bool) (*syntax.Assign, error) {
	if a.Array == nil {
		return a, nil
	}
	literal := func(text string) *syntax.Word {
		return &syntax.Word{Parts: []syntax.Part{&syntax.SglQuoted{Value: text}}}
	}
	out := &syntax.Array{}
	var shown []string
	keyed = keyed || s.vars[s.target(a.Name)].table != nil
	for _, e := range a.Array.Elems {
		if e.Index == nil {
			fields, err := s.elementFields(e.Value, keyed)
			if err != nil {
				return nil, err
			}
			for _, f := range fields {
				out.Elems = append(out.Elems, syntax.Element{Value: literal(f)})
				shown = append(shown, quoteSingle(f))
			}
			continue
		}
		index, err := s.single(e.Index)
		if err != nil {
			return nil, err
		}
		value, err := s.assigned(e.Value)
		if err != nil {
			return nil, err
		}
		out.Elems = append(out.Elems, syntax.Element{Index: literal(index), Value: literal(value), Append: e.Append})
		if keyed {
			index = quoteSingle(index)
		}
		shown = append(shown, "["+index+"]="+quoteSingle(value))
	}
	if s.options.xtrace {
		s.traceLine(a.Name + "=(" + strings.Join(shown, " ") + ")")
	}
	return &syntax.Assign{Name: a.Name, Array: out, Append: a.Append}, nil
}

// elementFields expands an element of an array's value: in an associative array to one field.
func (s *shell) elementFields(w *syntax.Word, keyed bool) ([]string, error) {
	if !keyed {
		return s.appendWord(nil, w, false)
	}
	text, err := s.assigned(w)
	return []string{text}, err
}

// appendAssigned expands an argument that is an assignment. In bash braces make several of it.
func (s *shell) appendAssigned(out []string, w *syntax.Word) ([]string, error) {
	words := []*syntax.Word{w}
	if s.kind == bash && s.options.braceexpand && hasBrace(w) {
		var err error
		if words, err = s.braces(w); err != nil {
			return nil, err
		}
	}
	for _, word := range words {
		text, err := s.assignedText(word, true)
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}

// declares reports whether a command's arguments may be assignments.
func declares(name string) bool {
	switch name {
	case "export", "readonly", "local", "declare", "typeset":
		return true
	}
	return false
}

// assignments runs a command that has no name.
func (s *shell) assignments(cmd *syntax.Call, redirs []*syntax.Redirect) {
	if s.kind == bash { // which expands, and so assigns, before it opens files
		for _, a := range cmd.Assigns {
			err := s.tracedAssignment(a)
			var readonly *readonlyError
			if s.commanded && errors.As(err, &readonly) && readonly.name == a.Name {
				err = &discardError{err}
			}
			if s.problem(err) {
				return
			}
		}
	}
	if s.kind == bash && needsChild(redirs) {
		s.redirectInChild(redirs, s.solo && s.own == cmd)
		return
	}
	undo, ok := s.redirect(redirs, restorable)
	defer s.undo(undo)
	if !ok {
		return
	}
	if s.kind != bash && !s.assignAll(cmd.Assigns, undo) {
		return
	}
	s.status = 0
	if s.substituted {
		s.status = int(s.substatus)
	}
}

// assignAll performs the assignments of a command that has no name in ash and dash, which trace them together.
func (s *shell) assignAll(assigns []*syntax.Assign, undo []savedDescriptor) bool {
	var traced []string
	for _, a := range assigns {
		if err := s.assignment(a); s.problem(err) {
			return false
		}
		if s.options.xtrace {
			traced = append(traced, s.assignmentText(a))
		}
	}
	if s.options.xtrace {
		s.traceFD = max(0, savedError(undo)) // if it was closed, that of the command
		s.trace(traced, nil)
		s.traceFD = 0
	}
	return true
}

// tracedAssignment performs an assignment, which bash shows before it does it.
func (s *shell) tracedAssignment(a *syntax.Assign) error {
	switch {
	case !s.options.xtrace:
		return s.assignment(a)
	case a.Array != nil:
		s.traceLine(syntax.PrintAssign(a))
		return s.assignArray(a.Name, a.Array, a.Append)
	}
	value, err := s.assigned(a.Value)
	if err != nil {
		return err
	}
	name := a.Name
	if a.Index != nil {
		name += "[" + syntax.PrintWord(a.Index) + "]"
	}
	if a.Append {
		name += "+"
	}
	s.traceLine(s.traceAssign(name + "=" + value))
	if a.Index != nil {
		return s.assignIndex(a.Name, a.Index, value, a.Append)
	}
	return s.assignValue(a.Name, value, a.Append)
}

// assignmentText is an assignment as the trace shows it.
func (s *shell) assignmentText(a *syntax.Assign) string {
	if a.Array != nil || a.Index != nil {
		return syntax.PrintAssign(a)
	}
	if a.Append {
		value, _ := s.assigned(a.Value)
		return a.Name + "+=" + value
	}
	return a.Name + "=" + s.value(a.Name)
}

// assignment performs one assignment.
func (s *shell) assignment(a *syntax.Assign) error {
	if a.Array != nil {
		return s.assignArray(a.Name, a.Array, a.Append)
	}
	value, err := s.assigned(a.Value)
	if err != nil {
		return err
	}
	if a.Index != nil {
		return s.assignIndex(a.Name, a.Index, value, a.Append)
	}
	return s.assignValue(a.Name, value, a.Append)
}

// assignValue sets a variable or, with add, appends to it.
func (s *shell) assignValue(name, value string, add bool) error {
	if add {
		target := s.target(name)
		if base, index, ok := elementName(target); ok && s.kind == bash {
			return s.assignTarget(base, index, value, true)
		}
		v := s.vars[target]
		old, _ := v.scalar()
		if v.integer {
			var err error
			if value, err = s.sum(old, value); err != nil {
				return err
			}
		} else {
			s.grow(len(old) + len(value))
			value = old + value
		}
	}
	return s.assign(name, value)
}

// withRedirects runs a function or built-in with assignments and redirections that last as long, or, if they stick or
// are kept, for ever.
func (s *shell) withRedirects(assigns []*syntax.Assign, fields []string, redirs []*syntax.Redirect, stick, keep bool, run func()) {
	if s.kind != bash {
		s.prepared(assigns, fields, redirs, stick, keep, run)
		return
	}
	var scope, hides map[string]saved
	if len(assigns) > 0 {
		hides = map[string]saved{}
	}
	if len(assigns) > 0 && !stick {
		scope = hides
		s.layer++
		defer func() { s.layer-- }()
	}
	traced, ok := s.assignBefore(assigns, hides, scope != nil)
	if !ok {
		return
	}
	if s.options.xtrace {
		s.trace(traced, fields)
	}
	mark := len(s.opened)
	defer func() { s.closeSubstitutions(mark) }()
	if len(redirs) > 0 {
		undo, ok := s.redirect(redirs, restorable)
		if !ok {
			s.undo(undo)
			s.restore(scope)
			if stick && s.options.posix && s.flow == goOn {
				s.flow = exiting
			}
			return
		}
		if keep {
			s.keep(undo)
		} else {
			defer func() {
				gaveUp := s.flow == discarding && (fields[0] == "eval" || s.functions[fields[0]] != nil)
				switch {
				case s.flow != exiting && !gaveUp:
					s.undo(undo)
				case s.endsWithRedirects():
				case s.timing != nil:
					*s.timing = append(undo, *s.timing...)
				default:
					s.undo(undo)
				}
			}()
		}
	}
	before := s.temporary
	s.temporary = hides
	run()
	if s.temporary = before; scope != nil {
		s.restore(scope)
	}
}

// assignBefore performs the assignments before a command of bash, whose text it returns for the trace. What they hide goes
// to hides; if they are temporary, a mistake takes it back.
func (s *shell) assignBefore(assigns []*syntax.Assign, hides map[string]saved, temporary bool) (traced []string, ok bool) {
	for _, a := range assigns {
		if a.Index != nil {
			s.complain("`" + a.Name + "[" + syntax.PrintWord(a.Index) + "]': not a valid identifier")
			continue
		}
		if _, seen := hides[a.Name]; !seen {
			hides[a.Name] = s.hidden(a.Name)
		}
		var err error
		if a.Array == nil {
			err = s.assignment(a)
		} else { // there is no array for a command: it is text
			text := syntax.PrintAssign(&syntax.Assign{Array: a.Array})
			err = s.assignValue(a.Name, strings.TrimPrefix(text, "="), false)
		}
		if err != nil {
			if temporary {
				if s.ignorable(err) {
					continue
				}
				s.restore(hides)
			}
			s.problem(err)
			return nil, false
		}
		if s.options.xtrace {
			traced = append(traced, s.assignmentText(a))
		}
		v := s.vars[a.Name]
		v.exported = true
		if temporary {
			s.nextOrder++
			v.order, v.layer = s.nextOrder, s.layer
		}
		s.store(a.Name, v)
	}
	return traced, true
}

// listsVariables reports whether a command is one of bash's that list variables and succeed even if they cannot.
func listsVariables(fields []string) bool {
	switch fields[0] {
	case "declare", "typeset":
		return len(fields) > 1 && !slices.ContainsFunc(fields[1:], func(f string) bool { return !strings.HasPrefix(f, "-") })
	case "local":
		return !slices.ContainsFunc(fields[1:], func(f string) bool { return !strings.HasPrefix(f, "-") })
	}
	return false
}

// careless reports whether a built-in does not mind that its output could not be written.
func (s *shell) careless(name string) bool {
	switch name {
	case "command", "compgen", "ulimit", "kill":
		return s.kind == bash
	}
	return false
}

// ignorable reports whether bash runs a command although an assignment before it has failed: a variable cannot be set.
func (s *shell) ignorable(err error) bool {
	if s.kind != bash || s.options.posix || s.options.errexit || !errors.As(err, new(*readonlyError)) {
		return false
	}
	s.complain(err.Error())
	return true
}

// callFunction runs a function. assigned says that there are assignments before its name.
func (s *shell) callFunction(name string, fn *function, args []string, assigned bool) {
	if s.kind == dash && s.calls >= maxCallsOfDash {
		s.problem(fmt.Errorf("Maximum function recursion depth (%d) reached", maxCallsOfDash))
		return
	}
	s.deeper("function calls")
	before, loops, base, source, line, around, layer, evals := s.args, s.loops, s.base, s.source, s.line, s.around, s.layer, s.evals
	held, options := s.argsHeld, s.nextOptions
	if s.calls == 0 {
		s.outerArgs = before
	}
	s.args, s.argsHeld, s.nextOptions = args, 0, firstOption
	s.calls++
	if !assigned { // else the variables of the function are kept with those that are assigned before its name
		s.layer++
	}
	outer := len(s.scopes)
	s.scopes = append(s.scopes, nil)
	if s.kind != ash { // where break reaches the loops of the caller
		s.loops = 0
	}
	s.frames = append(s.frames, frame{name, s.source, s.line})
	s.base, s.source = fn.base, fn.source
	s.around = int32(s.functionLine(fn.Body))
	hidden := s.hideTraps()
	if s.kind == bash && s.options.functrace {
		s.line = int(s.around)
		s.debug()
	}
	s.statement(fn.Body, false)
	if s.flow == exiting && s.kind == bash {
		s.exitFunction()
	}
	s.returned()
	s.showTraps(hidden)
	s.frames = s.frames[:len(s.frames)-1]
	s.loops, s.base, s.source, s.line, s.around = loops, base, source, line, around
	s.nextOptions = options // before a local OPTIND ends, which sets it
	s.leaveScopes(outer)
	s.calls--
	s.forgetSubstitutions()
	s.p.Allocate(-s.argsHeld)
	s.args, s.layer, s.argsHeld, s.evals = before, layer, held, evals
	if s.flow == returning {
		s.flow = goOn
	}
	s.shallower()
}

// exitFunction runs the EXIT trap of a shell that ends inside of a function, if that is to be done here.
func (s *shell) exitFunction() {
	switch s.ending {
	case unwound:
		return
	case popped:
		s.ending = localless
		return
	case localless:
		for i := len(s.scopes) - 1; i >= 0; i-- {
			s.restore(s.scopes[i])
			s.scopes[i] = nil
		}
		s.unfinished = &endedFunction{s.args, s.frames}
		return
	}
	s.runTraps()
	s.exitTrap()
}

// endedFunction is what the EXIT trap sees of the function that set -e has ended. It runs when the redirections of the call
// are undone.
type endedFunction struct {
	args   []string
	frames []frame
}

// exitCall runs the EXIT trap behind the call of a function that set -e has ended.
func (s *shell) exitCall() {
	ended := s.unfinished
	if s.unfinished = nil; ended == nil {
		return
	}
	args, frames := s.args, s.frames
	s.args, s.frames = ended.args, ended.frames
	s.calls++
	s.runTraps()
	s.exitTrap()
	s.calls--
	s.args, s.frames = args, frames
}

// external runs a command that is a program.
func (s *shell) external(cmd *syntax.Call, redirs []*syntax.Redirect, fields []string, tail bool) {
	if s.kind != bash {
		tail = tail && !s.trapsSet()
		s.prepared(cmd.Assigns, fields, redirs, false, tail, func() {
			found, err := s.program(fields[0])
			path := s.pathFrom(found)
			if tail {
				s.status = s.exec(fields, path, err)
				s.flow = exiting
				return
			}
			shared, era := s.varsShared, s.era
			s.takePlace()
			child := s.fork(func(c *shell) int {
				c.traps = nil
				return c.exec(fields, path, err)
			})
			s.varsShared, s.era = shared, era // the child changes nothing before it executes the program, and has no child of its own
			s.status = s.await(child, nil)
		})
		return
	}
	s.externalOfBash(cmd, redirs, fields, tail)
}

// externalOfBash runs a program for bash, which performs the assignments itself and leaves the redirections to the child.
func (s *shell) externalOfBash(cmd *syntax.Call, redirs []*syntax.Redirect, fields []string, tail bool) {
	tail = s.own == cmd || tail && !s.trapsSet() && (s.subshell || len(redirs) == 0) && (s.last == cmd || s.isStage)
	ownPath := slices.ContainsFunc(cmd.Assigns, func(a *syntax.Assign) bool { return a.Name == "PATH" })
	if !tail && !s.isStage && !ownPath && !strings.Contains(fields[0], "/") {
		s.hashProgram(fields[0])
	}
	var scope map[string]saved
	if len(cmd.Assigns) > 0 {
		scope = map[string]saved{}
		s.layer++
		defer func() { s.layer-- }()
	}
	traced, ok := s.assignBefore(cmd.Assigns, scope, true)
	if !ok {
		return
	}
	if s.options.xtrace {
		s.trace(traced, fields)
	}
	run := func(c *shell) int {
		if _, ok := c.redirect(redirs, final); !ok {
			c.reverse()
			return c.status
		}
		return c.exec(fields, c.value("PATH"), nil)
	}
	if tail {
		if s.last == cmd {
			s.lowerLevel()
		}
		s.status = run(s)
		s.flow = exiting
		return
	}
	shared, era := s.varsShared, s.era
	child := s.fork(func(c *shell) int {
		c.traps = nil
		c.subshells, c.subshell, c.isJob, c.reverses = s.subshells, s.subshell, s.isJob, s.reverses
		return run(c)
	})
	if len(redirs) == 0 {
		s.varsShared, s.era = shared, era // the child changes nothing before it executes the program, and has no child of its own
	}
	s.status = s.await(child, &syntax.Stmt{Cmd: cmd, Redirs: redirs})
	s.restore(scope)
}

// hashProgram remembers where the program of a command is.
func (s *shell) hashProgram(name string) {
	if known, ok := s.programs[name]; ok {
		s.rememberProgram(name, known.path, true)
		return
	}
	if path, err := s.p.SearchPath(name, s.value("PATH")); err == nil {
		s.rememberProgram(name, path, true)
	}
}

// exec replaces the process by a program in the directories of path. It returns the status if there is no such program.
// failed says that ash or dash has searched before, and why it has found nothing.
func (s *shell) exec(fields []string, path string, failed error) int {
	return s.execAs(fields, path, failed, execution{})
}

// execution is what the options of bash's exec say about the program.
type execution struct {
	name  string // its first argument, if named
	named bool
	login bool // there is a sign before its first argument
	clean bool // it has no environment
}

// options reads the options before a command, and returns the command.
func (e *execution) options(args []string) []string {
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		letters := args[0][1:]
		if args = args[1:]; letters == "-" {
			break
		}
		for i, letter := range letters {
			switch letter {
			case 'c':
				e.clean = true
			case 'l':
				e.login = true
			}
			if letter != 'a' {
				continue
			}
			if e.name, e.named = letters[i+1:], true; e.name == "" && len(args) > 0 {
				e.name, args = args[0], args[1:]
			}
			break
		}
	}
	return args
}

// arguments returns the arguments of the program.
func (e *execution) arguments(fields []string) []string {
	if !e.named && !e.login {
		return fields
	}
	name := fields[0]
	if e.named {
		name = e.name
	}
	if e.login {
		name = "-" + name
	}
	return append([]string{name}, fields[1:]...)
}

// execAs is exec with options.
func (s *shell) execAs(fields []string, path string, failed error, how execution) int {
	env := s.environment()
	if s.kind == bash {
		env = s.withCommand(env, fields[0])
	}
	if how.clean {
		env = []string{}
	}
	name := fields[0]
	err := s.p.ExecFrom(path, s.programFile(name), how.arguments(fields), env)
	var missing *container.NotFoundError
	if s.kind != bash && failed == nil && errors.As(err, &missing) { // a directory is in the way
		if _, serr := s.search(name, path, hashed{}); errors.Is(serr, syscall.EACCES) {
			err = serr
		}
	}
	errno := files.Errno(err)
	switch {
	case errors.Is(failed, syscall.EACCES):
		s.commandError(name, files.Message(failed))
		return statusNotFound
	case errors.As(err, &missing):
		text := s.notFound()
		if s.command == "exec" {
			if info, serr := s.p.Stat(name); s.kind == bash && serr == nil && info.IsDir() {
				s.commandError(name, "cannot execute: Is a directory")
				return statusNoExec
			}
			text = "not found"
		} else {
			name = s.printable(name)
		}
		s.commandError(name, text)
		return statusNotFound
	case errno == syscall.ENOEXEC:
		return s.execScript(fields, path)
	case errno == syscall.ENOENT || errno == syscall.ENOTDIR:
		if s.kind == bash {
			if _, serr := s.p.Stat(name); serr == nil {
				s.commandError(name, "cannot execute: required file not found")
			} else {
				s.commandError(name, files.Message(err))
			}
		} else {
			s.commandError(name, "not found")
		}
		return statusNotFound
	}
	if info, serr := s.p.Stat(name); s.kind == bash && serr == nil && info.IsDir() {
		s.commandError(name, "Is a directory")
	} else {
		s.commandError(name, files.Message(err))
	}
	return statusNoExec
}

// programFile returns where the file of a program is if bash remembers that, else its name.
func (s *shell) programFile(name string) string {
	if known, ok := s.programs[name]; ok && s.kind == bash && s.p.Exists(known.path) {
		return known.path
	}
	return name
}

func (s *shell) notFound() string {
	if s.kind == bash {
		return "command not found"
	}
	return "not found"
}

// execScript runs a file without header as a script of this shell.
func (s *shell) execScript(fields []string, path string) int {
	name := s.programFile(fields[0])
	if !strings.Contains(name, "/") {
		var err error
		if name, err = s.p.SearchPath(name, path); err != nil {
			return statusNotFound
		}
	}
	data, err := s.p.ReadFile(name)
	if err != nil {
		s.commandError(name, files.Message(err))
		return statusNoExec
	}
	if isBinary(data) {
		if s.kind == bash {
			s.commandError(name, "cannot execute binary file: Exec format error")
		} else {
			s.commandError(name, "Exec format error")
		}
		return statusNoExec
	}
	if s.mortal {
		for _, sig := range deadly {
			if !s.p.Ignores(sig) {
				s.p.Default(sig)
			}
		}
	}
	s.p.Args, s.p.Env = append([]string{"sh", name}, fields[1:]...), s.environment()
	s.p.Exit(s.in.main(s.p, s.kind, s.options.posix))
	return 0
}

// withCommand returns the environment of a command: $_ of bash is where it was found. Only exec leaves it as it is.
func (s *shell) withCommand(env []string, name string) []string {
	if s.command == "exec" {
		return env
	}
	path := name
	if !strings.Contains(name, "/") {
		found, err := s.p.SearchPath(name, s.value("PATH"))
		if err != nil {
			return env
		}
		path = found
	}
	if i := slices.IndexFunc(env, func(kv string) bool { return strings.HasPrefix(kv, "_=") }); i >= 0 {
		env = slices.Clone(env)
		env[i] = "_=" + path
		return env
	}
	return append(slices.Clip(env), "_="+path)
}
