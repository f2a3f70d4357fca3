package script

// test is the arguments of test and [.
func (g *generator) test() string {
	g.mark("[ ]")
	w := func() string {
		return g.one(`"$a"`, "$a", "foo", `""`, "$n", "1", "-f", "!", "(", `"$u"`, "$u", "a", "-n", "0", `"$n"`, ")", "-a")
	}
	return g.do(
		func() string {
			return g.one("-n", "-z", "-f", "-d", "-e", "-r", "-x", "-s", "-L", "!", "-w", "-p", "-h", "-c") + " " + g.one(`"$a"`, "$u", "t1", "d1", "nofile", "", `"$u"`, "$a", "/dev/null", "-n")
		},
		func() string {
			return w() + " " + g.one("=", "!=", "==", "-eq", "-ne", "-lt", "-gt", "-le", "-ge", "'<'", "'>'", "-ef", "=~", "-xx") + " " + w()
		},
		func() string { return `"$a" ` + g.one("=", "!=") + " " + g.one("foo", `"$b"`, "''") },
		func() string {
			return "$n " + g.one("-eq", "-lt", "-ge") + " " + g.one("1", "3", "x", "' 1 '", "+1", "01", "''")
		},
		w,
		func() string { return "" },
		func() string {
			return w() + " = " + w() + " " + g.one("-a", "-o") + " " + g.one("-n x", `! -z "$a"`, "-f t1", "1 -eq 2", "! x")
		},
		func() string { return "! " + w() + " = " + w() },
		func() string { return `\( ` + w() + ` = foo \) -o 1 = 1` },
		func() string { return w() + " " + w() + " " + w() },
		when(g.bash(), func() string {
			g.mark("[ -v ]")
			return "-v " + g.one("a", "u", "arr", "arr[1]", "arr[9]", "map[k]", "map[q]", "e", "1", "9")
		}),
		when(g.bash(), func() string { return "-o " + g.one("errexit", "noglob", "nosuch") }),
	)
}

// condition is what stands in [[ ]].
func (g *generator) condition() string {
	if g.depth > 5 {
		return g.one("$a", "-n $b", "1 -eq 1")
	}
	return g.nested(func() string {
		return g.do(
			func() string {
				return g.one("$a", `"$a"`, "foo", "$p", "é", "$u") + " " + g.one("==", "!=", "=") + " " + g.pattern()
			},
			when(g.d != Ash || g.chance(0.3), func() string {
				return g.one("$a", "foobar", "a.b", `"$p"`) + " =~ " + g.one("^f", "o+", "(o+)(b?)", "^[a-z]+$", `"o+"`, "a.b", "'.'", "([^/]*)/(.*)", "$b", "^(.)(.*)$", `\.`, "[[:digit:]]+", "^$", "(a|f)oo?", "x{0,1}")
			}),
			func() string {
				return "-" + g.one("n", "z", "f", "d", "e") + " " + g.one("$a", "t1", "d1", "nosuch", `"$u"`, "$u")
			},
			when(g.bash(), func() string { return "-v " + g.one("a", "u", "arr[1]", "map[k]", "arr[7]") }),
			func() string {
				return g.one("$n", "1", "n", "0x10", "abc", "n+1", "$a", "'1 +'") + " " + g.one("-eq", "-lt", "-ge", "-ne") + " " + g.one("1", "5", "$n", "abc", "08", "1+1", "$e", `"$b"`)
			},
			when(g.d == Bash || g.chance(0.2), func() string {
				return g.one("$a", "b", `"$n"`) + " " + g.one("<", ">") + " " + g.one("foo", "$b", "3")
			}),
			func() string { return g.condition() + g.one(" && ", " || ") + g.condition() },
			func() string {
				return g.condition() + g.one(" && ", " || ") + g.condition() + g.one(" && ", " || ") + g.condition()
			},
			func() string { return "! " + g.condition() },
			when(g.d == Bash || g.chance(0.05), func() string { return "( " + g.condition() + " )" }),
			func() string { return g.one("$u", "$a", "foo", `""`, `"$e"`) },
		)
	})
}
