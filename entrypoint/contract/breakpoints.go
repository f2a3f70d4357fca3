package contract

// breakpointCases are about steps that stay when they failed, spec §5.6.
func breakpointCases() []Case {
	const (
		flag    = "-breakpoint_on_failure"
		release = out + ".breakpointexit"
	)
	return []Case{{
		Name: "debug-continue", Reason: "EP-40…42: the following steps run",
		Args:   step("exit 3", flag),
		Events: []Event{{After: message, Put: out}, {Put: release, Content: "0\n"}},
		Want:   Want{Files: map[string]string{out: "", message: list(started)}},
	}, {
		Name: "debug-fail-continue", Reason: "EP-42 as decided: the step is marked failed",
		Args:   step("exit 3", flag),
		Events: []Event{{After: message, Put: outErr}, {Put: release, Content: "1\n"}},
		Want:   Want{Code: 1, Files: map[string]string{outErr: "", message: list(started)}},
	}, {
		Name: "released with a code alone", Reason: "the launcher posts what the code means",
		Args:   step("exit 3", flag),
		Events: []Event{{After: message, Put: release, Content: "42"}},
		Want:   Want{Code: 42, Files: map[string]string{outErr: "", message: list(started)}},
	}, {
		Name: "released with nonsense", Reason: "EP-41: text that is not a number counts as 0",
		Args:   step("exit 3", flag),
		Events: []Event{{After: message, Put: release, Content: "yes"}},
		Want:   Want{Files: map[string]string{out: "", message: list(started)}},
	}, {
		Name: "released with an empty file", Reason: "EP-41: it is 0, if nothing is written into it soon",
		Args:   step("exit 3", flag),
		Events: []Event{{After: message, Put: release}},
		Want:   Want{Files: map[string]string{out: "", message: list(started)}},
	}, {
		Name: "released in two writes", Reason: "a shell creates a file before it writes into it",
		Args:   step("exit 3", flag),
		Events: []Event{{After: message, Put: release}, {Put: release, Content: "42\n"}},
		Want:   Want{Code: 42, Files: map[string]string{outErr: "", message: list(started)}},
	}, {
		Name: "a timeout is a failure to hold at", Reason: "EP-35; released with 0, it is forgotten",
		Args:   step("sleep 60", flag, "-timeout", "100ms"),
		Events: []Event{{After: message, Put: release, Content: "0"}},
		Want: Want{Files: map[string]string{out: "", message: list(started)},
			Stderr: "Error executing command: context deadline exceeded\n"},
	}, {
		Name: "the breakpoint overrides onError", Reason: "EP-43, EP-35: no ExitCode even with continue",
		Args:   step("exit 3", flag, "-on_error", "continue"),
		Events: []Event{{After: message, Put: release, Content: "7"}},
		Want:   Want{Code: 7, Files: map[string]string{outErr: "", message: list(started)}},
	}, {
		Name: "results mended while held", Reason: "they are read again at the release",
		Args:   step("exit 3", flag, "-results", "a"),
		Before: map[string]string{"/tekton/results/a": "bad"},
		Events: []Event{{After: message, Put: "/tekton/results/a", Content: "good"}, {Put: release, Content: "0"}},
		Want:   Want{Files: map[string]string{out: "", message: list(result("a", "good"), started)}},
	}, {
		Name: "a step that succeeds is not held", Reason: "EP-40: on failure only",
		Args: step("exit 0", flag),
		Want: Want{Files: map[string]string{out: "", exitCode: "0", message: list(started)}},
	}, {
		Name: "a skipped step is not held", Reason: "EP-40, and EP-42 as decided: a failed step skips this one",
		Args:   step("echo never", flag, "-wait_file", before),
		Before: map[string]string{before + ".err": ""},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", message: list(started)},
			Stderr: "Skipping step because a previous step failed\n"},
	}, {
		Name: "ended while held", Reason: "a Pod that is deleted need not wait for its grace period",
		Args:   step("exit 3", flag),
		Events: []Event{{After: message, Signal: 15}},
		Want: Want{Code: 143, Files: map[string]string{outErr: "", message: list(started)},
			Stderr: "waiting for \"" + release + "\": interrupted by signal 15\n"},
	}}
}
