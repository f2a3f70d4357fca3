package shell

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

// commandChains is how many chains the table of commands of ash and dash has.
const commandChains = 31

// commandChain is the chain in which ash and dash keep a command.
func commandChain(name string) int {
	if name == "" {
		return 0
	}
	sum := int(name[0]) << 4
	for i := range len(name) {
		sum += int(name[i])
	}
	return sum & 0x7fff % commandChains
}

// program finds the program of a command of ash or dash, and remembers where it is. It stays there, whatever appears before
// it, until PATH is set. After cd, directories in PATH that are not absolute are asked again.
func (s *shell) program(name string) (hashed, error) {
	if strings.Contains(name, "/") {
		return hashed{path: name, index: nowhere}, nil
	}
	known, ok := s.programs[name]
	if ok && known.moves == s.moves {
		return known, nil
	}
	found, err := s.search(name, s.value("PATH"), known)
	if err != nil {
		s.forgetProgram(name)
		return found, err
	}
	if found.moves = s.moves; ok {
		found.order = known.order
	} else {
		s.nextOrder++
		found.order = s.nextOrder
	}
	programs := make(map[string]hashed, len(s.programs)+1) // a fork may have the same map
	maps.Copy(programs, s.programs)
	programs[name] = found
	s.programs = programs
	return found, nil
}

// forgetProgram takes a command out of what is remembered.
func (s *shell) forgetProgram(name string) {
	if _, ok := s.programs[name]; ok {
		s.programs = maps.Clone(s.programs)
		delete(s.programs, name)
	}
}

// nowhere is the index of a program that was not found in a directory of PATH.
const nowhere = -1

// search goes through the directories of a PATH. Ash takes any regular file for a program, dash one that can be executed.
// Absolute directories before the one where the command is known to have been are left out.
func (s *shell) search(name, path string, known hashed) (hashed, error) {
	var failed error = &container.NotFoundError{Name: name}
	i := 0
	for dir := range strings.SplitSeq(path, ":") {
		file := name
		if dir != "" {
			file = dir + "/" + name
		}
		if known.path != "" && strings.HasPrefix(file, "/") && i <= known.index {
			if i == known.index {
				return known, nil
			}
			i++
			continue
		}
		if info, err := s.p.Stat(file); err == nil {
			failed = syscall.EACCES
			if info.Kind() == files.Regular && (s.kind == ash || s.p.Executable(file) == nil) {
				return hashed{path: file, index: i}, nil
			}
		}
		i++
	}
	if !errors.Is(failed, syscall.EACCES) {
		if found, err := s.p.SearchPath(name, path); err == nil { // a mock has no file
			return hashed{path: found, index: nowhere}, nil
		}
	}
	return hashed{}, failed
}

// pathFrom is the PATH from the directory on in which a program was found.
func (s *shell) pathFrom(found hashed) string {
	path := s.value("PATH")
	for range found.index {
		_, path, _ = strings.Cut(path, ":")
	}
	return path
}

// remembers finds the programs of a pipeline before its processes start, so that they are remembered.
func (s *shell) remembers(name string) {
	if s.builtin(name) == nil && s.functions[name] == nil {
		_, _ = s.program(name) // if there is none, the stage says so
	}
}

// builtinHash is hash of ash and dash.
func builtinHash(s *shell, args []string) int {
	if s.kind == bash {
		return builtinHashOfBash(s, args)
	}
	args = args[1:]
	if len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		switch {
		case args[0] == "--":
			args = args[1:]
		case args[0][1] != 'r':
			s.illegalOption(rune(args[0][1]))
			return statusUsage
		default:
			s.programs = nil
			return 0
		}
	}
	if len(args) == 0 {
		s.listCommands()
		return 0
	}
	status := 0
	for _, name := range args {
		if s.builtin(name) != nil || s.functions[name] != nil {
			continue
		}
		s.forgetProgram(name)
		if _, err := s.program(name); err != nil {
			text := "not found"
			if errors.Is(err, syscall.EACCES) {
				text = files.Message(err)
			}
			s.complain(name + ": " + text)
			status = 1
		}
	}
	return status
}

// listCommands lists the programs that are remembered. Those that are to be found again after cd are marked.
func (s *shell) listCommands() {
	names := slices.SortedFunc(maps.Keys(s.programs), func(a, b string) int {
		if x, y := commandChain(a), commandChain(b); x != y {
			return x - y
		}
		return s.programs[a].order - s.programs[b].order
	})
	for _, name := range names {
		text := s.programs[name].path
		if s.programs[name].moves != s.moves {
			text += "*"
		}
		s.print(1, text+"\n")
	}
}
