package script

// simple is a simple command without redirections.
func (g *generator) simple() string {
	return g.nested(func() string {
		if g.bash() && g.chance(0.25) {
			return g.bashCommand()
		}
		return g.do(
			func() string { return "echo " + g.words(1, 4) },
			func() string { return "echo " + g.words(1, 3) },
			func() string { return `printf '%s\n' ` + g.words(1, 4) },
			func() string { return "printf '<%s>' " + g.words(0, 3) },
			g.printf,
			func() string {
				g.mark("echo with escapes")
				return "echo " + g.one("-n", "-e", "-ne", "-E", "-en", "", "", "-x", "-nn") + " " + g.one(`'a\tb'`, `'a\nb'`, `'\0101'`, `'x\cy'`, `'\\'`, `'\x41'`, `"\\101"`, `'a\'`, `'\e[0m'`, `-n a`)
			},
			func() string { return g.one("true", "false", ":") },
			func() string { return "[ " + g.test() + " ]" },
			func() string { return "test " + g.test() },
			func() string { g.mark("set --"); return "set -- " + g.words(0, 4) },
			func() string { g.mark("shift"); return "shift" + g.one("", "", " 1", " 2", " 9", " x") },
			func() string { return g.variable() + "=" + g.word() },
			func() string { return g.variable() + "=" + g.word() + " " + g.variable() + "=" + g.word() },
			func() string {
				g.mark("assignments before a command")
				return g.variable() + "=" + g.word() + " " + g.one("echo "+g.expansion(false), "sh -c 'echo $a$b$c'", "f1 x", "eval 'echo $a'", ":", "cd .", "nosuch", "printenv a")
			},
			func() string {
				g.mark("declarations")
				return g.one("export", "export", "readonly") + " " + g.one("a", "b", "c", "y") + "=" + g.word()
			},
			g.declaration,
			func() string {
				g.mark("unset")
				return "unset " + g.one("", "", "-v ", "-f ") + g.one("a", "b", "u", "f1", "nosuch", "c n", "1x")
			},
			func() string { return "cat " + g.one("t1", "t2", "nofile", "t1 t2", "-", "d1") },
			func() string {
				g.mark("eval")
				return "eval " + g.one("'echo $a'", `"b=\$a"`, "'x=1; echo $x'", `echo '"$a"'`, "'false'", "'exit 3'", `'echo "'`, "''", "'return 4'", "'('", "echo '$b' '$c'", "'if'", "\"$a\"")
			},
			func() string {
				g.mark("read")
				return "read " + g.one("", "-r ") + g.one("x", "x y", "a b c", "") + g.one(" < t1", " < t2", " </dev/null", " < nofile", " < d1/foo.txt")
			},
			g.call, g.call,
			func() string {
				g.mark("command and type")
				return g.one("command echo foo", "command -v echo", "command -v nosuch", "command -v f1", "command false", "command nosuchcmd", "type f1", "type nosuch", "type cd", "type if", "command -v if", "command -v ls", "type ls", "command -V f1", "command -p echo x", "command", "type", "command -v cd nosuch", "hash nosuch")
			},
			func() string {
				g.mark("commands not found")
				return g.one("nosuchcmd", "./t1", "/tmp/w/none", "/tmp/w", "''", "$u", `"$u"`, "$u echo hi", "d1", "./d1")
			},
			func() string {
				g.mark("cd")
				return g.one("cd d1", "cd /tmp", "cd nodir", "cd ..", "cd d1/../d1", "cd -", "cd", "cd t1", "pwd", "cd d1; pwd", "cd /tmp/w", "cd ''", "cd -P .", "cd . .", "pwd -P")
			},
			func() string {
				g.mark("exit")
				return "(exit " + g.one("0", "3", "256", "-1", "$n", "abc", "", "1 2") + ")"
			},
			func() string {
				g.mark("shells in shells")
				return "sh -c " + g.one("'exit 4'", "'echo $0 $1' a b", "'echo $a'", "'kill -TERM $$'", "'echo ${x?msg}'", "'echo $#' x y z", "'if'", "'exec nosuch'", "'. ./nofile; echo on'")
			},
			func() string { return "umask" + g.one("", " 077", " 022", " -S", " 9", " u=rwx,g=,o=") },
			func() string {
				g.mark("set options")
				return "set " + g.one("-e", "+e", "-u", "+u", "-f", "+f", "-a", "+a", "-C", "-Z", "-o nosuch", "-o noglob", "+o noglob")
			},
			func() string {
				g.mark("IFS")
				return g.one("IFS=','", "IFS=' '", "IFS=':'", "IFS=''", `IFS=': '`, "IFS='ab'", "unset IFS", "IFS=,; echo $*", "IFS=o; echo $a$b")
			},
			func() string { g.mark("declarations"); return "local x=1" },
			func() string {
				g.mark("break and continue")
				return g.one("break", "continue", "break 2", "continue 2", "break 0", "break x")
			},
			func() string { g.mark("return"); return "return" + g.one("", " 3", " $n", " x", " 256") },
			func() string {
				g.mark("declarations")
				return g.one("readonly ro=1", "ro=2; echo $ro", "unset ro", "export -p | grep ' q=' || :", "readonly ro")
			},
			func() string {
				g.mark("exec")
				return g.one("exec 3>&1", "exec 3<t1", "exec 3>&-", "exec 2>&1", "exec echo done", "exec 4<nofile", "exec nosuch", "exec")
			},
			func() string {
				g.mark("getopts")
				return "getopts " + g.one("ab:c", ":ab:c") + " opt " + g.one("-a", "-b x -c", "-z", "-b", "x", "-ab x", "-- -a") + `; echo "$opt $OPTARG $OPTIND"`
			},
			func() string {
				g.mark("${x?word}")
				return ": ${" + g.one("u", "a", "e") + g.one(":?", "?") + g.one("msg", "", "$a", "'a b'") + "}"
			},
			func() string { return ": " + g.expansion(false) },
			func() string { g.mark("arithmetic"); return ": $((" + g.arithmetic() + "))" },
			func() string { g.mark("arithmetic"); return "echo $((" + g.arithmetic() + "))" },
			func() string {
				if g.chance(0.2) {
					g.mark("exit")
					return "exit" + g.one("", " 0", " 5", " $n", " 256", " abc", " 1 2")
				}
				return "echo $?"
			},
			func() string { g.mark("utilities"); return g.utility() },
			when(g.d != Bash, func() string { g.mark("let"); return "let " + g.letWords() }),
			when(!g.inJob, func() string { return "wait" + g.one("", "", " 99999", " %9", " x") }),
		)
	})
}

// declaration is export, readonly or local of a value that is not quoted.
func (g *generator) declaration() string {
	g.mark("declarations")
	return g.one("export", "readonly", "local", "export", g.one("declare", "typeset")) + " " + g.one("a", "b", "x", "y", "m") + "=" + g.expansion(false) + g.one("", "", " z="+g.literal())
}

func (g *generator) letWords() string {
	return g.one("'n+=1'", "n=n*2 i=3", "'1 +'", "x=5", "0", "n++", "'a b'", "", "n=$n+1", "'n = 3, n'", "$a")
}

// printf is printf with one conversion.
func (g *generator) printf() string {
	g.mark("printf")
	return `printf '` + g.one("%d", "%5d|", "%-5s|", "%05d", "%x", "%o", "%c", "%b", "%.2s", "%%", "%5.1f", "%i", "%+d", "% d", "%#x", "%*d", "%e", "%u", "%X", "%s-%s", "%.3d", "%-05d", "%z", "%", `a\tb%s`, `\101`, "%5%", "%s %d", "%g") + `\n' ` +
		g.one("7", "012", "-3", "0x1f", "abc", `'a\tb'`, `"$a"`, "$n", "", "3 4 5", "1 2", `'"A'`, "''", "' 7'", "1.5", "'x\\cy' z", "99999999999999999999")
}

// call is a call of a function that the script has defined.
func (g *generator) call() string {
	if g.inFunction {
		return "echo inner"
	}
	g.mark("functions")
	return g.one("f1", "f1", "f2", "f3") + " " + g.words(0, 3)
}

// reader reads its input to the end.
func (g *generator) reader() string {
	return g.one("cat", "wc -l", "tr a-z A-Z", `while read l; do echo "<$l>"; done`, "sed 's/o/0/g'", "sort", "grep o", "(cat; echo end)", "tee .o4", "xargs echo X", "cut -c1-3", "rev", "wc -c", `{ read q; echo "$q"; cat; }`, "while IFS=: read -r x y; do echo \"$y.$x\"; done", "tail -n 1", "sort -r | uniq", "cat - t2", "awk '{ print NF }'")
}

// redirection is one, or two.
func (g *generator) redirection() string {
	g.mark("redirections")
	return g.do(
		func() string {
			return g.one(" > o1", " >> o1", " 2>/dev/null", " < t1", " >/dev/null", " >&2", " 1>&2 2>o1", " 3>o2 >&3", " < nofile", " > d1/x", " > nodir/x", " >| o1", " <> o3", " >&-", " <&-", " 2>&-", " 2>o5", " >o1 2>&1", " < t1 > o1", " 3<t1 <&3", " >&3", " > d1", " >&2 2>/dev/null", " > \"o $n\"")
		},
		when(g.bash(), func() string {
			g.mark("here-strings")
			return g.one(` <<< "$a"`, " <<< $a", " <<< 'x  y'", " <<< \"$(echo a; echo b)\"")
		}),
		when(g.bash(), func() string { return g.one(" &> o1", " &>> o1", " >& o1") }),
		// In dash, & ends the command: two would print at the same time.
		when(g.d == Ash, func() string { return g.one(" &> o1", " >& o1") }),
	)
}

// hereDocument is a command with one.
func (g *generator) hereDocument() string {
	g.mark("here-documents")
	end := g.one("EOF", "'EOF'", `\EOF`, "-EOF", "-'EOF'")
	command := g.one("cat", "cat", "while read -r l; do echo \"<$l>\"; done", "sed 's/a/A/'", "{ read l; echo \"$l\"; }", "cat | tr a-z A-Z", "cat -")
	return command + " <<" + end + "\n" + g.many(0, 3, "\n", func() string {
		return g.do(
			func() string { return `text $a "q" 'z' \$a \\ ` + "`echo b`" },
			func() string { return g.expansion(true) },
			func() string { return "\ttab $(echo in) $((n+1))" },
			func() string { return "\"${b:-\"d\"}\" \\n \\\nx" },
			func() string { return "*  ~ ${u-a b} {a,b}" },
			func() string { return "'$a' \"$b\" $'x' \\\" \\x" },
			func() string { return "" },
		)
	}) + "\nEOF\n"
}
