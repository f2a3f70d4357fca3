// Package entrypoint is the step launcher: the program that a step's container runs in place of the step's own command.
//
// The steps of a TaskRun are containers of one Pod, and the kubelet starts them together. The launcher makes a sequence of
// them: it waits until the previous step has posted a file, runs the step's command, reports how it ended, and posts the
// file that the next step is waiting for. One run of [Main] goes through the following stages.
//
//  1. arguments: the flags, the command behind "--", or a subcommand of the Pod's init containers (init, cp,
//     step-init, decode-script), which ends here;
//  2. credentials: the secrets named by flags become files below /tekton/creds, copied to the user's home;
//  3. waiting: each wait file, or its ".err" twin, which means that a step before failed and this one is skipped;
//  4. running: the command in a process group of its own, under the step's timeout;
//  5. reporting: results and times into the termination message, the exit code into its file, then, last of all,
//     the post file or its ".err" twin, so that a reader of a post file sees everything that came before it.
//
// The package has no operating system in it: no clock, no goroutine, no process. Everything of the world comes through
// the interfaces of [System], so that the same code runs as PID 1 of a real container (package osadapter) and inside
// the containers of a simulated cluster.
//
// Where it differs from the reference launcher (spec §5):
//
//   - a command ended by signal n exits with 128+n, as a shell says it (EP-23);
//   - whatever keeps the launcher from running its command, bad arguments included, posts ".err" if the post file can be
//     known, so that no step waits for ever (EP-33, EP-34);
//   - results that do not fit the termination message, or cannot be read, fail the step before the next one can start (EP-31);
//   - a step before that failed skips this one with a breakpoint active, too (EP-42);
//   - a redirected stream goes to its file and to the container's log (EP-46);
//   - init and step-init accept the links that an earlier attempt left (EP-05).
//
// The on-disk protocol is the reference's, so launchers of both kinds can follow one another in a Pod.
package entrypoint

import (
	"errors"
	"fmt"
	"strings"
)

// Exit codes of the launcher itself. A command that ran gives its own.
const (
	exitOK           = 0
	exitFailure      = 1
	exitBadArguments = 2
	exitSignalBase   = 128
)

// Main runs the launcher with args (the program's arguments without its name) and returns its exit code.
func Main(sys System, args []string) int {
	sys = sys.withDefaults()
	opts, err := parseArguments(args)
	if errors.Is(err, errHelp) {
		sys.log(usage)
		return exitOK
	}
	if err != nil {
		return refuse(sys, args, err)
	}
	if run := findSubcommand(opts.positional); run != nil {
		return run(sys, opts.positional[1:])
	}
	creds, err := readCredentials(sys, opts)
	if err != nil {
		return refuse(sys, args, err)
	}
	return newLauncher(sys, opts).run(creds)
}

// refuse ends a run whose arguments cannot be used: one line, exit code 2, and the following steps are told (EP-33).
func refuse(sys System, args []string, reason error) int {
	sys.log("%s", strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(reason.Error()))
	if post := salvagePostFile(args); post != "" {
		if err := postFile(sys.Files, post+failedSuffix); err != nil {
			sys.log("%v", err)
		}
	}
	return exitBadArguments
}

// log writes one line to the launcher's standard error, which is the container's log.
func (s System) log(format string, args ...any) {
	fmt.Fprintf(s.Stderr, format+"\n", args...)
}
