package command_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// fieldTest is an input of testdata/field: a small file after a Task of a public collection (c-), after a public report (b-),
// or made to do harm (a-). Its name says what it is about.
type fieldTest struct {
	file string
	// args go behind the command and its file; they begin with "run" where that is not simulate.
	args string
	exit int
	// logs are the lines that steps print, in the table of simulate.
	logs []string
	// out and errs are expressions that the outputs match; not are some that neither does.
	out, errs, not []string
	// because is where the answer comes from.
	because string
}

const (
	byBash    = "bash 5.2 prints this for the same script"
	byBusyBox = "BusyBox 1.35 prints this for the same script"
)

func fieldTests() []fieldTest {
	return []fieldTest{
		{file: "c-01-image-files", exit: 1, logs: []string{`/tekton/scripts/script-0-7r7vm: line 3: /opt/lib.sh: No such file or directory`},
			errs: []string{`c-01-image-files.yaml:12:1: step check of image-files: line 3 of \S+ in the log is: source /opt/lib.sh`}, because: byBash},
		{file: "c-02-entrypoint", exit: 1, errs: []string{
			`7:28: step build of flags: the command of the image registry\.example\.com/tools/builder:1 is not known`,
			`(?m)^  args: \[--file=x, --push\]$`, `(?m)^  args: \[restore, /data\]$`,
		}, because: "POD-70: the entrypoint is the image's, and the image is not described"},
		{file: "c-03-shebang-interpreter", exit: 1, errs: []string{
			`step work of shebang: the first line of the script needs /usr/bin/python3, which is not in the image registry\.example\.com/tools/python:3`,
			`(?m)^  command: \[/usr/bin/python3\]$`,
		}, because: "the kernel executes the interpreter"},
		{file: "c-03-shebang-interpreter", args: "--mocks testdata/field/c-03-shebang-interpreter.mocks.yaml", logs: []string{"mocked"}, because: "the kernel executes the interpreter"},
		{file: "c-04-sh-is-bash", logs: []string{"hello world", "world"}, because: "/bin/sh of UBI is bash"},
		{file: "c-05-nonroot", logs: []string{"hello"}, because: "its author says that the image has a user that is not root"},
		{file: "c-06-bash-source", logs: []string{"lib says hi", "in greet from main", "err: false", "major 5"}, because: byBash},
		{file: "c-07-gnu-options", logs: []string{"/tmp/tmp.JeZMEfSKbH.json", "b", "a", "f", "./f", "42", "2024-01-02T03:04:05Z", "rc 124"}, because: "GNU coreutils 9.1, findutils and grep print this"},
		{file: "c-08-jq-without-program", logs: []string{"{", `  "a": 1`, "}", `{"a":1}`}, because: "jq 1.6 prints this"},
		{file: "c-09-pipe-as-script", logs: []string{"one x", "v=1", "w=2"}, because: byBash},
		{file: "c-10-not-a-number", logs: []string{
			`/tekton/scripts/script-0-7r7vm: line 3: [[: {}: syntax error: operand expected (error token is "{}")`, "no",
			`/tekton/scripts/script-0-7r7vm: line 4: [[: a b: syntax error in expression (error token is "b")`, "no",
		}, because: byBash},
		{file: "c-11-bash-silently-other", exit: 1, logs: []string{
			"mapfile -d: 2 b", "mapfile -s -n: l2", "printf time: 1970-01-01", `printf %q: a\ b`, "PIPESTATUS: 0", "[ -v ]: set",
			`array @A: declare -a a=([0]="1" [1]="2")`, "ERR trap: line 12",
		}, because: byBash},
		{file: "c-12-missing-builtins", logs: []string{"/tmp", "back", "xy", "ok"}, because: byBash},
		{file: "c-13-xtrace-of-equals", logs: []string{"+ '[' a '=' b ]", "+ echo 'x=y'", "x=y"}, because: byBusyBox},
		{file: "c-14-node-is-too-small", exit: 1, out: []string{`(?m)^device: TaskRun "device" failed to finish within "1h0m0s": the Pod could not be scheduled: .*Insufficient devices\.example\.com/kvm`},
			errs: []string{`device: no node has what its Pod requests; --any-node runs it`}, because: "a cluster without the device never schedules the Pod"},
		{file: "c-14-node-is-too-small", args: "--any-node", logs: []string{"hello"}, because: "a node that has whatever is asked for"},
		{file: "c-15-alpha-hint", exit: 3, errs: []string{`:5:26: task/alpha-hint was refused: results type needs the feature gate enable-api-fields=alpha, which is stable; give --feature-flag enable-api-fields=alpha`},
			not: []string{"correct the manifest"}, because: "result_validation.go of v0.43: the gate is stable"},
		{file: "c-16-step-action", exit: 3, errs: []string{`7:5: .*the field "ref" is not supported: StepActions came with Tekton v0\.54`, `8:5: .*the field "params" is not supported: .* came with Tekton v0\.54`},
			because: "v0.43 does not have the fields"},
		{file: "c-17-fixture-image-with-param", args: "run", out: []string{`(?m)^PASSED: 1 of 1 passed$`}, because: "a mock matches what the image becomes"},
		{file: "c-18-fixture-pinned-image", args: "run", out: []string{`(?m)^PASSED: 1 of 1 passed$`}, because: "run and simulate treat an image alike"},
		{file: "c-19-note-without-names", exit: 1, errs: []string{
			`step s of a: git clone is not in the image registry\.example\.com/x:1`, `step s of b: /app/tool run is not in the image registry\.example\.com/x:1`,
			`(?m)^  command: \[git, clone, 'https://git\.example\.com/a'\]$`, `(?m)^  command: \[/app/tool, run\]$`,
		}, because: "what is missing is known when it is looked for"},
		{file: "c-20-bad-substitution", logs: []string{"hello", "bye"}, because: byBash},
		{file: "c-21-mock-of-every-command", logs: []string{"built", "hello"}, out: []string{`(?m)^    version = v1$`}, because: "a mock is what the launcher runs"},
		{file: "c-21-mock-of-every-command", args: "run", out: []string{`(?m)^PASSED: 1 of 1 passed$`}, because: "a mock is what the launcher runs"},
		{file: "c-22-cluster-role", logs: []string{"hello"}, because: "every API server has the kinds of RBAC"},

		{file: "b-02-script-name-in-error", exit: 1, errs: []string{`b-02-script-name-in-error.yaml:10:1: step typo of script-typo: nosuchword is not in the image alpine \(line 3 of`}, because: "the log names a copy of the script"},
		{file: "b-03-result-keeps-newline", out: []string{`(?m)^    echoed = 1\.2\.3\\n$`, `(?m)^    printed = 1\.2\.3$`, `(?m)^    crlf = a\\r\\n$`, `(?m)^    empty = $`},
			errs: []string{`the result "echoed" ends with a line break`, `the result "crlf" ends with a line break`}, because: "results are kept as they are written (RES-10)"},
		{file: "b-15-evicted-is-not-a-success", exit: 1, out: []string{`(?m)^evicted +False +Failed`, `(?m)^evicted: The node was low on resource: memory`}, because: "a Pod that failed is a run that failed"},
		{file: "b-18-array-in-script", exit: 3, errs: []string{`:9:50: spec\.taskSpec\.steps\[0\]\.script: .*variable type invalid: \$\(params\.a\[\*\]\) is a list or an object`}, because: "V-35 refuses it at admission, with the field"},
		{file: "b-18b-array-by-args", logs: []string{"3 args", "[x]", "[y z]", "[last]"}, because: "an item an argument; an empty array is none"},
		{file: "b-20-param-name-format", exit: 3, errs: []string{`:6:13: spec\.taskSpec\.params: .*variable names is invalid: \[0zero a/b with blank\]`}, because: "tasks.md, \"Specifying Parameters\": all are told at once"},
		{file: "b-22-results-without-root", out: []string{`(?m)^    a = one$`, `(?m)^    b = two$`}, logs: []string{
			"drwxrwxrwx    2 root     root          4096 Jan  1 00:00 /tekton/results", "/tekton/scripts/script-1-xzltw: line 3: can't create /tekton/results/a: Permission denied", "a belongs to 1001",
		}, because: "the files belong to the user that creates them"},
		{file: "b-26-registry-hiccup", logs: []string{"pulled"}, because: "decisions.md: a back-off is not the end while the Pod can still run"},
		{file: "b-29-undeclared-result", errs: []string{`7:45: step write of undeclared-result: \$\(results\.stamp\.path\) in the script is not replaced: the Task does not declare a result "stamp"`}, because: "substitution leaves what is unknown"},
		{file: "b-34-node-out-of-memory-keeps-steps", exit: 1, out: []string{`(?m)^  one   0 +Completed +2000-\S+ +2000-`, `(?m)^  two   1 +Failed`}, because: "the recorded end of a container outlives the eviction"},
		{file: "b-39-image-by-digest-without-command", exit: 1, logs: []string{"sh: can't open 'echo': No such file or directory"}, not: []string{`@sha256:\w+@sha256`}, because: "POD-72 and POD-73: the image's command is sh, and gets the arguments"},
		{file: "b-44-many-results-together", exit: 1, out: []string{`Termination message is above max allowed size 2457, caused by large task result\. Results: a \(1100 bytes\), b \(1100 bytes\), c \(1100 bytes\)`}, because: "12 KiB are shared by a Pod's containers; nothing vanishes silently"},
		{file: "b-45-windows-line-ends", exit: 1, logs: []string{
			"Error executing command: fork/exec /tekton/scripts/script-0-7r7vm: no such file or directory", `hi\r`, `/tekton/scripts/script-0-dznqf: exit: line 4: Illegal number: 0\r`,
			`/tekton/scripts/script-0-f6jfm: line 6: syntax error: unexpected end of file (expecting "then")`,
		}, errs: []string{`crlf-shebang: the script has Windows line endings`, `crlf-exit: the script has`, `crlf-if: the script has`}, because: byBusyBox},
		{file: "b-46-result-by-link", exit: 1, logs: []string{`Error while handling results: result "digest": open /tekton/results/digest: path escapes from parent`},
			because: "decisions.md: a link out of the results' directory is refused, and the step says so"},
		{file: "b-47-namespace-in-the-manifest", out: []string{`(?m)^x +True +Succeeded`}, because: "most manifests name a namespace"},
		{file: "b-48-as-kubectl-prints-it", logs: []string{"hi"}, errs: []string{`taskrun/build: left out the fields that only a cluster sets: metadata\.uid, metadata\.resourceVersion, metadata\.generation, metadata\.creationTimestamp, status`},
			because: "the output of kubectl get -o yaml can be run again"},

		{file: "b-p01-param-of-the-same-name", out: []string{`(?m)^pipelinerun/same-name +True +Succeeded`, `(?m)^    example = my-result$`}, because: "a task's own param wins in its taskSpec"},
		{file: "b-p03-empty-array-result", exit: 3, errs: []string{`:11:32: .*results type needs the feature gate .* or --like v1 `}, because: "array results are alpha in v0.43"},
		{file: "b-p03-empty-array-result", args: "--like v1", out: []string{`(?m)^pipelinerun/empty-array +True +Succeeded`, `(?m)^    list = \[\]$`}, because: "an empty array is no argument"},
		{file: "b-p05-missing-result-is-named", exit: 1, logs: []string{"Succeeded"}, out: []string{`(?m)^pipelinerun/missing-result +False +InvalidTaskResultReference`, `Could not find result with name out for task maybe`},
			errs: []string{`:13:33: spec\.pipelineSpec\.tasks\[1\]\.params\[0\]\.value: `}, because: "decisions: the run fails, names task and result, and its finally tasks run"},
		{file: "b-p07-child-that-comes-back", exit: 1, out: []string{
			`^pipelinerun/revived failed first in task long, step a: The node was low on resource: memory`, `(?m)^  long +False +Failed`, `(?m)^  after +skipped +- +- +PipelineRun was stopping$`,
		}, because: "a TaskRun that is False stays False, and its PipelineRun agrees"},
		{file: "b-p09-wait-with-two-clocks", args: "--mocks testdata/field/b-p09-wait-with-two-clocks.mocks.yaml", exit: 1, out: []string{
			`(?m)^pipelinerun/two-clocks +False +PipelineRunTimeout +10s`, `(?m)^  wait +False +Run(Cancelled|TimedOut) +10s +run/two-clocks-wait$`,
		}, because: "decisions (D3): the Run may end either way, and the PipelineRun has failed by its timeout"},
		{file: "b-p09-wait-with-two-clocks", args: "--mocks testdata/field/b-p09-wait-with-two-clocks.mocks.yaml --like v1", exit: 1, out: []string{
			`(?m)^pipelinerun/two-clocks +False +PipelineRunTimeout +10s`, `(?m)^  wait +False +CustomRun(Cancelled|TimedOut) +10s +customrun/two-clocks-wait$`,
		}, because: "decisions (D3): the Run may end either way, and the PipelineRun has failed by its timeout"},
		{file: "b-p09-wait-with-two-clocks", exit: 1, out: []string{`(?m)^pipelinerun/two-clocks +False +PipelineRunTimeout +10s`}, errs: []string{`run/two-clocks-wait: nothing runs Wait of example\.dev/v1`},
			because: "without a controller the Run has no status, and the PipelineRun ends nevertheless"},
		{file: "b-p11-result-in-resolver-params", exit: 1, out: []string{
			`(?m)^  choose +True +Succeeded`, `(?m)^  chosen +False +TaskRunResolutionFailed`, `resolution took longer than global timeout of 1m0s`,
		}, not: []string{`\$\(tasks`}, because: "no resolver answers requests of the type demo, which have the result in their params"},
		{file: "b-p15-kind-in-a-bundle", exit: 3, errs: []string{`6:42: pipelinerun/old-field was refused: bundle needs the feature gate enable-tekton-oci-bundles=true`}, because: "the field is behind a gate"},
		{file: "b-p15-kind-in-a-bundle", args: "--feature-flag enable-tekton-oci-bundles=true --bundle registry.example/pipelines:1=testdata/field/bundle", exit: 1,
			logs: []string{"built"}, out: []string{
				`(?m)^pipelinerun/old-field +True +Succeeded`, `(?m)^pipelinerun/resolver-without-kind +False +CouldntGetPipeline`,
				`could not find object in image with kind: task and name: docker-build`,
			}, because: "the field looks for a Pipeline, and the resolver for its default kind"},
		{file: "b-p15-kind-in-a-bundle", args: "--feature-flag enable-tekton-oci-bundles=true", exit: 1,
			errs: []string{`nothing leaves the simulation: give --bundle registry\.example/pipelines:1=FOLDER`}, because: "a simulation has no network"},
		{file: "b-p13-name-and-resolver", exit: 3, errs: []string{`:8:35: spec\.tasks\[0\]\.taskRef\.name: pipeline/both was refused: expected exactly one, got both`}, because: "a reference has a name or a resolver"},
		{file: "b-p17-wrong-name-in-task-run-specs", exit: 1, out: []string{`(?m)^pipelinerun/wrong-spec +False +(InvalidServiceAccountMappings|InvalidTaskRunSpecs) .*\n\n.*does not exist in Pipeline`}, errs: []string{`:\d+:17: spec\.taskRunSpecs: `},
			because: "what the Pipeline does not have is an error for good, and named"},
		{file: "b-p19-run-again-under-the-same-name", exit: 1, out: []string{`(?m)^pipelinerun/again +True +Succeeded`}, because: "the name of a claim depends on the UID of its run; the run that was deleted has not succeeded"},

		{file: "a-param-without-value", exit: 3, errs: []string{`:6:5: spec\.params\[0\]: .*the param "message" has no value; add one`}, because: "bad input is never the machine's fault"},
		{file: "a-jq-recursion", exit: 1, out: []string{`(?m)^  s +137 `, `the simulation ended the container: its programs held more than \d+ bytes of memory`}, because: "limits are counted, and named"},
		{file: "a-jqx-idx", exit: 1, out: []string{`(?m)^  s +137 `, `the simulation ended the container: its programs held more than \d+ bytes of memory`}, because: "limits are counted, and named"},
		{file: "a-parser-stack-overflow", exit: 1, out: []string{`(?m)^  s +137 `, `the simulation ended the container: its shell was given commands nested too deeply`}, because: "limits are counted, and named"},
		{file: "a-shell-bash-wrong", logs: []string{"line <a>", "line <b>", "line <c>", "right", "n=6", "defined", "0", "70000", "20000", "2"}, because: byBash},
		{file: "a-shell-silent-wrong", logs: []string{"1", "2", "3", "hello big world", "line <a>", "line <b>", "line <c>", "right"},
			out: []string{`(?m)^    out = hello big world$`, `(?m)^    when = \w+ \w+ +\d+ \d\d:\d\d:\d\d UTC 2000\\n$`}, because: "real shells print this"},
	}
}

// TestFieldInputsAreAnswered runs small inputs of other people, and wants the answer of a real cluster, or a helpful message.
func TestFieldInputsAreAnswered(t *testing.T) {
	t.Parallel()
	logged := regexp.MustCompile(`(?m)^    \| (.*)$`)
	for _, tt := range fieldTests() {
		t.Run(strings.TrimSpace(tt.file+" "+tt.args), func(t *testing.T) {
			t.Parallel()
			args := []string{"simulate", "--timeline=false"}
			given := strings.Fields(tt.args)
			if len(given) > 0 && given[0] == "run" {
				args, given = given, nil
			}
			args = slices.Concat(args, []string{"-f", filepath.Join("testdata", "field", tt.file+".yaml")}, given)
			var out, errs bytes.Buffer
			code := command.Main(t.Context(), args, command.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
			if code != tt.exit {
				t.Errorf("exit code %d, want %d: %s", code, tt.exit, tt.because)
			}
			var logs []string
			for _, found := range logged.FindAllStringSubmatch(out.String(), -1) {
				logs = append(logs, found[1])
			}
			if diff := cmp.Diff(tt.logs, logs); tt.logs != nil && diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.because, diff)
			}
			for _, w := range tt.out {
				if !regexp.MustCompile(w).MatchString(out.String()) {
					t.Errorf("%s; want %s in\n%s", tt.because, w, out.String())
				}
			}
			for _, w := range tt.errs {
				if !regexp.MustCompile(w).MatchString(errs.String()) {
					t.Errorf("%s; want %s in\n%s", tt.because, w, errs.String())
				}
			}
			for _, w := range tt.not {
				if regexp.MustCompile(w).MatchString(out.String() + errs.String()) {
					t.Errorf("%s; there is %s in\n%s%s", tt.because, w, out.String(), errs.String())
				}
			}
		})
	}
}

// TestALargeParamReachesItsScript gives a script of more bytes than one argument of a program may have on Linux (b-50).
func TestALargeParamReachesItsScript(t *testing.T) {
	t.Parallel()
	manifest := `apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: large-param}
spec:
  params: [{name: list, value: "` + strings.Repeat("a@example.com,", 10000) + `"}]
  taskSpec:
    params: [{name: list}]
    steps: [{name: a, image: busybox, script: "echo '$(params.list)' | wc -c"}]
`
	var out, errs bytes.Buffer
	code := command.Main(t.Context(), []string{"simulate", "-f", "-"}, command.Streams{In: strings.NewReader(manifest), Out: &out, Err: &errs})
	if code != 0 || !strings.Contains(out.String(), "    | 140001\n") {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errs.String())
	}
}

// TestReportsOfHostileInputAreHarmless gives a fixture and a subject that try to break out of reports to every format.
func TestReportsOfHostileInputAreHarmless(t *testing.T) {
	t.Parallel()
	harm := regexp.MustCompile("[\x1b\x07\x08\x00\u009b\u202e]|(?m)^\\s*::(set-output|stop-commands)|##\\[")
	markup := regexp.MustCompile(`<script>alert|<img src=x|" ?onx=`) // which only a page would obey
	for _, args := range [][]string{
		{"-f", "testdata/field/a-report-injection.yaml"},
		{"--subject", "testdata/field/a-terminal-escapes.yaml", "--name", "single-step-succeeds"},
	} {
		for _, format := range render.Formats() {
			t.Run(args[0]+" "+format, func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(t.TempDir(), "report")
				var out, errs bytes.Buffer
				code := command.Main(t.Context(), slices.Concat([]string{"run", "-o", format, "--report", format + "=" + file}, args), command.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
				written, err := os.ReadFile(file)
				if want := map[string]int{"-f": 1, "--subject": 0}[args[0]]; code != want || err != nil || len(written) == 0 {
					t.Errorf("exit code %d, want %d; %v; %s", code, want, err, errs.String())
				}
				for name, text := range map[string]string{"standard output": out.String(), "standard error": errs.String(), "the file": string(written)} {
					at := harm.FindStringIndex(text)
					if at == nil && format == render.FormatHTML {
						at = markup.FindStringIndex(text)
					}
					if at != nil {
						t.Errorf("%s gives orders: %q", name, text[max(0, at[0]-60):min(len(text), at[1]+60)])
					}
				}
			})
		}
	}
}
