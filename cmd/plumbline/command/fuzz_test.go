package command

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whatever the manifests, simulate ends, and says what is wrong with them: the machine does not break.
func FuzzSimulate(f *testing.F) {
	files, err := filepath.Glob("../../../docs/examples/[a-e]*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files[:min(4, len(files))] {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	const run = "apiVersion: tekton.dev/v1beta1\nkind: TaskRun\nmetadata: {name: a}\nspec: {taskSpec: {steps: [{image: busybox, script: "
	for _, seed := range []string{
		run + "exit 3}]}}\n", run + "'while true; do :; done'}]}}\n", run + "yes}]}}\n", run + "sleep 99999999999999999999}], results: [{name: r, type: object}]}}\n",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"\\xff\"}\ndata: {a: 1e400}\n", "a: &a [*a]\n", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: busybox, resources: {limits: {cpu: 1e999999}}}]}\n",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: '!'}\n", "kind: List\n", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var stdout, stderr bytes.Buffer
		switch code := Main(ctx, []string{"simulate", "-q", "--limit", "2h", "-f", "-"}, Streams{In: bytes.NewReader(data), Out: &stdout, Err: &stderr}); {
		case code == exitBroken:
			t.Fatalf("the machine broke: %s", stderr.Bytes())
		case code == exitInvalid && stderr.Len() == 0:
			t.Fatal("refused without a word")
		case ctx.Err() != nil:
			t.Fatal("it did not end")
		}
	})
}
