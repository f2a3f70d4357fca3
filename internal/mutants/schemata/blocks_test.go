package schemata

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBlocks(t *testing.T) {
	t.Parallel()
	const source = `package p

func f(n int) int {
	if n > 0 {
		return 1
	}
	switch n {
	case -1:
		n++
	}
	return func() int { return n }()
}
`
	blocks, marks, err := Blocks("p.go", []byte(source), 7)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, b := range blocks {
		if b.ID != 7+i {
			t.Errorf("block %d has the number %d", i, b.ID)
		}
		got = append(got, strings.Join(strings.Fields(source[b.Start:b.End]), " "))
	}
	want := []string{
		"if n > 0 { return 1 } switch n { case -1: n++ } return func() int { return n }()",
		"switch n { case -1: n++ } return func() int { return n }()",
		"return func() int { return n }()",
		"return 1",
		"n++",
		"return n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text, err := Apply([]byte(source), marks)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "plumblineHit["); n != len(want) {
		t.Errorf("%d marks, want %d:\n%s", n, len(want), text)
	}
	if _, _, err := Blocks("p.go", []byte("package"), 0); err == nil {
		t.Error("nonsense has blocks")
	}
}
