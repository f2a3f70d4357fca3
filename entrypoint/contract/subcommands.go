package contract

// subcommandCases are about the launcher's work in init containers, spec §5.2.
func subcommandCases() []Case {
	links := map[string]string{
		"/tekton/steps/0": "-> /tekton/run/0/status", "/tekton/steps/step-a": "-> /tekton/run/0/status",
		"/tekton/steps/1": "-> /tekton/run/1/status", "/tekton/steps/step-unnamed-1": "-> /tekton/run/1/status",
	}
	const binary, copied = "/workspace/entrypoint", "/tekton/bin/entrypoint"
	return []Case{{
		Name: "init", Reason: "EP-04: copy and step-init",
		Args:   []string{"init", binary, copied, "step-a", "step-unnamed-1"},
		Before: map[string]string{binary: "\x7fELF", "/tekton/bin/": ""},
		Want: Want{Stderr: "Entrypoint initialization\n", Files: with(map[string]string{copied: "\x7fELF"}, links),
			Modes: map[string]string{copied: "0311"}},
	}, {
		Name: "init again", Reason: "EP-05 as departed from: what an earlier attempt left is no obstacle",
		Args:   []string{"init", binary, copied, "step-a", "step-unnamed-1"},
		Before: with(map[string]string{binary: "\x7fELF new", copied: "\x7fELF older and longer"}, links),
		Want:   Want{Stderr: "Entrypoint initialization\n", Files: map[string]string{copied: "\x7fELF new"}},
	}, {
		Name: "init of nothing", Reason: "EP-04",
		Args: []string{"init", binary, copied},
		Want: Want{Code: 1, Stderr: "init error: open /workspace/entrypoint: no such file or directory\n"},
	}, {
		Name: "init with too few operands", Reason: "EP-04: not recognised, so the normal run fails for lack of a command",
		Args: []string{"init", binary},
		Want: Want{Code: 1, Stderr: "no command to run: neither -entrypoint nor TEKTON_PLATFORM_COMMANDS is given\n"},
	}, {
		Name: "cp", Reason: "EP-04",
		Args:   []string{"cp", binary, copied},
		Before: map[string]string{binary: "\x7fELF", "/tekton/bin/": ""},
		Want: Want{Stderr: "Copied /workspace/entrypoint to /tekton/bin/entrypoint\n",
			Files: map[string]string{copied: "\x7fELF"}, Modes: map[string]string{copied: "0311"}},
	}, {
		Name: "cp with too many operands", Reason: "EP-04",
		Args: []string{"cp", binary, copied, "x"},
		Want: Want{Code: 1, Stderr: "no command to run: neither -entrypoint nor TEKTON_PLATFORM_COMMANDS is given\n"},
	}, {
		Name: "step-init", Reason: "§5.2",
		Args: []string{"step-init", "step-a", "step-unnamed-1"},
		Want: Want{Stderr: "Setup /step directories\n", Files: links},
	}, {
		Name: "step-init where a link points elsewhere", Reason: "it is not ours to replace",
		Args:   []string{"step-init", "a"},
		Before: map[string]string{"/tekton/steps/a": "-> /workspace"},
		Want:   Want{Code: 1, Stderr: "step-init error: symlink /tekton/run/0/status /tekton/steps/a: file exists\n"},
	}, {
		Name: "step-init with a name that leaves the directory", Reason: "names cannot leave their directory",
		Args:   []string{"step-init", "../a"},
		Before: map[string]string{"/tekton/steps/": ""},
		Want:   Want{Code: 1, Stderr: "step-init error: step name \"../a\" is not a plain file name\n"},
	}, {
		Name: "decode-script", Reason: "§5.2: a trailing newline is tolerated",
		Args:   []string{"decode-script", "/tekton/scripts/s"},
		Before: map[string]string{"/tekton/scripts/s": "IyEvYmluL3NoCmVjaG8gIiQoVkFSKSQkIgo=\n"},
		Want: Want{Stderr: "Decoded script /tekton/scripts/s\n",
			Files: map[string]string{"/tekton/scripts/s": "#!/bin/sh\necho \"$(VAR)$$\"\n"},
			Modes: map[string]string{"/tekton/scripts/s": "0644"}},
	}, {
		Name: "decode-script of nonsense", Reason: "EP-05; the file is left as it is",
		Args:   []string{"decode-script", "/tekton/scripts/s"},
		Before: map[string]string{"/tekton/scripts/s": "#!/bin/sh"},
		Want: Want{Code: 1, Stderr: "decode-script error: error decoding script file \"/tekton/scripts/s\": " +
			"illegal base64 data at input byte 0\n"},
	}, {
		Name: "decode-script of nothing", Reason: "EP-05",
		Args: []string{"decode-script", "/tekton/scripts/s"},
		Want: Want{Code: 1, Stderr: "decode-script error: error reading from script file \"/tekton/scripts/s\": " +
			"open /tekton/scripts/s: no such file or directory\n"},
	}}
}

// podProgramCases are about the other programs of a Pod, spec §5.9.
func podProgramCases() []Case {
	return []Case{{
		Name: "nop", Reason: "§5.9: it ends at once, whatever its arguments",
		Program: Nop, Args: []string{"-c", "while true; do sleep 1; done"},
	}, {
		Name: "working directories", Reason: "POD-12: relative ones and those below /workspace",
		Program: WorkingDirInit,
		Args:    []string{"/workspace/a/b", "c", "/etc/nothing", "/workspace", "/workspaces/x"},
		Before:  map[string]string{"/workspace/": ""},
		Want:    Want{Modes: map[string]string{"/workspace/a/b/": "0755", "/workspace/c/": "0755"}},
	}, {
		Name: "working directory is a file", Reason: "POD-12: fatal",
		Program: WorkingDirInit, Args: []string{"/workspace/a"},
		Before: map[string]string{"/workspace/a": "file"},
		Want:   Want{Code: 1, Stderr: "Failed to mkdir \"/workspace/a\": mkdir /workspace/a: not a directory\n"},
	}, {
		Name: "results of the steps", Reason: "SC-32: when all have posted; what is not written is left out",
		Program: SidecarLogResults, Args: []string{"-results-dir", "/tekton/results", "-result-names", "a,none,b"},
		Before: map[string]string{
			"/tekton/run/0/out": "", "/tekton/run/1/status/": "", "/tekton/results/a": "1\n", "/tekton/results/b": "\"two\"",
		},
		Events: []Event{{Put: "/tekton/run/1/out", Content: "0"}},
		Want: Want{Stdout: `{"Name":"a","Value":"1\n"}` + "\n" + `{"Name":"b","Value":"\"two\""}` + "\n",
			Files: map[string]string{"/tekton/run/1/out": "0"}},
	}, {
		Name: "results of steps of which one fails", Reason: "SC-32: no other will post",
		Program: SidecarLogResults, Args: []string{"-results-dir=/tekton/results", "-result-names=a"},
		Before: map[string]string{"/tekton/run/0/out.err": "", "/tekton/run/1/status/": "", "/tekton/results/a": "1"},
		Want:   Want{Stdout: `{"Name":"a","Value":"1"}` + "\n"},
	}, {
		Name: "results without names", Reason: "SC-32: fatal",
		Program: SidecarLogResults, Args: []string{"-results-dir", "/tekton/results"},
		Want: Want{Code: 1, Stderr: "result-names were not provided\n"},
	}, {
		Name: "a result that leaves the directory", Reason: "steps cannot have files of the sidecar's printed",
		Program: SidecarLogResults, Args: []string{"-results-dir", "/tekton/results", "-result-names", "a"},
		Before: map[string]string{"/tekton/run/0/out": "", "/tekton/results/a": "-> ../secret", "/tekton/secret": "x"},
		Want:   Want{Code: 1, Stderr: "result \"a\": open /tekton/results/a: path escapes from parent\n"},
	}}
}
