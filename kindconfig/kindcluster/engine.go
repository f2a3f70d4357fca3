package kindcluster

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// VariableProvider is the variable by which kind is told which container engine to take.
const VariableProvider = "KIND_EXPERIMENTAL_PROVIDER"

// Container engines that kind can use, in the order in which they are looked for.
const (
	docker  = "docker"
	nerdctl = "nerdctl"
	podman  = "podman"
)

// Versions of Docker: since the first one it keeps the cgroups of containers apart, which nodes need; since the second one
// it asks only for capabilities that there are.
const (
	oldestMajor, oldestMinor = 20, 10
	modestMajor              = 23
)

//go:embed shim/docker
var shim []byte

// Engine is the container engine that kind calls.
type Engine struct {
	// Name is the command.
	Name string
	// Version is the server's, as it says.
	Version string
	// shim is the folder of what stands before the command; empty if nothing does.
	shim string
}

// NoEngineError says that no container engine is installed.
type NoEngineError struct{ Wanted string }

func (e *NoEngineError) Error() string {
	if e.Wanted != "" {
		return fmt.Sprintf("%s says %s, and there is no command %s: install it, or name another", VariableProvider, e.Wanted, e.Wanted)
	}
	return "kind runs nodes in containers, and no container engine is installed: install Docker (Debian: apt-get install docker.io), nerdctl or Podman"
}

// UnknownEngineError says that kind has no provider of that name.
type UnknownEngineError struct{ Wanted string }

func (e *UnknownEngineError) Error() string {
	return fmt.Sprintf("%s=%s: kind knows %s, %s and %s", VariableProvider, e.Wanted, docker, nerdctl, podman)
}

// EngineNotRunningError says that an engine is installed and does not answer.
type EngineNotRunningError struct {
	Engine, Says string
	// Denied says that this user may not ask it.
	Denied bool
}

func (e *EngineNotRunningError) Error() string {
	hint := "start its daemon (systemctl start docker, or dockerd)"
	if e.Denied {
		hint = "this user may not use it: become a member of the group docker, or root"
	}
	return fmt.Sprintf("%s is installed and does not answer (%s): %s", e.Engine, e.Says, hint)
}

// EngineTooOldError says that an engine cannot run nodes of kind.
type EngineTooOldError struct{ Engine, Version string }

func (e *EngineTooOldError) Error() string {
	return fmt.Sprintf("%s is of version %s, and kind needs %d.%d at least", e.Engine, e.Version, oldestMajor, oldestMinor)
}

// FindEngine finds the engine that kind will use: the wanted one, or the first that is installed. It has to answer, and to
// be new enough.
func FindEngine(ctx context.Context, wanted string) (*Engine, error) {
	name := wanted
	switch wanted {
	case "":
		for _, candidate := range []string{docker, nerdctl, podman} {
			if _, err := exec.LookPath(candidate); err == nil {
				name = candidate
				break
			}
		}
		if name == "" {
			return nil, &NoEngineError{}
		}
	case docker, nerdctl, podman, "finch", "nerdctl.lima":
		if _, err := exec.LookPath(name); err != nil {
			return nil, &NoEngineError{Wanted: wanted}
		}
	default:
		return nil, &UnknownEngineError{Wanted: wanted}
	}
	e := &Engine{Name: name}
	format := "{{.Server.Version}}"
	if name == podman {
		format = "{{.Client.Version}}"
	}
	version, err := e.Output(ctx, nil, "version", "--format", format)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		says := strings.TrimSpace(err.Error())
		return nil, &EngineNotRunningError{Engine: name, Says: firstLine(says), Denied: strings.Contains(strings.ToLower(says), "permission denied")}
	}
	e.Version = strings.TrimSpace(string(version))
	major, minor, known := e.number()
	if name == docker && known && (major < oldestMajor || major == oldestMajor && minor < oldestMinor) {
		return nil, &EngineTooOldError{Engine: name, Version: e.Version}
	}
	return e, nil
}

// number is the version's beginning; of 20.10.24+dfsg1 it is 20 and 10.
func (e *Engine) number() (major, minor int, known bool) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(e.Version, "v"), ".")
	second, _, _ := strings.Cut(rest, ".")
	major, err := strconv.Atoi(first)
	if err != nil {
		return 0, 0, false
	}
	minor, err = strconv.Atoi(second)
	return major, minor, err == nil
}

// Prepare puts the shim before the command in the search path of this process, where it is needed. [Engine.Close] takes it
// away.
func (e *Engine) Prepare() error {
	major, _, known := e.number()
	if e.Name != docker || !known || major >= modestMajor || runtime.GOOS != "linux" {
		return nil
	}
	status := daemonStatus(daemonPID, "/proc")
	if status == "" {
		return nil
	}
	lacks, err := lacksCapability(status, "/proc/sys/kernel/cap_last_cap")
	if err != nil || !lacks {
		return err
	}
	dir, err := os.MkdirTemp("", "plumbline-docker-")
	if err != nil {
		return err
	}
	//nolint:gosec // a program has to be executable
	if err := os.WriteFile(filepath.Join(dir, docker), shim, 0o755); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	e.shim = dir
	return errors.Join(os.Setenv(variableStatus, status), os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")))
}

// variableStatus tells the shim where the daemon's capabilities stand.
const variableStatus = "PLUMBLINE_DAEMON_STATUS"

// daemonPID is where Docker's daemon says which process it is.
const daemonPID = "/var/run/docker.pid"

// daemonStatus is the file about the daemon's process, whose capabilities count. Where it does not say which that is, it is
// taken to have those of this process, if that is root's; a daemon elsewhere, reached by a socket, may have others.
func daemonStatus(pidFile, proc string) string {
	if text, err := os.ReadFile(pidFile); err == nil {
		status := filepath.Join(proc, strings.TrimSpace(string(text)), "status")
		if _, err := os.Stat(status); err == nil {
			return status
		}
	}
	if os.Geteuid() != 0 {
		return ""
	}
	return filepath.Join(proc, "self", "status")
}

// Close takes the shim away.
func (e *Engine) Close() error {
	if e.shim == "" {
		return nil
	}
	path := strings.TrimPrefix(os.Getenv("PATH"), e.shim+string(os.PathListSeparator))
	return errors.Join(os.Setenv("PATH", path), os.RemoveAll(e.shim))
}

// lacksCapability reports whether the bounding set has less than all capabilities that the kernel knows.
func lacksCapability(status, last string) (bool, error) {
	text, err := os.ReadFile(status)
	if err != nil {
		return false, err
	}
	number, err := os.ReadFile(last)
	if err != nil {
		return false, err
	}
	highest, err := strconv.Atoi(strings.TrimSpace(string(number)))
	if err != nil {
		return false, fmt.Errorf("%s: %w", last, err)
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		value, ok := strings.CutPrefix(line, "CapBnd:")
		if !ok {
			continue
		}
		bounding, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		if err != nil {
			return false, fmt.Errorf("%s: %w", status, err)
		}
		all := uint64(1)<<(highest+1) - 1
		return bounding&all != all, nil
	}
	return false, nil
}

// Output runs the engine's command and returns what it prints. The error is what it says.
func (e *Engine) Output(ctx context.Context, stdin []byte, arguments ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, e.Name, arguments...)
	var out, said bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(stdin), &out, &said
	err := c.Run()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var ended *exec.ExitError
	if errors.As(err, &ended) && said.Len() > 0 {
		return nil, fmt.Errorf("%s", strings.TrimSpace(said.String()))
	}
	return out.Bytes(), err
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
