package script

// bashCommand is a simple command that only bash has.
func (g *generator) bashCommand() string {
	return g.do(
		func() string {
			g.mark("arrays")
			return "arr" + g.one("=(a 'b c' d)", "+=(z)", "[5]=q", "=()", "=($a)", "=(*)", "[1]=", "+=x", "=([2]=x y)", `=("$@")`, "[-1]=l", "=([0]+=x)", "[n+1]=w", "=($(echo 1 2))", "=(~ {1,2})")
		},
		func() string {
			g.mark("arrays")
			return g.one("unset 'arr[1]'", "unset arr", "echo \"${arr[@]}\"", "for i in \"${arr[@]}\"; do echo \"$i\"; done", "echo ${#arr[@]} ${!arr[@]}", "unset 'arr[-1]'", "declare -p arr")
		},
		func() string {
			g.mark("associative arrays")
			return g.one("map[k]+=1", "map[a b]=2", "map[$a]=q", "unset 'map[k]'", "map+=([w]=3)", "declare -A m2=([x]=1 [y z]=2); echo \"${m2[y z]}\" ${#m2[@]}", "map['k']=0; echo ${map[k]}", "echo \"${map[k]}\"", "map=([k]=n)")
		},
		func() string { g.mark("[[ ]]"); return "[[ " + g.condition() + " ]]" },
		func() string { g.mark("(( ))"); return "(( " + g.arithmetic() + " ))" },
		func() string { g.mark("let"); return "let " + g.letWords() + "; echo $? $n" },
		func() string { return "printf -v x '%s.' " + g.words(1, 2) + "; echo \"$x\"" },
		func() string { g.mark("mapfile"); return g.mapfile() },
		func() string { g.mark("arrays"); return `read -ra arr <<< "$a"` },
		func() string {
			g.mark("declarations")
			return g.one("declare", "typeset", "local") + " " + g.one("-i n="+g.operand(), "-r ro2=1", "-x y="+g.expansion(false), "-l c=ABC", "-u c=abc", "-a arr", "-A m3", "-g y=1", "x=$a", "x=$(echo 1 2)", "-n nr=a", "+x a", "-i n; n=n+1", "-p a", "-p n", "-p nosuch", "-z x", "x y=$*", "-a arr=(1 2)", "-ai arr=(1+1 2)", "1x=2")
		},
		func() string {
			g.mark("shopt")
			return "shopt -" + g.one("s", "u", "s", "q") + " " + g.one("nullglob", "extglob", "failglob", "nocasematch", "dotglob", "globstar", "nosuch", "lastpipe", "expand_aliases", "inherit_errexit")
		},
		func() string { g.mark("process substitution"); return "cat <(echo " + g.word() + ")" },
		func() string { g.mark("printf %q"); return "printf '%q ' " + g.words(1, 3) + "; echo" },
		func() string {
			g.mark("printf %(…)T")
			return g.one(`printf '%(%Y)T\n' 0`, `printf '%(%F %T)T|%s\n' 86399 x`, `printf '%(%s)T\n' 12345`, `printf -v y '%(%j)T' 1000000; echo $y`, `printf '%(%H:%M)T\n' 3600 7200`, `printf '%10(%Y)T|\n' 0`)
		},
		func() string {
			return g.one("IFS=, read -r x y <<< 'p,q,r'; echo $x $y", "read -d : x <<< a:b; echo $x", "read -n 2 x <<< abc; echo $x", "read -N 3 x <<< abcd; echo $x", "read -t 1 x < /dev/null; echo $?", "read -p p x <<< y; echo $x", "read -u 3 x 3<<< z; echo $x", "read -a arr <<< 'a b'; echo ${#arr[@]}", "read <<< 'q w'; echo \"$REPLY\"")
		},
		func() string {
			g.mark("PIPESTATUS")
			return g.one("echo ${PIPESTATUS[@]}", "false | true; echo ${PIPESTATUS[@]}", "false; echo ${PIPESTATUS[0]}", "(exit 3) | (exit 4) | true; echo \"${PIPESTATUS[*]}\" $?", "! false | true; echo ${PIPESTATUS[1]}", "x=1; echo ${PIPESTATUS[@]}", "[[ a == b ]]; echo ${#PIPESTATUS[@]} ${PIPESTATUS[@]}", "((0)); echo ${PIPESTATUS[@]}", "if false; then :; fi; echo ${PIPESTATUS[@]}", "f1 x; echo ${PIPESTATUS[@]}")
		},
		func() string { g.mark("string +="); return g.variable() + "+=" + g.word() },
		func() string {
			g.mark("source")
			return "source " + g.one("./nofile", "/dev/null", "/dev/null a b", "<(echo 'echo sourced $#')", "<(echo 'echo $1') q")
		},
		func() string {
			return g.one("type -t cd", "type -t f1", "type -t nosuch", "type -t if", "type -t ls", "type -a echo", "command -V cd", "builtin echo x", "builtin nosuch", "enable -n echo; enable echo", "help nosuch", "true {1..3}", "hash -r", "unset -n nr", "type -P ls")
		},
	)
}

func (g *generator) mapfile() string {
	return g.one("mapfile", "readarray") + " " + g.one("-t", "-t -n 2", "-t -s 1", "-n 1", "-d : -t", "-t -O 2", "-t -c 1 -C 'echo cb'", "", "-t -n 2 -s 1") + " arr " + g.one("< t1", "<<< $'1\\n2'", "< t2", "< /dev/null", "< <(printf 'x\\ny')", "< nofile") + "; echo ${#arr[@]} \"${arr[@]}\""
}

// bashCompound is a compound command that only bash has.
func (g *generator) bashCompound() string {
	return g.do(
		func() string {
			g.mark("for (( ))")
			v := g.fresh()
			return "for ((" + v + "=0; " + v + "<3; " + v + "++)); do " + g.body(2) + "; done"
		},
		func() string {
			g.mark("[[ ]]")
			return "if [[ " + g.condition() + " ]]; then echo y; else echo n; fi; echo \"${BASH_REMATCH[1]}\""
		},
		func() string {
			g.mark("case")
			return "case $a in foo) echo 1;;& f*) echo 2;& *" + g.one("", "o", "z") + ") echo 3;; *) echo 4;; esac"
		},
		func() string {
			g.mark("functions")
			return with(&g.inFunction, func() string { return "function g " + g.one("", "() ") + "{ " + g.body(2) + "; }; g a" })
		},
		func() string {
			g.mark("process substitution")
			return "while IFS= read -r l; do echo \"$l\"; done < <(" + with(&g.hereDocs, g.simple) + ")"
		},
		func() string { g.mark("(( ))"); return "if (( " + g.arithmetic() + " )); then echo t; else echo f; fi" },
		func() string {
			g.mark("process substitution")
			return g.one("diff <(echo a) <(echo b)", "wc -l < <(printf 'a\\nb\\n')", "paste <(printf '1\\n2\\n') <(printf 'a\\nb\\n')", "cat <(echo x) - <<< y", "cat <(exit 3); wait $!; echo $?", "while read -r l; do echo \"$l\"; done < <(echo a; exit 4); wait $!; echo $?", "cat <(exit 3) <(exit 5); p=$!; cat <(:); wait $p; echo $?; wait; echo $?")
		},
		func() string {
			g.mark("extended patterns")
			return "shopt -s extglob\ncase " + g.word() + " in @(a|foo)*) echo 1;; !(*o)) echo 2;; *) echo 3;; esac; echo ${a/+(o)/0} ${p##*(/)} ${b%%?(r)} *(.)t*"
		},
		func() string { return "{ " + g.body(1) + "; } " + g.one("2>/dev/null", "&> o1", "<<< $a") },
		func() string { return "time " + g.one("true", "f1 x", "echo t") + " 2>/dev/null" },
		func() string { return "select i in a b; do echo \"$i\"; break; done <<< 2" },
	)
}

// bashFeature is a few lines around one feature of bash.
func (g *generator) bashFeature() string {
	return g.do(
		g.introspection, g.introspection, g.introspection, g.introspection, g.introspection, g.introspection, g.introspection,
		g.introspection, g.introspection, g.introspection, g.introspection, g.directories, g.completion, g.definitions, g.declaredInBash, g.arraysInBash, g.conditions,
		func() string { g.mark("mapfile"); return g.mapfile() },
		func() string { g.mark("printf %q"); return "printf '%q\\n' " + g.words(1, 2) },
		func() string {
			g.mark("${x^}")
			return "echo " + "${" + g.one("a", "b", "arr[@]", "p", "1", "u", "map[k]") + g.one("^", "^^", ",", ",,", "~", "~~", "^[a-f]", "^^[ao]", "^^?", ",,[A-Z]") + "}"
		},
		func() string {
			g.mark("printf %(…)T")
			return `printf '%(` + g.one("%Y-%m-%d", "%H:%M:%S", "%a %b %e", "%s", "%j %u", "%F %T %Z") + `)T\n' ` + g.one("0", "1700000000", "951782400")
		},
		func() string {
			g.mark("[ -v ]")
			return "[ -v " + g.one("a", "u", "arr[0]", "arr[8]", "map[k]", "map[no]", "map", "PATH", "1") + " ] && echo set || echo unset"
		},
		func() string { g.mark("let"); return "let " + g.letWords() + "; echo $? $n" },
		func() string {
			g.mark("extended patterns")
			return "shopt -s extglob\n[[ $a == " + g.one("+(o|f)*", "!(foo)", "@(foo|bar)", "?(f)oo", "*(*)") + " ]] && echo m; echo ${p%%+([a-z.])} ${a//!(o)/x}"
		},
		g.remembered,
		func() string { g.mark("PIPESTATUS"); return g.hereless() + "; echo ${PIPESTATUS[@]}" },
		func() string {
			before := g.one("echo ", "x=", "echo a", "f1 ")
			return before + "$(" + with(&g.hereDocs, g.subshellPiped) + ")"
		},
		func() string {
			g.mark("source")
			return "source <(printf '%s\\n' " + singleQuoted(g.one("echo $#", "return 3", "x=9", "echo ${BASH_SOURCE[0]##*/} | grep -c .", "exit 5")) + ") a b; echo $? $x"
		},
	)
}

// introspection is what a script asks about itself.
func (g *generator) introspection() string {
	return g.do(
		func() string {
			g.mark("FUNCNAME")
			return "f3() { echo \"${FUNCNAME[@]}\" ${#FUNCNAME[@]} $FUNCNAME; }; f4() { f3; }; f4; echo \"[${FUNCNAME[0]}]\""
		},
		func() string {
			g.mark("BASH_LINENO")
			return "f3() { echo ${BASH_LINENO[@]} $LINENO; }\n\nf3\nf4() {\n f3; }\nf4"
		},
		func() string {
			g.mark("BASH_SOURCE")
			return g.one("echo \"${BASH_SOURCE[0]}\" ${#BASH_SOURCE[@]}", "f3() { echo \"${BASH_SOURCE[@]}\"; }; f3", "echo 'echo ${BASH_SOURCE[0]} $0; f3() { echo ${BASH_SOURCE[@]}; }' > s2; . ./s2; f3; bash s2", "echo 'cd \"$(dirname \"${BASH_SOURCE[0]}\")\"; pwd' > d1/s3; bash d1/s3; (source d1/s3)")
		},
		func() string {
			g.mark("BASH_SUBSHELL")
			return g.one("echo $BASH_SUBSHELL; (echo $BASH_SUBSHELL; (echo $BASH_SUBSHELL)); echo $(echo $BASH_SUBSHELL)", "echo x | { read y; echo $BASH_SUBSHELL; }", "{ echo $BASH_SUBSHELL; } & wait", "f3() (echo $BASH_SUBSHELL); f3; x=`echo $BASH_SUBSHELL`; echo $x")
		},
		func() string {
			g.mark("BASH_VERSINFO")
			return g.one("echo ${BASH_VERSINFO[0]} ${BASH_VERSINFO[1]} ${#BASH_VERSINFO[@]}", "((BASH_VERSINFO[0] >= 4)) && echo new", "echo ${BASH_VERSION%%[^0-9.]*}", "if [ \"${BASH_VERSINFO:-0}\" -ge 4 ]; then echo ok; fi", "echo $BASH_VERSINFO")
		},
		func() string {
			g.mark("BASH_COMMAND")
			return g.one("trap 'echo \"[$BASH_COMMAND]\"' ERR\nfalse\nls nofile 2>/dev/null\ntrap - ERR", "trap 'echo \"D:$BASH_COMMAND\"' DEBUG\necho a\nx=1\ntrap - DEBUG", "echo $BASH_COMMAND", "trap 'echo \"$? $BASH_COMMAND\" >&2' EXIT", "set -E; trap 'echo \"$BASH_COMMAND:$LINENO\"' ERR; f3() {\nfalse\n}; f3; trap - ERR")
		},
		func() string {
			g.mark("caller")
			return g.one("f3() { caller; caller 0; caller 1; }; f3", "caller; echo $?", "f3() { caller 0; }\nf4() { f3; }\nf4\n", "f3() { local i=0; while caller $i; do i=$((i+1)); done; }; f4() { f3; }; f4", "caller 0; echo $?; (caller x; echo $?)")
		},
		func() string {
			g.mark("LINENO in traps")
			return g.one("trap 'echo $LINENO' ERR\nfalse\n\n(exit 3)\ntrap - ERR", "trap 'echo $LINENO' USR1\n\nkill -USR1 $$\n", "f3() {\nfalse\n}\ntrap 'echo $LINENO ${FUNCNAME[0]}' ERR\nf3\ntrap - ERR", "trap 'echo exit $LINENO' EXIT\n:\n", "echo $LINENO\necho $LINENO; f3() {\n echo $LINENO; }\nf3", "trap 'echo $LINENO' RETURN; f3() { :; }; f3; trap - RETURN")
		},
		func() string {
			return g.one("echo $-", "echo ${#BASHPID} | grep -c .", "[ $$ = $BASHPID ] && echo same; ([ $$ = $BASHPID ] || echo other)", "echo $SHLVL", "echo $OSTYPE $HOSTTYPE", "echo ${BASH_ARGV0}", "echo $_", "echo $SHELLOPTS", "[ $SECONDS -lt 9 ] && echo soon", "echo $BASHOPTS | grep -c cmdhist", "echo ${DIRSTACK[0]}", "echo ${GROUPS[0]} $UID $EUID", "echo \"$BASH_EXECUTION_STRING\" | head -n 1", "[ -n \"$EPOCHSECONDS\" ] && echo $((RANDOM < 32768))")
		},
	)
}

// remembered looks for a program in PATH, which bash remembers.
func (g *generator) remembered() string {
	g.mark("PATH")
	return "printf '#!/bin/bash\\necho \"tool:$*\"\\n' > d1/tool; chmod +x d1/tool; " +
		g.one("PATH=d1:$PATH", "export PATH=$PWD/d1:$PATH", "PATH+=:/tmp/w/d1", "local PATH=d1", "PATH=$PATH:d1 tool", "PATH=/nowhere", "PATH=/tmp/w/d1:/bin:/usr/bin", "hash -p d1/tool tool", "PATH=", "f3() { local PATH=d1; tool in; }; f3") +
		"; " + g.one("tool a", "tool a | cat", "(tool b)", "x=$(tool c); echo \"$x\"", "command tool d", "type -t tool", "command -v tool", "cd d1; tool e", "tool & wait", "hash -t tool", "/bin/bash -c 'tool f'", "type -p tool", "exec tool g") +
		"; echo $?; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

func (g *generator) directories() string {
	g.mark("pushd, popd, dirs")
	return g.one("pushd d1; popd; dirs", "pushd d1 >/dev/null; pwd; popd >/dev/null; pwd", "pushd /tmp; pushd /; dirs -v; popd; popd", "popd; echo $?", "pushd; echo $?", "dirs; dirs -p; dirs -l", "pushd nodir; echo $?", "cd d1; pushd ..; pushd; dirs; pwd", "pushd -n /tmp; dirs; popd", "pushd d1; pushd +1; dirs; dirs -c; dirs", "cd /; pushd /tmp; pushd /tmp/w; popd +1; dirs", "pushd d1 && (popd); dirs", "echo ${DIRSTACK[@]}; pushd d1; echo ${#DIRSTACK[@]}")
}

func (g *generator) completion() string {
	g.mark("compgen")
	return g.one("compgen -W 'apple banana avocado' a", "compgen -f d", "compgen -d", "compgen -A function | sort", "compgen -v arr", "compgen -W 'x y' z; echo $?", "compgen -b ec", "compgen -G 't*'", "compgen -k wh", "compgen -A builtin mapf", "compgen -A variable BASH_VERSI", "compgen -c pri | sort -u | head -n 1", "compgen -W \"$a $b\" -- f", "compgen -e HO", "compgen -z; echo $?")
}

// definitions prints functions and variables.
func (g *generator) definitions() string {
	g.mark("declare -f")
	body := g.one("echo hi", "if true; then echo a; else echo b; fi", "for i in 1 2; do echo $i; done", "case $1 in a|b) echo x;; *) :;; esac", "while read x; do echo \"$x\"; done < t1", "local x=$1; echo \"$x\" | cat", "(cd d1; pwd) > o1", "{ echo a; echo b; } 2>&1", "[[ $a == b && -n $c ]] || return 1", "((n++)); let x=1", "a=(1 2); a[1]=3", "echo a && echo b || echo c; ! false", "cat <<E\nx $1\nE", "x=$(echo $(ls)); y=`pwd`", "for ((i=0;i<3;i++)); do :; done", "f7() { :; }; f7", "echo a & wait", "until false; do break; done", "echo \"a $b\" 'c' \\$d $'e\\n'", "select x in a; do :; done", "echo {1..3} >> o1 2> /dev/null", "if a; then b; elif c; then d; fi")
	return "f6() { " + body + "\n}; " + g.one("declare -f f6", "type f6", "declare -F f6", "declare -F | grep f6", "typeset -f f6", "command -V f6", "eval \"$(declare -f f6)\"; declare -f f6", "export -f f6; bash -c 'type -t f6'", "declare -f nosuch; echo $?")
}

func (g *generator) declaredInBash() string {
	g.mark("declarations")
	return g.do(
		func() string {
			return "declare -p " + g.one("a", "arr", "map | tr ' ' '\\n' | sort", "n", "nosuch", "e", "q p")
		},
		func() string {
			return "f3() { declare " + g.one("", "-i ", "-r ", "-l ", "-u ", "-a ", "-g ", "-x ") + "v=" + g.expansion(false) + "; declare -p v; }; f3; echo \"${v-none}\""
		},
		func() string { return "f3() { local -n ref=$1; ref+=x; echo \"$ref\"; }; f3 a; echo $a" },
		func() string {
			return "declare -i num=5; num+=3; num=" + g.one("num*2", "abc", "010", "'1 + 1'", "$n") + "; echo $num"
		},
		func() string {
			return "f3() { local arr=(x y); local -A m=([q]=1); echo ${arr[@]} ${m[q]}; }; f3; echo ${arr[@]}"
		},
		func() string {
			return "declare -r K" + g.fresh() + "=1; declare -x EX=2; export -p | grep EX=; readonly -p | grep -c ="
		},
		func() string {
			return "x=5; f3() { local x; local -p; echo ${x-unset}; unset x; echo ${x-gone}; }; f3; echo $x"
		},
		func() string { return "declare -n ref=arr; echo ${ref[1]}; ref[1]=z; echo ${arr[@]}; unset -n ref" },
		func() string { return "local z=1; echo $?; declare -g gg=1; echo $gg" },
		func() string { return "typeset -u up=" + g.word() + "; echo \"$up\"; up=abc; echo $up" },
	)
}

func (g *generator) arraysInBash() string {
	g.mark("arrays")
	return g.one("a=(1 2 3); a[5]=x; echo ${#a[@]} ${!a[@]} \"${a[@]: -2}\"; unset a", "v=(a b); v+=(c d); echo ${v[@]:1:2} ${v[-1]}", "v=(\"x y\" z); printf '[%s]' \"${v[@]}\"; echo; printf '[%s]' ${v[@]}; echo; printf '[%s]' \"${v[*]}\"; echo", "v=(b a c); IFS=$'\\n' w=($(sort <<< \"${v[*]}\")); echo \"${w[@]}\"; unset IFS", "declare -A h; h[one]=1; h[two]=2; for k in \"${!h[@]}\"; do echo $k=${h[$k]}; done | sort; echo ${#h[@]}", "v=(); echo ${#v[@]} \"${v[@]}\" \"${v[*]-none}\"", "v=([3]=x [1]=y); echo ${v[@]} ${!v[@]}; v+=(z); echo ${!v[@]}", "v=(one two three); echo ${v[@]/o/0} ${v[@]#t} ${v[@]^} ${#v[1]}", "set -- \"${arr[@]}\"; echo $#; echo ${@: -1}", "v=(1 2 3); echo $((v[0]+v[2])) ${v[1+1]}; ((v[1]++)); echo ${v[@]}", "v=($(printf 'a b\\nc')); echo ${#v[@]}", "echo \"${arr[@]:1}\" \"${arr[@]::1}\" ${arr[@]/%s/S}", "v=(a b c); unset 'v[1]'; echo \"${v[@]}\" ${#v[@]} ${v[1]-none}; v=(\"${v[@]}\"); echo ${!v[@]}", "[[ \" ${arr[*]} \" == *' p '* ]] && echo has", "v='x'; v[2]=y; declare -p v", "readonly -a RA=(1 2); RA[0]=3; echo on", "v=(a b); w=(\"${v[@]}\" c); echo ${#w[@]}; echo ${w[@]@Q}", "declare -A h=([a]=1 [b]=2); unset 'h[a]'; echo ${!h[@]} ${h[b]}; [[ -v h[a] ]] || echo no", "map[$n]=$a; echo ${map[$n]}; echo ${map[@]+some}", "v=(a b); echo ${v[@]@A}; echo ${a@A}")
}

// conditions are several conditions in a row, which would show a wrong precedence.
func (g *generator) conditions() string {
	g.mark("[[ ]]")
	return "[[ " + g.condition() + " ]]; echo $?; [[ ! " + g.condition() + g.one(" && ", " || ") + g.condition() + " ]]; echo $?"
}
