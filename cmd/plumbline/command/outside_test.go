package command

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOutsideIsServed serves the world of the suite, says where, and ends when it is asked to.
func TestOutsideIsServed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	authority := filepath.Join(t.TempDir(), "ca.crt")
	r, w := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- Main(ctx, []string{"outside", "--authority", authority}, Streams{In: strings.NewReader(""), Out: w, Err: io.Discard})
		_ = w.Close()
	}()
	lines := bufio.NewScanner(r)
	var names []string
	for lines.Scan() && lines.Text() != "ready" {
		name, at, _ := strings.Cut(lines.Text(), "=")
		if !strings.HasPrefix(at, "127.0.0.1:") {
			t.Errorf("%s", lines.Text())
		}
		names = append(names, name)
	}
	if got := strings.Join(names, " "); !strings.Contains(got, "git.example.com:443") || !strings.Contains(got, "registry.example.com:443") {
		t.Errorf("served: %s", got)
	}
	if text, err := os.ReadFile(authority); err != nil || !strings.Contains(string(text), "BEGIN CERTIFICATE") {
		t.Errorf("the authority: %s, %v", text, err)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestOutsideRefuses(t *testing.T) {
	t.Parallel()
	const plain = "{apiVersion: plumbline.dev/v1alpha1, kind: Fixture, metadata: {name: n}, spec: {requirement: It runs., then: [{never: {on: taskrun/r, count: 2}}]}}\n" +
		"---\n{apiVersion: tekton.dev/v1beta1, kind: TaskRun, metadata: {name: r}, spec: {taskSpec: {steps: [{image: busybox, script: echo}]}}}\n"
	for _, tt := range []struct {
		in   string
		args []string
		code int
		says string
	}{
		{"", []string{"-f", "nosuch"}, exitNotFound, "nosuch"},
		{plain, []string{"-f", "-"}, exitInvalid, ""},
		{"", []string{"--address", "127.0.0.1"}, exitBroken, "missing port"},
	} {
		var errs strings.Builder
		code := Main(t.Context(), append([]string{"outside"}, tt.args...), Streams{In: strings.NewReader(tt.in), Out: io.Discard, Err: &errs})
		if code != tt.code || !strings.Contains(errs.String(), tt.says) {
			t.Errorf("%v: exit code %d, %s", tt.args, code, errs.String())
		}
	}
}
