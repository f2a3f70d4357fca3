package osadapter

import (
	"os/user"
	"testing"
)

// TestHome: $HOME, or else what the user database says (EP-61).
func TestHome(t *testing.T) {
	t.Setenv("HOME", "/somewhere")
	if got := home(); got != "/somewhere" {
		t.Errorf("$HOME: %q", got)
	}
	current, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", "")
	if got := home(); got != current.HomeDir {
		t.Errorf("without $HOME: %q, want %q", got, current.HomeDir)
	}
}
