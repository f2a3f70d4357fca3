package container_test

import (
	"strings"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

func TestACommandReadsItsInput(t *testing.T) {
	t.Parallel()
	s := start(t, func(p *container.Process) int {
		_ = p.Sleep(time.Hour)
		return 0
	}, nil)
	var out strings.Builder
	code := -1
	in, err := s.ExecInput([]string{"sh", "-c", "read first; cat; echo $first; exit 3"}, &out, nil, func(c int) { code = c })
	if err != nil {
		t.Fatal(err)
	}
	s.after(time.Second)
	if _, err := in.Write([]byte("one\ntw")); err != nil {
		t.Fatal(err)
	}
	s.after(time.Second)
	if code != -1 || out.String() != "tw" {
		t.Fatalf("while there may be more it has ended with %d, after %q", code, out.String())
	}
	if _, err := in.Write([]byte("o\n")); err != nil {
		t.Fatal(err)
	}
	for range 2 { // to close it again does nothing
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s.after(time.Second)
	if code != 3 || out.String() != "two\none\n" {
		t.Errorf("it ends with %d, after %q", code, out.String())
	}
	if n, err := in.Write([]byte("late")); n != 4 || err != nil {
		t.Errorf("data without a reader is refused: %d, %v", n, err)
	}
}
