package shell_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/shell"
	"github.com/plumbline-ci/plumbline/simulator/userland"
)

// world is a kernel with the base images.
type world struct {
	t        testing.TB
	k        *kernel.Kernel
	images   *image.Catalogue
	programs map[string]container.Program
}

func newWorld(t testing.TB, seed uint64) *world {
	t.Helper()
	list, err := image.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	images, err := image.NewCatalogue(list...)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, k: kernel.New(kernel.Options{Seed: seed}), images: images, programs: userland.Programs()}
	maps.Copy(w.programs, shell.New().Programs())
	return w
}

// outcome is what a script leaves.
type outcome struct {
	Stdout, Stderr string
	Code           int
	Took           time.Duration
}

func (w *world) config(ref string) container.Config {
	w.t.Helper()
	i, err := w.images.Pull(ref)
	if err != nil {
		w.t.Fatal(err)
	}
	return container.Config{Kernel: w.k, Actor: "test", Image: i, Programs: w.programs, Hostname: "host"}
}

func (w *world) run(cfg container.Config) outcome {
	w.t.Helper()
	var o outcome
	cfg.Log = func(stream int, data []byte) {
		if stream == 1 {
			o.Stdout += string(data)
		} else {
			o.Stderr += string(data)
		}
	}
	start := w.k.Now()
	c, err := container.Start(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.k.RunWhile(c.Running, start.Add(100*time.Hour), 20_000_000); err != nil {
		w.t.Fatal(err)
	}
	st, ok := c.ExitStatus()
	if !ok {
		w.t.Fatalf("the container has not ended and nothing is going to happen; stdout %q stderr %q", o.Stdout, o.Stderr)
	}
	o.Code, o.Took = st.Code, w.k.Now().Sub(start)
	if st.Message != "" {
		o.Stderr += st.Message
	}
	return o
}

type row struct {
	script string
	stdout string
	stderr string
	code   int
	reason string // why this row is here
}

func check(t *testing.T, kind string, rows []row) {
	t.Helper()
	t.Parallel()
	for i, r := range rows {
		t.Run(fmt.Sprintf("%02d", i), func(t *testing.T) {
			w := newWorld(t, 1)
			ref := "debian"
			if kind == "sh" {
				ref = "busybox"
			}
			cfg := w.config(ref)
			cfg.Command = []string{kind, "-c", r.script}
			got := w.run(cfg)
			got.Took = 0
			want := outcome{Stdout: r.stdout, Stderr: r.stderr, Code: r.code}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s -c %q (%s) (-want +got):\n%s", kind, r.script, r.reason, d)
			}
		})
	}
}

func TestSh(t *testing.T) {
	check(t, "sh", []row{
		{script: `echo hello`, stdout: "hello\n", reason: "the simplest script"},
		{script: `echo going; exit 7`, stdout: "going\n", code: 7, reason: "exit code"},
		{script: `a=1; b="$a 2"; echo $b "$b" '$b'`, stdout: "1 2 1 2 $b\n", reason: "quoting"},
		{script: `x="a  b"; echo $x; echo "$x"`, stdout: "a b\na  b\n", reason: "field splitting"},
		{script: `IFS=:; x=a::b; set -- $x; echo $#`, stdout: "3\n", reason: "a non-blank IFS keeps empty fields"},
		{script: `set -- "$@"; echo $#; set -- "" a; echo $#; set -- "$@" b; echo $#`, stdout: "0\n2\n3\n", reason: "quoted $@"},
		{script: `set -- 1 "2 3"; for i; do echo "<$i>"; done; echo "x$@y"`, stdout: "<1>\n<2 3>\nx1 2 3y\n", reason: "for without in"},
		{script: `echo ${x:-default} ${x-$(echo sub)}; x=v; echo ${x:-$(exit 3)} ${x:+alt} ${#x}`, stdout: "default sub\nv alt 1\n", reason: "defaults"},
		{script: `x=v; echo ${x:-$(echo no >&2)}`, stdout: "v\n", reason: "an unused default is not evaluated"},
		{script: `: ${x:=set}; echo $x; f=a/b/c.tar.gz; echo ${f##*/} ${f%%.*} ${f#*/} ${f%.*}`, stdout: "set\nc.tar.gz a/b/c b/c.tar.gz a/b/c.tar\n", reason: "pattern removal"},
		{script: `x='*b'; y='a*b'; echo ${y#"a*"} ${y%"$x"}`, stdout: "b a\n", reason: "quoted patterns are literal"},
		{script: `echo $((1+2*3)) $((7/2)) $((-7%3)) $((1<<4)) $((5>3?10:20)); i=5; echo $((i++)) $i $((i+=2))`, stdout: "7 3 -1 16 10\n5 6 8\n", reason: "arithmetic"},
		{script: `echo -n $(( 10 + 15 )) | tee /tmp/sum`, stdout: "25", reason: "recorded pipeline task"},
		{script: "cat <<EOF\na $HOME $(echo b) `echo c` \\$x\nEOF\ncat <<'EOF'\n$HOME\nEOF\ncat <<-X\n\t\ttabs\n\tX", stdout: "a /root b c $x\n$HOME\ntabs\n", reason: "here-documents"},
		{script: `if false; then echo a; elif true; then echo b; else echo c; fi`, stdout: "b\n", reason: "if"},
		{script: `i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done; until false; do break; done`, stdout: "0\n1\n2\n", reason: "while"},
		{script: `for i in 1 2 3; do for j in a b; do [ $i = 2 ] && continue 2; [ $i = 3 ] && break 2; echo $i$j; done; done`, stdout: "1a\n1b\n", reason: "break and continue with levels"},
		{script: `case abc in x|a*) echo one;; *) echo two;; esac; case "*" in "*") echo lit;; esac`, stdout: "one\nlit\n", reason: "case"},
		{script: `f() { local a=1; echo $1 $a; return 4; }; a=9; f x; echo $? $a`, stdout: "x 1\n4 9\n", reason: "functions"},
		{script: `f() { echo "$#: $*"; }; f 1 2; (exit 3); echo $?; { echo x; } > /tmp/f; cat /tmp/f`, stdout: "2: 1 2\n3\nx\n", reason: "subshell and block"},
		{script: `true && echo a || echo b; false && echo a || echo b; ! true; echo $?`, stdout: "a\nb\n1\n", reason: "lists"},
		{script: `set -e; false || true; if false; then :; fi; ! true; false; echo no`, code: 1, reason: "errexit"},
		{script: `set -e; f() { false; echo in; }; f || echo caught; f; echo no`, stdout: "in\n", code: 1, reason: "errexit in functions"},
		{script: `set -e; x=$(false); echo no`, code: 1, reason: "errexit and assignments"},
		{script: `set -u; echo $nope`, stderr: "sh: nope: parameter not set\n", code: 2, reason: "nounset"},
		{script: `set -x; a="1 2"; echo $a "$a"`, stdout: "1 2 1 2\n", stderr: "+ a='1 2'\n+ echo 1 2 '1 2'\n", reason: "xtrace"},
		{script: `set -o pipefail; false | true; echo $?; set +o pipefail; false | true; echo $?`, stdout: "1\n0\n", reason: "pipefail"},
		{script: `printf '["%s","%s"]' x y; printf '%d %5.2f|%-5s|%05d\n' 0x10 3.14159 ab 42; printf '%s\n' a b c`, stdout: "[\"x\",\"y\"]16  3.14|ab   |00042\na\nb\nc\n", reason: "printf"},
		{script: `printf '\101\n%b' 'a\tb\n'; echo -e 'x\ty'; echo 'x\ty'`, stdout: "A\na\tb\nx\ty\nx\\ty\n", reason: "escapes"},
		{script: `nosuch`, stderr: "sh: nosuch: not found\n", code: 127, reason: "a missing command"},
		{script: `/nosuch/x; echo $?`, stdout: "127\n", stderr: "sh: /nosuch/x: not found\n", reason: "a missing path"},
		{script: `echo x > /tmp/f; /tmp/f; echo $?; cd /nosuch; echo $?`, stdout: "126\n2\n", stderr: "sh: /tmp/f: Permission denied\nsh: cd: line 0: can't cd to /nosuch: No such file or directory\n", reason: "error texts"},
		{script: `cd /tmp; while mkdir d && cd d; do :; done; echo $?; pwd | wc -c; mkdir d/e && ls d`, stdout: "0\n4095\ne\n", stderr: "sh: cd: line 0: can't cd to d: File name too long\n", reason: "a path has an end, and so have directories"},
		{script: `cat < /nosuch; echo $?; echo x > /no/such; echo $?`, stdout: "1\n1\n", stderr: "sh: can't open /nosuch: no such file\nsh: can't create /no/such: nonexistent directory\n", reason: "redirection errors"},
		{script: "echo a\necho b; if", stdout: "a\n", stderr: "sh: syntax error: unexpected end of file (expecting \"then\")\n", code: 2, reason: "a syntax error spoils its line, not the lines before"},
		{script: `echo out; echo err >&2; echo both 2>&1 >/dev/null`, stdout: "out\n", stderr: "err\n", reason: "streams"},
		{script: `exec 3>/tmp/f; echo one >&3; echo two >&3; exec 3>&-; cat /tmp/f; exec < /tmp/f; read a; echo "r $a"`, stdout: "one\ntwo\nr one\n", reason: "descriptors"},
		{script: `printf 'a b c\nd\\e\n' > /tmp/f; { read x y; read -r z; } < /tmp/f; echo "$x|$y|$z"`, stdout: "a|b c|d\\e\n", reason: "read"},
		{script: `echo "a b" | while read x y; do echo $y$x; done`, stdout: "ba\n", reason: "while read"},
		{script: `sleep 1 & p=$!; wait $p; echo $?; (exit 5) & wait $!; echo $?; wait`, stdout: "0\n5\n", reason: "background jobs"},
		{script: `trap 'echo bye' EXIT; echo hi; exit 3`, stdout: "hi\nbye\n", code: 3, reason: "EXIT trap"},
		{script: `trap 'echo got; exit 0' TERM; kill -TERM $$; echo no`, stdout: "got\n", reason: "a trap runs after the command"},
		{script: `trap 'echo usr1' USR1; (sleep 1; kill -USR1 $$) & wait; echo $?; wait; echo done`, stdout: "usr1\n138\ndone\n", reason: "a signal ends wait"},
		{script: `sh -c 'kill -9 $$'; echo $?; sh -c 'kill $$'; echo $?`, stdout: "137\n143\n", stderr: "Killed\nTerminated\n", reason: "killed children"},
		{script: `yes | head -n 2; echo $?`, stdout: "y\ny\n0\n", reason: "SIGPIPE ends the writer"},
		{script: `a=1 sh -c 'echo $a'; echo "[$a]"; export b=2; sh -c 'echo $b'; env -i c=3 env`, stdout: "1\n[]\n2\nc=3\n", reason: "environment"},
		{script: `while getopts ab:c o; do echo "$o $OPTARG"; done; echo $OPTIND`, stdout: "1\n", reason: "getopts without options"},
		{script: `set -- -ab v -c rest; while getopts ab:c o; do echo "$o $OPTARG"; done; shift $((OPTIND-1)); echo $1`, stdout: "a \nb v\nc \nrest\n", reason: "getopts"},
		{script: `mkdir -p /t/a /t/b; touch /t/a/x.txt /t/b/y.txt /t/.h; echo /t/*/*.txt /t/* /t/z*; cd /t; echo */`, stdout: "/t/a/x.txt /t/b/y.txt /t/a /t/b /t/z*\na/ b/\n", reason: "globs"},
		{script: `eval 'x=1; echo $x'; . /dev/null; command -v cat; command -v nope; echo $?; type echo`, stdout: "1\n/bin/cat\n127\necho is a shell builtin\n", reason: "eval, source, command"},
		{script: `umask 077; touch /tmp/f; ls -l /tmp/f | cut -c1-10; umask`, stdout: "-rw-------\n0077\n", reason: "umask"},
		{script: `echo $0 $# $1; echo "${1:-none}"`, stdout: "sh 0\nnone\n", reason: "parameters"},
		{script: `readonly x=1; x=2; echo no`, stderr: "sh: x: is read only\n", code: 2, reason: "readonly"},
		{script: `[ "a" = "a" -a 1 -lt 2 ] && echo y; [ ! -f /nope ] && echo n; test -d /tmp && echo d; [ 1 -eq x ]; echo $?`, stdout: "y\nn\nd\n2\n", stderr: "sh: x: bad number\n", reason: "test"},
		{script: `[[ abc == a* ]] && echo m; x=abcdef; echo ${x:1:3} ${x/cd/-}`, stdout: "m\nbcd ab-ef\n", reason: "what ash takes from bash"},
		{script: `x=$(printf 'a\n\n'); echo "[$x]"; echo "$(echo "in $(echo deep)")"`, stdout: "[a]\nin deep\n", reason: "command substitution"},
		{script: `echo "a\"b\\c\$d" 'e\f' g\ h`, stdout: "a\"b\\c$d e\\f g h\n", reason: "backslashes"},
		{script: `echo ~ ~/x ~root; HOME=/h; echo ~; x=~/y; echo $x`, stdout: "/root /root/x /root\n/h\n/h/y\n", reason: "tilde"},
		{script: `false; echo $?; (echo sub; exit 2) || echo "c $?"`, stdout: "1\nsub\nc 2\n", reason: "status"},
		{script: `echo 1 | { read x; echo "got $x"; }; echo a | cat | cat | tr a b`, stdout: "got 1\nb\n", reason: "pipelines"},
		{script: `unset x; echo "${x+set}" "${x-unset}" "[${x:+no}]"`, stdout: " unset []\n", reason: "unset alternatives keep a quoted field"},
		{script: `set -- a b c; echo "$*"; IFS=,; echo "$*"; shift 2; echo $1`, stdout: "a b c\na,b,c\nc\n", reason: "$*"},
		{script: `echo $((x)); x=5; y=x; echo $((y+1)) $((0x1f)) $((010)); echo $((1/0)); echo no`, stdout: "0\n6 31 8\n", stderr: "sh: divide by zero\n", code: 2, reason: "arithmetic variables"},
	})
}

func TestBash(t *testing.T) {
	check(t, "bash", []row{
		{script: `a=(1 "2 3" 4); echo ${#a[@]} "${a[1]}" ${a[-1]}; a+=(5); for x in "${a[@]}"; do echo "<$x>"; done; echo ${!a[@]}`, stdout: "3 2 3 4\n<1>\n<2 3>\n<4>\n<5>\n0 1 2 3\n", reason: "arrays"},
		{script: `declare -A m; m[k]=v; m["a b"]=c; echo ${m[k]} "${m["a b"]}" ${#m[@]} "${!m[@]}"`, stdout: "v c 2 k a b\n", reason: "associative arrays, in the order of a hash table"},
		{script: `[[ foo123 =~ ^([a-z]+)([0-9]+)$ ]] && echo ${BASH_REMATCH[1]} ${BASH_REMATCH[2]}`, stdout: "foo 123\n", reason: "regular expressions"},
		{script: `x=hello; echo ${x^} ${x^^} ${x:1:2} ${x: -2} ${x//l/L} ${x/#h/H}`, stdout: "Hello HELLO el lo heLLo Hello\n", reason: "operators"},
		{script: `echo {a,b}{1..3} x{05..07}`, stdout: "a1 a2 a3 b1 b2 b3 x05 x06 x07\n", reason: "braces"},
		{script: `cat <<< "here $((1+1))"; cat <(echo proc)`, stdout: "here 2\nproc\n", reason: "here-string and process substitution"},
		{script: `for ((i=0;i<3;i++)); do ((i==1)) && continue; echo $i; done; let x=2**3; echo $x`, stdout: "0\n2\n8\n", reason: "arithmetic for"},
		{script: `nosuch; echo $?`, stdout: "127\n", stderr: "bash: line 1: nosuch: command not found\n", reason: "missing command"},
		{script: `set -u; echo $nope; echo no`, stderr: "bash: line 1: nope: unbound variable\n", code: 127, reason: "nounset"},
		{script: `set -euo pipefail; false | cat; echo no`, code: 1, reason: "strict mode"},
		{script: `trap 'echo err $?' ERR; false; echo after`, stdout: "err 1\nafter\n", reason: "ERR trap"},
		{script: `f() { local x=1; g; echo $x; }; g() { x=2; }; f; printf -v y '%03d' 7; echo $y`, stdout: "2\n007\n", reason: "dynamic scope"},
		{script: `x=y; y=z; echo ${!x}; declare -n r=x; r=n; echo $x`, stdout: "z\nn\n", reason: "indirection"},
		{script: `true | false | true; echo "${PIPESTATUS[@]}"`, stdout: "0 1 0\n", reason: "PIPESTATUS"},
		{script: `echo &> /tmp/x a; cat /tmp/x; mapfile -t l < <(printf 'a\nb\n'); echo ${l[1]}`, stdout: "a\nb\n", reason: "mapfile"},
		{script: "shopt -s extglob\ncase x in @(x|y)) echo ext;; esac; echo \"${a[@]:-none}\"", stdout: "ext\nnone\n", reason: "extended patterns"},
		{script: `for l in C C.UTF-8 C; do LC_ALL=$l; eval "echo \$'\\u00e9'"; done`, stdout: "\\u00E9\né\n\\u00E9\n", reason: "a text that is read again under another locale"},
		{script: `echo $'a\tb\x41'; echo "${x@Q}"; cd /nosuch`, stdout: "a\tbA\n\n", stderr: "bash: line 1: cd: /nosuch: No such file or directory\n", code: 1, reason: "quoting"},
	})
}

// TestChildrenAreSnapshots checks that a child sees the shell as it was at the fork, whatever the parent does before the
// child gets to run.
func TestChildrenAreSnapshots(t *testing.T) {
	check(t, "sh", []row{
		{script: `for i in 1 2 3; do (sleep $i; echo $i) & done; wait`, stdout: "1\n2\n3\n", reason: "variables"},
		{script: `f() { sleep $1; echo $1 $x; }; x=a; f 1 & x=b; f 2 & wait`, stdout: "1 a\n2 b\n", reason: "arguments of a function"},
		{script: `set -- a; { sleep 1; echo $1 $#; } & set -- b c; wait; echo $1`, stdout: "a 1\nb\n", reason: "positional parameters"},
		{script: `f() { echo old; }; { sleep 1; f; } & f() { echo new; }; wait; f`, stdout: "old\nnew\n", reason: "functions"},
		{script: `export e=1; { sleep 1; sh -c 'echo $e'; } & e=2; wait; IFS=:; x=a:b; { sleep 1; echo $x; } & IFS=' '; wait`, stdout: "1\na b\n", reason: "exports and IFS"},
		{script: `x=1; { sleep 1; echo $x; x=5; } | { x=7; cat; echo $x; }; echo $x; set -f; { sleep 1; echo /et*; } & set +f; wait`, stdout: "1\n7\n1\n/et*\n", reason: "stages of a pipeline; options"},
		{script: `trap 'echo bye' EXIT; (echo in); cd /tmp; { sleep 1; pwd; } & cd /; wait; x=$(trap - EXIT)`, stdout: "in\n/tmp\nbye\n", reason: "traps and the working directory"},
	})
	t.Run("bash", func(t *testing.T) {
		check(t, "bash", []row{
			{script: `a=(1 2); { sleep 1; echo ${a[@]}; } & a+=(3); a[0]=9; wait; echo ${a[@]}; x=1; cat <(sleep 1; echo $x); x=2`, stdout: "1 2\n9 2 3\n1\n", reason: "arrays; process substitutions"},
		})
	})
}
