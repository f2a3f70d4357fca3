package contract

// outcomeCases are the rows of the table of outcomes, spec §5.5.
func outcomeCases() []Case {
	return []Case{{
		Name: "command succeeds", Reason: "EP-20",
		Args: step("exit 0"),
		Want: Want{Files: map[string]string{out: "", exitCode: "0", message: list(started)},
			Modes: map[string]string{out: "0644", exitCode: "0644"}},
	}, {
		Name: "command fails", Reason: "EP-21",
		Args: step("exit 3"),
		Want: Want{Code: 3, Files: map[string]string{outErr: "", message: list(started)}},
	}, {
		Name: "command fails and the step continues", Reason: "EP-22",
		Args: step("exit 3", "-on_error", "continue"),
		Want: Want{Files: map[string]string{out: "", exitCode: "3", message: list(started, internal("ExitCode", "3"))}},
	}, {
		Name: "stopAndFail is as no on_error", Reason: "EP-21, §5.1: only continue has an effect",
		Args: step("exit 3", "-on_error", "stopAndFail"),
		Want: Want{Code: 3, Files: map[string]string{outErr: "", message: list(started)}},
	}, {
		Name: "command dies of a signal", Reason: "EP-23 as decided: 128+n",
		Args: step("kill -KILL $$"),
		Want: Want{Code: 137, Files: map[string]string{outErr: "", message: list(started)}},
	}, {
		Name: "command dies of a signal and the step continues", Reason: "EP-24 as decided: 128+n",
		Args: step("kill -TERM $$", "-on_error", "continue"),
		Want: Want{Files: map[string]string{out: "", exitCode: "143", message: list(started, internal("ExitCode", "143"))}},
	}, {
		Name: "no such program in PATH", Reason: "EP-25: cannot start",
		Args: []string{"-post_file", out, "-termination_path", message, "-entrypoint", "no-such-program"},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", message: list(started)},
			Stderr: "Error executing command: exec: \"no-such-program\": executable file not found in $PATH\n"},
	}, {
		Name: "no such program by path", Reason: "EP-25: cannot start",
		Args: []string{"-post_file", out, "-termination_path", message, "-entrypoint", "/workspace/missing"},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", message: list(started)},
			Stderr: "Error executing command: fork/exec /workspace/missing: no such file or directory\n"},
	}, {
		Name: "program is not executable", Reason: "EP-25: continue does not apply",
		Args: []string{"-post_file", out, "-termination_path", message, "-on_error", "continue",
			"-step_metadata_dir", "/tekton/run/1/status", "-entrypoint", "/workspace/data"},
		Before: map[string]string{"/workspace/data": "no program"},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", message: list(started)},
			Stderr: "Error executing command: fork/exec /workspace/data: permission denied\n"},
	}, {
		Name: "a step before failed", Reason: "EP-26",
		Args:   step("echo never", "-wait_file", before),
		Before: map[string]string{before + ".err": ""},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", message: list(started)},
			Stderr: "Skipping step because a previous step failed\n"},
	}, {
		Name: "a step before failed and this one would continue", Reason: "EP-26: onError is about the own command",
		Args:   step("echo never", "-wait_file", before, "-on_error", "continue"),
		Before: map[string]string{before + ".err": ""},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", message: list(started)},
			Stderr: "Skipping step because a previous step failed\n"},
	}, {
		Name: "waiting fails", Reason: "EP-27, EP-12",
		Args:   step("echo never", "-wait_file", "/tekton/file/out"),
		Before: map[string]string{"/tekton/file": ""},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", message: list(started)},
			Stderr: "Error executing command: waiting for \"/tekton/file/out\": stat /tekton/file/out: not a directory\n"},
	}, {
		Name: "step timeout", Reason: "EP-28: continue does not apply",
		Args: step("sleep 60", "-timeout", "150ms", "-on_error", "continue"),
		Want: Want{Code: 1,
			Files:  map[string]string{outErr: "", message: list(started, internal("Reason", "TimeoutExceeded"))},
			Stderr: "Error executing command: context deadline exceeded\n"},
	}, {
		Name: "step timeout of a command that ignores SIGTERM", Reason: "EP-37 as departed from: TERM, grace, KILL",
		Args: step("trap '' TERM; sleep 60", "-timeout", "150ms"),
		Want: Want{Code: 1,
			Files:  map[string]string{outErr: "", message: list(started, internal("Reason", "TimeoutExceeded"))},
			Stderr: "Error executing command: context deadline exceeded\n"},
	}, {
		Name: "timeout is not reached", Reason: "EP-20 with -timeout",
		Args: step("exit 4", "-timeout", "1h"),
		Want: Want{Code: 4, Files: map[string]string{outErr: "", message: list(started)}},
	}, {
		Name: "timeout zero is none", Reason: "§5.1 -timeout",
		Args: step("sleep 0.01; exit 0", "-timeout", "0s"),
		Want: Want{Files: map[string]string{out: "", exitCode: "0", message: list(started)}},
	}, {
		Name: "negative timeout", Reason: "EP-29",
		Args: step("echo never", "-timeout", "-1s"),
		Want: Want{Code: 1, Files: map[string]string{outErr: "", message: list(started)},
			Stderr: "Error executing command: negative timeout specified\n"},
	}, {
		Name: "empty command", Reason: "EP-30: an image without entrypoint and command",
		Args: []string{"-post_file", out, "-termination_path", message, "-step_metadata_dir", "/tekton/run/1/status"},
		Env:  []string{`TEKTON_PLATFORM_COMMANDS={"` + Platform + `":null}`},
		Want: Want{Files: map[string]string{out: "", exitCode: "0", message: list(started)}},
	}, {
		Name: "command of the platform", Reason: "§5.3 step 4, EP-03",
		Args: []string{"-post_file", out, "-termination_path", message, "--", "exit 5"},
		Env:  []string{`TEKTON_PLATFORM_COMMANDS={"` + Platform + `":["sh","-c"],"linux/testarch":["false"]}`},
		Want: Want{Code: 5, Files: map[string]string{outErr: "", message: list(started)}},
	}, {
		Name: "command of the platform without the variant", Reason: "§5.3 step 4",
		Args: []string{"-post_file", out, "-termination_path", message, "--", "exit 6"},
		Env:  []string{`TEKTON_PLATFORM_COMMANDS={"linux/testarch":["sh","-c"]}`},
		Want: Want{Code: 6, Files: map[string]string{outErr: "", message: list(started)}},
	}, {
		Name: "no command for this platform", Reason: "EP-34; the following steps are told (EP-36)",
		Args: []string{"-post_file", out, "-termination_path", message},
		Env:  []string{`TEKTON_PLATFORM_COMMANDS={"plan9/mips":["sh","-c"]}`},
		Want: Want{Code: 1, Files: map[string]string{outErr: ""},
			Stderr: "could not find command for platform \"" + Platform + "\"\n"},
	}, {
		Name: "no command at all", Reason: "EP-34; the following steps are told (EP-36)",
		Args: []string{"-post_file", out, "-termination_path", message},
		Want: Want{Code: 1, Files: map[string]string{outErr: ""},
			Stderr: "no command to run: neither -entrypoint nor TEKTON_PLATFORM_COMMANDS is given\n"},
	}, {
		Name: "platform commands are not JSON", Reason: "EP-34; the following steps are notified (EP-36)",
		Args: []string{"-post_file", out, "-termination_path", message},
		Env:  []string{`TEKTON_PLATFORM_COMMANDS={`},
		Want: Want{Code: 1, Files: map[string]string{outErr: ""},
			Stderr: "no command to run: TEKTON_PLATFORM_COMMANDS: no valid JSON at byte 1\n"},
	}, {
		Name: "status directory is a link", Reason: "links in the step's own directory are not followed",
		Args:   step("exit 0"),
		Before: map[string]string{"/tekton/run/1/status": "-> /workspace", "/workspace/": ""},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", message: list(started)},
			Stderr: "writing exit code: \"/tekton/run/1/status\" is a link\n"},
	}, {
		Name: "exit code file is a link", Reason: "a link is replaced, not followed",
		Args:   step("exit 0"),
		Before: map[string]string{exitCode: "-> /workspace/mine", "/workspace/mine": "precious"},
		Want:   Want{Files: map[string]string{out: "", exitCode: "0", message: list(started)}},
	}, {
		Name: "no files asked for", Reason: "§5.1: without -post_file and -step_metadata_dir there are none",
		Args: []string{"-termination_path", message, "-entrypoint", "sh", "--", "-c", "exit 0"},
		Want: Want{Files: map[string]string{message: list(started)}},
	}, {
		Name: "message cannot be written", Reason: "EP-32: and the following steps do not run",
		Args: []string{"-post_file", out, "-termination_path", "/tekton/missing/termination", "-entrypoint", "sh", "--", "-c", "exit 0"},
		Want: Want{Code: 1, Files: map[string]string{outErr: ""},
			Stderr: "Error while writing message: open /tekton/missing/termination: no such file or directory\n"},
	}}
}
