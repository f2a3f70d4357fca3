package script

// shared is a few lines around what ash and dash, which have a common ancestor, do otherwise than bash.
func (g *generator) shared() string { return g.do(g.searched, g.scoped, g.tested) }

// searched changes PATH, and calls programs of the script's own. It uses few utilities: Debian's ash does not need PATH for
// them. It does not unset PATH, where dash reads memory that it has not written.
func (g *generator) searched() string {
	g.mark("PATH")
	return "mkdir -p p1 p2; echo 'echo one $0 $#' > p1/tool; echo 'echo two $1' > p2/tool; echo 'echo other' > p2/other; chmod " +
		g.one("+x p1/* p2/*", "+x p1/tool p2/*", "+x p2/*", "644 p2/tool") + "\n" +
		g.one("PATH=$PWD/p1:$PWD/p2:$PATH", "PATH=p1:p2:$PATH", "PATH=$PWD/p2:$PATH:p1", "export PATH=$PWD/p1:p2:$PATH", "PATH=:$PATH:p1:p2", "PATH=p1::p2:$PATH", "PATH=nodir:p2/tool:p1/:$PATH") + "\n" +
		g.many(1, 5, "\n", func() string {
			return g.one("tool a", "other", "tool", "PATH=p2 tool b", "PATH=/nonexistent tool; echo $?", "command tool", "command other x; echo $?", "type tool", "command -v tool other", "command -V other",
				"hash", "hash -r", "hash tool; echo $?", "hash nosuch other; hash", "cd p1", "cd .", "cd ..", "f3() { local PATH=p2; tool in; }; f3", "tool | while read l; do echo \"[$l]\"; done", "(tool); type tool", "x=$(tool sub); echo \"$x\"",
				"tool & wait $!; echo $?", "(exec tool x); echo $?", "(exec other x); echo $?", "tool() { echo fn; }; tool; unset -f tool; tool", "PATH=$PATH; hash", "tool > nodir/x; hash", "PATH=p2:$PATH", "PATH=$PWD/p1", "{ tool; }", "for i in tool other; do $i $i; done",
				". tool; echo $?", "(. other); echo $?", "PATH=p1 . tool", "PATH=p2 command -v tool", "tool 2>&1", "echo 'echo new' > p1/tool; tool", "x=1 tool", "! tool; echo $?", "tool && other", "eval tool ev", "PATH=p1 eval 'tool e'; type tool", "alias other='tool al'", "./p1/tool; echo $?", "p2/tool q; echo $?", "/bin/sh -c 'tool in sh'; echo $?", "command -p tool; echo $?", "echo $PATH | { IFS=: read x y; echo \"$x\"; }")
		}) + "\nPATH=/sbin:/usr/sbin:/bin:/usr/bin; cd /tmp/w"
}

// scoped makes variables local where there is no function, and leaves functions in several ways.
func (g *generator) scoped() string {
	g.mark("scopes")
	leave := g.one("exit 3", "return 3", "command return 3", "${x?gone}", "set -e; false", "command eval 'exit 4'", ". ./nofile", "command . ./nofile", "false", "break", "readonly x; x=9", "shift 9", "command shift 9", "eval 'return 6'", "exec nosuch", "set -o nosuch", "trap - EXIT", "x=8 command exit 5", "unset x", "export x=7", "x=6 :", "x=6 eval 'local x=5'", "local x=4 y", "read x < t1", "cat < nofile", "echo $((1 +))")
	return g.do(
		func() string { return "x=1; command eval 'local x=2; " + leave + "; echo $x'; echo $x $?" },
		func() string {
			return "(x=1; trap 'echo x=$x' EXIT; f3() { local x=2; " + leave + "; echo on $x; }; " + g.one("f3", "f3 a", "x=3 f3", "f3 || echo no", "command eval f3", "eval f3", "y=$(f3); echo \"$y\"", "f3 | cat", "g1() { local x=0; f3; echo $x; }; g1", "while :; do f3; break; done", "f3 > o1; cat o1") + "; echo $x); echo $?"
		},
		func() string {
			return "x=1; " + g.one("cat", ":", "{ cat; }", "f2", "read l", "local z", "eval cat", "y=2 cat", "command cat") + " <<E\n$(local x=3; echo $x) $x\nE\necho $x $?"
		},
		func() string {
			return g.one("x=$(local y=1; echo $y) f1", "echo a > $(local q; echo o1); cat o1", ": > $(local q; echo o1)", "y=$(local x=1; echo in) printenv y", "y=$(local x=1; echo in); echo $y", "test a < $(local q=o3; echo t1); echo $?", "[ $(local x=1; echo y) ]; echo $?") + "; echo $?"
		},
		func() string { return "x=1; command local x=5 " + g.one("", "y", "y=2", "1a") + "; echo $x $?" },
		func() string {
			return "x=1; x=2 " + g.one("command export x", "command eval 'x=3; echo $x'", "command readonly y=$x", "command unset x", "command set -- a", "command . ./nofile", "command :", "eval 'local x=3'", "f2", "getopts ab x -a", "read x < t1", "command read x < t1", "cd .", "test $x", "export x", "export x=4", ": ${x:=5}", "unset x", "set -- $x", "trap 'echo $x' EXIT", "shift 9", "break", "local x", "command local x") + "; echo \"${x-unset}\" $?"
		},
	)
}

// tested is a failure below set -e where the status of something around it is tested.
func (g *generator) tested() string {
	g.mark("set -e")
	body := g.one("false; echo hi", "return 3; echo hi", "(exit 4); echo hi", "f1 x; echo hi", "! :; echo hi", "false | :; echo hi", ": | false; echo hi", "x=$(false); echo hi", "eval 'false; echo ev'; echo hi", "f3() { false; echo f3; }; f3; echo hi", "{ false; echo b; }; echo hi", "nosuch; echo hi", "false || false; echo hi", "if false; then :; fi; echo hi", "break; echo hi", "set +e; false; echo hi", "trap 'echo t; false; echo u' EXIT; echo hi", "while :; do false; echo w; break; done", "case a in a) return 2;; esac; echo hi")
	signals := false // then it has to be a separate shell, which is $$
	how := g.do(
		func() string {
			return "printf '%s\\n' " + singleQuoted(body) + " > s1; " + g.one(". ./s1", "command . ./s1", "f4() { . ./s1; echo f4; }; f4", "eval '. ./s1'", "(. ./s1)", "{ . ./s1; }", "sh -e ./s1", ". ./s1 | cat")
		},
		func() string {
			signals = true
			return "trap " + singleQuoted(body) + " USR1; " + g.one("kill -USR1 $$", "{ kill -USR1 $$; echo k; }", "f4() { kill -USR1 $$; echo f4; }; f4")
		},
		func() string {
			return "f4() { " + body + "; }; " + g.one("f4", "(f4)", "x=$(f4)", "eval f4", "command eval f4", "f4 | cat", "{ f4; }", "x=1 f4", "f4 & wait $!")
		},
		func() string { return "eval " + singleQuoted(body) },
		func() string { return "x=$(" + body + ")" },
		func() string { return "(" + body + ")" },
	)
	text := g.one(how+" || echo or", "! "+how, how+" && echo and", how, "if "+how+"; then echo then; fi", "while "+how+"; do break; done", "until "+how+"; do break; done", "f5() { "+how+"; }; f5 || echo or", "x=\"$("+how+")\" || echo or", "cat <<E || :\n$("+how+")\nE\n:", "echo $("+how+")") + "; echo survived \"$x\""
	if signals {
		return "sh -ec " + singleQuoted(text) + "; echo $?"
	}
	return "(set -e; " + text + "); echo $?"
}
