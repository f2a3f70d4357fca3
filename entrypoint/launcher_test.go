package entrypoint_test

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/entrypoint"
	"github.com/plumbline-ci/plumbline/entrypoint/contract"
)

const (
	postFile        = "/tekton/run/0/out"
	terminationPath = "/tekton/termination"
)

func shell(script string, flags ...string) []string {
	return append(append(flags, "-post_file", postFile, "-step_metadata_dir", "/tekton/run/0/status"), "-entrypoint", "sh", "--", "-c", script)
}

// TestTimeoutAsksAndThenKills: SIGTERM when the timeout is over, SIGKILL for what is left of the group after the grace.
func TestTimeoutAsksAndThenKills(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, script string
		want           []string
		end            time.Duration
	}{
		{"the command obeys", "sleep 3600", []string{"15 at 1m0s", "9 at 1m0s"}, time.Minute},
		{"the command ignores it", "trap '' TERM; sleep 3600", []string{"15 at 1m0s", "9 at 1m0.3s"}, time.Minute + contract.Grace},
		{"the command cleans up", "trap 'sleep 0.1' TERM; sleep 3600", []string{"15 at 1m0s", "9 at 1m0.1s"}, time.Minute + 100*time.Millisecond},
	} {
		m := newMemory(contract.Case{Args: shell(tt.script, "-timeout", "1m")})
		if got := m.run(contract.Case{Args: shell(tt.script, "-timeout", "1m")}); got.Code != 1 {
			t.Errorf("%s: exit code %d", tt.reason, got.Code)
		}
		if diff := cmp.Diff(tt.want, m.sent); diff != "" || m.now.Sub(m.start) != tt.end {
			t.Errorf("%s: ended after %s, want %s; signals:\n%s", tt.reason, m.now.Sub(m.start), tt.end, diff)
		}
	}
}

// TestStartedAtIsAfterWaiting: §5.3 step 7, and the format of the entry.
func TestStartedAtIsAfterWaiting(t *testing.T) {
	t.Parallel()
	c := contract.Case{Args: shell("sleep 5", "-wait_file", "/tekton/go"), Events: []contract.Event{{Put: "/tekton/go"}}}
	m := newMemory(c)
	m.delay = time.Hour
	got := m.run(c)
	want := `[{"key":"StartedAt","value":"2022-12-22T11:00:00.123Z","type":3}]`
	if diff := cmp.Diff(want, got.Files[terminationPath]); diff != "" {
		t.Error(diff)
	}
}

// TestTimeoutCountsFromTheEndOfWaiting: the time that a step waits for the one before it does not count (EP-14).
func TestTimeoutCountsFromTheEndOfWaiting(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]int{"sleep 59": 0, "sleep 61": 1} {
		c := contract.Case{Args: shell(script, "-wait_file", "/tekton/go", "-timeout", "1m"), Events: []contract.Event{{Put: "/tekton/go"}}}
		m := newMemory(c)
		m.delay = time.Hour
		if got := m.run(c); got.Code != want {
			t.Errorf("%s: exit code %d, want %d", script, got.Code, want)
		}
	}
}

// journal writes down in which order files are written, and can refuse some.
type journal struct {
	*memoryFiles
	written []string
	refuse  map[string]error
}

func (j *journal) note(path string) error {
	if err := j.refuse[path]; err != nil {
		return &fs.PathError{Op: "write", Path: path, Err: err}
	}
	j.written = append(j.written, path)
	return nil
}

func (j *journal) WriteFile(path string, data []byte, perm fs.FileMode) error {
	if err := j.note(path); err != nil {
		return err
	}
	return j.memoryFiles.WriteFile(path, data, perm)
}

func (j *journal) WriteFileAtomic(path string, data []byte, perm fs.FileMode) error {
	if err := j.note(path); err != nil {
		return err
	}
	return j.memoryFiles.WriteFileAtomic(path, data, perm)
}

// TestPostFileComesLast: a reader that sees the post file may read everything else, and what cannot be written is a failure
// that the following steps are notified of.
func TestPostFileComesLast(t *testing.T) {
	t.Parallel()
	const exitCode = "/tekton/run/0/status/exitCode"
	for _, tt := range []struct {
		reason string
		refuse map[string]error
		want   []string
		code   int
		stderr string
	}{
		{"all is well", nil, []string{terminationPath, exitCode, postFile}, 0, ""},
		{"no exit code file", map[string]error{exitCode: syscall.ENOSPC}, []string{terminationPath, postFile + ".err"}, 1,
			"writing exit code: write /tekton/run/0/status/exitCode: no space left on device\n"},
		{"no message", map[string]error{terminationPath: syscall.EROFS}, []string{exitCode, postFile + ".err"}, 1,
			"Error while writing message: write /tekton/termination: read-only file system\n"},
		{"no post file", map[string]error{postFile: syscall.ENOSPC}, []string{terminationPath, exitCode}, 1,
			"posting \"/tekton/run/0/out\": write /tekton/run/0/out: no space left on device\n"},
	} {
		m := newMemory(contract.Case{})
		j := &journal{memoryFiles: m.files, refuse: tt.refuse}
		sys := m.system()
		sys.Files = j
		code := entrypoint.Main(sys, shell("exit 0"))
		if diff := cmp.Diff(tt.want, j.written) + cmp.Diff(tt.stderr, m.stderr.String()); diff != "" || code != tt.code {
			t.Errorf("%s: exit code %d, want %d\n%s", tt.reason, code, tt.code, diff)
		}
	}
}

// TestFullDisk: output that cannot be kept still reaches the log, and the step fails as it promised a file.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	m := newMemory(contract.Case{})
	m.files.full = true
	code := entrypoint.Main(m.system(), shell("echo one; echo two", "-stdout_path", "/workspace/log"))
	if code != 1 || m.stdout.String() != "one\ntwo\n" {
		t.Errorf("exit code %d, log %q", code, m.stdout.String())
	}
	want := "Error executing command: writing output to \"/workspace/log\": write /workspace/log: no space left on device\n" +
		"Error while writing message: write /tekton/termination: no space left on device\n"
	if diff := cmp.Diff(want, m.stderr.String()); diff != "" {
		t.Error(diff)
	}
	if _, err := m.files.Stat(postFile + ".err"); err != nil {
		t.Error(err)
	}
}

// TestNoHome: EP-61, a user without a home directory has credentials below /tekton/creds only.
func TestNoHome(t *testing.T) {
	t.Parallel()
	c := contract.Case{
		Args:   shell("exit 0", "-docker-config", "s"),
		Before: map[string]string{"/tekton/creds-secrets/s/.dockerconfigjson": `{"auths":{"a":{}}}`},
	}
	m := newMemory(c)
	m.env = nil
	got := m.run(c)
	if want := "non-fatal error copying credentials: \"the user has no home directory\"\n"; got.Stderr != want || got.Code != 0 {
		t.Errorf("exit code %d, %q", got.Code, got.Stderr)
	}
}

// TestHermeticSteps: EP-47.
func TestHermeticSteps(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		env    []string
		want   bool
	}{
		{"asked for", []string{"TEKTON_HERMETIC=1"}, true},
		{"not asked for", nil, false},
		{"a value that is not 1", []string{"TEKTON_HERMETIC=true"}, false},
		{"a step of a resource", []string{"TEKTON_HERMETIC=1", "TEKTON_RESOURCE_NAME=x"}, false},
		{"the last of a variable counts", []string{"TEKTON_HERMETIC=1", "TEKTON_HERMETIC=0"}, false},
	} {
		m := newMemory(contract.Case{Env: tt.env})
		sys := m.system()
		seen := &startRecorder{Processes: m}
		sys.Processes = seen
		entrypoint.Main(sys, shell("exit 0"))
		if seen.command.Hermetic != tt.want {
			t.Errorf("%s: %v, want %v", tt.reason, seen.command.Hermetic, tt.want)
		}
	}
}

type startRecorder struct {
	entrypoint.Processes
	command entrypoint.Command
}

func (r *startRecorder) Start(c entrypoint.Command) (entrypoint.Process, error) {
	r.command = c
	return r.Processes.Start(c)
}

// TestWindowsKeepsNoOutput: EP-48.
func TestWindowsKeepsNoOutput(t *testing.T) {
	t.Parallel()
	m := newMemory(contract.Case{})
	sys := m.system()
	sys.Platform = "windows/amd64"
	code := entrypoint.Main(sys, shell("exit 0", "-stdout_path", "/workspace/log"))
	want := "Error executing command: step.StdoutPath and step.StderrPath not supported on Windows\n"
	if code != 1 || m.stderr.String() != want {
		t.Errorf("exit code %d, %q", code, m.stderr.String())
	}
}

// TestNopRunsIndefinitely: §5.9, until one of two signals.
func TestNopRunsIndefinitely(t *testing.T) {
	t.Parallel()
	for _, last := range []entrypoint.Signal{entrypoint.SIGINT, entrypoint.SIGTERM} {
		m := newMemory(contract.Case{Events: []contract.Event{{Signal: entrypoint.SIGHUP}, {Signal: last}}})
		if code := entrypoint.Nop(m.system(), []string{entrypoint.NopRunIndefinitely}); code != 0 || len(m.events) > 0 {
			t.Errorf("signal %d: exit code %d, %d events left", last, code, len(m.events))
		}
	}
}

// TestWatchFailure: what keeps a step from waiting fails it.
func TestWatchFailure(t *testing.T) {
	t.Parallel()
	m := newMemory(contract.Case{})
	sys := m.system()
	sys.Watcher = blindWatcher{}
	code := entrypoint.Main(sys, shell("exit 0", "-wait_file", "/tekton/go"))
	if want := "Error executing command: waiting for \"/tekton/go\": blind\n"; code != 1 || m.stderr.String() != want {
		t.Errorf("exit code %d, %q", code, m.stderr.String())
	}
	if code := entrypoint.Nop(sys, []string{entrypoint.NopRunIndefinitely}); code != 1 {
		t.Errorf("nop: exit code %d", code)
	}
}

type blindWatcher struct{}

func (blindWatcher) Watch(...string) (entrypoint.Subscription, error) {
	return nil, errors.New("blind")
}

// TestEnvironmentIsNotLogged runs every case of the contract, including those that fail.
func TestEnvironmentIsNotLogged(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-4711"
	for _, c := range contract.Cases() {
		c.Env = append(c.Env, "PASSWORD="+secret, secret)
		got := newMemory(c).run(c)
		for name, text := range map[string]string{"standard output": got.Stdout, "standard error": got.Stderr, "the message": got.Files[terminationPath]} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %s tells the environment: %s", c.Name, name, text)
			}
		}
	}
}

// TestSecretsAreNotLogged: what is in a secret that cannot be used, or in platform commands that cannot be read.
func TestSecretsAreNotLogged(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, flag, key, env, before, after string }{
		{"a dockercfg that is not JSON", "-docker-cfg=s", ".dockercfg", "", "", ""},
		{"a dockercfg of another kind", "-docker-cfg=s", ".dockercfg", "", "", ""},
		{"a dockerconfigjson of another kind", "-docker-config=s", ".dockerconfigjson", "", `{"auths":`, "}"},
		{"a dockerconfigjson that is cut", "-docker-config=s", ".dockerconfigjson", "", `{"auths":{"a":"`, ""},
		{"a login without a password", "-basic-git=s=https://a", "username", "", "", ""},
		{"platform commands that are not JSON", "-enable_spire=false", "", "TEKTON_PLATFORM_COMMANDS=", "", ""},
	} {
		const secret = "47114711"
		c := contract.Case{
			Args:   []string{"-post_file", postFile, tt.flag},
			Before: map[string]string{"/tekton/creds-secrets/s/" + tt.key + "x": ""},
		}
		text := tt.before + secret + tt.after
		if tt.key != "" {
			c.Before["/tekton/creds-secrets/s/"+tt.key] = text
		} else {
			c.Env = []string{tt.env + text}
		}
		got := newMemory(c).run(c)
		if got.Code == 0 || got.Stderr == "" || strings.Contains(got.Stderr, secret) || strings.Contains(got.Stderr, "'4'") {
			t.Errorf("%s: exit code %d, %q", tt.reason, got.Code, got.Stderr)
		}
	}
}

// TestReadBeneath: links are followed within the directory and nowhere else.
func TestReadBeneath(t *testing.T) {
	t.Parallel()
	m := newMemory(contract.Case{Before: map[string]string{
		"/r/plain": "1", "/r/sub/deep": "2", "/r/in": "-> sub/deep", "/r/sub/up": "-> ../plain", "/r/twice": "-> sub/up",
		"/r/absolute": "-> /r/plain", "/r/out": "-> ../secret", "/r/loop": "-> loop", "/r/self": "-> .", "/secret": "s", "/rx/a": "s",
		"/r/sibling": "-> ../rx/a", "/r/back": "-> ../r/plain",
	}})
	for name, want := range map[string]string{
		"plain": "1", "in": "2", "twice": "1", "back": "1",
		"absolute": "open /r/absolute: path escapes from parent",
		"out":      "open /r/out: path escapes from parent",
		"sibling":  "open /r/sibling: path escapes from parent",
		"self":     "open /r/self: path escapes from parent",
		"loop":     "open /r/loop: too many links",
		"sub":      "open /r/sub: not a regular file",
		"none":     "lstat /r/none: no such file or directory",
	} {
		got, err := entrypoint.ReadBeneath(m.files, "/r/", name, 10)
		text := string(got)
		if err != nil {
			text = err.Error()
		}
		if text != want {
			t.Errorf("%s: %q, want %q", name, text, want)
		}
	}
	if _, err := entrypoint.ReadBeneath(m.files, "/r", "plain", 0); !errors.Is(err, entrypoint.ErrTooLong) {
		t.Errorf("a byte too much: %v", err)
	}
}
