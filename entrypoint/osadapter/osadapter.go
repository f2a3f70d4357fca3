//plumbline:adapter the launcher on a real operating system

// Package osadapter gives the step launcher a real operating system: files, file events, processes, signals, time.
//
// It is the only part of the launcher with goroutines, channels and a clock. On Linux it does all that PID 1 of a
// container has to do:
//
//   - Waiting costs nothing: it is a blocked read of inotify events. Where events cannot be had (no inotify instance
//     left, network and stacked file systems, which do not carry them), it polls, with pauses from 1 ms to 50 ms.
//   - The command is the leader of its own process group, and signals to the launcher go to that group.
//   - As PID 1 it reaps every process that the command, or a person who looks around, leaves behind.
//   - The command inherits the standard streams and nothing else, and the open-file limit that the launcher was given.
//
// Other Unix systems wait by file events or polling and run commands likewise, without the close-on-exec pass and
// without hermetic commands. On other systems no command can be started; the subcommands work.
package osadapter

import (
	"bufio"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/entrypoint"
)

// EnvWait is the variable of the launcher's environment that chooses how it waits: WaitByPolling, or else by events.
const (
	EnvWait       = "PLUMBLINE_ENTRYPOINT_WAIT"
	WaitByPolling = "poll"
)

// New makes the operating system the launcher's world. There is one per process: it takes over the process's signals,
// and on Linux it keeps the descriptors that the process inherited from reaching a command.
func New() entrypoint.System {
	keepDescriptors()
	r := &retired{}
	ps := &processes{retired: r, init: os.Getpid() == 1, running: map[int]*process{}}
	var reap func()
	if ps.init {
		reap = func() { go ps.reapOrphans() } // it may come upon the command, whose output takes time
	}
	ps.signals = newSignals(reap)
	return entrypoint.System{
		Files:     files{},
		Watcher:   newWatcher(ps.signals, r, os.Getenv(EnvWait) == WaitByPolling),
		Processes: ps,
		Clock:     clock{},
		Env:       os.Environ(),
		Platform:  platform(),
		Stdout:    os.Stdout,
		Stderr:    os.Stderr,
		Paths:     entrypoint.Paths{Home: home()},
	}
}

type clock struct{}

func (clock) Now() time.Time { return time.Now() }

// home is the user's home directory: $HOME, or else what the user database says, or empty.
func home() string {
	if dir := os.Getenv("HOME"); dir != "" {
		return dir
	}
	database, err := os.Open("/etc/passwd")
	if err != nil {
		return ""
	}
	defer func() { _ = database.Close() }()
	uid := strconv.Itoa(os.Getuid())
	for lines := bufio.NewScanner(database); lines.Scan(); {
		if fields := strings.Split(lines.Text(), ":"); len(fields) >= 6 && fields[2] == uid {
			return fields[5]
		}
	}
	return ""
}

// platform is this machine as os/arch[/variant].
func platform() string {
	p := runtime.GOOS + "/" + runtime.GOARCH
	switch runtime.GOARCH {
	case "arm64":
		return p + "/v8"
	case "arm":
		return p + "/" + armVariant()
	default:
		return p
	}
}

// armVariant is the version of a 32-bit ARM processor, from the kernel.
func armVariant() string {
	const oldest = "v6"
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return oldest
	}
	for line := range strings.Lines(string(info)) {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) == "CPU architecture" {
			switch strings.TrimSpace(value) {
			case "7":
				return "v7"
			case "8", "AArch64":
				return "v8"
			}
		}
	}
	return oldest
}
