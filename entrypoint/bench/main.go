//go:build linux

//plumbline:adapter it measures real processes

// Command bench measures the step launcher in real processes and prints what it finds beside what it should be.
//
// A hand-off is the time from the end of one step's command to the start of the next one's. Each step of a measured chain
// runs a copy of the command true of its own, and the kernel tells when that file is opened, which is the exec, and when
// it is closed, which is the end of the process.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/plumbline-ci/plumbline/entrypoint/osadapter"
)

func main() {
	b := bench{}
	flag.StringVar(&b.dir, "dir", "", "directory to work in; default a temporary one")
	flag.IntVar(&b.chains, "chains", 25, "how many chains of steps to run for each figure")
	flag.IntVar(&b.starts, "starts", 200, "how many times to start a program for each figure")
	flag.DurationVar(&b.idle, "idle", 10*time.Second, "how long to watch a waiting launcher")
	flag.Parse()
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of all measurements.
type bench struct {
	dir            string
	chains, starts int
	idle           time.Duration

	launcher string
}

// chainLength is the number of steps of a chain.
const chainLength = 20

func (b *bench) run() error {
	if err := b.prepare(); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(b.dir) }()
	info, err := os.Stat(b.launcher)
	if err != nil {
		return err
	}
	fmt.Printf("%s/%s, %d processors, in %s\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), b.dir)
	row("what", "measured", "target")
	row("stripped binary", fmt.Sprintf("%.2f MB (%d bytes)", float64(info.Size())/(1<<20), info.Size()), "≤ 3 MB")
	for _, part := range []func() error{b.startUp, b.handOffs, b.chain, b.memory, b.idling} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func row(what, measured, target string) { fmt.Printf("%-52s %-44s %s\n", what, measured, target) }

// prepare builds the launcher as it is released.
func (b *bench) prepare() (err error) {
	if b.dir, err = os.MkdirTemp(b.dir, "bench-entrypoint"); err != nil {
		return err
	}
	b.launcher = filepath.Join(b.dir, "entrypoint")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.launcher,
		"github.com/plumbline-ci/plumbline/cmd/entrypoint")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	return build.Run()
}

// startUp measures how long the launcher takes for nothing, and to run the smallest of commands.
func (b *bench) startUp() error {
	bare, err := b.timeRuns("true")
	if err != nil {
		return err
	}
	alone, err := b.timeRuns(b.launcher, "-h")
	if err != nil {
		return err
	}
	wrapped, err := b.timeRuns(b.launcher, "-termination_path", filepath.Join(b.dir, "termination"), "-entrypoint", "true")
	if err != nil {
		return err
	}
	row("start-up of the launcher alone, p50 / p99", both(alone), "≤ 3 ms")
	row("the command true, bare, p50 / p99", both(bare), "")
	row("the command true, under the launcher, p50 / p99", both(wrapped), "")
	return nil
}

func (b *bench) timeRuns(program string, args ...string) ([]time.Duration, error) {
	var times []time.Duration
	for range b.starts {
		_ = os.Remove(filepath.Join(b.dir, "termination")) // it would be appended to
		cmd := exec.Command(program, args...)
		start := time.Now()
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("%s: %w", program, err)
		}
		times = append(times, time.Since(start))
	}
	return times, nil
}

// handOffs measures the time between two steps.
func (b *bench) handOffs() error {
	for _, mode := range modes {
		var gaps []time.Duration
		for range b.chains {
			more, err := b.measureHandOffs(mode)
			if err != nil {
				return err
			}
			gaps = append(gaps, more...)
		}
		row(fmt.Sprintf("hand-off, %s, p50 / p99 of %d", mode.name, len(gaps)), both(gaps), mode.handOff)
	}
	return nil
}

// mode is a way to wait.
type mode struct {
	name, env, handOff, overhead, wakeUps string
}

var modes = []mode{
	{"by events", "", "≤ 2 ms / ≤ 10 ms", "≤ 10 ms", "0"},
	{"by polling", osadapter.EnvWait + "=" + osadapter.WaitByPolling, "", "", ""},
}

// measureHandOffs runs a chain whose first step starts when all launchers wait.
func (b *bench) measureHandOffs(m mode) ([]time.Duration, error) {
	dir, err := os.MkdirTemp(b.dir, "chain")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	programs, err := copyTrue(dir)
	if err != nil {
		return nil, err
	}
	observer, err := observePrograms(programs)
	if err != nil {
		return nil, err
	}
	cmds, err := b.startChain(dir, m, true, func(i int) []string { return programs[i : i+1] })
	if err != nil {
		return nil, err
	}
	time.Sleep(100 * time.Millisecond) // all launchers wait by now
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o644); err != nil {
		return nil, err
	}
	if err := waitAll(cmds); err != nil {
		return nil, err
	}
	runs, err := observer.runs()
	if err != nil {
		return nil, err
	}
	var gaps []time.Duration
	for i := 1; i < chainLength; i++ {
		gaps = append(gaps, runs[i].began.Sub(runs[i-1].ended))
	}
	return gaps, nil
}

// copyTrue makes a program for each step.
func copyTrue(dir string) ([]string, error) {
	original, err := exec.LookPath("true")
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(original)
	if err != nil {
		return nil, err
	}
	var programs []string
	for i := range chainLength {
		program := filepath.Join(dir, fmt.Sprintf("true-%d", i))
		if err := os.WriteFile(program, content, 0o755); err != nil {
			return nil, err
		}
		programs = append(programs, program)
	}
	return programs, nil
}

// startChain starts the launchers of a chain. A held chain waits for the file "go".
func (b *bench) startChain(dir string, m mode, held bool, command func(int) []string) ([]*exec.Cmd, error) {
	out := func(i int) string { return filepath.Join(dir, "run", strconv.Itoa(i), "out") }
	for i := range chainLength { // mounted in a Pod
		if err := os.MkdirAll(filepath.Dir(out(i)), 0o755); err != nil {
			return nil, err
		}
	}
	var cmds []*exec.Cmd
	for i := range chainLength {
		var args []string
		switch {
		case i > 0:
			args = append(args, "-wait_file", out(i-1))
		case held:
			args = append(args, "-wait_file", filepath.Join(dir, "go"))
		}
		argv := command(i)
		args = append(args, "-post_file", out(i), "-termination_path", filepath.Join(dir, fmt.Sprintf("termination%d", i)),
			"-step_metadata_dir", filepath.Join(filepath.Dir(out(i)), "status"), "-entrypoint", argv[0], "--")
		cmd := exec.Command(b.launcher, append(args, argv[1:]...)...)
		cmd.Env = append(os.Environ(), m.env)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		cmds = append(cmds, cmd)
	}
	return cmds, nil
}

func waitAll(cmds []*exec.Cmd) error {
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// chain compares a chain of steps that do nothing with the bare commands.
func (b *bench) chain() error {
	var bare []time.Duration
	for range b.chains {
		start := time.Now()
		for range chainLength {
			if err := exec.Command("true").Run(); err != nil {
				return err
			}
		}
		bare = append(bare, time.Since(start))
	}
	row(fmt.Sprintf("%d times true, bare, p50 / p99", chainLength), both(bare), "")
	for _, m := range modes {
		var times []time.Duration
		for range b.chains {
			dir, err := os.MkdirTemp(b.dir, "chain")
			if err != nil {
				return err
			}
			start := time.Now()
			cmds, err := b.startChain(dir, m, false, func(int) []string { return []string{"true"} })
			if err != nil {
				return err
			}
			if err := waitAll(cmds); err != nil {
				return err
			}
			times = append(times, time.Since(start))
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
		row(fmt.Sprintf("%d steps of true, %s, p50 / p99", chainLength, m.name), both(times), "")
		overhead := (quantile(times, 50) - quantile(bare, 50)) / chainLength
		row("  overhead a step, starting the launchers included", milliseconds(overhead), m.overhead)
	}
	return nil
}

// both are the median and the 99th percentile.
func both(times []time.Duration) string {
	return milliseconds(quantile(times, 50)) + " / " + milliseconds(quantile(times, 99))
}

func quantile(times []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)]
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
}
