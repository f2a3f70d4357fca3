package contract

import (
	"fmt"
	"strings"
)

// resultCases are about results and the termination message, spec §5.7.
func resultCases() []Case {
	const dir = "/tekton/results/"
	none := len(list(result("big", ""), `{"key":"StartedAt","value":"2022-12-22T10:00:00.123Z","type":3}`))
	fill := func(size int) string { return strings.Repeat("x", size-none) }
	ok := func(entries ...string) map[string]string {
		return map[string]string{out: "", exitCode: "0", message: list(append(entries, started)...)}
	}
	lost := func(reason, text string) map[string]string {
		return map[string]string{outErr: "", exitCode: "0",
			message: list(started, internal("Reason", reason), internal("Message", text))}
	}
	const above = "Termination message is above max allowed size 4096, caused by large task result."
	tooLarge := func(n int) string { return fmt.Sprintf("%s Results: big (%d bytes)", above, n) }
	return []Case{{
		Name: "results in the order of the flag", Reason: "EP-50: only existing files, each once; §5.7: verbatim",
		Args:   step("printf %s 2 > /tekton/results/b; printf %s 1 > /tekton/results/a", "-results", "b,missing,,a,b"),
		Before: map[string]string{dir: ""},
		Want:   Want{Files: with(ok(result("b", "2"), result("a", "1")), map[string]string{dir + "a": "1", dir + "b": "2"})},
	}, {
		Name: "results of the steps before", Reason: "EP-53, and ST-17: nothing is trimmed",
		Args:   step("exit 0", "-results", "a"),
		Before: map[string]string{dir + "a": " 1\n"},
		Want:   Want{Files: ok(result("a", ` 1\n`))},
	}, {
		Name: "results of a failed step", Reason: "EP-53",
		Args:   step("exit 3", "-results", "a"),
		Before: map[string]string{dir + "a": "1"},
		Want:   Want{Code: 3, Files: map[string]string{outErr: "", message: list(result("a", "1"), started)}},
	}, {
		Name: "results of a skipped step", Reason: "EP-53",
		Args:   step("exit 3", "-results", "a", "-wait_file", before),
		Before: map[string]string{dir + "a": "1", before + ".err": ""},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", message: list(result("a", "1"), started)},
			Stderr: "Skipping step because a previous step failed\n"},
	}, {
		Name: "results before the exit code", Reason: "EP-50",
		Args:   step("exit 3", "-results", "a", "-on_error", "continue"),
		Before: map[string]string{dir + "a": "1"},
		Want: Want{Files: map[string]string{out: "", exitCode: "3",
			message: list(result("a", "1"), started, internal("ExitCode", "3"))}},
	}, {
		Name: "empty result", Reason: "an empty file is a result with an empty value",
		Args:   step("exit 0", "-results", "a"),
		Before: map[string]string{dir + "a": ""},
		Want:   Want{Files: ok(result("a", ""))},
	}, {
		Name: "results by sidecar", Reason: "§5.1 -result_from: they are not put into the message, nor do they count",
		Args:   step("exit 0", "-results", "a,big", "-result_from", "sidecar-logs"),
		Before: map[string]string{dir + "a": "1", dir + "big": strings.Repeat("x", 5000)},
		Want:   Want{Files: ok()},
	}, {
		Name: "message of 4095 bytes", Reason: "EP-52",
		Args:   step("exit 0", "-results", "big"),
		Before: map[string]string{dir + "big": fill(4095)},
		Want:   Want{Files: ok(result("big", fill(4095)))},
	}, {
		Name: "message of 4096 bytes", Reason: "EP-52: exactly 4096 is fine",
		Args:   step("exit 0", "-results", "big"),
		Before: map[string]string{dir + "big": fill(4096)},
		Want:   Want{Files: ok(result("big", fill(4096)))},
	}, {
		Name: "message of 4097 bytes", Reason: "EP-31 as decided: it fails before the next step can start",
		Args:   step("exit 0", "-results", "big"),
		Before: map[string]string{dir + "big": fill(4097)},
		Want: Want{Code: 1, Files: lost("ResultsTooLarge", tooLarge(len(fill(4097)))),
			Stderr: "Error while handling results: " + tooLarge(len(fill(4097))) + "\n"},
	}, {
		Name: "one result above the limit", Reason: "EP-52: it is not even read to its end",
		Args:   step("exit 0", "-results", "a,big"),
		Before: map[string]string{dir + "a": "1", dir + "big": strings.Repeat("x", 4097)},
		Want: Want{Code: 1,
			Files: lost("ResultsTooLarge", above+` Result \"big\": read /tekton/results/big: file too long`),
			Stderr: "Error while handling results: " + above +
				" Result \"big\": read /tekton/results/big: file too long\n"},
	}, {
		Name: "escaped characters count", Reason: "EP-52: < takes six bytes",
		Args:   step("exit 0", "-results", "big"),
		Before: map[string]string{dir + "big": strings.Repeat("<", 700)},
		Want: Want{Code: 1, Files: lost("ResultsTooLarge", tooLarge(700)),
			Stderr: "Error while handling results: " + tooLarge(700) + "\n"},
	}, {
		Name: "invalid text in a result", Reason: "EP-52: it becomes the replacement character",
		Args:   step("exit 0", "-results", "a"),
		Before: map[string]string{dir + "a": "\xff&"},
		Want:   Want{Files: ok(result("a", `\ufffd\u0026`))},
	}, {
		Name: "budget of a Pod of many containers", Reason: "decisions, Result limits: told by -termination_budget",
		Args:   step("exit 0", "-results", "big", "-termination_budget", "300"),
		Before: map[string]string{dir + "big": fill(301)},
		Want: Want{Code: 1, Files: lost("ResultsTooLarge",
			fmt.Sprintf("Termination message is above max allowed size 300, caused by large task result. Results: big (%d bytes)", len(fill(301)))),
			Stderr: fmt.Sprintf("Error while handling results: Termination message is above max allowed size 300, caused by large task result. Results: big (%d bytes)\n", len(fill(301)))},
	}, {
		Name: "budget is kept", Reason: "decisions, Result limits",
		Args:   step("exit 0", "-results", "big", "-termination_budget", "300"),
		Before: map[string]string{dir + "big": fill(300)},
		Want:   Want{Files: ok(result("big", fill(300)))},
	}, {
		Name: "budget too small for the explanation", Reason: "the reason is what matters most",
		Args:   step("exit 0", "-results", "big", "-termination_budget", "120"),
		Before: map[string]string{dir + "big": fill(121)},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", exitCode: "0",
			message: list(started, internal("Reason", "ResultsTooLarge"))},
			Stderr: fmt.Sprintf("Error while handling results: Termination message is above max allowed size 120, caused by large task result. Results: big (%d bytes)\n", len(fill(121)))},
	}, {
		Name: "lost results of a failed command", Reason: "the command's exit code says more than the launcher's",
		Args:   step("exit 3", "-results", "big"),
		Before: map[string]string{dir + "big": fill(4097)},
		Want: Want{Code: 3, Files: map[string]string{outErr: "", message: list(started,
			internal("Reason", "ResultsTooLarge"), internal("Message", tooLarge(len(fill(4097)))))},
			Stderr: "Error while handling results: " + tooLarge(len(fill(4097))) + "\n"},
	}, {
		Name: "lost results of a command whose failure is ignored", Reason: "onError does not cover lost results",
		Args:   step("exit 3", "-results", "big", "-on_error", "continue"),
		Before: map[string]string{dir + "big": fill(4097)},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", exitCode: "3", message: list(started,
			internal("Reason", "ResultsTooLarge"), internal("Message", tooLarge(len(fill(4097)))))},
			Stderr: "Error while handling results: " + tooLarge(len(fill(4097))) + "\n"},
	}, {
		Name: "lost results of a timed-out command", Reason: "the timeout stays the reason",
		Args:   step("sleep 60", "-results", "big", "-timeout", "100ms"),
		Before: map[string]string{dir + "big": fill(4097)},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", message: list(started,
			internal("Reason", "TimeoutExceeded"), internal("Message", tooLarge(len(fill(4097)))))},
			Stderr: "Error executing command: context deadline exceeded\n" +
				"Error while handling results: " + tooLarge(len(fill(4097))) + "\n"},
	}, {
		Name: "lost results of a skipped step", Reason: "they were another step's failure",
		Args:   step("exit 3", "-results", "big", "-wait_file", before),
		Before: map[string]string{dir + "big": fill(4097), before + ".err": ""},
		Want: Want{Code: 1, Files: map[string]string{outErr: "", message: list(started)},
			Stderr: "Skipping step because a previous step failed\n"},
	}, {
		Name: "result is a directory", Reason: "EP-31 as decided",
		Args:   step("exit 0", "-results", "a"),
		Before: map[string]string{dir + "a/": ""},
		Want: Want{Code: 1, Files: lost("ResultsUnreadable", `result \"a\": open /tekton/results/a: not a regular file`),
			Stderr: "Error while handling results: result \"a\": open /tekton/results/a: not a regular file\n"},
	}, {
		Name: "result is a link within the results", Reason: "a link that stays in the directory is followed",
		Args:   step("exit 0", "-results", "a"),
		Before: map[string]string{dir + "a": "-> sub/value", dir + "sub/value": "1"},
		Want:   Want{Files: ok(result("a", "1"))},
	}, {
		Name: "result is a link to elsewhere", Reason: "links are not followed out of the directory",
		Args:   step("exit 0", "-results", "a"),
		Before: map[string]string{dir + "a": "-> ../secret", "/tekton/secret": "s3cret"},
		Want: Want{Code: 1, Files: lost("ResultsUnreadable", `result \"a\": open /tekton/results/a: path escapes from parent`),
			Stderr: "Error while handling results: result \"a\": open /tekton/results/a: path escapes from parent\n"},
	}, {
		Name: "link to nothing", Reason: "EP-50: there is no such file",
		Args:   step("exit 0", "-results", "a"),
		Before: map[string]string{dir + "a": "-> nothing"},
		Want:   Want{Files: ok()},
	}, {
		Name: "no results directory", Reason: "EP-50: there is no such file",
		Args: step("exit 0", "-results", "a"),
		Want: Want{Files: ok()},
	}, {
		Name: "entries in the message", Reason: "EP-51: a JSON array is appended to; EP-54: a type may be a name",
		Args:   step("exit 0", "-results", "a"),
		Before: map[string]string{dir + "a": "1", message: `[{"key":"k","value":"v","resourceName":"r","type":"PipelineResourceResult"},{}]` + "\n"},
		Want:   Want{Files: ok(`{"key":"k","value":"v","resourceName":"r","type":2}`, result("a", "1"))},
	}, {
		Name: "very much in the message", Reason: "EP-51: the launcher does not read what cannot be entries",
		Args:   step("exit 0"),
		Before: map[string]string{message: `[{"key":"k","value":"` + strings.Repeat("x", 1<<16) + `"}]`},
		Want:   Want{Files: ok()},
	}, {
		Name: "too much in the message", Reason: "EP-32 as decided: it fails before the next step can start",
		Args:   step("exit 0"),
		Before: map[string]string{message: `[{"key":"k","value":"` + strings.Repeat("x", 4096) + `"}]`},
		Want:   Want{Code: 1, Files: lost("ResultsTooLarge", above), Stderr: "Error while handling results: " + above + "\n"},
	}, {
		Name: "something else in the message", Reason: "EP-51: it is overwritten, wholly",
		Args:   step("exit 0"),
		Before: map[string]string{message: strings.Repeat("no JSON ", 100)},
		Want:   Want{Files: ok()},
	}}
}
