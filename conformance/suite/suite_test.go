package suite_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/onsi/ginkgo/v2"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/internal/double"
	"github.com/plumbline-ci/plumbline/conformance/suite"
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
	tree := map[string]fstest.MapFS{
		"good":        {"good.yaml": file("good", "features: [steps]", "True"), "other.yaml": file("other", "features: [debug]", "Maybe")},
		"bad":         {"good.yaml": file("good", "features: [steps]", "True"), "bad.yaml": file("bad", "features: [timeout]", "Maybe")},
		"unsupported": {"other.yaml": file("other", "features: [debug]", "True")},
		"unreadable":  {"bad.yaml": file("bad", "featurs: [steps]", "True")},
		"empty":       {},
	}[name]
	suite.Specs(func() (conformance.Options, error) {
		return conformance.Options{
			Target: &double.Target{Caps: conformance.Capabilities{VirtualTime: true, Isolated: true}, Script: double.Toy(double.Faults{})},
			FS:     tree, FSName: "dir",
		}, nil
	}, func(r *reports.ConformanceReport) error {
		for _, f := range r.Fixtures {
			fmt.Printf("RESULT %s %s\n", f.Name, f.Verdict)
		}
		return nil
	})
	ginkgo.RunSpecs(t, "scenario "+name)
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
		{"what applies passes, what does not is skipped", "good", nil, true, []string{"RESULT good pass", "RESULT other unsupported", "1 Passed", "1 Skipped"}, nil},
		{"a failure is told in full, at its place", "bad", nil, false, []string{"RESULT bad fail", `want    "Maybe"`, "dir/bad.yaml:3", "a required fixture failed: bad"}, nil},
		{"labels select", "bad", []string{"-ginkgo.label-filter=feature:steps"}, true, []string{"RESULT good pass"}, []string{"RESULT bad"}},
		{"labels that select nothing show nothing", "bad", []string{"-ginkgo.label-filter=feature:retries"}, false, []string{"nothing was run"}, nil},
		{"focus selects by name", "bad", []string{"-ginkgo.focus=good"}, true, []string{"RESULT good pass"}, []string{"RESULT bad"}},
		{"an all-unsupported run shows nothing", "unsupported", nil, false, []string{"nothing is shown"}, nil},
		{"an empty suite shows nothing", "empty", nil, false, []string{"nothing was run"}, nil},
		{"an unreadable fixture is told with its place", "unreadable", nil, false, []string{`dir/bad.yaml:9:3: spec: unknown field "featurs"; did you mean "features"?`}, nil},
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
