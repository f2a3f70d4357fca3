package userland_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/shell"
	"github.com/plumbline-ci/plumbline/simulator/userland"
)

// bench runs commands in containers with small budgets.
type bench struct {
	toolbox  *image.Image
	programs map[string]container.Program
}

func newBench(f testing.TB) *bench {
	f.Helper()
	list, err := image.Defaults()
	if err != nil {
		f.Fatal(err)
	}
	b := &bench{toolbox: list[slices.IndexFunc(list, func(i *image.Image) bool { return i.Reference == image.Toolbox })], programs: userland.Programs()}
	maps.Copy(b.programs, shell.New().Programs())
	return b
}

// run runs a command on an input: it may refuse it or run out of its budget, but never panic or hang.
func (b *bench) run(t *testing.T, input string, argv ...string) {
	t.Helper()
	for _, a := range argv {
		if strings.ContainsRune(a, 0) {
			return // no argument of a program can hold that
		}
	}
	k := kernel.New(kernel.Options{Seed: 1})
	c, err := container.Start(container.Config{Kernel: k, Actor: "test", Image: b.toolbox, Programs: b.programs, Hostname: "host", WorkingDir: "/w",
		Command: append([]string{"sh", "-c", `printf '%s' "$INPUT" > in; cp in in2; "$@" < in`, "sh"}, argv...),
		Env:     []string{"INPUT=" + strings.ReplaceAll(input, "\x00", "0")},
		Budget:  container.Budget{Steps: 20_000, Bytes: 1 << 20, Output: 1 << 20, Memory: 4 << 20, Storage: 1 << 20, Files: 200, Processes: 20}})
	if err != nil {
		t.Fatal(err)
	}
	_ = k.RunWhile(c.Running, k.Now().Add(10*time.Minute), 50_000)
	c.Kill()
	if c.Running() {
		t.Fatal("it survived SIGKILL")
	}
}

func FuzzAwk(f *testing.F) {
	b := newBench(f)
	for _, s := range []string{
		`{ print $1, NF > "out"; a[$2]++ } END { for (k in a) print k, a[k] | "sort"; close("sort") }`, `BEGIN { while (("echo x" | getline l) > 0) print l }`,
		`function f(n) { return n < 2 ? n : f(n-1) + f(n-2) } BEGIN { printf "%5.2f|%s|%c\n", f(9), "x", 65 }`, `/a/,/b/ { sub(/x/, "&&"); $3 = ""; NF = 2; print }`,
		`BEGIN { RS = ""; FS = "[,;]" } { split($0, p, /[0-9]+/); print substr($0, 2, 3) toupper(p[1]) }`, `{ getline; getline x < "in2"; print x, match($0, /[[:alpha:]]+/), RSTART }`,
		`BEGIN { x = "a"; while (1) x = x x }`, `{ gsub(/(a|b)*c{1,3}/, "[&]"); print gensub(/./, "\\0", "g") } END { exit 3 }`,
	} {
		f.Add(s, "a b c\nd,e;f\n\nx 12\n")
	}
	f.Fuzz(func(t *testing.T, program, input string) { b.run(t, input, "awk", program, "in", "v=1", "in2") })
}

func FuzzJq(f *testing.F) {
	b := newBench(f)
	for _, s := range []string{
		`.a[] | select(.b > 1) | "\(.b)-\(.c // "x")"`, `reduce .[] as [$x, {k: $y}] (0; . + $x)`, `[limit(3; repeat(1))] | add, length`, `to_entries | map({(.key): .value}) | add`,
		`def f(x): if x > 1 then f(x - 1) * x else 1 end; f(5), (try error("x") catch .), ([paths] | tojson)`, `.. |= . , (.a += 1), [splits("a")], @base64, ("x" * 1000)`,
		`reduce range(100) as $i ("x"; . + .)`, `reduce range(100) as $i (0; [., .]) | tojson`, `[range(1000000000)]`, `input, $ENV.HOME, now, ltrimstr("a"), test("(a*)*b")`,
	} {
		f.Add(s, `{"a":[{"b":2,"c":null}],"d":"aXb"}`)
	}
	f.Fuzz(func(t *testing.T, filter, input string) { b.run(t, input, "jq", "-c", filter) })
}

func FuzzSed(f *testing.F) {
	b := newBench(f)
	for _, s := range []string{
		`s/\(a*\)*b/\1/gp;$!{N;D}`, `/a/,/b/{s//x/;t;y/xy/yx/;=;l}`, `:a;s/^\(.*\)x/\1\U&/2;ta;w out`, "1~2d;2,+1!G;a\\\n  text\nq5", `s/.*/&&/;H;x;:b;bb`, `0,/x/c\y`, `r in2`,
	} {
		f.Add(s, "ab\nxaxb\nc\n")
	}
	f.Fuzz(func(t *testing.T, script, input string) { b.run(t, input, "sed", "-E", script, "in") })
}

func FuzzPrintf(f *testing.F) {
	b := newBench(f)
	for _, s := range []string{`%*d|%-5s|%b\n`, `\0101\x41\c%q`, `%(%Y)T %.3e %#x %+d`, `%%%c%`, `%099999999d`} {
		f.Add(s, "12")
	}
	f.Fuzz(func(t *testing.T, format, argument string) { b.run(t, "", "printf", "--", format, argument, "3", "x") })
}

// FuzzUtilities calls any utility with any arguments.
func FuzzUtilities(f *testing.F) {
	b := newBench(f)
	for _, s := range []string{
		"sort -t: -k2,2n -k1r in", "cut -d, -f1-3,5 in", "tr -cs a-z\\n x", "find . -name i* -o -size +1k -exec echo {} ;", "xargs -n2 echo x", "date -d @12 +%F-%s", "expr 1 + ( 2 * x )",
		"dd if=in bs=2 count=3 skip=1", "tar czf t in in2", "od -A d -t x2 in", "diff -u in in2", "base64 -d in", "grep -nE (a|b)*c in", "stat -c %a-%n in", "seq -w 1 3 20", "uniq -c in",
		"fold -s -w 3 in", "paste -d: - - in", "gunzip in", "xxd -r -p in", "head -c -2 in", "tail -n +2 in", "timeout 1 sleep 3", "getopt -o a:b -l x: -- -a 1 --x=2 y", "shuf -i 1-9",
		"ls -laR .", "touch -d 2020-01-01 x", "chmod u+x,g-w in", "split -b 3 in", "mktemp x.XXXXXX", "tar xzf in", "cksum in", "env -u HOME A=1 id", "test -f in -a 1 -lt x", "truncate -s 5M in",
	} {
		f.Add(s, "a:1,b\nc:2;d\n")
	}
	f.Fuzz(func(t *testing.T, line, input string) {
		argv := strings.Fields(line)
		if len(argv) == 0 || b.programs[argv[0]] == nil {
			return
		}
		b.run(t, input, argv...)
	})
}
