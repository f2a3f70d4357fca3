package command

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

// BenchmarkSimulate runs one-step TaskRuns through simulate, and the same ones on the simulated cluster alone. What is
// reported as x-engine is the processor time of the first over that of the second; it should not grow with their number.
func BenchmarkSimulate(b *testing.B) {
	for _, runs := range []int{160, 640} {
		b.Run(fmt.Sprintf("runs=%d", runs), func(b *testing.B) {
			text := oneStepRuns(runs)
			var all, engine time.Duration
			b.ReportAllocs()
			for b.Loop() {
				began := processorTime(b)
				var out, errs bytes.Buffer
				if code := Main(b.Context(), []string{"simulate", "-f", "-"}, Streams{In: strings.NewReader(text), Out: &out, Err: &errs}); code != 0 {
					b.Fatalf("exit code %d: %s", code, errs.String())
				}
				all += processorTime(b) - began
				b.StopTimer()
				began = processorTime(b)
				runAlone(b, runs)
				engine += processorTime(b) - began
				b.StartTimer()
			}
			b.ReportMetric(float64(all)/float64(engine), "x-engine")
		})
	}
}

// BenchmarkSimulatePipeline runs a Pipeline of 200 tasks, one of which fails, with 3 finally tasks, through simulate. x-taskruns is
// the processor time of it over that of 203 TaskRuns that nothing has made, and x-tenth that of it over that of a tenth of the tasks.
func BenchmarkSimulatePipeline(b *testing.B) {
	simulated := func(text string, exit int) time.Duration {
		began := processorTime(b)
		var out, errs bytes.Buffer
		if code := Main(b.Context(), []string{"simulate", "-f", "-", "--like", "v1"}, Streams{In: strings.NewReader(text), Out: &out, Err: &errs}); code != exit {
			b.Fatalf("exit code %d: %s", code, errs.String())
		}
		return processorTime(b) - began
	}
	const tasks, final = 200, 3
	var all, tenth, alone time.Duration
	for b.Loop() {
		all += simulated(onePipeline(tasks, final), exitFailed)
		b.StopTimer()
		tenth += simulated(onePipeline(tasks/10, final), exitFailed)
		alone += simulated(oneStepRuns(tasks+final), 0)
		b.StartTimer()
	}
	b.ReportMetric(float64(all)/float64(alone), "x-taskruns")
	b.ReportMetric(float64(all)/float64(tenth), "x-tenth")
}

// onePipeline is a run of a Pipeline whose middle task fails.
func onePipeline(tasks, final int) string {
	var b strings.Builder
	b.WriteString("apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {name: large}\nspec:\n  pipelineSpec:\n    tasks:\n")
	task := func(name, script string) {
		fmt.Fprintf(&b, "    - name: %s\n      taskSpec: {steps: [{name: say, image: alpine, script: %s}]}\n", name, script)
	}
	for i := range tasks {
		if i == tasks/2 {
			task("wrong", "exit 1")
			continue
		}
		task(fmt.Sprintf("task-%d", i), fmt.Sprintf("echo hello %d", i))
	}
	b.WriteString("    finally:\n")
	for i := range final {
		task(fmt.Sprintf("final-%d", i), "echo bye")
	}
	return b.String()
}

// oneStepRuns are the manifests.
func oneStepRuns(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "---\napiVersion: tekton.dev/v1\nkind: TaskRun\nmetadata: {name: run-%d}\nspec:\n  taskSpec:\n    steps:\n    - name: say\n      image: alpine\n      script: |\n        echo hello %d\n", i, i)
	}
	return b.String()
}

// runAlone runs the same on a cluster that is not observed.
func runAlone(b *testing.B, n int) {
	target, err := fake.New(fake.Options{})
	if err != nil {
		b.Fatal(err)
	}
	c, err := target.Cluster(conformance.Setup{Name: "alone", Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	ended := 0
	c.Simulation().Server().Observe(func(change apiserver.Change) {
		if tr, ok := change.New.(*v1beta1.TaskRun); ok && change.Old() != nil && tr.Status.IsDone() && !change.Old().(*v1beta1.TaskRun).Status.IsDone() {
			ended++
		}
	})
	for i := range n {
		tr := &v1.TaskRun{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprintf("run-%d", i)}}
		tr.Spec.TaskSpec = &v1.TaskSpec{Steps: []v1.Step{{Name: "say", Image: "alpine", Script: fmt.Sprintf("echo hello %d\n", i)}}}
		if err := c.Client().Create(context.Background(), tr); err != nil {
			b.Fatal(err)
		}
	}
	if err := c.WaitUntil(b.Context(), c.Now().Add(time.Hour), func() bool { return ended == n }); err != nil {
		b.Fatal(err)
	}
}

// processorTime is how long the process has computed.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano())
}
