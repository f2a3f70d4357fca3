//go:build linux

//plumbline:adapter it measures real processes

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memory measures the most memory that a launcher has had, while its command runs.
func (b *bench) memory() error {
	ready := filepath.Join(b.dir, "ready")
	cmd := exec.Command(b.launcher, "-termination_path", filepath.Join(b.dir, "termination"), "-entrypoint", "sh", "--",
		"-c", "echo > "+ready+"; sleep 0.5")
	if err := cmd.Start(); err != nil {
		return err
	}
	time.Sleep(200 * time.Millisecond)
	peak, err := statusField(cmd.Process.Pid, cmd.Process.Pid, "VmHWM")
	if err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
		return err
	}
	row("peak memory, running a command", fmt.Sprintf("%.1f MB", float64(peak)/1024), "≤ 8 MB")
	return nil
}

// idling watches launchers that wait.
func (b *bench) idling() error {
	for _, m := range modes {
		file := filepath.Join(b.dir, "never-"+strings.ReplaceAll(m.name, " ", "-"))
		cmd := exec.Command(b.launcher, "-termination_path", filepath.Join(b.dir, "termination"), "-wait_file", file, "-entrypoint", "true")
		cmd.Env = append(os.Environ(), m.env)
		if err := cmd.Start(); err != nil {
			return err
		}
		time.Sleep(500 * time.Millisecond) // it waits by now
		before, err := observe(cmd.Process.Pid)
		if err != nil {
			return err
		}
		time.Sleep(b.idle)
		after, err := observe(cmd.Process.Pid)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			return err
		}
		if err := cmd.Wait(); err != nil {
			return err
		}
		row(fmt.Sprintf("wake-ups in %s of waiting %s", b.idle, m.name), strconv.Itoa(after.switches-before.switches), m.wakeUps)
		row(fmt.Sprintf("processor time in %s of waiting %s", b.idle, m.name), milliseconds(after.cpu-before.cpu), "")
		row("memory, waiting "+m.name, fmt.Sprintf("%.1f MB, peak %.1f MB", float64(after.memory)/1024, float64(after.peak)/1024), "≤ 8 MB")
	}
	return nil
}

// observation is what the kernel reports about a process.
type observation struct {
	switches     int // of all threads
	cpu          time.Duration
	memory, peak int // kB
}

func observe(pid int) (o observation, err error) {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return o, err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return o, err
		}
		for _, field := range []string{"voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"} {
			n, err := statusField(pid, id, field)
			if err != nil {
				return o, err
			}
			o.switches += n
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/schedstat", pid, id))
		if err != nil {
			return o, err
		}
		ran, err := strconv.ParseInt(strings.Fields(string(stat))[0], 10, 64)
		if err != nil {
			return o, err
		}
		o.cpu += time.Duration(ran)
	}
	if o.memory, err = statusField(pid, pid, "VmRSS"); err != nil {
		return o, err
	}
	o.peak, err = statusField(pid, pid, "VmHWM")
	return o, err
}

// statusField is a number in the status of a thread.
func statusField(pid, thread int, name string) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/status", pid, thread))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if key, value, _ := strings.Cut(line, ":"); key == name {
			return strconv.Atoi(strings.Fields(value)[0])
		}
	}
	return 0, fmt.Errorf("process %d has no %s", pid, name)
}
