package render_test

import (
	"html"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

func TestMocksForMissingCommands(t *testing.T) {
	t.Parallel()
	got := render.MocksFor([]reports.MissingCommand{
		{Pod: "a-pod", Container: "step-s", Image: "registry.example.com/x:1", Command: []string{"git", "clone", "https://git.example.com/a"}},
		{Pod: "b-pod", Container: "step-t", Image: "registry.example.com/x:1", Command: []string{"git", "clone", "https://git.example.com/a"}},
		{Pod: "b-pod", Container: "step-u", Image: "alpine", Command: []string{"/app/tool", "*", "--n", "1", "yes", "a: b", "it's", "two\nlines", "", "#x"}},
		{Pod: "b-pod", Container: "step-v", Image: "alpine"},
	})
	const want = `mocks:
# step-s in a-pod, step-t in b-pod
- image: registry.example.com/x:1
  command: [git, clone, 'https://git.example.com/a']
  stdout: ""
# step-u in b-pod
- image: alpine
  command: [/app/tool, '*', --n, "1", "yes", 'a: b', it's, "two\nlines", "", '#x']
  stdout: ""
# step-v in b-pod
- image: alpine
  stdout: ""
`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("mocks (-want +got):\n%s", d)
	}
	var file struct {
		Mocks []struct{ Command []string }
	}
	if err := yaml.Unmarshal([]byte(got), &file); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"/app/tool", "*", "--n", "1", "yes", "a: b", "it's", "two\nlines", "", "#x"}, file.Mocks[1].Command); d != "" {
		t.Errorf("the command, read again (-want +got):\n%s", d)
	}
}

func TestFailuresNameMissingCommands(t *testing.T) {
	t.Parallel()
	report := &reports.ConformanceReport{Result: reports.Failed, Fixtures: []reports.Fixture{{
		Name: "builds", Verdict: reports.Fail, Failure: &reports.Failure{At: "builds.yaml:3:1", Check: "spec.then[0]", Message: "no", Missing: []reports.MissingCommand{
			{Pod: "a-pod", Container: "step-s", Image: "alpine", Command: []string{"git", "clone", "a&b"}, Near: "it has 3 arguments, the call has 2"},
		}},
	}}}
	for _, format := range []string{"table", "html", "markdown", "junit"} {
		renderer, err := render.RendererFor(format)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := renderer.Render(&b, report); err != nil {
			t.Fatal(err)
		}
		text := html.UnescapeString(b.String())
		for _, want := range []string{"git clone is not in the image alpine; the mock of git clone was not used: it has 3 arguments, the call has 2", "command: [git, clone, a&b]"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%s", format, want, text)
			}
		}
	}
}
