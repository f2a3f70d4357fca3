// Package contract says in tables what the launcher does, for every world it runs in: the real operating system, the
// simulator's containers, and the small one in memory that the launcher's own tests use.
//
// A [World] carries out a [Case] and tells what came of it; [Run] compares. The cases speak of a container's paths
// (/tekton, /workspace, /home/user); a world that cannot offer these offers others and translates.
//
// The commands in the cases are written in a small part of the shell's language, so that a world without a shell can
// understand them: commands separated by "; ", of the forms
//
//	echo TEXT           echo TEXT >&2      printf %s TEXT > FILE     cat FILE
//	sleep SECONDS       exit N             kill -SIGNAL $$           trap 'ACTION' SIGNAL
//	exec 2>/dev/null
//
// where TEXT is one word, or several for echo, or is quoted with single quotes, and ACTION is empty or such a command.
package contract

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/entrypoint"
)

// Programs that a case can run.
const (
	Launcher          = "entrypoint"
	Nop               = "nop"
	WorkingDirInit    = "workingdirinit"
	SidecarLogResults = "sidecarlogresults"
)

// Case is one run of a program in a container.
type Case struct {
	Name string
	// Reason is the rule that the case is about.
	Reason string
	// Program is what runs; default Launcher.
	Program string
	Args    []string
	// Env is added to HOME=/home/user and a PATH.
	Env []string
	// Before are the files that are there when the program starts, with their content. A path that ends in a slash is a
	// directory, a content that starts with "-> " is a link.
	Before map[string]string
	// Events happen while the program runs, one after the other.
	Events []Event
	Want   Want
}

// Event is something that happens to a running program.
type Event struct {
	// After is a file that is waited for, until it has content, before this happens.
	After string
	// Put is a file that appears with Content, as in Case.Before; an existing one is replaced at once.
	Put, Content string
	// Signal is sent to the program.
	Signal entrypoint.Signal
}

// Want is what must have come of a case.
type Want struct {
	Code int
	// Stdout and Stderr are the program's and its command's output.
	Stdout, Stderr string
	// Files are all files that are new or changed, directories left out, written as in Case.Before. The time in a
	// StartedAt entry is replaced by TIME.
	Files map[string]string
	// Modes are the permissions of some files and directories, the latter with a slash behind, as in "0644".
	Modes map[string]string
}

// Outcome is what a world reports.
type Outcome struct {
	Code           int
	Stdout, Stderr string
	// Files are all files below /tekton, /workspace and /home, written as in Case.Before, directories left out.
	Files map[string]string
	// Modes are the permissions of these files and of the directories, the latter with a slash behind, as in "0644".
	Modes map[string]string
}

// World is somewhere to run the launcher.
type World interface {
	// Run carries out the case. The budget of time between SIGTERM and SIGKILL is Grace.
	Run(t *testing.T, c Case) Outcome
}

// Grace is the value of entrypoint.System.Grace that the cases expect.
const Grace = 300 * time.Millisecond

// Platform is the value of entrypoint.System.Platform that the cases expect.
const Platform = "linux/testarch/v9"

// Run carries out all cases in the world.
func Run(t *testing.T, w World) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			got := w.Run(t, c)
			if diff := cmp.Diff(c.Want, changes(c, got)); diff != "" {
				t.Errorf("%s\nargs: %q\n-want +got:\n%s", c.Reason, c.Args, diff)
			}
		})
	}
}

// Cases are all cases.
func Cases() []Case {
	return slices.Concat(
		outcomeCases(), waitingCases(), resultCases(), breakpointCases(), streamCases(), signalCases(),
		argumentCases(), credentialCases(), subcommandCases(), podProgramCases(),
	)
}

// changes brings an outcome into the form of Want.
func changes(c Case, got Outcome) Want {
	w := Want{Code: got.Code, Stdout: got.Stdout, Stderr: got.Stderr}
	for path, content := range got.Files {
		if before, existed := c.Before[path]; existed && before == content {
			continue
		}
		if w.Files == nil {
			w.Files = map[string]string{}
		}
		w.Files[path] = startedAt.ReplaceAllString(content, `"StartedAt","value":"TIME"`)
	}
	for path := range c.Want.Modes {
		if w.Modes == nil {
			w.Modes = map[string]string{}
		}
		w.Modes[path] = got.Modes[path]
	}
	for _, e := range c.Events { // what the events have put there is nothing that the program did
		if e.Put != "" && w.Files[e.Put] == e.Content {
			if _, wanted := c.Want.Files[e.Put]; !wanted {
				delete(w.Files, e.Put)
			}
		}
	}
	if len(w.Files) == 0 {
		w.Files = nil
	}
	return w
}

var startedAt = regexp.MustCompile(`"StartedAt","value":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`)

// Places of the cases.
const (
	message  = "/tekton/termination"
	out      = "/tekton/run/1/out"
	outErr   = "/tekton/run/1/out.err"
	exitCode = "/tekton/run/1/status/exitCode"
	before   = "/tekton/run/0/out"
)

// started is the entry that every step reports.
const started = `{"key":"StartedAt","value":"TIME","type":3}`

// step is the arguments of a step as the controller gives them: own flags, then those of every step, then the script.
func step(script string, flags ...string) []string {
	args := append(flags, "-post_file", out, "-termination_path", message, "-step_metadata_dir", "/tekton/run/1/status")
	return append(args, "-entrypoint", "sh", "--", "-c", script)
}

func internal(key, value string) string {
	return `{"key":"` + key + `","value":"` + value + `","type":3}`
}

func result(key, value string) string {
	return `{"key":"` + key + `","value":"` + value + `","type":1}`
}

func list(entries ...string) string { return "[" + strings.Join(entries, ",") + "]" }
