package container_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

func TestMissingCommandsAreReported(t *testing.T) {
	t.Parallel()
	const reference = "docker.io/x/y:z"
	script := func(line string) string {
		return "printf '" + line + `\necho never\n' > /tmp/script; chmod +x /tmp/script; /tmp/script a`
	}
	rows := []struct {
		reason string
		script string
		want   []container.MissingCommand
	}{
		{"by name, with its arguments", "git clone https://x", []container.MissingCommand{{Args: []string{"git", "clone", "https://x"}}}},
		{"by path", "/app/tool run", []container.MissingCommand{{Args: []string{"/app/tool", "run"}}}},
		{"by a path through a file", "/etc/passwd/tool", []container.MissingCommand{{Args: []string{"/etc/passwd/tool"}}}},
		{"what other commands run", "env A=1 cc x; echo m.o | xargs ld; find /etc -name passwd -exec strip {} +", []container.MissingCommand{
			{Args: []string{"cc", "x"}}, {Args: []string{"ld", "m.o"}}, {Args: []string{"strip", "/etc/passwd"}},
		}},
		{"an interpreter, as the kernel calls it", script("#!/usr/bin/python3 -u"), []container.MissingCommand{
			{Args: []string{"/usr/bin/python3", "-u", "/tmp/script", "a"}, Script: "/tmp/script"},
		}},
		{"an interpreter by way of env is a command", script("#!/usr/bin/env python3"), []container.MissingCommand{
			{Args: []string{"python3", "/tmp/script", "a"}},
		}},
		{"each command line once", "for i in 1 2 3; do git pull; done; git push", []container.MissingCommand{
			{Args: []string{"git", "pull"}}, {Args: []string{"git", "push"}},
		}},
		{"a file that cannot be executed is not missing", "echo x > /tmp/data; /tmp/data; /etc; chmod +x /tmp/data; /tmp/data", []container.MissingCommand{
			{Args: []string{"x"}}, // a file without a header is a script
		}},
		{"asking for a command is not running it", "command -v git; type git; hash git; [ -x /app/tool ]", nil},
	}
	for _, r := range rows {
		t.Run(r.reason, func(t *testing.T) {
			t.Parallel()
			var got []container.MissingCommand
			start(t, nil, func(_ *kernel.Kernel, c *container.Config) {
				c.Command = []string{"sh", "-c", r.script}
				c.OnMissing = func(m container.MissingCommand) { got = append(got, m) }
			}).after(time.Minute)
			for i := range r.want {
				r.want[i].Image = reference
			}
			if d := cmp.Diff(r.want, got); d != "" {
				t.Errorf("missing (-want +got):\n%s", d)
			}
		})
	}
}

func TestStubbedCommandsSucceedSilently(t *testing.T) {
	t.Parallel()
	var got [][]string
	s := start(t, nil, func(_ *kernel.Kernel, c *container.Config) {
		c.Command = []string{"sh", "-c", `set -e; git clone x; /app/tool; printf '#!/usr/bin/python3\n' > s; chmod +x s; ./s; echo "end: $?"`}
		c.StubMissing = true
		c.OnMissing = func(m container.MissingCommand) {
			if !m.Stubbed {
				t.Errorf("%v is not said to be stubbed", m.Args)
			}
			got = append(got, m.Args)
		}
	}).after(time.Minute)
	if d := cmp.Diff("1:end: 0\n", s.log.String()); d != "" {
		t.Errorf("log (-want +got):\n%s", d)
	}
	if d := cmp.Diff([][]string{{"git", "clone", "x"}, {"/app/tool"}, {"/usr/bin/python3", "./s"}}, got); d != "" {
		t.Errorf("missing (-want +got):\n%s", d)
	}
}

// TestMissingContainerCommand: nothing else runs in the container then.
func TestMissingContainerCommand(t *testing.T) {
	t.Parallel()
	for _, stub := range []bool{false, true} {
		var got [][]string
		k, cfg := config(t, nil, func(_ *kernel.Kernel, c *container.Config) {
			c.Command, c.StubMissing = []string{"/app/server", "--port=1"}, stub
			c.OnMissing = func(m container.MissingCommand) { got = append(got, m.Args) }
		})
		c, err := container.Start(cfg)
		if (err == nil) != stub {
			t.Errorf("stub %v: the start says %v", stub, err)
		}
		k.RunUntil(k.Now().Add(time.Minute))
		if stub {
			if status, ended := c.ExitStatus(); !ended || status.Code != 0 {
				t.Errorf("the stub ended: %v, %+v", ended, status)
			}
		}
		if d := cmp.Diff([][]string{{"/app/server", "--port=1"}}, got); d != "" {
			t.Errorf("stub %v: missing (-want +got):\n%s", stub, d)
		}
	}
}

func TestNearMissOfAMock(t *testing.T) {
	t.Parallel()
	rows := []struct {
		reason string
		mocks  []container.Mock
		call   string
		why    string
	}{
		{"fewer arguments than the mock", []container.Mock{{Command: []string{"git", "clone", "a", "b"}}}, "git clone a", "it has 3 arguments, the call has 2"},
		{"one argument is one", []container.Mock{{Command: []string{"git", "pull"}}}, "git", "it has 1 argument, the call has 0"},
		{"another argument", []container.Mock{{Command: []string{"git", "clone", "a"}}}, "git clone b c", `its argument 2 is "a", that of the call is "b"`},
		{"a star is any argument", []container.Mock{{Command: []string{"git", "*", "a"}}}, "git clone b", `its argument 2 is "a", that of the call is "b"`},
		{"the closest one is reported", []container.Mock{{Command: []string{"git", "fetch"}}, {Command: []string{"git", "clone", "a"}}}, "git clone b", `its argument 2 is "a", that of the call is "b"`},
		{"another image", []container.Mock{{Image: "example.com/other:1", Command: []string{"git"}}}, "git clone a", "it is for the image example.com/other:1"},
		{"another path", []container.Mock{{Command: []string{"/opt/git"}}}, "/usr/local/bin/git clone", "it is of /opt/git, the call of /usr/local/bin/git"},
		{"another command", []container.Mock{{Command: []string{"gitk"}}}, "git clone a", ""},
	}
	for _, r := range rows {
		t.Run(r.reason, func(t *testing.T) {
			t.Parallel()
			mocks, err := container.NewMocks(r.mocks...)
			if err != nil {
				t.Fatal(err)
			}
			var near *container.NearMiss
			start(t, nil, func(_ *kernel.Kernel, c *container.Config) {
				c.Command, c.Mocks = []string{"sh", "-c", r.call}, mocks
				c.OnMissing = func(m container.MissingCommand) { near = m.Near }
			}).after(time.Minute)
			got := ""
			if near != nil {
				got = near.Why
			}
			if got != r.why {
				t.Errorf("it says %q, want %q", got, r.why)
			}
		})
	}
}
