package reports_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/reports"
)

func TestMocksForMissingCommands(t *testing.T) {
	t.Parallel()
	got := reports.MocksFor([]reports.MissingCommand{
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

func TestTitleOfAMissingCommand(t *testing.T) {
	t.Parallel()
	rows := []struct {
		reason  string
		command []string
		want    string
	}{
		{"the command alone", []string{"make"}, "make"},
		{"its verb belongs to it", []string{"git", "clone", "https://x"}, "git clone"},
		{"an option is no verb", []string{"curl", "-sS", "https://x"}, "curl"},
		{"a file is no verb", []string{"cc", "main.c"}, "cc"},
		{"any argument is no verb", []string{"python3", "*"}, "python3"},
	}
	for _, r := range rows {
		if got := (reports.MissingCommand{Command: r.command}).Title(); got != r.want {
			t.Errorf("%s: %q, want %q", r.reason, got, r.want)
		}
	}
}
