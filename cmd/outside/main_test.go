package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrongFlags(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	world := filepath.Join(folder, "world.json")
	if err := os.WriteFile(world, []byte("["), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-help"}, exitOK, "-world"},
		{nil, exitInvalid, "-world, -certificate and -key are needed"},
		{[]string{"-nosuch"}, exitInvalid, "nosuch"},
		{[]string{"-world", world, "-certificate", "nosuch", "-key", "nosuch"}, exitBroken, "nosuch"},
		{[]string{"-world", world, "-certificate", world, "-key", world}, exitBroken, "world.json"},
	} {
		var log strings.Builder
		if code := run(context.Background(), tt.args, &log); code != tt.code || !strings.Contains(log.String(), tt.says) {
			t.Errorf("%v: exit code %d, %s", tt.args, code, log.String())
		}
	}
}
