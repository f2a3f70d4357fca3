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
//
// It stands for what a container is there for, never for a launcher ([Config.Launchers]): what a launcher starts, what the
// runtime starts if there is no launcher, and everything that those start, also by way of env and of "#!" lines.
type Mock struct {
	// Image is a pattern of the images that it applies to ([image.ParsePattern]); empty means every image.
	Image string
	// Command is the beginning of the command line. "*" stands for any one argument. The first word matches by its path, or
	// by its last element where it, or the command, is a name without a slash. Empty means the image's entrypoint with any
	// arguments, and whatever else the container itself runs and the image does not have.
	Command []string
	// Args are the first arguments behind Command, or behind the image's entrypoint if there is no Command.
	Args []string
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
	text := m.what()
	if m.Image == "" {
		return text
	}
	return text + " in " + m.Image
}

// what names the command.
func (m *Mock) what() string {
	words := m.Command
	if len(words) == 0 {
		words = []string{"the entrypoint"}
	}
	return strings.Join(slices.Concat(words, m.Args), " ")
}

// Mocks are the mocks of one world. A nil *Mocks has none. The first one that matches a command is used.
type Mocks struct {
	list   []Mock
	images []image.Pattern
	used   []int
}

// NewMocks returns the mocks. The error names an image that is not a pattern.
func NewMocks(list ...Mock) (*Mocks, error) {
	m := &Mocks{list: slices.Clone(list), images: make([]image.Pattern, len(list)), used: make([]int, len(list))}
	for i, mock := range list {
		if mock.Image == "" {
			continue
		}
		var err error
		if m.images[i], err = image.ParsePattern(mock.Image); err != nil {
			return nil, fmt.Errorf("mock %d: %w", i, err)
		}
	}
	return m, nil
}

// Unused returns the indexes of the mocks that no command has used.
func (m *Mocks) Unused() []int {
	if m == nil {
		return nil
	}
	var out []int
	for i, n := range m.used {
		if n == 0 {
			out = append(out, i)
		}
	}
	return out
}

// Call is a command that something runs in a container.
type Call struct {
	Image *image.Image
	Argv  []string
	// Own says that the container itself runs it, not one of its programs.
	Own bool
	// Found says that the image has an executable of that name.
	Found bool
}

// arguments are the arguments behind the image's entrypoint; ok is false if something else is run.
func (c *Call) arguments() (args []string, ok bool) {
	entrypoint := c.Image.Entrypoint
	switch {
	case !c.Own:
		return nil, false
	case len(entrypoint) == 0:
		return nil, slices.Equal(c.Argv, c.Image.Cmd)
	case len(c.Argv) < len(entrypoint) || !slices.Equal(c.Argv[:len(entrypoint)], entrypoint):
		return nil, false
	}
	return c.Argv[len(entrypoint):], true
}

// Match returns the first mock that stands in for a call, and whether there is one. It does not count as a use.
func (m *Mocks) Match(c Call) (index int, ok bool) {
	if m == nil || c.Image.Own || len(c.Argv) == 0 {
		return 0, false
	}
	for i := range m.list {
		if _, why := m.miss(i, &c); why == "" {
			return i, true
		}
	}
	return 0, false
}

// program returns what stands in for a call, if something does.
func (m *Mocks) program(c Call) Program {
	i, ok := m.Match(c)
	if !ok {
		return nil
	}
	m.used[i]++
	return m.list[i].run
}

// miss says why a mock does not stand in for a call, or nothing if it does. agreed is how many words do agree.
func (m *Mocks) miss(i int, c *Call) (agreed int, why string) {
	mock := &m.list[i]
	if !m.of(i, c.Image) {
		return 0, "it is for the image " + mock.Image
	}
	args, entry := c.arguments()
	if len(mock.Command) > 0 {
		agreed, why = compare(mock.Command, mock.Args, c.Argv)
		if why != "" && entry {
			if n, differs := compareArguments(slices.Concat(mock.Command, mock.Args), args); differs == "" {
				return n, "" // the arguments alone, as the manifest has them
			}
		}
		return agreed, why
	}
	switch {
	case entry:
		return compareArguments(mock.Args, args)
	case c.Own && !c.Found:
		return compareArguments(mock.Args, c.Argv[1:])
	case c.Own:
		return 0, fmt.Sprintf("it has no command, so it is the image's entrypoint; for this call give it command: [%s]", c.Argv[0])
	}
	return 0, fmt.Sprintf("it has no command, so it is the image's entrypoint; for what a program of the image runs give it command: [%s]", c.Argv[0])
}

// of reports whether a mock is one of an image.
func (m *Mocks) of(i int, img *image.Image) bool {
	return m.list[i].Image == "" || m.images[i].Matches(img)
}

// sameCommand reports whether a mock's word names what is called by another: by the same path, or by a name.
func sameCommand(mock, called string) bool {
	if mock == "*" || mock == called {
		return true
	}
	if strings.Contains(mock, "/") && strings.Contains(called, "/") {
		return path.Clean(mock) == path.Clean(called)
	}
	return base(mock) == base(called)
}

// compare says why a command line does not begin as a mock has it, or nothing. agreed is how many words do.
func compare(command, args, argv []string) (agreed int, why string) {
	if !sameCommand(command[0], argv[0]) {
		return 0, fmt.Sprintf("it is of %s, the call of %s", command[0], argv[0])
	}
	agreed, why = compareArguments(slices.Concat(command[1:], args), argv[1:])
	return agreed + 1, why
}

// compareArguments says why arguments do not begin as a mock has them, or nothing. agreed is how many do.
func compareArguments(mock, call []string) (agreed int, why string) {
	for i, want := range mock {
		switch {
		case i >= len(call):
			return i, fmt.Sprintf("it has %s, the call has %d", arguments(len(mock)), len(call))
		case want != "*" && want != call[i]:
			return i, fmt.Sprintf("its argument %d is %q, that of the call is %q", i+1, want, call[i])
		}
	}
	return len(mock), ""
}

func arguments(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

// near returns the mock that agrees with a call for longest, of those of the same command, of those that are of the image's
// entrypoint if that is run, and of those of the image that name no command. A call that some mock stands in for has none.
func (m *Mocks) near(c Call) *NearMiss {
	if m == nil || c.Image.Own || len(c.Argv) == 0 {
		return nil
	}
	var best *NearMiss
	longest := -1
	for i := range m.list {
		agreed, why := m.miss(i, &c)
		if why == "" {
			return nil
		}
		mock := m.list[i]
		_, entry := c.arguments()
		meant := entry && m.of(i, c.Image)
		if len(mock.Command) > 0 {
			meant = meant || base(mock.Command[0]) == base(c.Argv[0])
		} else {
			meant = meant || mock.Image != "" && m.of(i, c.Image)
		}
		if meant && agreed > longest {
			best, longest = &NearMiss{Mock: mock, Why: why}, agreed
		}
	}
	return best
}

// path returns where a command would be that only a mock stands in for.
func (m *Mocks) path(name string, img *image.Image) (string, bool) {
	if m == nil || img.Own {
		return "", false
	}
	for i := range m.list {
		if command := m.list[i].Command; len(command) > 0 && base(command[0]) == name && m.of(i, img) {
			if path.IsAbs(command[0]) {
				return command[0], true
			}
			return mockedBin + name, true
		}
	}
	return "", false
}

// mockedBin is the directory in which commands seem to be that only mocks stand in for.
const mockedBin = "/usr/local/bin/"

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
