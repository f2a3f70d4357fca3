package command_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
)

// requestName is the end of the name of a ResolutionRequest.
var requestName = regexp.MustCompile(`-[0-9a-f]{32}`)

// TestRemote simulates runs of what resolvers find in folders, and of what they do not find.
func TestRemote(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range map[string]string{
		"repo/task/lint.yaml":         "apiVersion: tekton.dev/v1beta1\nkind: Task\nmetadata: {name: lint}\nspec: {steps: [{name: s, image: busybox, script: echo from git}]}\n",
		"hub/task/lint/0.6/lint.yaml": "apiVersion: tekton.dev/v1beta1\nkind: Task\nmetadata: {name: lint}\nspec: {steps: [{name: s, image: busybox, script: echo from the hub}]}\n",
		"bundle/lint.yaml":            "apiVersion: tekton.dev/v1beta1\nkind: Task\nmetadata: {name: lint}\nspec: {steps: [{name: s, image: busybox, script: echo from a bundle}]}\n",
		"empty/README.md":             "x",
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(resolver, params string) string {
		return "apiVersion: tekton.dev/v1beta1\nkind: TaskRun\nmetadata: {name: r}\nspec: {taskRef: {resolver: " + resolver + ", params: [" + params + "]}}\n"
	}
	git := run("git", "{name: url, value: https://git.example.com/c}, {name: revision, value: v1}, {name: pathInRepo, value: task/lint.yaml}")
	forge := "apiVersion: v1\nkind: Secret\nmetadata: {name: token, namespace: default}\nstringData: {key: x}\n---\n" +
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: git-resolver-config, namespace: tekton-pipelines-resolvers}\n" +
		"data: {default-revision: main, scm-type: github, api-token-secret-name: token, api-token-secret-key: key, api-token-secret-namespace: default}\n---\n" +
		run("git", "{name: org, value: acme}, {name: repo, value: c}, {name: pathInRepo, value: task/lint.yaml}")
	hub := run("hub", "{name: name, value: lint}, {name: version, value: '0.6'}")
	bundle := run("bundles", "{name: bundle, value: registry.example.com/b}, {name: name, value: lint}")
	page := run("http", "{name: url, value: https://www.example.com/lint.yaml}")
	for _, tt := range []struct {
		reason, input, args string
		exit                int
		want                string
	}{
		{reason: "a folder as a repository", input: git, args: "--repository https://git.example.com/c.git=ROOT/repo", want: "| from git"},
		{reason: "the same through an API", input: forge, args: "--repository https://github.com/acme/c=ROOT/repo", want: "| from git"},
		{reason: "a folder as a hub", input: hub, args: "--hub ROOT/hub", want: "| from the hub"},
		{reason: "a folder as a bundle", input: bundle, args: "--bundle registry.example.com/b=ROOT/bundle", want: "| from a bundle"},
		{reason: "no repository", input: git, exit: 1, want: "run.yaml:4:17: spec.taskRef: taskrun/r failed: failed to get task: error requesting remote resource: error getting \"Git\" \"default/git-RANDOM\": clone error: nothing leaves the simulation: give --repository https://git.example.com/c=FOLDER\n"},
		{reason: "no repository behind an API", input: forge, exit: 1, want: "give --repository https://github.com/acme/c=FOLDER"},
		{reason: "no hub", input: hub, exit: 1, want: "nothing leaves the simulation: give --hub FOLDER\n"},
		{reason: "no bundle", input: bundle, exit: 1, want: "cannot retrieve the oci image: nothing leaves the simulation: give --bundle registry.example.com/b=FOLDER\n"},
		{reason: "no page", input: page, exit: 1, want: "error fetching URL: nothing leaves the simulation: give https://www.example.com/lint.yaml as a page"},
		{reason: "no such file", input: strings.Replace(git, "lint.yaml", "nosuch.yaml", 1), args: "--repository https://git.example.com/c.git=ROOT/repo", exit: 1, want: `error opening file "task/nosuch.yaml": file does not exist`},
		{reason: "no such resolver", input: run("demo", ""), exit: 1, want: "a simulation has the resolvers bundles, cluster, git, http and hub, and demo is not one of them"},
		{reason: "no folder", input: git, args: "--repository https://git.example.com/c.git", exit: 3, want: "--repository https://git.example.com/c.git: want URL=FOLDER"},
		{reason: "no reference", input: git, args: "--bundle =x", exit: 3, want: "--bundle =x: want REFERENCE=FOLDER"},
		{reason: "not a reference", input: git, args: "--bundle UPPER=ROOT/bundle", exit: 3, want: "could not parse reference: UPPER"},
		{reason: "a repository that does not exist", input: git, args: "--repository u=ROOT/nosuch", exit: 3, want: "no such file or directory"},
		{reason: "a bundle that does not exist", input: git, args: "--bundle b=ROOT/nosuch", exit: 3, want: "no such file or directory"},
		{reason: "a hub that does not exist", input: git, args: "--hub ROOT/nosuch", exit: 3, want: "no such file or directory"},
		{reason: "a bundle of nothing", input: git, args: "--bundle b=ROOT/empty", exit: 3, want: "no object: want Tasks and Pipelines in files *.yaml"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			input := filepath.Join(t.TempDir(), "run.yaml")
			if err := os.WriteFile(input, []byte(tt.input), 0o600); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			args := append([]string{"simulate", "--timeline=false", "-f", input}, strings.Fields(strings.ReplaceAll(tt.args, "ROOT", root))...)
			if code := command.Main(t.Context(), args, command.Streams{In: strings.NewReader(""), Out: &out, Err: &out}); code != tt.exit {
				t.Errorf("exit code %d, want %d", code, tt.exit)
			}
			got := requestName.ReplaceAllString(out.String(), "-RANDOM")
			if !strings.Contains(got, tt.want) {
				t.Errorf("want %s in\n%s", tt.want, got)
			}
		})
	}
}
