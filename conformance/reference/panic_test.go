package reference

import (
	"errors"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/conformance"
)

// TestPanicOfTheLauncherIsAnErrorOfTheImplementation also covers the panics by which a process ends, which are passed on.
func TestPanicOfTheLauncherIsAnErrorOfTheImplementation(t *testing.T) {
	t.Parallel()
	type ends struct{}
	var none []int
	for _, tt := range []struct {
		reason string
		run    func() int
		own    string // of the implementation's error; empty: the panic is passed on
	}{
		{"a defect", func() int { return none[3] }, "the program entrypoint panicked: runtime error: index out of range [3] with length 0"},
		{"a panic that is meant", func() int { panic("out of cheese") }, "the program entrypoint panicked: out of cheese"},
		{"an error", func() int { panic(errors.New("out of cheese")) }, "the program entrypoint panicked: out of cheese"},
		{"a process that ends", func() int { panic(ends{}) }, ""},
	} {
		func() {
			defer func() {
				v := recover()
				own, is := v.(*conformance.ImplementationError)
				if is != (tt.own != "") || is && !strings.HasPrefix(own.Error(), tt.own+"\n") {
					t.Errorf("%s: got %v, want %q", tt.reason, v, tt.own)
				}
			}()
			launching("entrypoint", tt.run)
		}()
	}
}
