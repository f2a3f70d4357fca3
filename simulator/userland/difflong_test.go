package userland_test

import (
	"testing"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// TestDiffOfLongFiles compares files that are too long for a table of all pairs of their lines. The answers are those of
// GNU's diff 3.8.
func TestDiffOfLongFiles(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, row := range []struct{ script, want string }{
		{`seq 1 20000 > a; seq 2 20001 > b; diff -U0 a b | tail -n +3`, "@@ -1 +0,0 @@\n-1\n@@ -20000,0 +20000 @@\n+20001\n"},
		{`seq 1 20000 > a; sed 's/^7777$/x/;5d;19000a new' a | sed '1i top' > b; diff -U0 a b | tail -n +3`, "@@ -0,0 +1 @@\n+top\n@@ -5 +5,0 @@\n-5\n@@ -7777 +7777 @@\n-7777\n+x\n@@ -19000,0 +19001 @@\n+new\n"},
		{`seq 1 9000 > a; seq 10000 19000 > b; diff a b | wc -l`, "18003\n"},
		{`seq 1 9000 > a; (seq 20001 22500; seq 1 9000; seq 30001 32500) > b; diff -u a b | grep -c '^-'; diff -u a b | grep -c '^+'`, "1\n5001\n"},
		{`seq 1 30000 > a; seq 30000 -1 1 > b; diff a b`, "plumbline: the simulation ended the container: its programs held more than 67108864 bytes of memory\n"},
	} {
		if got, status := b.said(t, container.Budget{}, "cd /tmp; "+row.script); got != row.want {
			t.Errorf("%s\ngot %.300q, %d\nwant %q", row.script, got, status.Code, row.want)
		}
	}
}
