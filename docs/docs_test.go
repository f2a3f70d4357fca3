// Package docs_test keeps the documents honest: the commands that they print are accepted, the code and the output that
// they show is real.
package docs_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
)

// documents are the files that people read, relative to the repository.
func documents(t *testing.T) []string {
	files, err := filepath.Glob("docs/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("found no documents: %v", err)
	}
	return append(files, "README.md")
}

func read(t *testing.T, file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// blocks returns the fenced blocks of a language, with the number of their first line.
func blocks(text, language string) map[int]string {
	out := map[int]string{}
	open, start, of := false, 0, ""
	for i, line := range strings.Split(text, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case !open && isFence:
			open, start, of = true, i+2, fence
		case open && line == "```":
			open = false
		case open && of == language:
			out[start] += line + "\n"
		}
	}
	return out
}

// arguments cuts a command line into words, without its comment; '…' keeps blanks and asterisks from the shell.
func arguments(line string) []string {
	line, _, _ = strings.Cut(line, " #")
	var words []string
	for _, w := range strings.Fields(line) {
		words = append(words, strings.Trim(w, "'"))
	}
	return words
}

// plumbline returns the arguments of a line that calls the command line tool.
func plumbline(line string) ([]string, bool) {
	for _, call := range []string{"go run ./cmd/plumbline ", "plumbline "} {
		if rest, ok := strings.CutPrefix(line, call); ok {
			return arguments(rest), true
		}
	}
	return nil, false
}

func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = command.Main(t.Context(), args, command.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	return code, out.String(), errs.String()
}

// TestCommandsWork runs every call of plumbline that a document prints. All of them are to succeed.
func TestCommandsWork(t *testing.T) {
	t.Chdir("..")
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	done := map[string]bool{}
	for _, file := range documents(t) {
		text := blocks(read(t, file), "sh")
		if file == "docs/reports.md" { // whose commands write and read files, one after the other
			t.Chdir(t.TempDir())
		}
		for _, start := range slices.Sorted(maps.Keys(text)) {
			for i, line := range strings.Split(text[start], "\n") {
				args, ok := plumbline(line)
				if !ok || done[strings.Join(args, " ")] {
					continue
				}
				done[strings.Join(args, " ")] = true
				if code, _, stderr := run(t, brief(args)...); code != 0 {
					t.Errorf("%s:%d: %s\nexits with %d: %.2000s", file, start+i, line, code, stderr)
				}
			}
		}
		t.Chdir(root)
	}
	if len(done) < 10 {
		t.Errorf("the documents print only %d commands", len(done))
	}
}

// brief makes a call that is documented with hundreds of seeds one with two.
func brief(args []string) []string {
	args = slices.Clone(args)
	if i := slices.Index(args, "--seeds"); i >= 0 && i+1 < len(args) {
		args[i+1] = "2"
	}
	return args
}

// TestCallsAreFound guards the test above: a document in another style would be run without being checked.
func TestCallsAreFound(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"go run ./cmd/plumbline run                 # the suite": "[run]",
		"plumbline run --name 'retry-*' -o json":                 "[run --name retry-* -o json]",
		"go test ./...":                                          "[]",
	} {
		if got, _ := plumbline(line); fmt.Sprint(got) != want {
			t.Errorf("%s: got %v, want %s", line, got, want)
		}
	}
}

// TestFirstFixture compares what the README shows of the first fixture with the fixture, and with its output when its
// expectation is wrong.
func TestFirstFixture(t *testing.T) {
	t.Chdir("..")
	const file = "greeting-is-a-result.yaml"
	text, readme := read(t, "docs/first-fixture/"+file), read(t, "README.md")
	if !strings.Contains(readme, "```yaml\n"+text+"```\n") {
		t.Error("the README does not show the first fixture as it is")
	}
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("my-fixtures", 0o755); err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(text, "value: hello}", "value: goodbye}", 1)
	if err := os.WriteFile("my-fixtures/"+file, []byte(wrong), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, _ := run(t, "run", "-f", "my-fixtures")
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	var shown string
	for _, block := range blocks(readme, "") {
		if strings.HasPrefix(block, "FAIL ") {
			shown = block
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(shown), "\n") {
		if strings.Contains(line, "…") || strings.HasPrefix(strings.TrimSpace(line), "+") {
			continue // shortened; times are the simulator's to change
		}
		if !strings.Contains(out, line+"\n") {
			t.Errorf("the README shows %q, which is not in\n%s", line, out)
		}
	}
	if strings.Count(shown, "\n") < 10 {
		t.Error("the README shows no failure")
	}
}

// TestCode compares the code that documents show with the example it is from, and what the suite says of it.
func TestCode(t *testing.T) {
	t.Chdir("..")
	const example = "conformance/examples/toy/"
	const customTask = "conformance/examples/customtask/"
	whole := read(t, customTask+"example_test.go")
	if n := strings.Count(whole, "\n"); n >= 30 {
		t.Errorf("the test of a controller of custom tasks has %d lines, want less than 30", n)
	}
	code, found := read(t, example+"example_test.go")+read(t, customTask+"timer_test.go")+"\n"+whole, 0
	for _, file := range documents(t) {
		for start, block := range blocks(read(t, file), "go") {
			found++
			if !strings.Contains(code, "\n"+block) {
				t.Errorf("%s:%d: the code is not that of %sexample_test.go or of the example of custom tasks", file, start, example)
			}
		}
	}
	if found < 4 {
		t.Errorf("the documents show %d pieces of code", found)
	}
	if said := read(t, example+"testdata/controller.golden"); !strings.Contains(read(t, "docs/your-implementation.md"), "```\n"+said+"```\n") {
		t.Error("docs/your-implementation.md does not show what the suite says of the example")
	}
}

// TestLinks follows the links between files.
func TestLinks(t *testing.T) {
	t.Chdir("..")
	for _, file := range documents(t) {
		for _, part := range strings.Split(read(t, file), "](")[1:] {
			target, _, _ := strings.Cut(part, ")")
			if strings.Contains(target, "://") {
				continue
			}
			target, _, _ = strings.Cut(target, "#")
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), target)); err != nil {
				t.Errorf("%s links to %s: %v", file, target, err)
			}
		}
	}
}

// TestReadmeShowsWhatIsPrinted compares the output that the README shows with what its commands print now.
func TestReadmeShowsWhatIsPrinted(t *testing.T) {
	t.Chdir("..")
	shown := slices.Collect(maps.Values(blocks(read(t, "README.md"), "")))
	traced := regexp.MustCompile(`, trace [0-9a-f]{16}`) // every change of behaviour changes it
	for _, tt := range []struct {
		args  []string
		begin string // of what is shown
		end   string // what follows it, if that is not the end
	}{
		{args: []string{"simulate", "-f", "docs/examples/sum-and-multiply.yaml"}, begin: "NAME ", end: "\ntaskrun/"},
		{args: []string{"simulate", "-f", "docs/examples/results.yaml", "--timeline=false"}, begin: "TASKRUN "},
		{args: []string{"run"}, begin: "custom-task: passed"},
	} {
		_, out, _ := run(t, tt.args...)
		at := strings.Index("\n"+out, "\n"+tt.begin)
		if at < 0 {
			t.Errorf("%v prints no %q:\n%s", tt.args, tt.begin, out)
			continue
		}
		out = out[at:]
		if end := strings.Index(out, tt.end); tt.end != "" && end >= 0 {
			out = out[:end]
		}
		want := traced.ReplaceAllString(out, "")
		if !slices.ContainsFunc(shown, func(block string) bool { return traced.ReplaceAllString(block, "") == want }) {
			t.Errorf("the README does not show what %v prints:\n%s", tt.args, want)
		}
	}
}
