package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// options say how much is measured.
type options struct {
	image                 string
	count, atOnce, rounds int
	timeout               time.Duration
}

// lengths are the numbers of steps of the TaskRuns that are measured.
var lengths = []int{1, 5, 10}

// bench is one run of all measurements.
type bench struct {
	o     options
	there *there
	seen  *watcher
	now   func() time.Time
	print func(figure)
	tell  func(string)
	made  int
}

func newBench(ctx context.Context, c *there, o options) (*bench, error) {
	b := &bench{o: o, there: c, now: time.Now, print: func(figure) {}, tell: func(string) {}}
	w, err := watch(ctx, c, func() time.Time { return b.now() })
	b.seen = w
	return b, err
}

func (b *bench) stop() { b.seen.stop() }

// all measures everything. What was measured before an error is returned with it.
func (b *bench) all(ctx context.Context) ([]figure, error) {
	var all []figure
	add := func(f figure) {
		b.print(f)
		all = append(all, f)
	}
	b.tell("warming up: images are pulled, and everything is asked for once")
	if _, err := b.one(ctx, lengths[len(lengths)-1]); err != nil {
		return nil, err
	}
	b.tell(fmt.Sprintf("%d TaskRuns each of %v steps, one after the other", b.o.count, lengths))
	for range b.o.count {
		for _, steps := range lengths {
			r, err := b.one(ctx, steps)
			if err != nil {
				return all, err
			}
			add(figure{Name: fmt.Sprintf("TaskRun/steps=%d", steps), Took: r.took, More: []unit{{"pod-ns/op", float64(r.pod.Nanoseconds())}}})
			for _, gap := range r.handOffs {
				add(figure{Name: fmt.Sprintf("HandOff/steps=%d", steps), Took: gap})
			}
		}
	}
	for range b.o.rounds {
		if b.o.atOnce == 0 {
			break
		}
		b.tell(fmt.Sprintf("%d TaskRuns of one step at once", b.o.atOnce))
		list, err := b.many(ctx)
		for _, f := range list {
			add(f)
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// measured is one TaskRun.
type measured struct {
	took, pod time.Duration
	handOffs  []time.Duration
}

func (b *bench) name() string {
	b.made++
	return fmt.Sprintf("run-%d", b.made)
}

// one runs one TaskRun to its end.
func (b *bench) one(ctx context.Context, steps int) (measured, error) {
	ctx, cancel := context.WithTimeout(ctx, b.o.timeout)
	defer cancel()
	name := b.name()
	began := b.now()
	if err := b.there.create(ctx, name, b.o.image, steps); err != nil {
		return measured{}, err
	}
	s, err := b.seen.wait(ctx, name)
	if err != nil {
		return measured{}, err
	}
	m := measured{took: s.over.Sub(began), pod: s.podded.Sub(began)}
	var printed []time.Time
	for _, container := range s.containers {
		log, err := b.there.logs(ctx, s.pod, container)
		if err != nil {
			return m, fmt.Errorf("the log of %s: %w", container, err)
		}
		at, ok := timeOf(log)
		if !ok {
			b.tell(fmt.Sprintf("%s printed %q, which is not a time in nanoseconds: no hand-offs", container, strings.TrimSpace(log)))
			return m, nil
		}
		printed = append(printed, at)
	}
	for i := 1; i < len(printed); i++ {
		m.handOffs = append(m.handOffs, printed[i].Sub(printed[i-1]))
	}
	return m, nil
}

// timeOf reads a time as date +%s%N prints it. A date that knows no nanoseconds prints seconds, and perhaps an N.
func timeOf(log string) (time.Time, bool) {
	const shortest = len("1000000000") + len("000000000")
	text := strings.TrimSpace(log)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || len(text) < shortest {
		return time.Time{}, false
	}
	return time.Unix(0, n), true
}

// many creates TaskRuns at once and waits for all of them.
func (b *bench) many(ctx context.Context) ([]figure, error) {
	ctx, cancel := context.WithTimeout(ctx, b.o.timeout)
	defer cancel()
	names := make([]string, b.o.atOnce)
	began, took, errs := make([]time.Time, len(names)), make([]time.Duration, len(names)), make([]error, len(names))
	for i := range names {
		names[i] = b.name()
	}
	var all sync.WaitGroup
	start := b.now()
	for i, name := range names {
		all.Go(func() {
			began[i] = b.now()
			if errs[i] = b.there.create(ctx, name, b.o.image, 1); errs[i] != nil {
				return
			}
			s, err := b.seen.wait(ctx, name)
			if errs[i] = err; err == nil {
				took[i] = s.over.Sub(began[i])
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var last time.Time
	var out []figure
	for i, name := range names {
		if over := b.seen.of(name).over; over.After(last) {
			last = over
		}
		out = append(out, figure{Name: fmt.Sprintf("AtOnce/taskruns=%d/each", len(names)), Took: took[i]})
	}
	whole := last.Sub(start)
	return append(out, figure{Name: fmt.Sprintf("AtOnce/taskruns=%d/all", len(names)), Took: whole, More: []unit{{"taskruns/s", float64(len(names)) / whole.Seconds()}}}), nil
}
