package contract

// streamCases are about the command's output and surroundings, spec §5.6.
func streamCases() []Case {
	ok := func(more map[string]string) map[string]string {
		return with(more, map[string]string{out: "", exitCode: "0", message: list(started)})
	}
	return []Case{{
		Name: "output goes to the log", Reason: "§5.6",
		Args: step("echo one; echo two >&2"),
		Want: Want{Stdout: "one\n", Stderr: "two\n", Files: ok(map[string]string{})},
	}, {
		Name: "output is kept in files", Reason: "EP-46 as decided: in the file and in the log; directories are made",
		Args: step("echo one; echo two >&2", "-stdout_path", "/workspace/logs/out", "-stderr_path", "/workspace/logs/err"),
		Want: Want{Stdout: "one\n", Stderr: "two\n",
			Files: ok(map[string]string{"/workspace/logs/out": "one\n", "/workspace/logs/err": "two\n"}),
			Modes: map[string]string{"/workspace/logs/out": "0644"}},
	}, {
		Name: "output is appended", Reason: "EP-46",
		Args:   step("echo two", "-stdout_path", "/workspace/log"),
		Before: map[string]string{"/workspace/log": "one\n"},
		Want:   Want{Stdout: "two\n", Files: ok(map[string]string{"/workspace/log": "one\ntwo\n"})},
	}, {
		Name: "both outputs in one file", Reason: "EP-46",
		Args: step("echo one; sleep 0.2; echo two >&2", "-stdout_path", "/workspace/log", "-stderr_path", "/workspace/log"),
		Want: Want{Stdout: "one\n", Stderr: "two\n", Files: ok(map[string]string{"/workspace/log": "one\ntwo\n"})},
	}, {
		Name: "output file cannot be opened", Reason: "EP-25: the command does not start",
		Args:   step("echo never", "-stdout_path", "/workspace/log"),
		Before: map[string]string{"/workspace/log/": ""},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", message: list(started)},
			Stderr: "Error executing command: open /workspace/log: is a directory\n"},
	}, {
		Name: "output file is a link to elsewhere", Reason: "links in a workspace are not followed out of their directory",
		Args:   step("echo never", "-stdout_path", "/workspace/log"),
		Before: map[string]string{"/workspace/log": "-> ../tekton/precious", "/tekton/precious": "1"},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", message: list(started)},
			Stderr: "Error executing command: open /workspace/log: path escapes from parent\n"},
	}, {
		Name: "output file is a link within its directory", Reason: "such a link is followed, also to what does not exist yet",
		Args:   step("echo one; echo two >&2", "-stdout_path", "/workspace/log", "-stderr_path", "/workspace/new"),
		Before: map[string]string{"/workspace/log": "-> today", "/workspace/today": "zero\n", "/workspace/new": "-> sub/err", "/workspace/sub/": ""},
		Want: Want{Stdout: "one\n", Stderr: "two\n",
			Files: ok(map[string]string{"/workspace/today": "zero\none\n", "/workspace/sub/err": "two\n"})},
	}, {
		Name: "standard input is empty", Reason: "EP-45",
		Args: step("cat; echo end"),
		Want: Want{Stdout: "end\n", Files: ok(map[string]string{})},
	}, {
		Name: "the environment is the container's", Reason: "EP-45",
		Args: step("echo $GREETING"),
		Env:  []string{"GREETING=hello"},
		Want: Want{Stdout: "hello\n", Files: ok(map[string]string{})},
	}}
}

// signalCases are about signals to the launcher.
func signalCases() []Case {
	const ready = "/workspace/ready"
	return []Case{{
		Name: "a signal ends the command", Reason: "EP-44, EP-23",
		Args:   step("printf %s 1 > " + ready + "; sleep 60"),
		Before: map[string]string{"/workspace/": ""},
		Events: []Event{{After: ready, Signal: 15}},
		Want:   Want{Code: 143, Files: map[string]string{ready: "1", outErr: "", message: list(started)}},
	}, {
		Name: "a signal is handled by the command", Reason: "EP-44: the command decides",
		// The sleep is short, as a shell that is about to start it when the signal comes runs its trap only behind it.
		Args:   step("exec 2>/dev/null; trap 'exit 7' TERM; printf %s 1 > " + ready + "; sleep 1; exit 9"),
		Before: map[string]string{"/workspace/": ""},
		Events: []Event{{After: ready, Signal: 15}},
		Want:   Want{Code: 7, Files: map[string]string{ready: "1", outErr: "", message: list(started)}},
	}, {
		Name: "a signal ends the waiting", Reason: "a Pod that is deleted need not wait for its grace period",
		Args:   step("echo never", append(hello(), "-wait_file", before)...),
		Before: helloFiles(),
		Events: []Event{{After: helloDone, Signal: 15}},
		Want: Want{Code: 143, Files: helloWant(map[string]string{outErr: "", message: list(started)}),
			Stderr: "Error executing command: waiting for \"" + before + "\": interrupted by signal 15\n"},
	}}
}
