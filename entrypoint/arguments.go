package entrypoint

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/entrypoint/termination"
)

// Names of the flags. They are given with one dash or two, as "-flag value" or "-flag=value".
const (
	FlagEntrypoint          = "entrypoint"
	FlagWaitFile            = "wait_file"
	FlagWaitFileContent     = "wait_file_content"
	FlagPostFile            = "post_file"
	FlagTerminationPath     = "termination_path"
	FlagTerminationBudget   = termination.BudgetFlag
	FlagResults             = "results"
	FlagTimeout             = "timeout"
	FlagStdoutPath          = "stdout_path"
	FlagStderrPath          = "stderr_path"
	FlagBreakpointOnFailure = "breakpoint_on_failure"
	FlagOnError             = "on_error"
	FlagStepMetadataDir     = "step_metadata_dir"
	FlagEnableSpire         = "enable_spire"
	FlagSpireSocketPath     = "spire_socket_path"
	FlagResultFrom          = "result_from"
	FlagBasicDocker         = "basic-docker"
	FlagBasicGit            = "basic-git"
	FlagSSHGit              = "ssh-git"
	FlagDockerConfig        = "docker-config"
	FlagDockerCfg           = "docker-cfg"
)

// Values of flags.
const (
	// OnErrorContinue lets the following steps run although the command failed.
	OnErrorContinue = "continue"
	// ResultFromTerminationMessage and ResultFromSidecarLogs say who reports the results: the launcher, or a sidecar.
	ResultFromTerminationMessage = "termination-message"
	ResultFromSidecarLogs        = "sidecar-logs"
)

// DefaultTerminationPath is where the termination message goes.
const DefaultTerminationPath = "/tekton/termination"

const usage = `usage: entrypoint [flags] -- [argument...]
       entrypoint init SRC DST [STEP...]
       entrypoint cp SRC DST
       entrypoint step-init [STEP...]
       entrypoint decode-script FILE`

// errHelp asks for the usage.
var errHelp = errors.New("help requested")

// options are the parsed arguments of a run.
type options struct {
	entrypoint      string
	waitFiles       []string
	waitContent     bool
	postFile        string
	terminationPath string
	budget          int
	results         []string
	timeout         time.Duration
	stdoutPath      string
	stderrPath      string
	breakpoint      bool
	onError         string
	metadataDir     string
	resultFrom      string
	credentials     []credentialFlag

	// positional are the operands before "--": a subcommand, if anything (EP-02).
	positional []string
	// args are the command's arguments, behind "--" (EP-01).
	args []string
}

// credentialFlag is one credential flag, in the order of the command line.
type credentialFlag struct{ name, value string }

// parseArguments splits the command line at "--" (EP-01) and reads the flags before it.
func parseArguments(args []string) (options, error) {
	opts := options{
		terminationPath: DefaultTerminationPath,
		budget:          termination.MaxSize,
		resultFrom:      ResultFromTerminationMessage,
	}
	flags, commandArgs := splitArguments(args)
	opts.args = commandArgs
	for len(flags) > 0 {
		name, value, hasValue, ok := splitFlag(flags[0])
		if !ok {
			break
		}
		if name == "" { // "--" as the very first argument ends the flags and separates nothing
			flags = flags[1:]
			break
		}
		if name[0] == '-' || name[0] == '=' {
			return opts, fmt.Errorf("bad flag syntax: %s", flags[0])
		}
		given := flags[0]
		flags = flags[1:]
		if name == "help" || name == "h" {
			return opts, errHelp
		}
		set, isBool := opts.flag(name)
		if set == nil {
			return opts, fmt.Errorf("flag provided but not defined: -%s", name)
		}
		if !hasValue {
			switch {
			case isBool:
				value = "true"
			case len(flags) == 0:
				return opts, fmt.Errorf("flag needs an argument: -%s", name)
			default:
				value, flags = flags[0], flags[1:]
			}
		}
		if strings.ContainsRune(given, 0) || strings.ContainsRune(value, 0) {
			return opts, fmt.Errorf("invalid value %q for flag -%s: contains a zero byte", value, name)
		}
		if err := set(value); err != nil {
			return opts, fmt.Errorf("invalid value %q for flag -%s: %w", value, name, err)
		}
	}
	opts.positional = flags
	return opts, nil
}

// splitArguments separates the launcher's arguments from the command's at the first "--" that is not the very first
// argument.
func splitArguments(args []string) (own, command []string) {
	for i, arg := range args {
		if arg == "--" && i > 0 {
			return args[:i], args[i+1:]
		}
	}
	return args, nil
}

// splitFlag takes "-name", "--name", "-name=value" apart. An operand, and a lone dash, are not ok.
func splitFlag(arg string) (name, value string, hasValue, ok bool) {
	if len(arg) < 2 || arg[0] != '-' {
		return "", "", false, false
	}
	arg = strings.TrimPrefix(arg[1:], "-")
	if i := strings.IndexByte(arg, '='); i > 0 {
		return arg[:i], arg[i+1:], true, true
	}
	return arg, "", false, true
}

// flag is the setter of a flag, or nil if there is no such flag.
func (o *options) flag(name string) (set func(string) error, isBool bool) {
	text := func(p *string) func(string) error {
		return func(v string) error { *p = v; return nil }
	}
	boolean := func(p *bool) func(string) error {
		return func(v string) (err error) {
			if *p, err = strconv.ParseBool(v); err != nil {
				return errors.New("must be true or false")
			}
			return nil
		}
	}
	switch name {
	case FlagEntrypoint:
		return text(&o.entrypoint), false
	case FlagWaitFile:
		return func(v string) error { o.waitFiles = list(v); return nil }, false
	case FlagWaitFileContent:
		return boolean(&o.waitContent), true
	case FlagPostFile:
		return text(&o.postFile), false
	case FlagTerminationPath:
		return text(&o.terminationPath), false
	case FlagTerminationBudget:
		return o.setBudget, false
	case FlagResults:
		return o.setResults, false
	case FlagTimeout:
		return o.setTimeout, false
	case FlagStdoutPath:
		return text(&o.stdoutPath), false
	case FlagStderrPath:
		return text(&o.stderrPath), false
	case FlagBreakpointOnFailure:
		return boolean(&o.breakpoint), true
	case FlagOnError:
		return text(&o.onError), false
	case FlagStepMetadataDir:
		return text(&o.metadataDir), false
	case FlagEnableSpire:
		return refuseSpire, true
	case FlagSpireSocketPath:
		return func(string) error { return nil }, false
	case FlagResultFrom:
		return text(&o.resultFrom), false
	case FlagBasicDocker, FlagBasicGit, FlagSSHGit, FlagDockerConfig, FlagDockerCfg:
		return func(v string) error {
			o.credentials = append(o.credentials, credentialFlag{name, v})
			return nil
		}, false
	default:
		return nil, false
	}
}

func (o *options) setBudget(value string) error {
	budget, err := strconv.Atoi(value)
	if err != nil || budget < 1 || budget > termination.MaxSize {
		return fmt.Errorf("must be a number of bytes from 1 to %d", termination.MaxSize)
	}
	o.budget = budget
	return nil
}

func (o *options) setResults(value string) error {
	o.results = nil
	seen := map[string]bool{}
	for _, name := range list(value) {
		if !plainName(name) {
			return fmt.Errorf("result %q is not a plain file name", name)
		}
		if !seen[name] {
			seen[name] = true
			o.results = append(o.results, name)
		}
	}
	return nil
}

func (o *options) setTimeout(value string) error {
	timeout, err := time.ParseDuration(value)
	if err != nil {
		return errors.New("must be a duration such as 1h30m")
	}
	o.timeout = timeout
	return nil
}

// refuseSpire accepts only "false": results that were asked to be signed must not go out unsigned.
func refuseSpire(value string) error {
	enabled, err := strconv.ParseBool(value)
	if err != nil {
		return errors.New("must be true or false")
	}
	if enabled {
		return errors.New("signing results is not supported by this launcher")
	}
	return nil
}

// list splits a comma-separated value and leaves out empty elements.
func list(value string) []string {
	var elements []string
	for element := range strings.SplitSeq(value, ",") {
		if element != "" {
			elements = append(elements, element)
		}
	}
	return elements
}

// plainName reports whether name is a file of the directory it is joined to, and nothing else.
func plainName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

// salvagePostFile finds the post file in arguments that could not be parsed, or else is empty (EP-33).
func salvagePostFile(args []string) string {
	own, _ := splitArguments(args)
	post := ""
	for i, arg := range own {
		name, value, hasValue, ok := splitFlag(arg)
		switch {
		case !ok || name != FlagPostFile:
		case hasValue:
			post = value
		case i+1 < len(own):
			post = own[i+1]
		}
	}
	if strings.ContainsRune(post, 0) {
		return ""
	}
	return post
}
