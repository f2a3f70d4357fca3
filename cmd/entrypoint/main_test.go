package main

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plumbline-ci/plumbline/entrypoint"
	"github.com/plumbline-ci/plumbline/entrypoint/contract"
	"github.com/plumbline-ci/plumbline/entrypoint/osadapter"
)

const (
	// envRoot is where the fixed paths of a container are in a script.
	envRoot = "PLUMBLINE_TEST_ROOT"
	// envAfter names a file of the script's directory: no timeout of a step strikes before it has content.
	envAfter = "PLUMBLINE_TEST_AFTER"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"entrypoint": func() { os.Exit(run(os.Args[1:])) },
		"step":       func() { os.Exit(run(stepArguments(os.Args[1:]))) },
	})
}

// run is the launcher with its fixed paths in the script's directory.
func run(args []string) int {
	sys := osadapter.New()
	root, fixed := os.Getenv(envRoot), entrypoint.DefaultPaths()
	sys.Paths.Steps = root + fixed.Steps
	sys.Paths.Run = root + fixed.Run
	sys.Paths.Results = root + fixed.Results
	sys.Paths.Creds = root + fixed.Creds
	if file := os.Getenv(envAfter); file != "" {
		sys.Processes = contract.DeadlinesAfter(filepath.Join(root, file), sys.Processes)
	}
	return entrypoint.Main(sys, args)
}

// stepArguments makes "INDEX [FLAG...] -- SCRIPT" the arguments that a controller gives to step INDEX.
func stepArguments(args []string) []string {
	separator := slices.Index(args, "--")
	index, err := strconv.Atoi(args[0])
	if err != nil || separator != len(args)-2 {
		panic("usage: step INDEX [FLAG...] -- SCRIPT")
	}
	tekton := os.Getenv(envRoot) + "/tekton/"
	out := func(i int) string { return fmt.Sprintf("%srun/%d/out", tekton, i) }
	var line []string
	if index > 0 {
		line = append(line, "-wait_file", out(index-1))
	}
	line = append(line, "-post_file", out(index), "-termination_path", fmt.Sprintf("%stermination-%d", tekton, index),
		"-step_metadata_dir", fmt.Sprintf("%srun/%d/status", tekton, index))
	line = append(line, args[1:separator]...)
	return append(line, "-entrypoint", "sh", "--", "-ec", args[separator+1])
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv(envRoot, env.WorkDir)
			env.Setenv("PATH", env.Getenv("PATH"))
			for _, dir := range []string{"results", "run"} {
				if err := os.MkdirAll(filepath.Join(env.WorkDir, "tekton", dir), 0o755); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await": awaitFile,
			"gone":  awaitEnd,
			"fill":  fillFile,
			"links": checkLink,
		},
	})
}

// awaitFile is "await FILE": it waits until FILE has content.
func awaitFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await FILE")
	}
	until(ts, "content of "+args[0], func() bool { return contract.HasContent(ts.MkAbs(args[0])) })
}

// awaitEnd is "gone FILE": it waits until the process whose number is in FILE has ended.
func awaitEnd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gone FILE")
	}
	pid := strings.TrimSpace(ts.ReadFile(args[0]))
	until(ts, "end of process "+pid, func() bool {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
}

func until(ts *testscript.TestScript, what string, ready func() bool) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for start := time.Now(); !ready(); <-tick.C {
		if time.Since(start) > 30*time.Second {
			ts.Fatalf("no %s", what)
		}
	}
}

// fillFile is "fill FILE SIZE": it writes SIZE times the letter x.
func fillFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fill FILE SIZE")
	}
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat("x", size)), 0o644))
}

// checkLink is "links LINK TARGET".
func checkLink(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: links LINK TARGET")
	}
	target, err := os.Readlink(ts.MkAbs(args[0]))
	ts.Check(err)
	if target != args[1] {
		ts.Fatalf("%s is a link to %s, not %s", args[0], target, args[1])
	}
}

// TestImports keeps the launcher small: what is not named here does not get into every step's container.
func TestImports(t *testing.T) {
	t.Parallel()
	const module = "github.com/plumbline-ci/plumbline/"
	allowed := []string{
		"github.com/fsnotify/fsnotify",
		"github.com/fsnotify/fsnotify/internal",
		module + "cmd/entrypoint",
		module + "cmd/nop",
		module + "cmd/sidecarlogresults",
		module + "cmd/workingdirinit",
		module + "entrypoint",
		module + "entrypoint/osadapter",
		module + "entrypoint/termination",
		"golang.org/x/sys/unix",
	}
	heavy := []string{"crypto/tls", "encoding/xml", "flag", "html", "html/template", "log/slog", "net", "net/http", "os/exec", "os/user",
		"regexp", "text/template", "go/ast", "math/big"}
	for _, arch := range []string{"amd64", "arm64"} {
		cmd := exec.Command("go", append([]string{"list", "-deps", "-f", "{{.ImportPath}} {{.Standard}}"}, released()...)...)
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
		list, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(string(list)) {
			path, standard, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch {
			case standard == "false":
				got = append(got, path)
			case slices.Contains(heavy, path):
				t.Errorf("%s: the launcher imports %s", arch, path)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(allowed, got); diff != "" {
			t.Errorf("%s: imports, -allowed +got:\n%s", arch, diff)
		}
	}
}

// released are the programs of the Pods.
func released() []string { return []string{".", "../nop", "../sidecarlogresults", "../workingdirinit"} }

// buildFor builds the released programs as they are released, into a directory.
func buildFor(t *testing.T, platform string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	system, arch, _ := strings.Cut(platform, "/")
	cmd := exec.Command("go", append([]string{"build", "-trimpath", "-ldflags", "-s -w", "-o", dir + "/"}, released()...)...)
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", platform, err, out)
	}
	return dir
}

// TestReleasedPrograms builds what the launcher's images contain: small, since it is copied into every Pod, and static,
// since the steps' images need have nothing to link to.
func TestReleasedPrograms(t *testing.T) {
	t.Parallel()
	const limit = 3_000_000
	for _, platform := range []string{"linux/amd64", "linux/arm64"} {
		dir := buildFor(t, platform)
		for _, program := range []string{"entrypoint", "nop", "sidecarlogresults", "workingdirinit"} {
			binary := filepath.Join(dir, program)
			info, err := os.Stat(binary)
			if err != nil {
				t.Fatal(err)
			}
			if info.Size() > limit {
				t.Errorf("%s, %s: %d bytes, above %d", program, platform, info.Size(), limit)
			}
			parsed, err := elf.Open(binary)
			if err != nil {
				t.Fatal(err)
			}
			defer parsed.Close()
			if slices.ContainsFunc(parsed.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC }) {
				t.Errorf("%s, %s: it is not static", program, platform)
			}
		}
	}
}

// TestOtherPlatformsCompile: the subcommands work elsewhere, and other calls are refused as not supported. It
// compiles a standard library for each platform, which the short tests leave out.
func TestOtherPlatformsCompile(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		return
	}
	for _, platform := range []string{"windows/amd64", "darwin/arm64"} {
		buildFor(t, platform)
	}
}

// TestChainOfFifty: fifty launchers, all started at once and last first, run their commands in order.
func TestChainOfFifty(t *testing.T) {
	t.Parallel()
	const steps = 50
	dir := t.TempDir()
	binary := filepath.Join(buildFor(t, runtime.GOOS+"/"+runtime.GOARCH), "entrypoint")
	var started []*exec.Cmd
	var want strings.Builder
	for i := steps - 1; i >= 0; i-- {
		var args []string
		if i > 0 {
			args = append(args, "-wait_file", fmt.Sprintf("%s/run/%d/out", dir, i-1))
		}
		args = append(args, "-post_file", fmt.Sprintf("%s/run/%d/out", dir, i), "-termination_path", fmt.Sprintf("%s/t%d", dir, i),
			"-entrypoint", "sh", "--", "-c", fmt.Sprintf("echo %d >> %s/log", i, dir))
		cmd := exec.Command(binary, args...)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		started = append(started, cmd)
	}
	for i, cmd := range started {
		if err := cmd.Wait(); err != nil {
			t.Errorf("step %d: %v", steps-1-i, err)
		}
		fmt.Fprintln(&want, i)
	}
	got, err := os.ReadFile(filepath.Join(dir, "log"))
	if diff := cmp.Diff(want.String(), string(got)); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
