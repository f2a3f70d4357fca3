package shell_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

// decode is what the launcher's decode-script does.
func decode(p *container.Process) int {
	data, err := p.ReadFile(p.Args[2])
	if err != nil {
		return 1
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(data)))
	if err != nil {
		return 1
	}
	if err := p.WriteFile(p.Args[2], text, 0o755); err != nil {
		return 1
	}
	fmt.Fprintf(p.Stdout(), "Decoded script %s\n", p.Args[2])
	return 0
}

// placed puts a script into a volume as the init container place-scripts does, and returns the volume.
func (w *world) placed(script string) *files.Volume {
	w.t.Helper()
	w.programs["launcher"] = decode
	scripts := files.NewVolume(w.k.Now, files.Options{})
	bin := files.NewVolume(w.k.Now, files.Options{})
	if err := bin.WriteFile("entrypoint", image.Executable("launcher"), 0o311); err != nil {
		w.t.Fatal(err)
	}
	cfg := w.config("busybox")
	cfg.Command = []string{"sh"}
	cfg.Args = []string{"-c", `scriptfile="/tekton/scripts/script-0-x"
touch ${scriptfile} && chmod +x ${scriptfile}
cat > ${scriptfile} << '_EOF_'
` + base64.StdEncoding.EncodeToString([]byte(script)) + `
_EOF_
/tekton/bin/entrypoint decode-script "${scriptfile}"
`}
	cfg.Mounts = []files.Mount{{Volume: scripts, Path: "/tekton/scripts"}, {Volume: bin, Path: "/tekton/bin", ReadOnly: true}}
	got := w.run(cfg)
	want := outcome{Stdout: "Decoded script /tekton/scripts/script-0-x\n", Took: got.Took}
	if d := cmp.Diff(want, got); d != "" {
		w.t.Fatalf("place-scripts (-want +got):\n%s", d)
	}
	return scripts
}

const preamble = "#!/bin/sh\nset -e\n"

// TestRecordedScripts runs what was recorded on a real cluster, with busybox from Debian.
func TestRecordedScripts(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, script   string
		args           []string
		stdout, stderr string
		code           int
	}{
		{name: "an interpreter that is not a shell", script: "#!/bin/cat\nI am printed, with $HOME and \\n `x`\n", stdout: "#!/bin/cat\nI am printed, with $HOME and \\n `x`\n"},
		{name: "arguments", script: "#!/bin/sh -e\necho \"n=$# 1=$1 2=$2 3=$3 4=$4 0=$0\"\nfalse\necho not reached\n", args: []string{"one", "two words", `it's "q"`, "$(HOME)"},
			stdout: "n=4 1=one 2=two words 3=it's \"q\" 4=$(HOME) 0=/tekton/scripts/script-0-x\n", code: 1},
		{name: "options", script: preamble + "echo \"0=$0\"; set -o; false\necho reached\n", code: 1, stdout: `0=/tekton/scripts/script-0-x
errexit         on
noglob          off
ignoreeof       off
monitor         off
noexec          off
xtrace          off
verbose         off
noclobber       off
allexport       off
notify          off
nounset         off
errtrace        off
vi              off
pipefail        off
`},
		{name: "a variable of Tekton that was not replaced", script: preamble + "echo $(tasks.bad.status)", stdout: "\n", stderr: "/tekton/scripts/script-0-x: line 3: tasks.bad.status: not found\n"},
		{name: "a large result", script: preamble + `head -c 5000 /dev/zero | tr '\0' x > /tmp/r; wc -c < /tmp/r; head -c 3 /tmp/r`, stdout: "5000\nxxx"},
		{name: "read-only", script: preamble + "touch /conf/x || echo ro; cat /conf/file; mount | grep -E 'workspace|conf'", stdout: "ro\nv/dev/vda on /conf type ext4 (ro,relatime)\n/dev/vda on /workspace/src type ext4 (rw,relatime)\n", stderr: "touch: /conf/x: Read-only file system\n"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 3)
			scripts := w.placed(r.script)
			conf, src := files.NewVolume(w.k.Now, files.Options{}), files.NewVolume(w.k.Now, files.Options{})
			if err := conf.Project(map[string]files.Projected{"file": {Data: []byte("v")}}); err != nil {
				t.Fatal(err)
			}
			cfg := w.config("busybox")
			cfg.Command, cfg.Args = []string{"/tekton/scripts/script-0-x"}, r.args
			cfg.Mounts = []files.Mount{{Volume: conf, Path: "/conf", ReadOnly: true}, {Volume: scripts, Path: "/tekton/scripts", ReadOnly: true}, {Volume: src, Path: "/workspace/src", SubPath: "sub/dir"}}
			got := w.run(cfg)
			got.Stdout = strings.Replace(got.Stdout, "/dev/vda on /tekton/scripts type ext4 (ro,relatime)\n", "", 1)
			want := outcome{Stdout: r.stdout, Stderr: r.stderr, Code: r.code, Took: got.Took}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestSleepTakesVirtualTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	cfg := w.config("busybox")
	cfg.Command = []string{"sh", "-c", "sleep 3600; sleep 0.5; date +%s"}
	got := w.run(cfg)
	if got.Stdout != "946688400\n" || got.Took < 3600500*time.Millisecond || got.Took > 3601*time.Second {
		t.Errorf("got %+v", got)
	}
}

func TestSidecarWithTrapEndsOnTerm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	cfg := w.config("busybox")
	cfg.Command = []string{"sh", "-c", "trap 'exit 0' TERM; sleep 4; touch /tmp/ok; while :; do sleep 0.2; done"}
	c, err := container.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	codes := []int{}
	probe := func() {
		var out, errs bytes.Buffer
		if err := c.Exec([]string{"ls", "/tmp/ok"}, &out, &errs, func(code int) { codes = append(codes, code) }); err != nil {
			t.Fatal(err)
		}
	}
	w.k.RunUntil(w.k.Now().Add(time.Second))
	probe()
	w.k.RunUntil(w.k.Now().Add(5 * time.Second))
	probe()
	w.k.RunUntil(w.k.Now().Add(time.Second))
	c.Signal(container.SIGTERM)
	w.k.RunUntil(w.k.Now().Add(time.Second))
	st, exited := c.ExitStatus()
	if d := cmp.Diff([]int{1, 0}, codes); d != "" || !exited || st.Code != 0 {
		t.Errorf("probes: %s exited %v status %+v", d, exited, st)
	}
	if err := c.Exec([]string{"ls"}, nil, nil, nil); err == nil || !strings.Contains(err.Error(), "CONTAINER_EXITED") {
		t.Errorf("exec in an ended container: %v", err)
	}
}

func TestProcessOneIgnoresSignalsWithoutHandlers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	cfg := w.config("busybox")
	cfg.Command = []string{"sleep", "100"}
	c, err := container.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.k.RunUntil(w.k.Now().Add(time.Second))
	c.Signal(container.SIGTERM)
	w.k.RunUntil(w.k.Now().Add(time.Second))
	if !c.Running() {
		t.Fatal("SIGTERM ended process 1, which has no handler for it")
	}
	c.Kill()
	if st, ok := c.ExitStatus(); !ok || st.Code != 137 || st.Signal != container.SIGKILL {
		t.Errorf("after SIGKILL: %+v %v", st, ok)
	}
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	const prefix = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
	rows := []struct {
		command []string
		dir     string
		want    string
	}{
		{[]string{"nosuch"}, "", prefix + `unable to start container process: exec: "nosuch": executable file not found in $PATH: unknown`},
		{[]string{"/no/such"}, "", prefix + `unable to start container process: exec: "/no/such": stat /no/such: no such file or directory: unknown`},
		{[]string{"/etc/passwd"}, "", prefix + `unable to start container process: exec: "/etc/passwd": permission denied: unknown`},
		{[]string{"sh"}, "rel/dir", prefix + `Cwd must be an absolute path: unknown`},
	}
	for _, r := range rows {
		w := newWorld(t, 1)
		cfg := w.config("busybox")
		cfg.Command, cfg.WorkingDir = r.command, r.dir
		_, err := container.Start(cfg)
		var start *container.StartError
		if !errors.As(err, &start) || start.Message != r.want {
			t.Errorf("%v in %q: got %v\nwant %s", r.command, r.dir, err, r.want)
		}
	}
}

func TestEndlessScriptsEnd(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, script string
		budget       container.Budget
		limit        int64
		oom          bool
		message      string
	}{
		{"a loop that does nothing runs out of steps", "while :; do :; done", container.Budget{Steps: 100_000}, 0, false, "ran more than 100000 commands"},
		{"so it does with the budget that a container has", "while :; do :; done", container.Budget{}, 0, false, "ran more than 20000000 commands"},
		{"a loop of programs runs out of steps sooner", "while :; do date > /dev/null; done", container.Budget{Steps: 100_000}, 0, false, "ran more than 100000 commands"},
		{"reading and writing without end", "cat /dev/zero > /dev/null", container.Budget{Bytes: 1 << 20}, 0, false, "read and wrote more than 1048576 bytes"},
		{"files without end", "yes > /tmp/f", container.Budget{Storage: 1 << 20}, 0, false, "its files held more than 1048576 bytes"},
		{"output without end", "yes", container.Budget{Output: 1 << 20}, 0, false, "printed more than 1048576 bytes"},
		{"names without end", "i=0; while :; do : > /tmp/f$i; i=$((i+1)); done", container.Budget{Files: 1000}, 0, false, "more than 1000 files"},
		{"directories without end", "while mkdir d && cd d; do :; done; cd /; while mkdir x; do mv x y; mkdir -p y/z/z/z; done", container.Budget{Files: 500}, 0, false, "more than 500 files"},
		{"a directory below the last one, without end", "bash -c 'while :; do mkdir d; cd d; done'", container.Budget{Depth: 5000}, 0, false, "the path of a working directory had more than 5000 bytes"},
		{"a fork bomb", "f() { f & f & }; f; wait", container.Budget{Processes: 64}, 0, false, "processes"},
		{"memory beyond the budget", "x=a; while :; do x=$x$x$x$x; done", container.Budget{Memory: 4 << 20}, 0, false, "its programs held more than 4194304 bytes of memory"},
		{"memory beyond the container's limit", "x=a; while :; do x=$x$x$x$x; done", container.Budget{}, 4 << 20, true, ""},
		{"a substitution without end", "x=$(yes)", container.Budget{Memory: 4 << 20}, 0, false, "bytes of memory"},
		{"a line without end", "sort /dev/zero", container.Budget{Memory: 4 << 20}, 0, false, "bytes of memory"},
		{"aliases that double", "alias a='b ; b' b='c ; c' c='d ; d' d='e ; e' e='g ; g' g='h ; h' h='i ; i' i='j ; j' j='k ; k' k='l ; l' l='m ; m' m='n ; n' n=: \na", container.Budget{Memory: 4 << 20}, 0, false, "bytes of memory"},
		{"an alias that evaluates itself", "alias a='eval a'\na", container.Budget{Steps: 100_000}, 0, false, ""},
		{"recursion", "f() { f; }; f; while :; do sleep 1; done", container.Budget{Steps: 100_000}, 0, false, ""},
		{"recursion of subshells", "f() { (f); }; f; while :; do sleep 1; done", container.Budget{Steps: 100_000}, 0, false, ""},
		{"sed jumps for ever", "sed ':a;ba' /etc/passwd", container.Budget{Steps: 100_000}, 0, false, "commands"},
		{"sed doubles its space", "echo x | sed ':a;s/.*/&&/;ba'", container.Budget{Memory: 4 << 20}, 0, false, "bytes of memory"},
		{"awk loops for ever", "awk 'BEGIN { while (1); }'", container.Budget{Steps: 100_000}, 0, false, "commands"},
		{"awk doubles a string", "awk 'BEGIN { x = \"a\"; while (1) x = x x }'", container.Budget{Memory: 4 << 20}, 0, false, "bytes of memory"},
		{"awk fills an array", "awk 'BEGIN { while (1) a[n++] = n }'", container.Budget{Memory: 4 << 20}, 0, false, "bytes of memory"},
		{"jq loops for ever", "jq -n '[repeat(1)] | length'", container.Budget{Steps: 100_000}, 0, false, "commands"},
		{"jq doubles a string", "jq -n 'reduce range(100) as $i (\"x\"; . + .)'", container.Budget{Memory: 4 << 20}, 0, false, "bytes of memory"},
		{"jq doubles a tree", "jq -n 'reduce range(100) as $i (0; [., .])'", container.Budget{Memory: 4 << 20, Output: 1 << 20}, 0, false, "printed more than"},
		{"a here-document that grows", "x=a; while :; do x=$(cat <<E\n$x$x\nE\n); done", container.Budget{Memory: 4 << 20}, 0, false, "bytes of memory"},
		{"a small archive that is large inside", "head -c 8000000 /dev/zero | gzip > /tmp/z; gunzip -c /tmp/z > /dev/null", container.Budget{Memory: 20 << 20, Storage: 1 << 20}, 0, false, ""},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			cfg := w.config(image.Toolbox)
			cfg.Command, cfg.Budget, cfg.MemoryLimit = []string{"sh", "-c", r.script}, r.budget, r.limit
			c, err := container.Start(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.k.RunWhile(c.Running, w.k.Now().Add(100*time.Hour), 10_000_000); err != nil {
				t.Fatal(err)
			}
			st, _ := c.ExitStatus()
			if c.Running() || st.OOMKilled != r.oom || !strings.Contains(st.Message, r.message) || r.message != "" && st.Code != 137 {
				t.Errorf("running %v, status %+v", c.Running(), st)
			}
		})
	}
}

func TestBusyLoopLetsTimePass(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	cfg := w.config("busybox")
	cfg.Command = []string{"sh", "-c", "while :; do :; done"}
	c, err := container.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.k.RunUntil(w.k.Now().Add(time.Hour))
	if !c.Running() {
		t.Fatal("an hour of computing used up the budget")
	}
	c.Kill()
	if c.Running() {
		t.Fatal("not killed")
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	script := "for i in 1 2 3 4; do (sleep 0.0$i; echo $RANDOM $i) & done; wait; head -c 4 /dev/urandom | od -t x1; mktemp; echo a | cat & echo b | cat; wait; cat /proc/sys/kernel/random/uuid"
	trace := func(seed uint64) string {
		w := newWorld(t, seed)
		cfg := w.config("busybox")
		cfg.Command = []string{"sh", "-c", script}
		got := w.run(cfg)
		return got.Stdout + got.Stderr + w.k.TraceHash()
	}
	first, again := trace(7), trace(7)
	if first != again {
		t.Error("two runs of one seed differ")
	}
	if first == trace(8) {
		t.Error("two seeds give the same run")
	}
}

func TestMocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	mocks, err := container.NewMocks(
		container.Mock{Image: "docker.io/library/busybox", Command: []string{"git", "clone", "*"}, Stdout: "cloned\n", Files: map[string]string{"repo/README.md": "hi\n"}, Takes: 3 * time.Second},
		container.Mock{Command: []string{"kubectl"}, Exit: 4},
		container.Mock{Image: "alpine", Command: []string{"git"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	cfg := w.config("busybox")
	cfg.Mocks = mocks
	cfg.Command = []string{"sh", "-c", "git clone url && cat repo/README.md; kubectl get pods; echo $?; git status; echo $?"}
	got := w.run(cfg)
	want := outcome{Stdout: "cloned\nhi\n4\n127\n", Stderr: "sh: git: not found\n", Took: got.Took}
	if d := cmp.Diff(want, got); d != "" || got.Took < 3*time.Second {
		t.Errorf("(-want +got):\n%s", d)
	}
	if unused := mocks.Unused(); len(unused) != 1 || unused[0] != 2 {
		t.Errorf("unused: %v", unused)
	}
}

func TestUserAndGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	cfg := w.config("busybox")
	uid := int64(1001)
	cfg.RunAsUser, cfg.Groups = &uid, []int64{2000}
	cfg.Command = []string{"sh", "-c", "id; echo $HOME; touch /x; touch /tmp/y && ls -ln /tmp; cat /root/z"}
	got := w.run(cfg)
	want := outcome{Stdout: "uid=1001 gid=0(root) groups=0(root),2000\n/\ntotal 0\n-rw-r--r--    1 1001     0                0 Jan  1 00:00 y\n",
		Stderr: "touch: /x: Permission denied\ncat: can't open '/root/z': Permission denied\n", Code: 1, Took: got.Took}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// BenchmarkScript is a container that runs a script of three lines.
func BenchmarkScript(b *testing.B) {
	w := newWorld(b, 1)
	scripts := files.NewVolume(w.k.Now, files.Options{})
	if err := scripts.WriteFile("s", []byte(preamble+"x=$(cat /etc/hostname)\necho \"hello $x\" > /tekton/results/r\ncat /tekton/results/r\n"), 0o755); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		results := files.NewVolume(w.k.Now, files.Options{})
		cfg := w.config("busybox")
		cfg.Command = []string{"/tekton/scripts/s"}
		cfg.Mounts = []files.Mount{{Volume: scripts, Path: "/tekton/scripts", ReadOnly: true}, {Volume: results, Path: "/tekton/results"}}
		if got := w.run(cfg); got.Code != 0 || got.Stdout != "hello host\n" {
			b.Fatalf("%+v", got)
		}
	}
}

// BenchmarkBuiltins is a loop of ten thousand commands that the shell runs by itself.
func BenchmarkBuiltins(b *testing.B) {
	w := newWorld(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		cfg := w.config("busybox")
		cfg.Command = []string{"sh", "-c", "i=0; while [ $i -lt 5000 ]; do i=$((i+1)); done; echo $i"}
		if got := w.run(cfg); got.Stdout != "5000\n" {
			b.Fatalf("%+v", got)
		}
	}
}
