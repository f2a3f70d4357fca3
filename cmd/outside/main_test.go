package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/cmd/internal/program"
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
		{[]string{"-help"}, program.ExitOK, "-world"},
		{nil, program.ExitInvalid, "-world is needed"},
		{[]string{"-nosuch"}, program.ExitInvalid, "nosuch"},
		{[]string{"-world", world, "-certificate", "nosuch", "-key", "nosuch"}, program.ExitBroken, "nosuch"},
		{[]string{"-world", world, "-certificate", world, "-key", world}, program.ExitBroken, "world.json"},
	} {
		var log strings.Builder
		if code := server().Run(t.Context(), tt.args, &log); code != tt.code || !strings.Contains(log.String(), tt.says) {
			t.Errorf("%v: exit code %d, %s", tt.args, code, log.String())
		}
	}
}
