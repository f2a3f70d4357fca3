package userland_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/shell"
	"github.com/plumbline-ci/plumbline/simulator/userland"
)

var (
	update  = flag.Bool("update", false, "record the answers of the real tools: needs a busybox, and a jq in PATH")
	busybox = flag.String("busybox", "busybox", "the busybox to record")
)

// recording is a file of scripts with the answers of the real tools.
type recording struct {
	// Tool is who answered.
	Tool  string `yaml:"tool"`
	Cases []said `yaml:"cases"`
}

type said struct {
	Script string `yaml:"script"`
	Stdout string `yaml:"stdout,omitempty"`
	Stderr string `yaml:"stderr,omitempty"`
	Exit   int    `yaml:"exit,omitempty"`
}

// TestUtilitiesAreLikeTheRealOnes runs scripts of testdata/recorded and compares with what BusyBox and jq answered.
func TestUtilitiesAreLikeTheRealOnes(t *testing.T) {
	t.Parallel()
	tree := image.Busybox()
	tree.Programs["bin/jq"] = "jq"
	root, err := image.NewRoot(tree)
	if err != nil {
		t.Fatal(err)
	}
	compareRecorded(t, "testdata/recorded/*.yaml", &image.Image{Reference: "recorded", Env: []string{"PATH=/bin"}, Root: root}, "sh")
}

// TestGNUUtilitiesAreLikeTheRealOnes runs scripts with options that only GNU's utilities have, in an image that has them.
// They are recorded on Debian 12.
func TestGNUUtilitiesAreLikeTheRealOnes(t *testing.T) {
	t.Parallel()
	list, err := image.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	for _, reference := range []string{"debian", image.Toolbox} {
		i := slices.IndexFunc(list, func(i *image.Image) bool { return i.Reference == reference })
		compareRecorded(t, "testdata/gnu/*.yaml", list[i], "bash")
	}
}

// TestBusyBoxRefusesOptionsOfGNU: an option that BusyBox does not have ends a utility with its words.
func TestBusyBoxRefusesOptionsOfGNU(t *testing.T) {
	t.Parallel()
	list, err := image.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	programs := userland.Programs()
	maps.Copy(programs, shell.New().Programs())
	for _, row := range []struct {
		script, stderr string
		exit           int
	}{
		{"mktemp --suffix=.json", "mktemp: unrecognized option '--suffix=.json'", 1},
		{"echo x=42 | grep -oP 'x=\\K.*'", "grep: invalid option -- 'P'", 2},
		{"find . -printf '%f'", "find: unrecognized: -printf", 1},
		{"find . -execdir echo {} ';'", "find: unrecognized: -execdir", 1},
		{"date --iso-8601", "date: unrecognized option '--iso-8601'", 1},
		{"sed -z s/a/b/", "sed: invalid option -- 'z'", 1},
		{"stat --format=%s .", "stat: unrecognized option '--format=%s'", 1},
		{"head --lines=1", "head: unrecognized option '--lines=1'", 1},
		{"cp --attributes-only a b", "cp: unrecognized option '--attributes-only'", 1},
		{"ls --time-style=iso", "ls: unrecognized option '--time-style=iso'", 1},
		{"timeout --signal=KILL 1 true", "timeout: unrecognized option '--signal=KILL'", 1},
	} {
		for _, i := range list[:2] {
			got := simulate(t, i, programs, "sh", row.script)
			first, _, _ := strings.Cut(got.Stderr, "\n")
			if first != row.stderr || got.Exit != row.exit || got.Stdout != "" {
				t.Errorf("%s on %s: exit %d, %q, %q; want %d, %q", row.script, i.Reference, got.Exit, got.Stdout, first, row.exit, row.stderr)
			}
		}
	}
}

func compareRecorded(t *testing.T, pattern string, i *image.Image, sh string) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatal("no recordings", err)
	}
	programs := userland.Programs()
	maps.Copy(programs, shell.New().Programs())
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var r recording
		decoder := yaml.NewDecoder(bytes.NewReader(data))
		decoder.KnownFields(true)
		if err := decoder.Decode(&r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if *update {
			record(t, name, sh, &r)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			if len(r.Cases) == 0 {
				t.Fatal("no cases")
			}
			for _, c := range r.Cases {
				if d := cmp.Diff(c, simulate(t, i, programs, sh, c.Script)); d != "" {
					t.Errorf("%s\n%s (-recorded +simulated):\n%s", r.Tool, c.Script, d)
				}
			}
		})
	}
}

func simulate(t *testing.T, root *image.Image, programs map[string]container.Program, sh, script string) said {
	t.Helper()
	got := said{Script: script}
	k := kernel.New(kernel.Options{Seed: 1})
	c, err := container.Start(container.Config{Kernel: k, Actor: "test", Image: root, Programs: programs, Hostname: "host", WorkingDir: "/w",
		Command: []string{sh, "-c", script}, Env: recordedEnvironment(), Log: func(stream int, data []byte) {
			if stream == 1 {
				got.Stdout += string(data)
			} else {
				got.Stderr += string(data)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.RunWhile(c.Running, k.Now().Add(time.Hour), 1_000_000); err != nil {
		t.Fatal(err)
	}
	st, exited := c.ExitStatus()
	if !exited {
		t.Errorf("still running: %s", script)
		c.Kill()
	}
	got.Exit = st.Code
	return got
}

func recordedEnvironment() []string { return []string{"HOME=/root", "TZ=UTC", "LC_ALL=C"} }

// record asks the real tools.
func record(t *testing.T, name, sh string, r *recording) {
	t.Helper()
	if sh == "bash" {
		recordWith(t, name, r, sh, "/usr/bin:/bin")
		return
	}
	box, err := exec.LookPath(*busybox)
	if err != nil {
		t.Fatal(err)
	}
	if box, err = filepath.Abs(box); err != nil {
		t.Fatal(err)
	}
	applets, err := exec.Command(box, "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for applet := range strings.FieldsSeq(string(applets)) {
		if err := os.Symlink(box, filepath.Join(bin, applet)); err != nil {
			t.Fatal(err)
		}
	}
	banner, _ := exec.Command(box).CombinedOutput()
	first, _, _ := strings.Cut(string(banner), "\n")
	r.Tool, _, _ = strings.Cut(first, " multi-call")
	if strings.HasPrefix(filepath.Base(name), "jq") {
		jq, err := exec.LookPath("jq")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(jq, filepath.Join(bin, "jq")); err != nil {
			t.Fatal(err)
		}
		version, _ := exec.Command(jq, "--version").Output()
		r.Tool = strings.TrimSpace(string(version))
	}
	recordWith(t, name, r, box, bin)
}

// recordWith runs the scripts with a shell.
func recordWith(t *testing.T, name string, r *recording, sh, path string) {
	t.Helper()
	for i := range r.Cases {
		c := &r.Cases[i]
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		cmd := exec.CommandContext(ctx, sh, "-c", c.Script)
		cmd.Dir = t.TempDir()
		if sh != "bash" {
			cmd.Args[0] = "sh"
		}
		cmd.Env = append(recordedEnvironment(), "PATH="+path)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		cancel()
		var failed *exec.ExitError
		if err != nil && !errors.As(err, &failed) {
			t.Fatalf("%s: %v", c.Script, err)
		}
		c.Stdout, c.Stderr, c.Exit = stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(r); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
