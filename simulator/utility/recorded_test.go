package utility_test

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
	"github.com/plumbline-ci/plumbline/simulator/utility"
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

// TestUtilitiesAreLikeTheRealOnes runs scripts of testdata/recorded and compares with what the real tools answered.
func TestUtilitiesAreLikeTheRealOnes(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/recorded/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal("no recordings", err)
	}
	list, err := image.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	toolbox := list[slices.IndexFunc(list, func(i *image.Image) bool { return i.Reference == image.Toolbox })]
	programs := utility.Programs()
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
			record(t, name, &r)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			if len(r.Cases) == 0 {
				t.Fatal("no cases")
			}
			for _, c := range r.Cases {
				if d := cmp.Diff(c, simulate(t, toolbox, programs, c.Script)); d != "" {
					t.Errorf("%s\n%s (-recorded +simulated):\n%s", r.Tool, c.Script, d)
				}
			}
		})
	}
}

func simulate(t *testing.T, root *image.Image, programs map[string]container.Program, script string) said {
	t.Helper()
	got := said{Script: script}
	k := kernel.New(kernel.Options{Seed: 1})
	c, err := container.Start(container.Config{Kernel: k, Actor: "test", Image: root, Programs: programs, Hostname: "host", WorkingDir: "/w",
		Command: []string{"sh", "-c", script}, Env: recordedEnvironment(), Log: func(stream int, data []byte) {
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
func record(t *testing.T, name string, r *recording) {
	t.Helper()
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
	for i := range r.Cases {
		c := &r.Cases[i]
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		cmd := exec.CommandContext(ctx, box, "-c", c.Script)
		cmd.Dir, cmd.Args[0] = t.TempDir(), "sh"
		cmd.Env = append(recordedEnvironment(), "PATH="+bin)
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
