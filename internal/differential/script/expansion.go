package script

// expansion is a parameter expansion, substitution or arithmetic expansion; quoted says that it stands in double quotes.
func (g *generator) expansion(quoted bool) string {
	v := g.variable()
	if g.depth > 4 {
		return "$" + v
	}
	return g.nested(func() string {
		return g.do(
			func() string { return "$" + v },
			func() string { return "${" + v + "}" },
			func() string { g.mark("${#x}"); return "${#" + v + "}" },
			func() string {
				g.mark("${x:-word}")
				return "${" + v + g.one(":-", "-", ":+", "+") + g.alternative(quoted) + "}"
			},
			func() string {
				g.mark("${x:=word}")
				return "${" + g.one("u", "e", "z", "y") + g.one(":=", "=") + g.alternative(quoted) + "}"
			},
			func() string {
				g.mark("${x#pattern}")
				return "${" + v + g.one("#", "##", "%", "%%") + g.pattern() + "}"
			},
			when(g.substrings() || g.chance(0.1), func() string {
				g.mark("${x/pattern/word}")
				anchor := ""
				if g.bash() {
					anchor = g.one("", "", "#", "%")
				}
				return "${" + v + g.one("/", "//") + anchor + g.pattern() + g.one("", "/", "/X", "/ ", "/$b", "/[&]", `/\/`, `/"$b"`, `/\&`) + "}"
			}),
			when(g.substrings() || g.chance(0.1), func() string {
				g.mark("${x:offset:length}")
				return "${" + v + ":" + g.one("0", "1", "2", " -1", " -2", "$n", "n", "1+1", "100", "(1)", " -100") + g.one("", ":1", ":2", ":0", ":n", ":100", ": -1") + "}"
			}),
			func() string { g.mark("arithmetic"); return "$((" + g.arithmetic() + "))" },
			func() string { g.mark("command substitution"); return "$(" + g.substituted() + ")" },
			func() string {
				g.mark("backquotes")
				return "`echo " + g.one("$a", `\$a`, "foo", `\\x`, "'q'", "$(echo n)", `"$b"`, `\\\\`) + "`"
			},
			func() string {
				g.mark("positional parameters")
				return g.one("$1", "$2", "$#", "$?", "$*", "$@", "${1}", "${#1}", "${2-x}", "${3:-y}", "${@}", "${*}", "${#@}", "${1:+s}")
			},
			func() string {
				g.mark("$'…'")
				return "${" + v + g.one("#", "%", ":-", "+") + g.one(`$'f'`, `$'\x6f'`, `$'a b'`) + "}"
			},
			when(g.bash(), func() string { return g.bashExpansion(v) }),
			when(g.bash(), func() string { return g.bashExpansion(v) }),
			when(g.bash(), func() string { return g.bashExpansion(v) }),
		)
	})
}

// alternative is the word of ${x:-word}.
func (g *generator) alternative(quoted bool) string {
	return g.do(
		func() string {
			return g.one("foo", "a b", "def", "", "*", "'q'", "~", `\$`, "x", "a:b", `\}`, "{a}", `'}'`)
		},
		func() string { return g.expansion(quoted) },
		func() string {
			if quoted {
				return `"a b"`
			}
			return g.quoted()
		},
		func() string { return "$a$b" },
	)
}

// substituted is what stands in $( ).
func (g *generator) substituted() string {
	return g.do(g.simple, g.simple,
		func() string { return g.simple() + "; " + g.simple() },
		func() string {
			g.mark("case")
			return "case " + g.word() + " in " + g.pattern() + ") " + g.simple() + ";; *) echo other;; esac"
		},
		when(g.bash() || g.chance(0.2), g.subshellPiped),
		when(g.bash(), g.subshellPiped),
	)
}

// bashExpansion is one that only bash has.
func (g *generator) bashExpansion(v string) string {
	return g.do(
		func() string {
			g.mark("${x^}")
			return "${" + v + g.one("^", "^^", ",", ",,", "^^[a-m]", "~", "~~", ",,[A-F]", "^?") + "}"
		},
		g.indirect, g.indirect,
		func() string {
			g.mark("arrays")
			return "${arr[" + g.one("0", "1", "@", "*", "-1", "n", "$n", "9", "1+1", "-9") + "]}"
		},
		func() string {
			g.mark("arrays")
			return g.one("${#arr[@]}", "${#arr[0]}", "${!arr[@]}", "${arr[@]:1}", "${arr[@]:0:2}", "${arr[@]: -1}", "${arr[*]}", "${arr}", "${arr[@]-d}", "${arr[7]-d}", "${arr[@]:1:1}", "${#arr}")
		},
		func() string {
			g.mark("arrays")
			return "${arr[@]" + g.one("#", "%", "/", "//", "^", "^^") + g.pattern() + "}"
		},
		func() string {
			g.mark("${x@Q}")
			return "${" + v + "@" + g.one("Q", "U", "L", "u", "E", "Q") + "}"
		},
		func() string {
			g.mark("associative arrays")
			return "${map[" + g.one("k", "z", "$a", "a b", "'a b'", "nope", "@", `"$b"`) + "]}"
		},
		func() string {
			g.mark("associative arrays")
			return g.one("${#map[@]}", "${map[k]:-x}", "${map[k]^}", "${map[nope]-n}")
		},
		func() string {
			return g.one("${@:1}", "${@:2:1}", "${@:1:2}", "${*#a}", "${@%?}", "${*/o/0}", "${@: -1}", "${#*}")
		},
	)
}

// indirect is an expansion by way of another variable, or of names.
func (g *generator) indirect() string {
	g.mark("${!x}")
	return g.one("${!q}", "${!q}", "${!u}", "${!a*}", "${!ma@}")
}

// subshellPiped begins as an arithmetic expansion does.
func (g *generator) subshellPiped() string {
	g.mark("$((a; b) | c)")
	return "(" + g.simple() + "; " + g.simple() + ") | " + g.reader()
}
