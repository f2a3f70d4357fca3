package fake_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

// width is how many tasks of a measured Pipeline run at once.
const width = 10

// pipelineOf is a PipelineRun of so many tasks, each of which waits for the one that is width before it.
func pipelineOf(name string, tasks int) *v1beta1.PipelineRun {
	spec := &v1beta1.PipelineSpec{}
	for i := range tasks {
		pt := v1beta1.PipelineTask{Name: fmt.Sprintf("t%d", i), TaskSpec: &v1beta1.EmbeddedTask{TaskSpec: v1beta1.TaskSpec{
			Steps: []v1beta1.Step{{Name: "s", Image: "busybox", Script: "true"}},
		}}}
		if i >= width {
			pt.RunAfter = []string{fmt.Sprintf("t%d", i-width)}
		}
		spec.Tasks = append(spec.Tasks, pt)
	}
	return &v1beta1.PipelineRun{ObjectMeta: metav1.ObjectMeta{Namespace: benchNamespace, Name: name}, Spec: v1beta1.PipelineRunSpec{PipelineSpec: spec}}
}

// pipelineWorld is a world that counts what is written of PipelineRuns.
type pipelineWorld struct {
	conformance.Cluster
	done, writes int
}

func newPipelineWorld(b *testing.B) *pipelineWorld {
	b.Helper()
	c, err := newTarget(b, fake.Options{}).Cluster(conformance.Setup{Name: benchNamespace, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	if err := c.CreateNamespace(context.Background(), benchNamespace); err != nil {
		b.Fatal(err)
	}
	w := &pipelineWorld{Cluster: c}
	c.Simulation().Server().Observe(func(change apiserver.Change) {
		pr, ok := change.New.(*v1beta1.PipelineRun)
		if !ok {
			return
		}
		w.writes++
		if pr.Status.IsDone() {
			w.done++
		}
	})
	return w
}

func (w *pipelineWorld) run(b *testing.B, pr *v1beta1.PipelineRun) {
	b.Helper()
	if err := w.Client().Create(context.Background(), pr); err != nil {
		b.Fatal(err)
	}
	want := w.done + 1
	if err := w.WaitUntil(context.Background(), w.Now().Add(24*time.Hour), func() bool { return w.done >= want }); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkPipelineRuns runs one PipelineRun after the other: small and large ones, whose time for a task is to be about the same.
func BenchmarkPipelineRuns(b *testing.B) {
	for _, tasks := range []int{1, 10, 20, 100, 200} {
		b.Run(fmt.Sprintf("tasks=%d", tasks), func(b *testing.B) {
			b.ReportAllocs()
			w := newPipelineWorld(b)
			for i := 0; b.Loop(); i++ {
				w.run(b, pipelineOf(fmt.Sprintf("p%d", i), tasks))
			}
			total := float64(b.N * tasks)
			b.ReportMetric(float64(w.writes)/total, "writes/task")
			b.ReportMetric(total/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

// BenchmarkPipelineGrowth compares the cost of a PipelineRun in a cluster that holds many finished ones with its cost in one that
// holds few: what is reported as x is 1 if it does not grow.
func BenchmarkPipelineGrowth(b *testing.B) {
	const few, many, batch, tasks = 1000, 10_000, 100, 2
	for b.Loop() {
		w := newPipelineWorld(b)
		begun := 0
		batchOf := func(n int) time.Duration {
			began, before := time.Now(), w.done
			for range n {
				if err := w.Client().Create(context.Background(), pipelineOf(fmt.Sprintf("p%d", begun), tasks)); err != nil {
					b.Fatal(err)
				}
				begun++
			}
			if err := w.WaitUntil(context.Background(), w.Now().Add(24*time.Hour), func() bool { return w.done >= before+n }); err != nil {
				b.Fatal(err)
			}
			return time.Since(began)
		}
		measure := func(at int) time.Duration {
			for begun < at {
				batchOf(min(batch, at-begun))
			}
			best := time.Duration(math.MaxInt64) // of a few, since other work on the machine only adds
			for range 3 {
				runtime.GC()
				best = min(best, batchOf(batch))
			}
			return best
		}
		small := measure(few)
		large := measure(many)
		b.ReportMetric(float64(large)/float64(small), "x")
		b.ReportMetric(float64(large.Microseconds())/batch, "µs/pipelinerun")
	}
}
