package container

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/files"
)

// MissingCommand is a command that a process tried to run and that the container does not have: what a [Mock] could
// stand in for.
type MissingCommand struct {
	// Image is the full name of the container's image.
	Image string
	// Args is the command line. Its first word is as the caller wrote it, by name or by path.
	Args []string
	// Script is the file whose "#!" line asks for the command, or empty.
	Script string
	// Near is the mock that came closest, if one is of the same command.
	Near *NearMiss
	// Stubbed says that the command succeeded all the same, without doing anything ([Config.StubMissing]).
	Stubbed bool
}

// NearMiss is a mock of a command that does not match a call of it.
type NearMiss struct {
	Mock Mock
	// Why says where the two differ.
	Why string
}

// maxMissing bounds how many missing commands one container reports.
const maxMissing = 100

// absent reports a command that could not be found. It returns the program that takes its place, or nil if the failure
// stands.
func (p *Process) absent(argv []string, err error) Program {
	missing := MissingCommand{Image: p.c.cfg.Image.Reference, Args: argv}
	var notFound *NotFoundError
	var format *formatError
	switch {
	case errors.As(err, &notFound):
	case errors.As(err, &format):
		if format.asked == nil {
			return nil // it is there, and no program
		}
		missing.Args, missing.Script = format.asked, format.path
	default:
		if reason := files.Errno(err); reason != syscall.ENOENT && reason != syscall.ENOTDIR {
			return nil // it is there, and not executable
		}
	}
	missing.Stubbed = p.c.cfg.StubMissing
	p.c.report(missing)
	if !missing.Stubbed {
		return nil
	}
	return func(*Process) int { return 0 }
}

// report tells the container's owner of a missing command, once for each command line.
func (c *Container) report(m MissingCommand) {
	known := slices.ContainsFunc(c.missing, func(k MissingCommand) bool { return slices.Equal(k.Args, m.Args) })
	if known || len(c.missing) >= maxMissing {
		return
	}
	m.Args = slices.Clone(m.Args)
	m.Near = c.cfg.Mocks.near(m.Image, m.Args)
	c.missing = append(c.missing, m)
	if c.cfg.OnMissing != nil {
		c.cfg.OnMissing(m)
	}
}

// near finds the mock of the same command that agrees with a call for longest.
func (m *Mocks) near(reference string, argv []string) *NearMiss {
	if m == nil {
		return nil
	}
	var best *NearMiss
	agreed := 0
	for i := range m.list {
		mock := &m.list[i]
		if len(mock.Command) == 0 || base(mock.Command[0]) != base(argv[0]) {
			continue
		}
		n, why := mock.differs(argv)
		if why == "" {
			if m.images[i] == "" || m.images[i] == reference {
				continue // it matches: what is missing is something else
			}
			why = "it is for the image " + mock.Image
		}
		if n > agreed {
			best, agreed = &NearMiss{Mock: *mock, Why: why}, n
		}
	}
	return best
}

// differs counts the words in which a call agrees with the mock and says what the first difference is, if there is one.
// The command itself counts as agreed.
func (m *Mock) differs(argv []string) (agreed int, why string) {
	if want := m.Command[0]; want != argv[0] && strings.Contains(want, "/") {
		return 1, fmt.Sprintf("it is of %s, the call of %s", want, argv[0])
	}
	for i := 1; i < len(m.Command); i++ {
		switch {
		case i >= len(argv):
			return i, fmt.Sprintf("it has %s, the call has %d", arguments(len(m.Command)-1), len(argv)-1)
		case m.Command[i] != "*" && m.Command[i] != argv[i]:
			return i, fmt.Sprintf("its argument %d is %q, that of the call is %q", i, m.Command[i], argv[i])
		}
	}
	return len(m.Command), ""
}

func arguments(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}
