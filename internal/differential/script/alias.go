package script

import "strings"

// aliases defines some and uses them in the lines that follow. The statements of the rest of the script may meet them too.
func (g *generator) aliases() string {
	g.mark("aliases")
	lines := []string{"alias " + g.many(1, 4, " ", g.aliasDefined)}
	if g.bash() {
		lines[0] = g.one("shopt -s expand_aliases; ", "shopt -s expand_aliases; ", "shopt -s expand_aliases; ", "set -o posix; ", "") + lines[0]
	}
	for range 2 + g.r.IntN(4) {
		lines = append(lines, g.aliasUsed())
	}
	if g.chance(0.5) {
		lines = append(lines, "unalias -a")
	}
	return strings.Join(lines, "\n")
}

// aliasDefined is an argument of alias.
func (g *generator) aliasDefined() string {
	return g.one(
		"e=echo", "e='echo '", "e='echo e1; echo '", "e='e -n'", `e="echo $a"`, `e='echo "$a"'`, "e='echo hi >&2'",
		"a1='$a '", "foo='echo foo'", "foo=bar", "foo='e x'", "foo='foo bar '", "a1='e '", "a1=e", "echo='echo E'", "cat='cat -n'", "true=false", "f1='f2 x'", "f1=f1", "f2=",
		"ife='if true; then'", "fie='fi; echo'", "loop='for i in 1 2; do '", "in3='for i in '", "l3='1 2 3'", "end=done", "red='>o1'", "oq='echo \"open'", "pi='echo piped |'",
		"no='! '", "ass='x=aliased '", "em=", "sp='  '", "ty='type '", "va='$a'", "if='echo IF'", "while=echo", "do='echo DO'", "nl='echo l1\necho l2'", "nl='echo l3\n'",
		"cm='echo c # '", "re='return 4'", "pa='(echo sub; '", "br='{ '", `bs='echo \'`, "printf='echo '", "do1='do echo'", "ca='case e in '", "hd='cat <<E'", "hd='cat <<E\nx\nE'", "su='echo $(e sub)'",
		"fn='f5() {'", "exit='echo exit'", "set='echo set'", "export='export '", "local=echo", "unset=:", "read=:", "a.b=echo", "a-b='echo dash '", "1x=echo", "'a b=c'", "'a/b=c'", "=x", "e", "nosuch", "-p", "--", "-x",
	)
}

// aliasUsed is one line that may have aliases in it.
func (g *generator) aliasUsed() string {
	return g.do(
		func() string {
			return g.one("e", "foo", "a1", "ass", "sp", "em", "no", "ty", "va", "e e", "a1 e", "em e", "a-b", "a.b", "br e", "f1", "f2", "echo", "printf", "nl", "bs", "cm", "command e", `\e`, "'e'", "$va", "x=1 e", ">o1 e") + " " + g.words(0, 2) + g.one("", "", "; e x", " | cat", " && foo b", "; }", " red", ">o1", "\ne y")
		},
		func() string {
			return g.one("ife e t; fi", "ife e t\nfie x", "loop e $i; end", "loop e $i; done", "in3 l3; do e $i; done", "in3 1 2\ndo e $i\nend", "for i in e foo\ndo1 $i; end", "while false; do e x; done", "if e c; then e t; else e f; fi",
				"case e in e) e m;; esac", "ca e) e m;; esac", "ca\ne) e m\nesac", "until e u; do e v; end", "for e in e; do e $e; done", "if false; then e x; fie y", "[ -n e ] && e z", "{ e x; } red; cat o1", "(e par) | cat", "pa e x)", "{ e a; e b; }")
		},
		func() string {
			return g.one("echo $(e sub) \"$(e quoted)\"", "x=$(foo); e \"$x\"", "e `e back`", "echo $(ife e x; fi)", "x=$(alias e=printf; e y\ne z); echo \"$x\"", "echo $(ca e\\) echo m;; esac)", "f3() { e body $1; }; unalias e; f3 q", "f3() {\n  e a\n  local v=$(e in)\n  e $v\n}\nf3", "fn e five; }; f5", "f1() { e redefined; }\nf1 z", "e() { : fn; }\ne", "eval 'e ev'", "eval 'alias e=:\ne x'; e same\ne next", "re\necho on", "trap 'e trapped' EXIT", "echo 'e src; unalias e\ne gone' > s2; . ./s2; e x", "sh -c 'e x'", "e a & wait", "su b", "(alias e=printf\ne x); e y", "ass eval 'echo $x'", "no true; echo $?", "ife e x; fi | cat", "set -- e; $1 x; \"$@\" y")
		},
		func() string {
			return g.one("alias", "alias e", "alias e foo nosuch", "alias nosuch; echo $?", "unalias e; echo $?", "unalias nosuch; echo $?", "unalias; echo $?", "unalias -a; alias", "type e", "type foo nosuch", "command -v e", "command -V foo", "command -v nl; echo $?", "alias e=printf; e late\ne 'next\\n'", "unalias e; e x\ne y", "alias foo=\nfoo e x", "alias -- e=echo", "unalias -z; echo $?", "alias \"q=it's\"; alias q", "alias 'q=a\nb'; alias")
		},
		func() string {
			return g.one("hd\nin $a\nE", "hd; e x\nbody\nE", "oq closed\"", "pi cat", "pi\ncat", "cm x; e y", "e 'a\nb'", "bs\nx")
		},
		func() string { return g.one("e ", "foo ", "a1 ", "ass ", "") + g.simple() },
	)
}
