package shell

import (
	"testing"
	"unsafe"
)

// TestForksAreSmall holds the size of what each fork copies: above it, the allocator, which adds a
// header of 8 bytes, takes the next larger class.
func TestForksAreSmall(t *testing.T) {
	t.Parallel()
	if size := unsafe.Sizeof(shell{}); size > 888 {
		t.Errorf("a shell has %d bytes", size)
	}
}
