//go:build !linux

package osadapter

// carriesEvents reports whether changes in dir make events, whichever process of this machine makes them.
func carriesEvents(string) bool { return true }
