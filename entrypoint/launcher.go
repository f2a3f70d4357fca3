package entrypoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/entrypoint/termination"
)

// Variables of the environment that the launcher reads.
const (
	envPlatformCommands = "TEKTON_PLATFORM_COMMANDS"
	envHermetic         = "TEKTON_HERMETIC"
	envResourceName     = "TEKTON_RESOURCE_NAME"
)

var (
	errTimeout         = errors.New("context deadline exceeded")
	errNegativeTimeout = errors.New("negative timeout specified")
)

// launcher is one run of a step.
type launcher struct {
	sys  System
	opts options
	// found are the entries that the termination message held before the launcher first wrote to it (EP-51).
	found     []termination.Entry
	foundRead bool
}

func newLauncher(sys System, opts options) *launcher { return &launcher{sys: sys, opts: opts} }

// run goes through the stages of a step, see the package comment, and returns the exit code.
func (l *launcher) run(creds credentials) int {
	if err := creds.write(l.sys); err != nil {
		l.sys.log("Error initializing credentials: %v", err) //nolint:misspell // as the specification has it
	}
	argv, err := l.command()
	if err != nil {
		l.sys.log("%v", err)
		l.post(failedSuffix)
		return exitFailure
	}
	copyCredentials(l.sys)
	return l.report(l.attempt(argv))
}

// command is the program to run and its arguments (EP-03).
func (l *launcher) command() ([]string, error) {
	if l.opts.entrypoint != "" {
		return append([]string{l.opts.entrypoint}, l.opts.args...), nil
	}
	variable, found := l.sys.lookupEnv(envPlatformCommands)
	if !found {
		return nil, fmt.Errorf("no command to run: neither -%s nor %s is given", FlagEntrypoint, envPlatformCommands)
	}
	commands := map[string][]string{}
	if err := decodeJSON([]byte(variable), &commands); err != nil {
		return nil, fmt.Errorf("no command to run: %s: %w", envPlatformCommands, err)
	}
	program, found := commands[l.sys.Platform]
	if !found {
		program, found = commands[withoutVariant(l.sys.Platform)]
	}
	if !found {
		return nil, fmt.Errorf("could not find command for platform %q", l.sys.Platform)
	}
	return append(program[:len(program):len(program)], l.opts.args...), nil
}

// decodeJSON decodes what must not be logged. The errors of package json quote from it.
func decodeJSON(content []byte, into any) error {
	err := json.Unmarshal(content, into)
	var syntax *json.SyntaxError
	var form *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("no valid JSON at byte %d", syntax.Offset)
	case errors.As(err, &form):
		return fmt.Errorf("not the expected kind of JSON at byte %d", form.Offset)
	default:
		return err
	}
}

// withoutVariant cuts os/arch/variant to os/arch.
func withoutVariant(platform string) string {
	if parts := strings.SplitN(platform, "/", 3); len(parts) == 3 {
		return parts[0] + "/" + parts[1]
	}
	return platform
}

// outcome is how the step's command ended.
type outcome struct {
	startedAt time.Time
	// began says that it was this step's turn: it was not skipped, and the waiting did not fail.
	began bool
	// exit is how the command ended, if err is nil.
	exit Exit
	// err is why the command did not start, or was not let to its end.
	err error
}

// attempt waits for the step's turn and runs the command.
func (l *launcher) attempt(argv []string) outcome {
	err := l.awaitTurn()
	o := outcome{startedAt: l.sys.Clock.Now(), began: err == nil, err: err}
	if o.began {
		o.exit, o.err = l.runCommand(argv, o.startedAt)
	}
	switch {
	case errors.Is(o.err, errSkipped):
		l.sys.log("Skipping step because a previous step failed")
	case o.err != nil:
		l.sys.log("Error executing command: %v", o.err)
	}
	return o
}

// runCommand runs the command under the step's timeout.
func (l *launcher) runCommand(argv []string, start time.Time) (Exit, error) {
	if l.opts.timeout < 0 {
		return Exit{}, errNegativeTimeout
	}
	if len(argv) == 0 { // an image with nothing to run (EP-30)
		return Exit{}, nil
	}
	stdout, err := l.openStream(l.opts.stdoutPath, l.sys.Stdout)
	if err != nil {
		return Exit{}, err
	}
	stderr, err := l.openStream(l.opts.stderrPath, l.sys.Stderr)
	if err != nil {
		return Exit{}, errors.Join(err, stdout.close())
	}
	exit, err := l.runProcess(Command{
		Path:     argv[0],
		Args:     argv[1:],
		Env:      l.sys.Env,
		Stdout:   stdout.writer(),
		Stderr:   stderr.writer(),
		Hermetic: l.sys.getenv(envHermetic) == "1" && l.sys.getenv(envResourceName) == "",
	}, start)
	if lost := errors.Join(stdout.close(), stderr.close()); err == nil && lost != nil {
		return Exit{}, lost
	}
	return exit, err
}

func (l *launcher) runProcess(c Command, start time.Time) (Exit, error) {
	process, err := l.sys.Processes.Start(c)
	if err != nil {
		return Exit{}, err
	}
	var deadline time.Time
	if l.opts.timeout > 0 {
		deadline = start.Add(l.opts.timeout)
	}
	exit, err := process.Wait(deadline)
	if errors.Is(err, ErrDeadline) {
		return Exit{}, l.end(process)
	}
	return exit, err
}

// end ends a command that ran out of time, with everything it started: first it is asked, then it is killed.
func (l *launcher) end(process Process) error {
	errs := []error{process.SignalGroup(SIGTERM)}
	_, waiting := process.Wait(l.sys.Clock.Now().Add(l.sys.Grace))
	errs = append(errs, process.SignalGroup(SIGKILL)) // what the command left behind dies in any case
	if errors.Is(waiting, ErrDeadline) {
		_, waiting = process.Wait(time.Time{})
	}
	if err := errors.Join(append(errs, waiting)...); err != nil {
		l.sys.log("%v", err)
	}
	return errTimeout
}

// post creates the post file, or its twin with the given suffix, and reports whether that worked.
func (l *launcher) post(suffix string) bool {
	if l.opts.postFile == "" {
		return true
	}
	if err := postFile(l.sys.Files, l.opts.postFile+suffix); err != nil {
		l.sys.log("%v", err)
		return false
	}
	return true
}

// postFile creates an empty file and its directories (EP-38).
func postFile(files Files, file string) error {
	if err := files.MkdirAll(path.Dir(file), 0o777); err != nil {
		return fmt.Errorf("posting %q: %w", file, err)
	}
	if err := files.WriteFileAtomic(file, nil, 0o644); err != nil {
		return fmt.Errorf("posting %q: %w", file, err)
	}
	return nil
}

// exitCodeFile is the name of the file with the command's exit code, in the step's metadata directory.
const exitCodeFile = "exitCode"

// writeExitCode tells the following steps how the command ended.
func (l *launcher) writeExitCode(code string) error {
	dir := l.opts.metadataDir
	if dir == "" {
		return nil
	}
	if info, err := l.sys.Files.Lstat(dir); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("writing exit code: %q is a link", dir)
	}
	if err := l.sys.Files.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("writing exit code: %w", err)
	}
	if err := l.sys.Files.WriteFileAtomic(path.Join(dir, exitCodeFile), []byte(code), 0o644); err != nil {
		return fmt.Errorf("writing exit code: %w", err)
	}
	return nil
}
