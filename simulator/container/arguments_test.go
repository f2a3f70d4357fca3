package container_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// TestArgumentsHaveLimits holds the limits of execve against its manual: 131,072 bytes for one string with its end, 2 MiB for
// all of them with a pointer each.
func TestArgumentsHaveLimits(t *testing.T) {
	t.Parallel()
	const most = 131072
	many := func(n int) []string {
		args := []string{"true"}
		for range n {
			args = append(args, strings.Repeat("x", 1000))
		}
		return args
	}
	var got []error
	s := start(t, func(p *container.Process) int {
		spawn := func(args, env []string) {
			child, err := p.Spawn(container.Command{Path: "/bin/true", Args: args, Env: env, Stdin: -1})
			if err == nil {
				_, err = p.Wait(child, time.Time{})
			}
			got = append(got, err)
		}
		spawn([]string{"true", strings.Repeat("x", most-1)}, p.Env)
		spawn([]string{"true", strings.Repeat("x", most)}, p.Env)
		spawn([]string{"true"}, []string{"V=" + strings.Repeat("x", most-2)})
		spawn(many(2000), p.Env)
		spawn(many(2100), p.Env)
		got = append(got, p.Exec([]string{"/bin/true", strings.Repeat("x", most)}, p.Env))
		return 0
	}, nil).after(time.Second)
	if len(got) != 6 {
		t.Fatalf("it ended early: %v %s", got, s.log.String())
	}
	for i, fits := range []bool{true, false, false, true, false, false} {
		if errors.Is(got[i], syscall.E2BIG) == fits {
			t.Errorf("call %d: %v", i, got[i])
		}
	}
}

// TestACommandTooLongIsNotStarted is about the command of a container, and about a shell that meets the limit.
func TestACommandTooLongIsNotStarted(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 131072)
	for _, tt := range []struct {
		reason  string
		command []string
		code    int
		log     string
	}{
		{"the container's command", []string{"/bin/sh", "-c", long}, 255, "exec /bin/sh: argument list too long\n"},
		{"a shell's", []string{"/bin/sh", "-c", "x=$(head -c 131072 /dev/zero | tr '\\0' x); /bin/echo $x; echo $?"}, 0, "/bin/echo: Argument list too long\n1:126\n"},
		{"a builtin has no such limit", []string{"/bin/sh", "-c", "x=$(head -c 131072 /dev/zero | tr '\\0' x); echo $x | wc -c"}, 0, "1:131073\n"},
	} {
		s := start(t, nil, func(_ *kernel.Kernel, c *container.Config) { c.Command = tt.command }).after(time.Minute)
		if status, _ := s.ExitStatus(); status.Code != tt.code || !strings.HasSuffix(s.log.String(), tt.log) {
			t.Errorf("%s: exit code %d, want %d; it ends with %.200q", tt.reason, status.Code, tt.code, s.log.String())
		}
	}
}
