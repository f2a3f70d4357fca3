package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/fixtures"
	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// subjectFile says what the reference claims.
const subjectFile = "../../docs/subjects/plumbline.yaml"

// TestTheSuite installs the reference as a user would, runs it as a process of its own with the simulated node as another
// one, and has it judged through the API server: plumbline install, kubelet and run, on one kubeconfig. What is not required, and
// all cases but one of a fixture, is left to the target envtest.
func TestTheSuite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.install("--example-tasks")
	w.account()
	w.kubelet()
	flags := []string{"-kube-api-qps=-1", "-threads-per-controller=32", "-log-level=info", "-example-tasks"}
	w.start(append(flags, w.outside()...)...)
	began := time.Now()
	there, _ := w.judged("--target", "cluster", "--kubeconfig", w.adminFile, "--subject", subjectFile, "--parallel", "40", "--budget", "5m", "--level", "required", "--brief", "--outside")
	took := time.Since(began).Round(time.Second)
	simulated := map[string]reports.Fixture{}
	built, _ := w.judged()
	for _, f := range built.Fixtures {
		simulated[f.Name] = f
	}
	counts := map[reports.Verdict]int{}
	for i := range there.Fixtures {
		f := &there.Fixtures[i]
		counts[f.Verdict]++
		t.Logf("%s %s took %s %s", f.Verdict, f.Name, f.Duration, f.Reason)
		switch want := simulated[f.Name].Verdict; {
		case f.Verdict == want && (want == reports.Pass || want == reports.Unsupported):
		case f.Verdict == reports.NotOnThisTarget && lacked(f.Reason):
		default:
			t.Errorf("on the simulated cluster it is %q, here %s %s\n%s", want, f.Verdict, f.Reason, render.Explain(f))
		}
	}
	for _, f := range there.Findings {
		// What is not claimed on purpose may work.
		if f.Kind != reports.UnclaimedWorks {
			t.Errorf("finding: %s: %s", f.Kind, f.Of)
		}
	}
	if there.Result != reports.Passed {
		t.Errorf("the result is %s: %s", there.Result, strings.Join(there.Reasons, "; "))
	}
	if counts[reports.Pass] < leastPassed {
		t.Errorf("only %d fixtures passed", counts[reports.Pass])
	}
	w.resolved()
	w.noPass()
	w.inUse()
	t.Logf("summary: %s: %d passed, %d not on this target, %d unsupported of %d, in %s", there.Target.Name,
		counts[reports.Pass], counts[reports.NotOnThisTarget], counts[reports.Unsupported], len(there.Fixtures), took)
}

// leastPassed guards against a suite most of which is skipped.
const leastPassed = 200

// lacked reports whether a fixture is left out for want of what a cluster without a kubelet cannot have, or because it is about an
// installation that is bound to tenants.
func lacked(reason string) bool {
	if strings.Contains(reason, " with tenancy ") {
		return true
	}
	for _, need := range []string{fixture.NeedsMocks, fixture.NeedsVirtualTime, fixture.NeedsRealKubelet, fixture.NeedsFaults, fixture.NeedsInjector} {
		if strings.HasSuffix(reason, " does not provide "+need) {
			return true
		}
	}
	return false
}

// noPass judges little: a run that shows nothing, or less than what is mandatory, does not pass, and the report says why.
func (w *world) noPass() {
	w.Helper()
	lacking := filepath.Join(w.TempDir(), "lacking.yaml")
	const subject = "{apiVersion: plumbline.dev/v1alpha1, kind: Subject, implementation: {project: p}, profiles: [taskrun-core], lacks: [timeout]}"
	if err := os.WriteFile(lacking, []byte(subject), 0o600); err != nil {
		w.Fatal(err)
	}
	for _, tt := range []struct {
		subject, name string
		result        reports.Result
		says          string
	}{
		{subjectFile, "out-of-memory", reports.Inconclusive, "this target can run no required fixture: nothing is shown"},
		{lacking, "single-step-succeeds", reports.Partial, "mandatory features are not claimed: timeout"},
	} {
		r, code := w.judged("--target", "cluster", "--kubeconfig", w.adminFile, "--subject", tt.subject, "--name", tt.name)
		if r.Result != tt.result || code == 0 || !strings.Contains(strings.Join(r.Reasons, "\n"), tt.says) {
			w.Errorf("%s alone, claimed by %s: %s, exit code %d, %q", tt.name, tt.subject, r.Result, code, r.Reasons)
		}
	}
}

// inUse has a second run refused, and the one after it not.
func (w *world) inUse() {
	w.Helper()
	now := metav1.NowMicro()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: kindconfig.Namespace, Name: "plumbline-run"}, Spec: coordinationv1.LeaseSpec{
		HolderIdentity: new("other-holder"), AcquireTime: &now, RenewTime: &now, LeaseDurationSeconds: new(int32(30)),
	}}
	w.create(lease) // held by a run that is still alive
	var out, errs bytes.Buffer
	args := []string{"run", "--target", "cluster", "--kubeconfig", w.adminFile, "--subject", subjectFile, "--name", "single-step-succeeds"}
	code := command.Main(w.Context(), args, command.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	if code != 5 || !strings.Contains(errs.String(), "another run is judging what is configured in namespace "+kindconfig.Namespace+": other-holder, since ") {
		w.Errorf("beside another run: exit code %d, %s", code, errs.String())
	}
	if err := w.admin.Delete(w.Context(), lease); err != nil {
		w.Fatal(err)
	}
	if r, code := w.judged(args[1:]...); code != 0 {
		w.Errorf("alone again: exit code %d, %s: %q", code, r.Result, r.Reasons)
	}
}

// resolved judges the fixtures of resolvers that have something outside the cluster, which are not required: here the resolvers
// are those of the program, and what they find is served by another one.
func (w *world) resolved() {
	w.Helper()
	list, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		w.Fatal(err)
	}
	args := []string{"--target", "cluster", "--kubeconfig", w.adminFile, "--subject", subjectFile, "--parallel", "24", "--budget", "5m", "--outside"}
	want := 0
	for _, f := range list {
		if !f.Spec.Remote.Empty() && f.Spec.Level != fixture.Required {
			args = append(args, "--name", f.Name())
			want++
		}
	}
	r, _ := w.judged(args...)
	passed := 0
	for i := range r.Fixtures {
		f := &r.Fixtures[i]
		if f.Verdict == reports.Pass {
			passed++
		} else {
			w.Errorf("%s: %s %s\n%s", f.Name, f.Verdict, f.Reason, render.Explain(f))
		}
	}
	if passed != want {
		w.Errorf("%d of %d fixtures passed", passed, want)
	}
	w.Logf("summary: %s: %d fixtures of what lies outside the cluster passed", r.Target.Name, passed)
}

// outside runs plumbline outside as a process, and returns the flags by which the controller finds what it serves.
func (w *world) outside() []string {
	w.Helper()
	trusted := w.TempDir()
	lines := w.plumbline("outside", "--authority", filepath.Join(trusted, "ca.crt"))
	w.env = append(w.env, "SSL_CERT_DIR="+trusted, "TEKTON_HUB_API=https://api.hub.tekton.dev")
	var flags []string
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			w.Fatalf("what lies outside is not served: %v\n%s", err, tail(w.logs.String()))
		}
		if line = strings.TrimSpace(line); line == "ready" {
			return flags
		}
		flags = append(flags, "-remote-address="+line)
	}
}

// kubelet runs plumbline kubelet as a process.
func (w *world) kubelet() {
	w.Helper()
	out := w.plumbline("kubelet", "--kubeconfig", w.adminFile)
	line, err := out.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "node plumbline is ready at ") {
		w.Fatalf("the node says %q, %v\n%s", line, err, tail(w.logs.String()))
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
}

// plumbline runs the command as a process until the test ends, and returns what it prints.
func (w *world) plumbline(args ...string) *bufio.Reader {
	w.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asPlumbline+"=1")
	cmd.Stderr = w.logs
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			w.Errorf("ending plumbline %s: %v", args[0], err)
		}
		if err := cmd.Wait(); err != nil {
			w.Errorf("plumbline %s ended: %v\n%s", args[0], err, tail(w.logs.String()))
		}
	})
	return bufio.NewReader(out)
}

// judged is the report of plumbline run, and its exit code.
func (w *world) judged(args ...string) (*reports.ConformanceReport, int) {
	w.Helper()
	var out bytes.Buffer
	args = append([]string{"run", "-o", "json"}, args...)
	code := command.Main(w.Context(), args, command.Streams{In: strings.NewReader(""), Out: &out, Err: w.logs})
	report, err := reports.Decode(out.Bytes())
	if err != nil {
		w.Fatalf("plumbline %s: exit code %d: %v\n%s", strings.Join(args, " "), code, err, tail(w.logs.String()))
	}
	return report, code
}
