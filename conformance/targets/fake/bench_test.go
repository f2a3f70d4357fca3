package fake_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	clientfake "sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/fixtures"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

const benchNamespace = "bench"

// scriptRun is the TaskRun that is counted: three script steps, one result each.
func scriptRun(i int) *v1beta1.TaskRun {
	spec := &v1beta1.TaskSpec{}
	for _, name := range []string{"one", "two", "three"} {
		spec.Results = append(spec.Results, v1beta1.TaskResult{Name: name})
		spec.Steps = append(spec.Steps, v1beta1.Step{Name: name, Image: "busybox", Script: fmt.Sprintf("printf %d > $(results.%s.path)", i, name)})
	}
	return &v1beta1.TaskRun{
		ObjectMeta: metav1.ObjectMeta{Namespace: benchNamespace, Name: fmt.Sprintf("run-%06d", i)},
		Spec:       v1beta1.TaskRunSpec{TaskSpec: spec},
	}
}

// world is a cluster that counts the TaskRuns that have ended.
type world struct {
	*fake.Cluster
	succeeded, failed int
}

func newWorld(b *testing.B, target *fake.Target) *world {
	b.Helper()
	w, err := makeWorld(target)
	if err != nil {
		b.Fatal(err)
	}
	return w
}

func makeWorld(target *fake.Target) (*world, error) {
	c, err := target.Cluster(conformance.Setup{Name: benchNamespace, Seed: 1})
	if err != nil {
		return nil, err
	}
	if err := c.CreateNamespace(context.Background(), benchNamespace); err != nil {
		return nil, err
	}
	w := &world{Cluster: c}
	c.Simulation().Server().Observe(func(change apiserver.Change) {
		tr, ok := change.New.(*v1beta1.TaskRun)
		if !ok || change.Old() == nil {
			return
		}
		if now := tr.Status.GetCondition(v1beta1.ConditionSucceeded); !now.IsUnknown() {
			before := change.Old().(*v1beta1.TaskRun).Status.GetCondition(v1beta1.ConditionSucceeded)
			switch {
			case !before.IsUnknown():
			case now.IsTrue() && len(tr.Status.TaskRunResults) == 3:
				w.succeeded++
			default:
				w.failed++
			}
		}
	})
	return w, nil
}

func (w *world) create(b *testing.B, from, n int) {
	if err := w.submit(from, n); err != nil {
		b.Fatal(err)
	}
}

func (w *world) submit(from, n int) error {
	for i := from; i < from+n; i++ {
		if err := w.Client().Create(context.Background(), scriptRun(i)); err != nil {
			return err
		}
	}
	return nil
}

// until lets the cluster run until so many TaskRuns have succeeded.
func (w *world) until(b *testing.B, n int) {
	if err := w.await(n); err != nil {
		b.Fatal(err)
	}
}

func (w *world) await(n int) error {
	err := w.WaitUntil(context.Background(), w.Now().Add(24*time.Hour), func() bool { return w.succeeded+w.failed >= n })
	if err != nil || w.failed > 0 {
		return fmt.Errorf("%d succeeded, %d failed, want %d: %w", w.succeeded, w.failed, n, err)
	}
	return nil
}

// rest lets all that follows an end happen: Pods that settle, events that are written.
func (w *world) rest(b *testing.B) {
	if err := w.WaitUntil(context.Background(), w.Now().Add(time.Minute), func() bool { return false }); !errors.Is(err, conformance.ErrDeadline) {
		b.Fatal(err)
	}
}

// BenchmarkTaskRuns runs 1,000 TaskRuns: all in one world, at once or one after the other, and in as many worlds as there
// are processors, as suites and sweeps do, since a world uses one. Garbage is collected as the tool does it.
func BenchmarkTaskRuns(b *testing.B) {
	const runs = 1000
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(toolGCPercent))
	}
	target := newTarget(b, fake.Options{})
	bench := func(name string, run func(b *testing.B)) {
		b.Run(fmt.Sprintf("%s/runs=%d", name, runs), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				run(b)
			}
			b.ReportMetric(float64(runs*b.N)/b.Elapsed().Seconds(), "taskruns/s")
		})
	}
	bench("worlds=1/created=at-once", func(b *testing.B) {
		w := newWorld(b, target)
		w.create(b, 0, runs)
		w.until(b, runs)
	})
	bench("worlds=1/created=one-by-one", func(b *testing.B) {
		w := newWorld(b, target)
		for i := range runs {
			w.create(b, i, 1)
			w.until(b, i+1)
		}
	})
	worlds := runtime.GOMAXPROCS(0)
	bench(fmt.Sprintf("worlds=%d/created=at-once", worlds), func(b *testing.B) {
		var all sync.WaitGroup
		errs := make([]error, worlds)
		for n := range worlds {
			all.Go(func() { errs[n] = runWorld(target, runs/worlds+min(1, max(0, runs%worlds-n))) })
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			b.Fatal(err)
		}
	})
}

func runWorld(target *fake.Target, runs int) error {
	w, err := makeWorld(target)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.submit(0, runs); err != nil {
		return err
	}
	return w.await(runs)
}

// toolGCPercent is what the command line tool sets.
const toolGCPercent = 65

// manyVariable raises the larger size of BenchmarkGrowth, for the figure at 100,000.
const manyVariable = "PLUMBLINE_BENCH_MANY"

// BenchmarkGrowth compares the cost of a TaskRun in a cluster that holds many finished ones with its cost in one that
// holds few: what is reported as x is 1 if it does not grow.
func BenchmarkGrowth(b *testing.B) {
	const few, batch = 1000, 500
	many := 10_000
	if text := os.Getenv(manyVariable); text != "" {
		var err error
		if many, err = strconv.Atoi(text); err != nil {
			b.Fatalf("%s: %v", manyVariable, err)
		}
	}
	target := newTarget(b, fake.Options{})
	b.Run(fmt.Sprintf("many=%d", many), func(b *testing.B) {
		var small, large time.Duration
		for b.Loop() {
			w := newWorld(b, target)
			measure := func(at int) time.Duration {
				for from := w.succeeded; from < at; from = w.succeeded {
					w.create(b, from, min(batch, at-from))
					w.until(b, from+min(batch, at-from))
				}
				best := time.Duration(math.MaxInt64) // of a few, since other work on the machine only adds
				for range 3 {
					w.rest(b)
					runtime.GC()
					began, from := time.Now(), w.succeeded
					w.create(b, from, batch)
					w.until(b, from+batch)
					best = min(best, time.Since(began))
				}
				return best
			}
			small += measure(few)
			large += measure(many)
		}
		b.ReportMetric(float64(large)/float64(small), "x")
		b.ReportMetric(float64(large.Microseconds())/float64(batch*b.N), "µs/taskrun")
	})
}

// BenchmarkMemory reports what a finished TaskRun costs to keep, with its Pod, its logs and all caches of them; and what
// the Kubernetes events about both cost besides, of which a cluster forgets those that are an hour old.
func BenchmarkMemory(b *testing.B) {
	const runs = 2000
	target := newTarget(b, fake.Options{})
	for b.Loop() {
		w := newWorld(b, target)
		w.create(b, 0, 100) // what is allocated once
		w.until(b, 100)
		w.rest(b)
		w.forgetEvents(b)
		before := heap()
		w.create(b, 100, runs)
		w.until(b, 100+runs)
		w.rest(b)
		all := heap()
		w.forgetEvents(b)
		kept := heap()
		b.ReportMetric(float64(kept-before)/runs, "B/taskrun")
		b.ReportMetric(float64(all-kept)/runs, "B/events")
		runtime.KeepAlive(w)
	}
}

// forgetEvents deletes all events.
func (w *world) forgetEvents(b *testing.B) {
	if err := w.Client().DeleteAllOf(context.Background(), &corev1.Event{}, client.InNamespace(benchNamespace)); err != nil {
		b.Fatal(err)
	}
	w.rest(b)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkSuite is the whole suite, after compiling.
func BenchmarkSuite(b *testing.B) {
	list, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		b.Fatal(err)
	}
	b.Run(fmt.Sprintf("fixtures=%d", len(list)), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			report, err := conformance.Judge(b.Context(), conformance.Options{Target: newTarget(b, fake.Options{}), Claims: reference.Claims(), Seed: 1})
			if err != nil {
				b.Fatal(err)
			}
			if report.Result != reports.Passed {
				b.Fatalf("the suite does not pass: %q", report.Reasons)
			}
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*300/float64(len(list)), "s/300fixtures")
	})
}

// BenchmarkSchedules is how many worlds can be explored: one TaskRun of several steps with a sidecar, a seed each.
func BenchmarkSchedules(b *testing.B) {
	schedule := scheduling(b)
	schedule(b, 0) // what worlds share
	b.ReportAllocs()
	for seed := uint64(1); b.Loop(); seed++ {
		schedule(b, seed)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "schedules/s")
}

// scheduling returns a function that makes a world and judges one TaskRun of three steps with a sidecar in it.
func scheduling(t testing.TB) func(testing.TB, uint64) {
	f := small(t)[:1]
	target := newTarget(t, fake.Options{})
	return func(t testing.TB, seed uint64) {
		t.Helper()
		report, err := conformance.Judge(t.Context(), conformance.Options{Target: target, Fixtures: f, Claims: coreClaims(), Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if v := report.Fixtures[0].Verdict; v != reports.Pass {
			t.Fatalf("seed %d: %s", seed, v)
		}
	}
}

// BenchmarkTaskRun is one TaskRun after the other in one world, which has run some before; and how that compares with one
// status update in controller-runtime's fake client, measured in the same run.
func BenchmarkTaskRun(b *testing.B) {
	w := newWorld(b, newTarget(b, fake.Options{}))
	run := func() {
		w.create(b, w.succeeded, 1)
		w.until(b, w.succeeded+1)
	}
	for range warmRuns {
		run()
	}
	update := statusUpdate(b)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		run()
	}
	b.StopTimer()
	began := time.Now()
	const updates = 50
	for range updates {
		update()
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/(time.Since(began).Seconds()/updates), "statusupdates")
}

// warmRuns are how many TaskRuns a world runs before it is measured: buffers have grown then, and scripts are known.
const warmRuns = 20

// statusUpdate returns a function that changes the status of a Pod of four containers in controller-runtime's fake client.
func statusUpdate(b *testing.B) func() {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "pod", Namespace: benchNamespace}}
	for _, name := range []string{"step-one", "step-two", "step-three", "sidecar"} {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{
			Name: name, Image: "busybox", Command: []string{"/tekton/bin/entrypoint"}, Args: []string{"-wait_file", "/tekton/run/0/out", "--", "sh"},
			Env:          []corev1.EnvVar{{Name: "HOME", Value: "/tekton/home"}},
			VolumeMounts: []corev1.VolumeMount{{Name: "tools", MountPath: "/tekton/bin"}, {Name: "run", MountPath: "/tekton/run"}},
		})
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: name, Image: "busybox", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Unix(1, 0)}},
		})
	}
	c := clientfake.NewClientBuilder().WithObjects(pod).WithStatusSubresource(pod).Build()
	n := 0
	return func() {
		n++
		pod.Status.Message = strconv.Itoa(n)
		if err := c.Status().Update(context.Background(), pod); err != nil {
			b.Fatal(err)
		}
	}
}
