package kernel_test

import (
	"slices"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

func TestCloseUnwindsParkedCoroutines(t *testing.T) {
	t.Parallel()
	k := kernel.New(kernel.Options{Seed: 1})
	unwound := 0
	for range 3 {
		k.Go("sleeper", func(c *kernel.Coroutine) {
			defer func() { unwound++ }()
			c.Sleep(time.Hour)
		})
	}
	k.Go("short", func(*kernel.Coroutine) {})
	k.Go("late", func(*kernel.Coroutine) {}) // one that has not begun
	for range 4 {
		k.Step()
	}
	k.Close()
	if unwound == 0 {
		t.Error("no coroutine was unwound")
	}
}

func TestLaneIsReusedByTheNextCoroutine(t *testing.T) {
	t.Parallel()
	k := kernel.New(kernel.Options{Seed: 1})
	var order []string
	start := func(name string, sleep time.Duration) *kernel.Coroutine {
		return k.Go(name, func(c *kernel.Coroutine) {
			defer func() { order = append(order, name) }()
			c.Sleep(sleep)
		})
	}
	first := start("first", time.Second)
	first.OnDone(func() {
		second := start("second", time.Minute)
		second.OnDone(func() { start("third", time.Second) })
		k.After(time.Second, "test", "kill", second.Kill)
	})
	for k.Step() {
	}
	if want := []string{"first", "second", "third"}; !slices.Equal(order, want) {
		t.Errorf("ended: %v, want %v", order, want)
	}
	k.Close()
}
