package container

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/image"
)

// Mock stands in for a command that the simulation cannot run: a compiler, a client of some service.
type Mock struct {
	// Image is the reference that it applies to, in any spelling; empty means every image.
	Image string
	// Command is the beginning of the command line. "*" stands for any one argument. A name without a slash also matches
	// a command that is called by its path. Empty matches every command.
	Command []string
	// Exit is the exit code.
	Exit int
	// Stdout and Stderr are what it prints.
	Stdout, Stderr string
	// Files are written before it ends: path, relative to the working directory, to content. Directories are made.
	Files map[string]string
	// Takes is how long it runs.
	Takes time.Duration
}

func (m *Mock) String() string {
	command := strings.Join(m.Command, " ")
	if command == "" {
		command = "every command"
	}
	if m.Image == "" {
		return command
	}
	return command + " in " + m.Image
}

// Mocks are the mocks of one world. A nil *Mocks has none. The first one that matches a command is used.
type Mocks struct {
	list   []Mock
	images []string // normalised
	used   []int
}

// NewMocks returns the mocks. The error names an image reference that cannot be parsed.
func NewMocks(list ...Mock) (*Mocks, error) {
	m := &Mocks{list: slices.Clone(list), images: make([]string, len(list)), used: make([]int, len(list))}
	for i, mock := range list {
		if mock.Image == "" {
			continue
		}
		ref, err := image.Normalize(mock.Image)
		if err != nil {
			return nil, fmt.Errorf("mock %d: %w", i, err)
		}
		m.images[i] = ref
	}
	return m, nil
}

// Unused returns the mocks that no command has used.
func (m *Mocks) Unused() []Mock {
	if m == nil {
		return nil
	}
	var out []Mock
	for i, n := range m.used {
		if n == 0 {
			out = append(out, m.list[i])
		}
	}
	return out
}

// match finds the mock for a command and does not count that as a use.
func (m *Mocks) match(reference string, argv []string) *Mock {
	if m == nil {
		return nil
	}
	for i := range m.list {
		if (m.images[i] == "" || m.images[i] == reference) && m.list[i].matches(argv) {
			return &m.list[i]
		}
	}
	return nil
}

func (m *Mock) matches(argv []string) bool {
	if len(argv) < len(m.Command) {
		return false
	}
	for i, want := range m.Command {
		switch {
		case want == "*", want == argv[i]:
		case i == 0 && !strings.Contains(want, "/") && want == base(argv[0]):
		default:
			return false
		}
	}
	return len(argv) > 0
}

// mock returns the program that stands in for a command, if there is one.
func (p *Process) mock(argv []string) Program {
	mocks := p.c.cfg.Mocks
	if mocks == nil {
		return nil
	}
	m := mocks.match(p.c.cfg.Image.Reference, argv)
	if m == nil {
		return nil
	}
	for i := range mocks.list {
		if &mocks.list[i] == m {
			mocks.used[i]++
		}
	}
	return m.run
}

// run is the program of a mock.
func (m *Mock) run(p *Process) int {
	if m.Takes > 0 {
		_ = p.Sleep(m.Takes)
	}
	if m.Stdout != "" {
		p.Write(1, []byte(m.Stdout))
	}
	if m.Stderr != "" {
		p.Write(2, []byte(m.Stderr))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		err := p.MkdirAll(path.Dir(name), 0o755)
		if err == nil {
			err = p.WriteFile(name, []byte(m.Files[name]), 0o644)
		}
		if err != nil {
			fmt.Fprintf(p.Stderr(), "mock of %s: %v\n", m, err)
			return 1
		}
	}
	return m.Exit
}
