package contract

// argumentCases are about the command line, spec §5.1 and §5.2.
func argumentCases() []Case {
	bad := func(line string) Want {
		return Want{Code: 2, Stderr: line + "\n", Files: map[string]string{outErr: ""}}
	}
	return []Case{{
		Name: "double dashes and equal signs", Reason: "§5.1",
		Args: []string{"--post_file=" + out, "--termination_path", message, "-entrypoint=sh", "--", "-c", "exit 0"},
		Want: Want{Files: map[string]string{out: "", message: list(started)}},
	}, {
		Name: "flags behind -- are the command's", Reason: "EP-01",
		Args: []string{"-post_file", out, "-termination_path", message, "-entrypoint", "echo", "--", "-post_file", "x", "--", "y"},
		Want: Want{Stdout: "-post_file x -- y\n", Files: map[string]string{out: "", message: list(started)}},
	}, {
		Name: "unknown operands are ignored", Reason: "EP-02",
		Args: []string{"-post_file", out, "-termination_path", message, "-entrypoint", "echo", "what", "--", "hi"},
		Want: Want{Stdout: "hi\n", Files: map[string]string{out: "", message: list(started)}},
	}, {
		Name: "-- as the very first argument", Reason: "EP-01: what follows is operands, and so a subcommand",
		Args: []string{"--", "step-init", "a"},
		Want: Want{Stderr: "Setup /step directories\n", Files: map[string]string{
			"/tekton/steps/a": "-> /tekton/run/0/status", "/tekton/steps/0": "-> /tekton/run/0/status"}},
	}, {
		Name: "unknown flag", Reason: "EP-33 as decided: exit 2, and the following steps are notified",
		Args: step("echo never", "-what", "x"),
		Want: bad("flag provided but not defined: -what"),
	}, {
		Name: "unknown flag with a line end in it", Reason: "bad arguments get one line",
		Args: step("echo never", "-what\never"),
		Want: bad(`flag provided but not defined: -what\never`),
	}, {
		Name: "flag without value", Reason: "EP-33 as decided",
		Args: []string{"-post_file", out, "-entrypoint"},
		Want: bad("flag needs an argument: -entrypoint"),
	}, {
		Name: "bad timeout", Reason: "EP-33 as decided",
		Args: step("echo never", "-timeout", "soon"),
		Want: bad(`invalid value "soon" for flag -timeout: must be a duration such as 1h30m`),
	}, {
		Name: "bad boolean", Reason: "EP-33 as decided",
		Args: step("echo never", "-breakpoint_on_failure=perhaps"),
		Want: bad(`invalid value "perhaps" for flag -breakpoint_on_failure: must be true or false`),
	}, {
		Name: "bad flag syntax", Reason: "EP-33 as decided",
		Args: step("echo never", "---timeout=1s"),
		Want: bad("bad flag syntax: ---timeout=1s"),
	}, {
		Name: "bad budget", Reason: "EP-33 as decided",
		Args: step("echo never", "-termination_budget", "5000"),
		Want: bad(`invalid value "5000" for flag -termination_budget: must be a number of bytes from 1 to 4096`),
	}, {
		Name: "bad arguments without a post file", Reason: "EP-33: no step can be notified",
		Args: []string{"-what"},
		Want: Want{Code: 2, Stderr: "flag provided but not defined: -what\n"},
	}, {
		Name: "result name that leaves the directory", Reason: "result names cannot leave the results directory",
		Args:   step("echo never", "-results", "a,../secret"),
		Before: map[string]string{"/tekton/secret": "s3cret"},
		Want:   bad(`invalid value "a,../secret" for flag -results: result "../secret" is not a plain file name`),
	}, {
		Name: "signed results", Reason: "§5.1 -enable_spire: not supported, and said so",
		Args: step("echo never", "-enable_spire"),
		Want: bad(`invalid value "true" for flag -enable_spire: signing results is not supported by this launcher`),
	}, {
		Name: "signed results switched off", Reason: "§5.1 -enable_spire, -spire_socket_path",
		Args: step("exit 0", "-enable_spire=false", "-spire_socket_path", "unix:///x"),
		Want: Want{Files: map[string]string{out: "", exitCode: "0", message: list(started)}},
	}, {
		Name: "the last of a flag counts", Reason: "§5.1",
		Args: step("exit 0", "-on_error", "continue", "-timeout", "1ns", "-timeout", "0s"),
		Want: Want{Files: map[string]string{out: "", exitCode: "0", message: list(started)}},
	}}
}
