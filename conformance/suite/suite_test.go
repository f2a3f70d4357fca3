package suite_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/suite"
	"github.com/plumbline-ci/plumbline/internal/double"
	"github.com/plumbline-ci/plumbline/reports"
)

// scenario chooses the fixtures of TestScenario, which the other tests run as a
// process of its own: a suite that fails is a test that fails.
const scenario = "PLUMBLINE_TEST_SCENARIO"

func file(name, extra, want string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(fmt.Sprintf(`apiVersion: plumbline.dev/v1alpha1
kind: Fixture
metadata: {name: %s}
spec:
  requirement: a TaskRun ends
  profile: taskrun-core
  level: required
  component: controller
  %s
  then: [{eventually: {on: taskrun/quick, match: {status: {conditions: [{status: "%s"}]}}}}]
---
apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: quick}
spec: {taskSpec: {steps: [{name: s, image: busybox, script: sleep 3}]}}
`, name, extra, want))}
}

func TestScenario(t *testing.T) {
	name := os.Getenv(scenario)
	if name == "" {
		name = "good"
	}
	shared := fstest.MapFS{
		"one.yaml":   file("one", "features: [steps]\n  config: {feature-flags: {enable-api-fields: stable}}", "True"),
		"other.yaml": file("other", "features: [timeout]\n  config: {feature-flags: {enable-api-fields: alpha}}", "True"),
	}
	tree := map[string]fstest.MapFS{
		"good":        {"good.yaml": file("good", "features: [steps]", "True"), "other.yaml": file("other", "features: [debug]", "Maybe")},
		"bad":         {"good.yaml": file("good", "features: [steps]", "True"), "bad.yaml": file("bad", "features: [timeout]", "Maybe")},
		"unsupported": {"other.yaml": file("other", "features: [debug]", "True")},
		"unreadable":  {"bad.yaml": file("bad", "featurs: [steps]", "True")},
		"empty":       {},
		"shared":      shared,
		"alone":       shared,
	}[name]
	var target conformance.Target = &double.Target{Caps: conformance.Capabilities{VirtualTime: true, Isolated: true}, Script: double.Toy(double.Faults{})}
	// How long the first cluster waits for the second. Where one comes, the machine may take its time to start it.
	if patience := map[string]time.Duration{"shared": time.Minute, "alone": 100 * time.Millisecond}[name]; patience > 0 {
		target = &sociable{patience: patience, caps: conformance.Capabilities{SideBySide: true, Parallel: 2, Configurable: func(string, string) bool { return true }}}
	}
	suite.Specs(func() (conformance.Options, error) {
		return conformance.Options{Target: target, FS: tree, FSName: "dir"}, nil
	}, func(r *reports.ConformanceReport) error {
		for _, f := range r.Fixtures {
			fmt.Printf("RESULT %s %s\n", f.Name, f.Verdict)
		}
		return nil
	})
	ginkgo.RunSpecs(t, "scenario "+name)
}

// sociable is a target whose clusters start two at a time, or not at all.
type sociable struct {
	caps     conformance.Capabilities
	patience time.Duration

	mu     sync.Mutex
	waiter chan struct{}
}

func (s *sociable) Name() string                           { return "sociable" }
func (s *sociable) Capabilities() conformance.Capabilities { return s.caps }

func (s *sociable) Start(ctx context.Context, setup conformance.Setup) (conformance.Cluster, error) {
	s.mu.Lock()
	if s.waiter == nil {
		s.waiter = make(chan struct{})
		waiter := s.waiter
		s.mu.Unlock()
		select {
		case <-waiter:
		case <-time.After(s.patience):
			return nil, errors.New("no other spec arrived")
		}
	} else {
		close(s.waiter)
		s.waiter = nil
		s.mu.Unlock()
	}
	return (&double.Target{Script: double.Toy(double.Faults{})}).Start(ctx, setup)
}

func TestTheSuitePassesOnlyIfTheRunDoes(t *testing.T) {
	t.Parallel()
	if os.Getenv(scenario) != "" {
		return // this is the process that the test started
	}
	for _, tt := range []struct {
		reason, scenario string
		args             []string
		passes           bool
		says, saysNot    []string
	}{
		{"fixtures that apply pass, others are skipped", "good", nil, true, []string{"RESULT good pass", "RESULT other unsupported", "1 Passed", "1 Skipped"}, nil},
		{"a failure is reported in full, at its position", "bad", nil, false, []string{"RESULT bad fail", `want    "Maybe"`, "dir/bad.yaml:3", "a required fixture failed: bad"}, nil},
		{"labels select", "bad", []string{"-ginkgo.label-filter=feature:steps"}, true, []string{"RESULT good pass"}, []string{"RESULT bad"}},
		{"labels that select nothing show nothing", "bad", []string{"-ginkgo.label-filter=feature:retries"}, false, []string{"nothing was run"}, nil},
		{"focus selects by name", "bad", []string{"-ginkgo.focus=good"}, true, []string{"RESULT good pass"}, []string{"RESULT bad"}},
		{"an all-unsupported run shows nothing", "unsupported", nil, false, []string{"nothing is shown"}, nil},
		{"on a shared cluster specs wait for what runs side by side", "shared", nil, true, []string{"RESULT one pass", "RESULT other pass", "2 Passed"}, nil},
		{"specs left out by labels are not run, and a single one is run on request", "alone", []string{"-ginkgo.label-filter=feature:steps"}, false, []string{"no other spec arrived"}, []string{"RESULT other"}},
		{"an empty suite shows nothing", "empty", nil, false, []string{"nothing was run"}, nil},
		{"an unreadable fixture is reported with its place", "unreadable", nil, false, []string{`dir/bad.yaml:9:3: spec: unknown field "featurs"; did you mean "features"?`}, nil},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], append([]string{"-test.run=^TestScenario$", "-ginkgo.no-color", "-ginkgo.v"}, tt.args...)...)
			cmd.Env = append(os.Environ(), scenario+"="+tt.scenario)
			data, err := cmd.CombinedOutput()
			out := string(data)
			if (err == nil) != tt.passes {
				t.Errorf("the process ended with %v, should pass: %v\n%s", err, tt.passes, out)
			}
			for _, want := range tt.says {
				if !strings.Contains(out, want) {
					t.Errorf("the output has no %q:\n%s", want, out)
				}
			}
			for _, not := range tt.saysNot {
				if strings.Contains(out, not) {
					t.Errorf("the output has %q:\n%s", not, out)
				}
			}
		})
	}
}

var flags = suite.RegisterFlags(flag.CommandLine, "double")

// TestFlags runs a folder as go test ./conformance does.
func TestFlags(t *testing.T) {
	if os.Getenv(scenario) != "flags" {
		return // it runs in the processes of TestFlagsSayWhatToRun: Ginkgo runs once in a process
	}
	flags.Run(t, map[string]suite.Constructor{"double": func(*suite.Flags) (conformance.Target, error) {
		return &double.Target{Caps: conformance.Capabilities{VirtualTime: true, Isolated: true}, Script: double.Toy(double.Faults{})}, nil
	}}, conformance.Options{})
}

func TestFlagsSayWhatToRun(t *testing.T) {
	t.Parallel()
	if os.Getenv(scenario) != "" {
		return
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"fixtures/good.yaml":  file("good", "features: [steps]", "True").Data,
		"fixtures/bad.yaml":   file("bad", "features: [debug]", "Maybe").Data,
		"fixtures/other.yaml": file("other", "features: [timeout]", "True").Data,
		"subject.yaml":        []byte("apiVersion: plumbline.dev/v1alpha1\nkind: Subject\nimplementation: {project: toy}\nfeatures: [debug]\n"),
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	report := filepath.Join(dir, "report.json")
	for _, tt := range []struct {
		reason  string
		args    []string
		result  reports.Result
		says    string
		claimed string
	}{
		{"without a subject only mandatory features count", nil, reports.Passed, "2 Passed", ""},
		{"a subject's claims bind", []string{"-subject=" + filepath.Join(dir, "subject.yaml")}, reports.Failed,
			"-ginkgo.label-filter=name:bad -args -target=double -subject='" + filepath.Join(dir, "subject.yaml") + "' -fixtures='" + filepath.Join(dir, "fixtures") + "' -seed=5", "toy"},
		{"an unknown target", []string{"-target=moon"}, "", `unknown target "moon"; use one of: double`, ""},
	} {
		_ = os.Remove(report)
		cmd := exec.Command(os.Args[0], append([]string{"-test.run=^TestFlags$", "-ginkgo.no-color", "-fixtures=" + filepath.Join(dir, "fixtures"), "-report=" + report, "-seed=5"}, tt.args...)...)
		cmd.Env = append(os.Environ(), scenario+"=flags")
		out, err := cmd.CombinedOutput()
		if (err == nil) != (tt.result == reports.Passed) || !strings.Contains(string(out), tt.says) {
			t.Errorf("%s: ended with %v, want %q in\n%s", tt.reason, err, tt.says, out)
		}
		data, err := os.ReadFile(report)
		if tt.result == "" {
			if err == nil {
				t.Errorf("%s: there is a report", tt.reason)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", tt.reason, err)
		}
		r, err := reports.Decode(data)
		if err != nil || r.Result != tt.result || r.Implementation.Project != tt.claimed || *r.Seed != 5 {
			t.Errorf("%s: report %+v, %v", tt.reason, r, err)
		}
	}
}
