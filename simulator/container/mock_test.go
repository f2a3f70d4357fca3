package container_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// starter is a launcher: it runs its arguments and ends as they end.
func starter(p *container.Process) int {
	child, err := p.Spawn(container.Command{Path: p.Args[1], Args: p.Args[1:]})
	if err != nil {
		_, _ = p.Stderr().Write([]byte(err.Error() + "\n"))
		return 1
	}
	status, _ := p.Wait(child, p.Now().AddDate(0, 0, 1))
	return status.Code
}

func TestMocksStandInForWhatTheLauncherRuns(t *testing.T) {
	t.Parallel()
	const name = "docker.io/x/y:z"
	compiler := []string{"/opt/cc"}
	for _, tt := range []struct {
		reason     string
		entrypoint []string
		argv       []string
		mock       container.Mock
		log        string
		near       string
	}{
		{"without a command it is the entrypoint", compiler, []string{"/opt/cc"}, container.Mock{Image: name}, "1:mocked", ""},
		{"whatever the arguments", compiler, []string{"/opt/cc", "--x"}, container.Mock{Image: name}, "1:mocked", ""},
		{"of every image, if it names none", compiler, []string{"/opt/cc", "--x"}, container.Mock{}, "1:mocked", ""},
		{"of another image", compiler, []string{"/opt/cc"}, container.Mock{Image: "other"}, "2:exec /opt/cc", ""},
		{"by its arguments", compiler, []string{"/opt/cc", "--x", "y"}, container.Mock{Args: []string{"--x"}}, "1:mocked", ""},
		{"by other arguments", compiler, []string{"/opt/cc", "--y"}, container.Mock{Image: name, Args: []string{"--x"}}, "2:exec /opt/cc", `its argument 1 is "--x", that of the call is "--y"`},
		{"arguments alone, as the manifest has them", compiler, []string{"/opt/cc", "--x", "y"}, container.Mock{Command: []string{"--x", "*"}}, "1:mocked", ""},
		{"an entrypoint of several words", []string{"/opt/cc", "-v"}, []string{"/opt/cc", "-v", "a"}, container.Mock{Args: []string{"a"}}, "1:mocked", ""},
		{"what the image does not have", nil, []string{"/opt/cc", "a"}, container.Mock{Image: name}, "1:mocked", ""},
		{"not what the image has", nil, []string{"sh", "-c", "echo real"}, container.Mock{Image: name}, "1:real", ""},
		{"nor what a shell of it runs", nil, []string{"sh", "-c", "cc"}, container.Mock{Image: name}, "2:sh: cc: not found", "give it command: [cc]"},
		{"by path", nil, []string{"/opt/cc"}, container.Mock{Command: []string{"/opt/cc"}}, "1:mocked", ""},
		{"by base name", nil, []string{"/opt/cc"}, container.Mock{Command: []string{"cc"}}, "1:mocked", ""},
		{"a name by its path", nil, []string{"sh", "-c", "cc"}, container.Mock{Command: []string{"/opt/cc"}}, "1:mocked", ""},
		{"another path", nil, []string{"/opt/cc"}, container.Mock{Command: []string{"/usr/bin/cc"}}, "2:exec /opt/cc", "it is of /usr/bin/cc, the call of /opt/cc"},
		{"command and arguments", nil, []string{"cc", "a", "b"}, container.Mock{Command: []string{"cc"}, Args: []string{"*", "b"}}, "1:mocked", ""},
		{"too few arguments", nil, []string{"sh", "-c", "cc a"}, container.Mock{Command: []string{"cc", "a", "*"}}, "2:sh: cc: not found", "it has 2 arguments, the call has 1"},
		{"after env", nil, []string{"env", "A=1", "cc"}, container.Mock{Command: []string{"cc"}}, "1:mocked", ""},
		{"the entrypoint after env", compiler, []string{"env", "A=1", "/opt/cc", "--x"}, container.Mock{Image: name}, "1:mocked", ""},
		{"a program after env that the image does not have", nil, []string{"env", "cc", "x"}, container.Mock{Image: name}, "1:mocked", ""},
		{"after env of env", nil, []string{"env", "env", "-i", "/opt/cc"}, container.Mock{Image: name}, "1:mocked", ""},
		{"not a program of the image after env", nil, []string{"env", "sh", "-c", "cc"}, container.Mock{Image: name}, "2:sh: cc: not found", "give it command: [cc]"},
		{"the entrypoint after #! and env", nil, []string{"/bin/byenv"}, container.Mock{Image: name}, "1:mocked", ""},
		{"after a shell's exec", nil, []string{"sh", "-c", "exec cc x"}, container.Mock{Command: []string{"cc", "x"}}, "1:mocked", ""},
		{"after #!", nil, []string{"/bin/direct", "x"}, container.Mock{Command: []string{"/opt/cc"}}, "1:mocked", ""},
		{"after #! and env", nil, []string{"/bin/byenv"}, container.Mock{Command: []string{"cc", "/bin/byenv"}}, "1:mocked", ""},
		{"seen by command -v", nil, []string{"sh", "-c", "command -v cc"}, container.Mock{Command: []string{"cc"}}, "1:/usr/local/bin/cc", ""},
		{"seen by which, by its path", nil, []string{"sh", "-c", "which cc && $(which cc)"}, container.Mock{Command: []string{"/opt/cc"}}, "1:/opt/cc\n1:mocked", ""},
		{"never the launcher", nil, []string{"true"}, container.Mock{Command: []string{"*"}}, "1:mocked", ""},
		{"never the launcher by its name", nil, []string{"sh", "-c", "echo real"}, container.Mock{Command: []string{"/main"}}, "1:real", ""},
	} {
		mocks, err := container.NewMocks(withOutput(tt.mock))
		if err != nil {
			t.Fatal(err)
		}
		near := ""
		s := start(t, starter, func(_ *kernel.Kernel, c *container.Config) {
			c.OnMissing = func(m container.MissingCommand) {
				if m.Near != nil {
					near = m.Near.Why
				}
			}
			tree := image.Busybox()
			tree.Programs["main"] = "main"
			tree.Scripts = map[string]string{"bin/direct": "#!/opt/cc\n", "bin/byenv": "#!/usr/bin/env cc\n"}
			if c.Image.Root, err = image.NewRoot(tree); err != nil {
				t.Fatal(err)
			}
			c.Image.Entrypoint, c.Command, c.Args = tt.entrypoint, []string{"/main"}, tt.argv
			c.Mocks, c.Launchers = mocks, []string{"main"}
		}).after(1e9)
		if got := s.log.String(); !strings.HasPrefix(got, tt.log) {
			t.Errorf("%s: it printed %q, want %q", tt.reason, got, tt.log)
		}
		if !strings.Contains(near, tt.near) || tt.near == "" && near != "" {
			t.Errorf("%s: nearly meant: %q, want %q", tt.reason, near, tt.near)
		}
		if used := len(mocks.Unused()) == 0; used != strings.Contains(tt.log, "mocked") {
			t.Errorf("%s: it was used: %v", tt.reason, used)
		}
	}
}

func withOutput(m container.Mock) container.Mock {
	m.Stdout = "mocked\n"
	return m
}

func TestProgramsThatAreNotSimulatedAreReportedAsMissing(t *testing.T) {
	t.Parallel()
	const name = "docker.io/x/y:z"
	var got []container.MissingCommand
	s := start(t, starter, func(_ *kernel.Kernel, c *container.Config) {
		tree := image.Busybox()
		tree.Programs["main"], tree.Programs[image.UnknownEntrypoint], tree.Programs["opt/python"] = "main", image.UnknownProgram, image.UnknownProgram
		tree.Scripts = map[string]string{"bin/script": "#!/opt/python\n"}
		var err error
		if c.Image.Root, err = image.NewRoot(tree); err != nil {
			t.Fatal(err)
		}
		c.Command, c.Launchers = []string{"/main", "sh", "-c", "/opt/python; script c; " + image.UnknownEntrypoint + " --x"}, []string{"main"}
		c.OnMissing = func(m container.MissingCommand) { got = append(got, m) }
	}).after(1e9)
	want := []container.MissingCommand{
		{Image: name, Args: []string{"/opt/python"}, Present: true},
		{Image: name, Args: []string{"/opt/python", "/bin/script", "c"}, Script: "/bin/script", Present: true},
		{Image: name, Args: []string{"--x"}, Entrypoint: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	log := s.log.String()
	for _, want := range []string{"/opt/python: this program is not simulated: mock it", "the entrypoint of the image docker.io/x/y:z is not known: mock it, or describe the image"} {
		if !strings.Contains(log, want) {
			t.Errorf("it printed %s, want %s", log, want)
		}
	}
}
