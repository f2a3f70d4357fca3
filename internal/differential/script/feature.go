package script

import "strings"

// feature is a few lines around one feature of all shells.
func (g *generator) feature() string {
	return g.do(
		g.trap, g.trap, g.trap, g.piped, g.traced, g.errexit, g.declared, g.split, g.recovered, g.redirected, g.hereDocument, g.background,
		g.syntaxError, g.escaped, g.function, g.looped, g.dotted, g.arrived, g.recovered,
	)
}

// trap sets one, and may bring it about.
func (g *generator) trap() string {
	g.mark("traps")
	action := g.one("echo bye", "echo bye $?", "echo a; echo b", "exit 9", "false", "echo $n", "n=5", "(exit 4)", "echo \"$a\" $#", "return 2", ":", "true; exit", "false; exit", "f1 x; exit", "(true; exit); echo $?", "x=$(true; exit); echo $?", "true; return", "false && exit", "eval exit", "{ true; exit; } | cat", "false || exit")
	return g.do(
		func() string { return "trap " + singleQuoted(action) + " " + g.one("EXIT", "0", "EXIT TERM", "exit") },
		func() string { return "(trap " + singleQuoted(action) + " EXIT; " + g.body(2) + ")" },
		func() string {
			return "trap " + singleQuoted(action) + " " + g.one("USR1", "TERM", "HUP", "SIGUSR1", "10") + "; kill -" + g.one("USR1", "TERM", "HUP", "10") + " $$; echo after $?"
		},
		func() string {
			g.mark("LINENO in traps")
			return "trap 'echo line $LINENO' USR1\nkill -USR1 $$\ntrap - USR1"
		},
		func() string {
			return g.one("trap", "trap -", "trap - EXIT", "trap '' TERM; trap", "trap 'x' NOSUCH", "trap -- '' INT; trap -p INT", "trap 'echo it'\\''s' TERM; trap", "trap EXIT", "trap 9", "trap '' USR1; (kill -USR1 $$; echo on); trap - USR1")
		},
		func() string { return "x=$(trap 'echo sub' EXIT; " + g.simple() + "); echo \"$x\"" },
		func() string {
			return "f3() { trap " + singleQuoted(action) + " EXIT; " + g.one("return 3", "echo in", "exit 4") + "; }; " + g.one("f3", "(f3)", "f3; echo $?")
		},
		when(g.bash(), func() string {
			return "trap " + singleQuoted(g.one("echo err $?", "echo \"$BASH_COMMAND\"", "echo $LINENO")) + " " + g.one("ERR", "DEBUG", "RETURN") + "\n" + g.simple() + "\n" + g.one("f1 a", "false", ":") + "\ntrap - ERR DEBUG RETURN"
		}),
		when(g.d != Dash, func() string { // a trap that a function sets, or does not see
			name, once := "ERR", "echo one"
			if g.bash() {
				name = g.one("ERR", "ERR", "DEBUG", "RETURN")
				once = "trap - " + name + "; echo once"
			}
			set := func() string {
				action := g.one("echo in $?", "echo f=$FUNCNAME", once, "x=trapped")
				if name == "ERR" { // in traps for the others bash 5.2 runs return without an end
					action = g.one(action, "return 4")
				}
				if !g.bash() { // which trips over a trap that fails in a function, with set -e
					action = g.one(action, "false", "(exit 3)")
				}
				return "trap " + singleQuoted(action) + " " + name
			}
			fails := func() string {
				return g.one("false", "true", "(false; echo sub)", "x=$(false; echo s)", "false | true", "true | false", "g1", "g1 || echo or", "! g1", "return 3", "eval false", "set -E", "set -e", "trap", "trap - "+name, "local v=$(false)", "{ false; :; }", "if g1; then :; fi", "trap '' "+name)
			}
			outer := g.one("", "trap "+singleQuoted("echo out $?")+" "+name+"\n")
			return outer + "g1() { " + g.one("false", "return 2", set()+"; false") + "; echo g1; }\nf3() { " + set() + "; " + fails() + "; " + fails() + "; echo f3; }\n" +
				g.one("f3", "f3 || echo no", "(f3)", "f3; f3", "f3 | cat", "x=$(f3); echo \"$x\"", "g1; f3", "eval f3") + "; echo $?\n" + g.one("false", "g1", "trap", "(false)", ":") + "\ntrap - " + name
		}),
		func() string {
			return "sh -c " + singleQuoted("trap "+strings.ReplaceAll(singleQuoted(action), "'", `"`)+" TERM; kill $$; echo on; kill -9 $$; echo never") + "; echo $?"
		},
	)
}

// piped is a script that a shell reads from a pipe.
func (g *generator) piped() string {
	g.mark("scripts from pipes")
	text := singleQuoted(g.many(1, 3, "\n", func() string {
		return with(&g.hereDocs, func() string {
			return g.do(g.simple, func() string {
				return g.one("echo $0 $#", "exit 3", "read x; echo \"[$x]\"", "cat", "return 2", "echo $1", "if true", "then echo")
			})
		})
	}))
	sh := "sh"
	if g.bash() {
		sh = g.one("bash", "sh")
	}
	return "printf '%s\\n' " + text + " | " + g.one(sh, sh+" -s a b", sh+" -e", sh+" -", ". /dev/stdin", sh+" /dev/stdin x", "{ "+sh+"; cat; }") + "; echo $?"
}

// traced is a trace of set -x. Its text is compared only where it goes to standard output.
func (g *generator) traced() string {
	g.mark("set -x")
	c := with(&g.noPipe, func() string {
		return g.do(
			func() string { return "echo " + g.words(1, 2) },
			func() string { return g.variable() + "=" + g.word() },
			func() string { return "[ " + `"$a" = ` + g.one("x", "'a b'", `"$b"`) + " ]" },
			func() string { return "case $a in f*) echo 1;; *) :;; esac" },
			func() string { return "for i in 1 2; do echo $i; done" },
			func() string { return "f1 " + g.tame() },
			func() string { return "x=$(echo hi)" },
			func() string { return "export y=" + g.word() },
			func() string { return "echo a > o1" },
			func() string { return "if [ -n \"$a\" ]; then :; fi" },
			func() string { return "y=1 z='a b' true" },
			func() string { return "while false; do :; done" },
			func() string { return "(echo sub)" },
			func() string { return "set -- a 'b c'" },
			func() string { return ": $((n + 1)) ${u-x}" },
			when(g.bash(), func() string {
				return "[[ " + g.one("$a == f*", "-n $b && $n -eq 1", "! $a =~ ^o", "x < y", "$a = \"$b\"") + " ]]"
			}),
			when(g.bash(), func() string {
				return g.one("((n+1))", "arr=(1 'b c')", "arr[1]=$a", "for ((i=0;i<2;i++)); do :; done", "declare z=$a", "let n+=1", "x+=y")
			}),
			func() string { return "echo $'a\\tb' '' \"it's\" '*' a=b" },
		)
	})
	return "{ " + g.one("", "PS4='> '; ", "PS4='+$n '; ") + "set -x; " + c + "; } 2>&1; { set +x; } 2>/dev/null"
}

// errexit shows where a failure ends the shell.
func (g *generator) errexit() string {
	g.mark("set -e")
	return "(set -e; " + g.do(
		func() string { return with(&g.hereDocs, g.command) },
		func() string {
			return g.one("false || true", "! true", "false && true", "if false; then :; fi", "while false; do :; done", "x=$(false)", "local y=$(false)", "export y=$(false)", "(false)", "{ false; }", "f1 x", "f1 x || :", "echo $(false)", ": | false", "false | :", "eval false", "[ a = b ]", "! f1", "until true; do :; done", "f() { false; echo on; }; f || echo no", "case x in x) false;; esac", "cat < nofile", "nosuch", "set +e; false", "false & wait", "false & wait $!", "x=1 false", "((0))", "[[ a == b ]]", "let 0")
		},
	) + "; echo survived); echo $?"
}

// declared declares with values that are not quoted.
func (g *generator) declared() string {
	g.mark("declarations")
	value := g.one("$a", "$(echo 1 2)", "$*", "$@", "$p:$b", "\"$a\"", "~", "x$b", "`echo a b`", "$a$b", "a=~", "$(echo '*')", "'q r'", "\\$a", "{1,2}", "$((n+1))")
	return g.do(
		func() string { return "f3() { local v=" + value + "; echo \"$v\"; }; f3 one 'two three'" },
		func() string { return "f3() { local v w=" + value + " z; echo \"$v|$w|$z\"; }; f3 1 2" },
		func() string { return "export E1=" + value + "; echo \"$E1\"; printenv E1" },
		func() string { return "readonly R" + g.fresh() + "=" + value + "; echo $?" },
		func() string {
			return g.one("command ", "", "") + "export M1=" + value + " M2=x$a; echo \"$M1\" \"$M2\""
		},
		func() string { return "v='x=1 y'; export $v; echo \"$x\"" },
		func() string {
			return "f3() { local a; echo \"${a-unset}\"; a=2; f4; }; f4() { echo \"$a\"; }; a=1; f3; echo $a"
		},
		func() string { return "f3() { local a=$1; shift; local b=$*; echo \"$a/$b\"; }; f3 'x y' 1 2" },
		func() string { return "f3() { local IFS=:; set -- $1; echo $#; }; f3 a:b:c; f3 'a b'" },
		func() string {
			return "readonly RO=1; " + g.one("RO=2", "RO=2 true", "unset RO", "export RO=3", "read RO < t1", "for RO in a; do :; done", "local RO=1", "(RO=4); echo $?", "f3() { local RO=5; echo $RO; }; f3", ": $((RO=7))", ": ${RO:=x}") + "; echo $? $RO"
		},
		func() string { return "set -a; AA=5; set +a; sh -c 'echo $AA'" },
		func() string { return "export -n a 2>/dev/null; export a b; env | grep '^[ab]='" },
	)
}

// split shows how words are split.
func (g *generator) split() string {
	g.mark("IFS")
	return g.one("IFS=:; ", "IFS=' :'; ", "IFS=; ", "IFS=,; ", "unset IFS; ", "IFS='\\'; ", "IFS=o; ") + g.do(
		func() string {
			return "v=" + g.one("'a:b::c'", "' a : b '", "'a,b,'", "':a:'", "'f o o'", `'a\b'`) + "; printf '[%s]' $v; echo"
		},
		func() string {
			return "set -- a 'b c' ''; printf '[%s]' " + g.one(`"$*"`, "$*", "$@", `"$@"`, `x"$@"y`, "$*z", `"$*"$1`) + "; echo"
		},
		func() string {
			return "printf '%s\\n' " + g.one(`' a:b c '`, "'a::b'", `'x\:y\ z'`, "'a,b,,'", "'one'") + " | { read " + g.one("", "-r ") + g.one("x y", "x", "x y z w") + "; echo \"[$x][$y][$z]\"; }"
		},
		func() string { return "v='*:?'; printf '[%s]' $v \"$v\"; echo" },
		func() string {
			return "printf '[%s]' $(" + g.one("printf 'a:b\\n\\n'", "echo ' x  y '", "printf 'a,b c'") + "); echo"
		},
	) + "; unset IFS"
}

func (g *generator) redirected() string {
	g.mark("redirections")
	return g.do(
		func() string { return "exec 3>o9; echo x >&3; exec 3>&-; cat o9" },
		func() string { return "{ echo out; echo err >&2; } 2>&1 >o1 | cat; cat o1" },
		func() string { return "exec 4<t1; read x <&4; read y <&4; echo \"$x|$y\"; exec 4<&-" },
		func() string { return "echo a > o1; set -C; echo b > o1; echo $?; echo c >| o1; set +C; cat o1" },
		func() string {
			return g.one(":", "true", "f1", "nosuch", "cat", "export x", "eval :", "exec", "set a", "command :", "(:)", "{ :; }", "if :; then :; fi", "while false; do :; done", "x=1", "read x", "shift", "unset a", ".", "break", "return", "exit", "trap", "cd .", "[ a ]", "local z") + " " + g.one("< nofile", "> nodir/x", "<&7", ">&8", "> d1") + "; echo $?"
		},
		func() string { return "for i in 1 2; do echo $i; done > o1; while read l; do echo \"r$l\"; done < o1" },
		func() string { return "echo x >o1 >o2; wc -c o1 o2; cat < t1 < t2" },
		func() string { return "cat <<A; cat <<B\na$a\nA\nb\nB\n" },
		func() string { return "cat <<A <<'B'\nfirst\nA\nsecond $a\nB\n" },
		func() string { return "f3() { cat; } <<E\nin f $1\nE\nf3 x" },
		func() string { return "exec 5>&1; x=$(echo inner >&5; echo captured); echo \"$x\"; exec 5>&-" },
		func() string { return "echo hi | { cat <&0 >&2; } 2>&1 | wc -c" },
	)
}

// syntaxError is one, seen by a shell of its own.
func (g *generator) syntaxError() string {
	g.mark("syntax errors")
	text := g.one("if true; then", "fi", "echo a; )", "for i in; do", "case x in", "echo 'a", "echo $(", "{ echo", "while", "done", "a && ", "| b", "echo ${", "f( {", "echo ok\nif", "(", "echo a ;; b", "! ", "&", "for 1x in a; do :; done", "function", "x=(1", "echo \"${a", "case x in esac", "if; then :; fi", "{ }", "()", "echo a &&& b", "then", "1x=2", "<", "echo > ", "cat <<E\nx")
	sh := "sh"
	if g.bash() {
		sh = "bash"
	}
	return g.one(sh+" -c ", "eval ", sh+" -n -c ", sh+" -c ") + singleQuoted("echo first; "[:g.r.IntN(2)*12]+text) + "; echo $?"
}

func (g *generator) escaped() string {
	g.mark("echo with escapes")
	return g.one("echo", "echo -e", "echo -n", "echo -ne", "printf", "printf '%b\\n'", "echo -E") + " " + g.one(`'a\tb\nc'`, `"a\\nb"`, `'\0101\101'`, `'\x41\x4'`, `'a\cb' c`, `'\\n'`, `'\u00e9'`, `'\a\b\f\v\r'`, `'x\'`, `'\0'`, `'\8'`, `'%s\n'`, `a\tb`, `"$a\t$b"`) + "; echo"
}

func (g *generator) looped() string {
	g.mark("break and continue")
	return "for i in 1 2 3; do for j in a b; do " + g.one("[ $i$j = 2a ] && continue 2", "[ $j = b ] && break", "case $i in 2) break 2;; esac", "(break)", "eval continue", "[ $i = 2 ] || continue", "echo $j | { read x; break; }", "if [ $i = 2 ]; then break 5; fi", "f3() { break; }; f3") + "; echo $i$j; done; done; echo $?"
}

// dotted sources a file.
func (g *generator) dotted() string {
	g.mark("source")
	body := g.one("echo \"in $#\"", "return 3", "x=sourced; f5() { echo five; }", "exit 4", "echo $1; shift", "false", "if", "set -- z; echo $1", "local q=1", "echo $0")
	return "printf '%s\\n' " + singleQuoted(body) + " > s1; " + g.one(". ./s1", ". ./s1 arg", ". /tmp/w/s1", "(. ./s1); echo", ". ./nofile", "command . ./nofile", "f3() { . ./s1; echo on $?; }; f3 p", ". s1", ". ./s1 | cat", ". ''", ".") + "; echo $? $x"
}

// arrived is about what a command leaves in $? and $_.
func (g *generator) arrived() string {
	g.mark("exit status")
	return g.one("false; x=1; echo $?", "x=$(exit 3); echo $?", "! false; echo $?", "! true | false; echo $?", "(exit 7) || echo $?", "false; (echo $?)", "false; echo $(echo $?)", "if false; then :; fi; echo $?", "while false; do :; done; echo $?", "case x in y) false;; esac; echo $?", "false; : $?; echo $?", "for i in; do false; done; echo $?", "f3() { return; }; false; f3; echo $?", "false; eval ''; echo $?", "false; { echo $?; }", "x=$(false) true; echo $?", "false | true; echo $?", "false > o1; echo $?", "sh -c 'kill -9 $$'; echo $?", "false; > o1; echo $?", "false && :; echo $?", "x=$(exit 2)$(exit 3); echo $?", "set -- $(exit 5); echo $?", "! :; x=$? ; echo $x", "return 5; echo $?", "nosuch; echo $?", "./d1; echo $?", "./t1; echo $?", "export y=$(exit 6); echo $?", "test; echo $?", "exit 3 | exit 4; echo $?", "f3() { false; }; f3; echo $?", "f3() { return 300; }; f3; echo $?")
}

// recovered is about errors that end some shells, and not others.
func (g *generator) recovered() string {
	g.mark("mistakes when reached")
	m := g.one("${a b}", "$((1 +))", "${u?gone}", "$((08))", "${#}", "${}", "$((1/0))", "${a:1:2:3}", "$((a b))", "${u:?}", "${a@}", "${-x}", "${a[}", "$(( ))", "${1a}", "${a!b}", "$((x=))", "${#a#b}", "${a/}", "${a:}", "$(nosuch)", "$((2**-1))", "${a^^^}", "$(( $u + ))")
	return g.one("echo before\necho "+m+"\necho after", "(echo a "+m+"; echo same); echo $?", "x="+m+"; echo $?", "if false; then echo "+m+"; fi; echo fine", "f3() { echo "+m+"; }; echo defined; f3; echo then", "eval 'echo "+m+"'; echo $?", "echo x | while read y; do echo "+m+"; done; echo $?", "for i in "+m+"; do echo $i; done; echo $?", "case "+m+" in *) echo c;; esac", "cat <<E\n"+m+"\nE\necho $?")
}
