package kernel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

func TestEventsRunInOrderOfTime(t *testing.T) {
	t.Parallel()
	k := kernel.New(kernel.Options{})
	var got []string
	note := func(s string) func() { return func() { got = append(got, fmt.Sprintf("%s@%s", s, k.Elapsed())) } }
	k.After(2*time.Second, "a", "late", note("late"))
	k.After(time.Second, "a", "early", func() {
		note("early")()
		k.Soon("a", "nested", note("nested"))
		k.After(-time.Hour, "a", "past", note("past"))
	})
	cancelled := k.After(time.Second, "a", "never", note("never"))
	if !cancelled.Cancel() || cancelled.Cancel() {
		t.Error("Cancel must report true once")
	}
	for k.Step() {
	}
	joined := strings.Join(got, " ")
	if !strings.HasPrefix(joined, "early@1s ") || !strings.HasSuffix(joined, " late@2s") || len(got) != 4 {
		t.Errorf("order: %s", joined)
	}
	if want := kernel.Epoch.Add(2 * time.Second); !k.Now().Equal(want) {
		t.Errorf("Now = %s, want %s", k.Now(), want)
	}
}

func TestSeedDecidesTheOrderWithinAnInstant(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) (order, hash string) {
		k := kernel.New(kernel.Options{Seed: seed})
		for _, n := range []string{"a", "b", "c", "d", "e"} {
			k.Soon(n, "tick", func() { order += n })
		}
		for k.Step() {
		}
		return order, k.TraceHash()
	}
	seen := map[string]bool{}
	for seed := range uint64(50) {
		o1, h1 := run(seed)
		o2, h2 := run(seed)
		if o1 != o2 || h1 != h2 {
			t.Fatalf("seed %d: two runs differ: %s %s", seed, o1, o2)
		}
		seen[o1] = true
	}
	if len(seen) < 20 {
		t.Errorf("50 seeds gave only %d orders", len(seen))
	}
}

func TestStreamsAreIndependent(t *testing.T) {
	t.Parallel()
	k := kernel.New(kernel.Options{Seed: 7})
	a1 := k.Stream("a").Uint64()
	b := k.Stream("b")
	for range 10 {
		b.Uint64()
	}
	if a2 := k.Stream("a").Uint64(); a1 != a2 {
		t.Error("what b drew changed what a gets")
	}
	if k.Stream("a").Uint64() == k.Stream("b").Uint64() {
		t.Error("two names share a stream")
	}
	if id := k.Stream("u").UUID(); len(id) != 36 || id[14] != '4' {
		t.Errorf("UUID %q", id)
	}
}

func TestCoroutine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		reason string
		run    func(k *kernel.Kernel, say func(string))
		want   string
	}{{
		name:   "sleep",
		reason: "a sleep lasts as long as it says, whatever wakes the sleeper",
		run: func(k *kernel.Kernel, say func(string)) {
			c := k.Go("p", func(c *kernel.Coroutine) { c.Sleep(3 * time.Second); say("woke " + k.Elapsed().String()) })
			k.After(time.Second, "t", "wake", c.Wake)
		},
		want: "woke 3s",
	}, {
		name:   "early wake",
		reason: "a wake-up before the park is not lost",
		run: func(k *kernel.Kernel, say func(string)) {
			k.Go("p", func(c *kernel.Coroutine) { c.Wake(); c.Park(); say("through " + k.Elapsed().String()) })
		},
		want: "through 0s",
	}, {
		name:   "timeout",
		reason: "ParkFor tells a wake-up from a time-out",
		run: func(k *kernel.Kernel, say func(string)) {
			c := k.Go("p", func(c *kernel.Coroutine) {
				say(fmt.Sprint(c.ParkFor(time.Second), c.ParkFor(time.Minute), k.Elapsed()))
			})
			k.After(2*time.Second, "t", "wake", c.Wake)
		},
		want: "false true 2s",
	}, {
		name:   "kill",
		reason: "a kill unwinds: deferred calls run, code after the park does not, OnDone follows",
		run: func(k *kernel.Kernel, say func(string)) {
			c := k.Go("p", func(c *kernel.Coroutine) {
				defer say("deferred")
				defer func() { defer say("inner"); c.Park() }()
				c.Park()
				say("never")
			})
			c.OnDone(func() { say("done") })
			k.After(time.Second, "t", "kill", func() { c.Kill(); c.Kill(); c.Wake() })
		},
		want: "inner deferred done",
	}, {
		name:   "kill before start",
		reason: "a coroutine killed before its first slice never runs",
		run: func(k *kernel.Kernel, say func(string)) {
			c := k.Go("p", func(*kernel.Coroutine) { say("never") })
			c.Kill()
			say(fmt.Sprint(c.Done()))
		},
		want: "true",
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := kernel.New(kernel.Options{})
			var got []string
			tt.run(k, func(s string) { got = append(got, s) })
			for k.Step() {
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestRunWhileStopsAtItsBudgets(t *testing.T) {
	t.Parallel()
	k := kernel.New(kernel.Options{})
	var tick func()
	tick = func() { k.After(time.Second, "t", "tick", tick) }
	tick()
	forever := func() bool { return true }
	var budget *kernel.BudgetError
	if err := k.RunWhile(forever, kernel.Epoch.Add(time.Minute), 0); !errors.As(err, &budget) || budget.After != time.Minute {
		t.Errorf("time budget: %v", err)
	}
	if err := k.RunWhile(forever, kernel.Epoch.Add(time.Hour), 5); !errors.As(err, &budget) || budget.Steps != 5 {
		t.Errorf("event budget: %v", err)
	}
}

func TestRealTimeRunsPostedWork(t *testing.T) {
	t.Parallel()
	k := kernel.New(kernel.Options{})
	rt := kernel.NewRealTime(k)
	ctx, cancel := context.WithCancel(context.Background())
	go rt.Post("other goroutine", "hello", func() {
		k.After(time.Millisecond, "kernel", "later", cancel)
	})
	if err := rt.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v", err)
	}
	if rt.Post("late", "late", func() {}) {
		t.Error("Post after the end must report false")
	}
}

func BenchmarkEvent(b *testing.B) {
	k := kernel.New(kernel.Options{})
	for b.Loop() {
		k.After(time.Millisecond, "bench", "tick", func() {})
		k.Step()
	}
}

func BenchmarkCoroutineSleep(b *testing.B) {
	for b.Loop() {
		k := kernel.New(kernel.Options{})
		k.Go("p", func(c *kernel.Coroutine) { c.Sleep(time.Second) })
		for k.Step() {
		}
	}
}
