package shell_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scriptRow is a script file, and what the real shell says of it.
type scriptRow struct {
	image, script  string
	stdout, stderr string
	code           int
	reason         string
}

// checkScripts runs scripts from files, as the steps of a Task run.
func checkScripts(t *testing.T, rows []scriptRow) {
	t.Helper()
	t.Parallel()
	for _, r := range rows {
		t.Run(r.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			cfg := w.config(r.image)
			cfg.Command = []string{"sh", "-c", "printf '%s' \"$1\" > /tmp/script && chmod +x /tmp/script && exec /tmp/script", "sh", r.script}
			got := w.run(cfg)
			got.Took = 0
			if d := cmp.Diff(outcome{Stdout: r.stdout, Stderr: r.stderr, Code: r.code}, got); d != "" {
				t.Errorf("%s\n(-want +got):\n%s", r.script, d)
			}
		})
	}
}

// TestScriptsOfTasks runs what real Tasks do. The answers are those of bash 5.2.15, BusyBox 1.35.0 and dash 0.5.12.
func TestScriptsOfTasks(t *testing.T) {
	checkScripts(t, []scriptRow{
		{image: "debian", reason: "variables that a library of scripts uses",
			script: `#!/usr/bin/env bash
mkdir -p /lib1
echo 'echo lib says hi' > /lib1/lib.sh
printf '#!/usr/bin/env bash\nset -u\n. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"\n' > /lib1/main.sh
bash /lib1/main.sh
greet() { echo "in ${FUNCNAME[0]} from ${FUNCNAME[1]}"; }
greet
trap 'echo "err: $BASH_COMMAND"' ERR
false
echo "major ${BASH_VERSINFO[0]}"
`, stdout: "lib says hi\nin greet from main\nerr: false\nmajor 5\n"},
		{image: "debian", reason: "scripts from pipes",
			script: `#!/usr/bin/env bash
bash <(echo 'echo one $1') x
source <(echo v=1); echo "v=$v"
. /dev/stdin <<< w=2; echo "w=$w"
`, stdout: "one x\nv=1\nw=2\n"},
		{image: "debian", reason: "an operand of -eq that is not a number",
			script: `#!/usr/bin/env bash
code='{}'
if [[ "$code" -eq 200 ]]; then echo yes; else echo no; fi
if [[ "a b" -ne 200 ]]; then echo yes; else echo no; fi
`, stdout: "no\nno\n",
			stderr: "/tmp/script: line 3: [[: {}: syntax error: operand expected (error token is \"{}\")\n/tmp/script: line 4: [[: a b: syntax error in expression (error token is \"b\")\n"},
		{image: "debian", reason: "built-ins that had another result",
			script: `#!/usr/bin/env bash
mapfile -d '' -t n < <(printf 'a\0b\0'); echo "mapfile -d: ${#n[@]} ${n[1]}"
mapfile -t -s 1 -n 1 k <<< $'l1\nl2\nl3'; echo "mapfile -s -n: ${k[*]}"
TZ=UTC printf 'printf time: %(%F)T\n' 0
printf 'printf %%q: %q\n' 'a b'
false | true; echo "x" > /dev/null; echo "PIPESTATUS: ${PIPESTATUS[@]}"
v=1; [ -v v ] && echo "[ -v ]: set"
a=(1 2); echo "array @A: ${a[@]@A}"
trap 'echo "ERR trap: line $LINENO"' ERR


false
`, stdout: "mapfile -d: 2 b\nmapfile -s -n: l2\nprintf time: 1970-01-01\nprintf %q: a\\ b\nPIPESTATUS: 0\n[ -v ]: set\narray @A: declare -a a=([0]=\"1\" [1]=\"2\")\nERR trap: line 12\n", code: 1},
		{image: "debian", reason: "built-ins that were missing",
			script: `#!/usr/bin/env bash
pushd /tmp > /dev/null; pwd; popd > /dev/null && echo back
xy=1; compgen -v x | grep '^xy$'
coproc cat; echo ok >&"${COPROC[1]}"; read -r l <&"${COPROC[0]}"; echo "$l"
`, stdout: "/tmp\nback\nxy\nok\n"},
		{image: "busybox", reason: "the trace of words with an equals sign",
			script: "#!/bin/sh\nset -x\n[ a = b ]\necho x=y\n", stdout: "x=y\n", stderr: "+ '[' a '=' b ]\n+ echo 'x=y'\n"},
		{image: "debian", reason: "a bad substitution that is not reached",
			script: "#!/usr/bin/env bash\necho hello\nif false; then\n  echo \"${a.b}\"\nfi\necho bye\n", stdout: "hello\nbye\n"},
		{image: "debian", reason: "a bad substitution that is reached gives up its line",
			script: "#!/usr/bin/env bash\necho \"${a.b}\"; echo no\necho $? bye\n", stdout: "1 bye\n", stderr: "/tmp/script: line 2: ${a.b}: bad substitution\n"},
		{image: "debian", reason: "conditions, let, definitions, widths and braces",
			script: `#!/usr/bin/env bash
CI="" ; FORCE=yes; X=1
if [[ -n "$CI" && -n "$X" || $FORCE == yes ]]; then echo right; else echo wrong; fi
n=5; let 'n+=1'; echo "n=$n"
f() { :; } && echo defined
false | true; true; echo "${PIPESTATUS[@]}"
printf '%70000s' x | wc -c
echo {1..20000} | wc -w
x=$((echo a; echo b) | wc -l); echo $x
`, stdout: "right\nn=6\ndefined\n0\n70000\n20000\n2\n"},
		{image: "busybox", reason: "a job sees its own turn of the loop",
			script: "for i in 1 2 3; do (sleep $i; echo $i) & done; wait\n", stdout: "1\n2\n3\n"},
		{image: "busybox", reason: "local does not split",
			script: "#!/bin/sh\ngreet() { local who=$1; printf 'hello %s\\n' \"$who\"; }\ngreet \"big world\"\n", stdout: "hello big world\n"},
		{image: "debian", reason: "a process substitution with a loop, and || binds less than &&",
			script: `#!/usr/bin/env bash
LIST="a b c"
while IFS= read -r l; do echo "line <$l>"; done < <(for w in $LIST; do echo $w; done)
[[ "$LIST" && "" || yes ]] && echo right || echo wrong
`, stdout: "line <a>\nline <b>\nline <c>\nright\n"},
		{image: "busybox", reason: "export does not split", script: "#!/bin/sh\nexport D=$(echo Sat Jan 1)\necho \"$D\"\n", stdout: "Sat Jan 1\n"},
	})
}

// TestDash compares dash with what dash 0.5.12 says, where it differs from ash.
func TestDash(t *testing.T) {
	check(t, "dash", []row{
		{script: `echo 'a\tb'; echo -e x; echo -n y; echo '\0101\x41'`, stdout: "a\tb\n-e x\nyA\\x41\n", reason: "escapes are always on, and there is no -e"},
		{script: `[[ a == a ]]; echo $?`, stdout: "127\n", stderr: "dash: 1: [[: not found\n", reason: "no [["},
		{script: `echo $'a\tb'`, stdout: "$a\tb\n", reason: "no $'…'"},
		{script: `echo a &> /tmp/f; wait; echo b; cat /tmp/f`, stdout: "a\nb\n", reason: "&> is a background job and a redirection"},
		{script: "echo a\nx=(1 2)", stdout: "a\n", stderr: "dash: 2: Syntax error: \"(\" unexpected\n", code: 2, reason: "no arrays"},
		{script: `cat <<<x`, stderr: "dash: 1: Syntax error: redirection unexpected\n", code: 2, reason: "no here-strings"},
		{script: `function f { echo x; }; f`, stderr: "dash: 1: Syntax error: \"}\" unexpected\n", code: 2, reason: "no function"},
		{script: `x=abc; echo ${x#a}; echo ${x:1:1}; echo no`, stdout: "bc\n", stderr: "dash: 1: Bad substitution\n", code: 2, reason: "no slices"},
		{script: `x=4; echo $((++x)) $((--x)) $((x+0x10)); echo $((x++))`, stdout: "4 4 20\n", stderr: "dash: 1: arithmetic expression: expecting primary: \"x++\"\n", code: 2, reason: "no increments"},
		{script: `q=x; echo $((q))`, stderr: "dash: 1: Illegal number: x\n", code: 2, reason: "a variable in an expression is a number"},
		{script: `f() { local q=$1; echo "$q"; }; f "a b"; export E=$(echo c d); echo "$E"`, stdout: "a b\nc d\n", reason: "declarations do not split in this version"},
		{script: `printf '%s %d\n' a 0x10; printf '%q' a; echo $?`, stdout: "a 16\n2\n", stderr: "dash: 1: printf: %q: invalid directive\n", reason: "printf"},
		{script: `nosuch; . /nosuch; echo no`, stderr: "dash: 1: nosuch: not found\ndash: 1: .: cannot open /nosuch: No such file\n", code: 2, reason: "messages"},
		{script: `shift 5; echo no`, stderr: "dash: 1: shift: can't shift that many\n", code: 2, reason: "shift too far ends it"},
		{script: `set -x; a="1 2"; echo "$a"`, stdout: "1 2\n", stderr: "+ a=1 2\n+ echo 1 2\n", reason: "the trace has no quotes"},
		{script: `let x=1; source /dev/null; echo $?`, stdout: "127\n", stderr: "dash: 1: let: not found\ndash: 1: source: not found\n", reason: "no let, no source"},
	})
	t.Run("sh of debian", func(t *testing.T) {
		checkScripts(t, []scriptRow{{image: "debian", script: "#!/bin/sh\necho 'a\\tb'\n", stdout: "a\tb\n", reason: "is dash"}})
	})
}

// TestCommandsBeforeAMistakeRun checks that a mistake strikes when it is reached and that what comes before it has run.
func TestCommandsBeforeAMistakeRun(t *testing.T) {
	check(t, "bash", []row{
		{script: "echo a\necho )\necho b", stdout: "a\n", stderr: "bash: -c: line 2: syntax error near unexpected token `)'\nbash: -c: line 2: `echo )'\n", code: 2, reason: "a syntax error"},
		{script: "eval 'echo a\n)'; echo $?", stdout: "a\n2\n", stderr: "bash: eval: line 3: syntax error near unexpected token `)'\nbash: eval: line 3: `)'\n", reason: "in eval it is a status"},
		{script: "echo $((1/0)); echo no\necho $?", stdout: "1\n", stderr: "bash: line 1: 1/0: division by 0 (error token is \"0\")\n", reason: "an error gives up the line"},
		{script: "((echo a; echo b); echo c) | wc -l", stdout: "3\n", reason: "two subshells"},
		{script: "y=aBc; echo ${y~~} ${y~}", stdout: "AbC ABc\n", reason: "the case turned round"},
		{script: "declare -A m; m[a b]=1; echo ${m[a b]}", stdout: "1\n", reason: "a key with a blank"},
		{script: "f() { echo $1; } | cat; type f; echo $?", stdout: "1\n", stderr: "bash: line 1: type: f: not found\n", reason: "a definition in a pipeline"},
		{script: "readonly r=1\nr=2; echo no\necho $?; (( 1/0 )); echo $?", stdout: "1\n1\n", stderr: "bash: line 2: r: readonly variable\nbash: line 3: ((: 1/0 : division by 0 (error token is \"0 \")\n", reason: "errors of assignments and of (( ))"},
	})
}

// TestDeepNestingEndsTheContainer checks that nesting of any kind ends the container instead of the process.
func TestDeepNestingEndsTheContainer(t *testing.T) {
	t.Parallel()
	double := func(text string) string {
		return "x='" + text + "'; i=0; while [ $i -lt 20 ]; do x=\"$x$x\"; i=$((i+1)); done; "
	}
	rows := []struct{ kind, script string }{
		{"sh", double("(") + `eval "$x"`},
		{"bash", double("{") + `eval "echo $x"`},
		{"bash", double("-") + `echo $(($x 1))`},
		{"bash", double("!(") + `[[ a == $x ]]; eval "[[ a == $x ]]"`},
		{"sh", "f() { f; }; f"},
		{"dash", "x='eval \"$x\"'; eval \"$x\""},
		{"sh", "echo '. /tmp/s' > /tmp/s; . /tmp/s"},
		{"bash", "i=0; y=1; while [ $i -lt 6000 ]; do y=\"($y\"; i=$((i+1)); done; echo $(($y))"},
		{"sh", "trap 'kill -TERM $$' TERM; kill -TERM $$; sleep 1"},
	}
	for _, r := range rows {
		w := newWorld(t, 1)
		ref := "debian"
		if r.kind == "sh" {
			ref = "busybox"
		}
		cfg := w.config(ref)
		cfg.Command = []string{r.kind, "-c", r.script}
		if got := w.run(cfg); got.Code != 137 {
			t.Errorf("%s -c %q: %+.300v, want exit code 137 and the limit that was met", r.kind, r.script, got)
		}
	}
}
