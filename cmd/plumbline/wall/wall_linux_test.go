package wall

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// doing, in the environment, makes the test binary a tool with a wall that does what is said.
const doing = "PLUMBLINE_TEST_DOES"

func TestMain(m *testing.M) {
	what := os.Getenv(doing)
	if what == "" {
		os.Exit(m.Run())
	}
	if code, done := Guard([]string{os.Args[0], "simulate"}); done {
		os.Exit(code)
	}
	if turn := Turns(); turn != nil {
		turn("kubelet/node/default/before-pod/step-past")
		turn("")
		turn("kubelet/node/default/r-pod/step-s")
	}
	fmt.Fprintln(Stderr(), "said")
	switch what {
	case "memory":
		kept = make([]byte, 1<<40)
	case "stack":
		os.Exit(deeper(0))
	case "crash":
		panic("a mistake of the tool")
	}
	Done()
	os.Exit(7)
}

var kept []byte

func deeper(n int) int { return deeper(n+1) + 1 } //nolint:staticcheck // it has no end on purpose

func TestCauseOfAChildsDeathIsReported(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		does, env string
		code      int
		says      []string
		saysNot   string
	}{
		{"nothing", "", 7, []string{"said\n"}, "SimulationLimit"},
		{"nothing", "0", 7, []string{"said\n"}, "SimulationLimit"},
		{"memory", "", 4, []string{"said\n", "SimulationLimit", "its last limit, memory (8Gi of addresses", "step-s of the Pod default/r-pod"}, "goroutine"},
		{"stack", "", 4, []string{"SimulationLimit", "its last limit, stack depth", "step-s of the Pod default/r-pod"}, "step-past"},
		{"crash", "", 10, []string{"the tool crashed (exit status 2)", "a mistake of the tool", "goroutine 1"}, "SimulationLimit"},
		{"nothing", "1Gi", 3, []string{"want at least 3Gi"}, "said"},
		{"nothing", "much", 3, []string{"want a quantity"}, "said"},
	} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), doing+"="+tt.does, Variable+"="+tt.env)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		var failed *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &failed) {
			t.Fatal(err)
		}
		if failed.ExitCode() != tt.code {
			t.Errorf("%s, %s=%s: exit code %d, want %d", tt.does, Variable, tt.env, failed.ExitCode(), tt.code)
		}
		for _, want := range tt.says {
			if !strings.Contains(errs.String(), want) {
				t.Errorf("%s, %s=%s: it does not say %q but %s", tt.does, Variable, tt.env, want, errs.String())
			}
		}
		if strings.Contains(errs.String(), tt.saysNot) {
			t.Errorf("%s, %s=%s: it says %s", tt.does, Variable, tt.env, errs.String())
		}
	}
}

func TestOnlySimulatingCommandsAreLimited(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"run": true, "run -f x --seed 2": true, "run --target fake": true, "run --target=fake": true, "simulate -f x": true,
		"run --target envtest": false, "run --target=kind": false, "run --help": false, "kubelet": false, "": false, "fixture list": false,
	} {
		if got := simulates(strings.Fields(line)); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestOnlyContainersInTheirTurnAreNamed(t *testing.T) {
	t.Parallel()
	p := make(page, pageSize)
	one, two := p.slot(), p.slot()
	one("kubelet/node/ns/a-pod/step-x")
	two(strings.Repeat("long", 200))
	if got := p.ran(); len(got) != 2 || p.finished() {
		t.Errorf("%q", got)
	}
	one("")
	two("")
	if got := p.ran(); len(got) != 0 {
		t.Errorf("after their turns: %q", got)
	}
}
