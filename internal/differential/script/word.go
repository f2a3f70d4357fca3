package script

import "strings"

// variable is the name of a variable that the script may have set.
func (g *generator) variable() string { return g.one("a", "b", "c", "n", "e", "u", "p", "x", "y") }

// literal is a word without quotes and expansions, besides those of paths.
func (g *generator) literal() string {
	return g.one("foo", "bar", "a.b", "x=1", "--", "-n", "0", "7", "012", "a/b/c.txt", "A_b", "a:b:c", ":", "%s", "@", "#x", "1.5", "é", "-1", "!", "{}", "+", "word", "x#y", "a=b=c", "%d%%", "..", "-e")
}

// glob is a word that may name files.
func (g *generator) glob() string {
	g.mark("globbing")
	return g.one("*", "?", "[a-c]*", "f*", "*.txt", "d1/*", "t[12]", "t[!1]", "*/", "nomatch*", "[[:alpha:]]?", "d1/f?o.txt", "t[1-", ".*b", "*'.b'", `"*"`, `\*`, "[t]1")
}

// pattern is a pattern as case and ${x#…} know them.
func (g *generator) pattern() string {
	return g.one("*", "?", "a*", "*b", "*/", "/*", "*.", "[a-z]", "[!a-z]", "[^o]", "o", "foo", "[[:upper:]]*", "*[0-9]", "f?o", `\*`, "'*'", `"$a"`, "$a", "*:*", ":", "b*", "a", "[]x]", "[a-", "*o*", "??", ".*", `\?`, "[[:space:]]", "[-a]*", `"*"`, "*' '*", "$b*", `\\`, "[!]", "''", "é", "x\\\\*")
}

// quoted is a word in double quotes.
func (g *generator) quoted() string {
	g.mark("double quotes")
	text := g.many(1, 3, "", func() string {
		return g.do(
			func() string {
				return g.one("foo", "a b", "  ", "*", `\$`, `\\`, "'", `x\n`, "\\`", `\"`, `\a`, "~", "!", "{a,b}", "\t", "$", "#", `\ `)
			},
			func() string { return g.expansion(true) },
			func() string { return g.expansion(true) },
		)
	})
	return `"` + strings.NewReplacer("$$", "$ $", "$!", "$ !").Replace(text) + `"` // $$ and $! are process numbers
}

// word is any word.
func (g *generator) word() string {
	return g.do(
		g.literal, g.literal,
		func() string {
			g.mark("single quotes")
			return "'" + g.one("a b", "*", "$a", `\`, "", `"q"`, `x\ny`, "a\tb", "`b`", "#", "a;b") + "'"
		},
		g.quoted, g.quoted,
		func() string { return g.expansion(false) },
		func() string { return g.expansion(false) },
		func() string { return g.literal() + g.expansion(false) },
		func() string { return g.quoted() + g.literal() },
		func() string { return g.expansion(false) + g.quoted() },
		func() string {
			g.mark("positional parameters")
			return g.one(`"$@"`, `"$*"`, `pre"$@"post`, "$@", "$*", `"${@}"`, `"a$*b"`, `"$#"`)
		},
		func() string {
			g.mark("backslashes")
			return g.one(`\a`, `\ `, `a\ b`, `\$a`, `\\`, `\'`, `\"`, `a\;b`, `\~`, `\#x`, `\{a,b}`)
		},
		func() string {
			g.mark("$'…'")
			return g.one(`$'a\tb'`, `$'\x41\n'`, `$'it\'s'`, `$'\101'`, `$'\u00e9'`, `x$'\n'y`, `$'a\\b'`, `"$'x'"`, `$'\e\a'`, `$'\z'`, `$'\c'`, `$'a"b'`)
		},
		func() string {
			g.mark("tilde expansion")
			return g.one("~", "~/x", "a=~", "~root", `"~"`, "a~", "~nosuch", "x:~", `~"/x"`)
		},
		func() string {
			g.mark("brace expansion")
			return g.one("{a,b}", "{1..3}", "pre{a,b{c,d}}x", "{a..e..2}", "{03..1}", "{a}", "{a,", `{"a b",c}`, "{,x}", "{1..a}", "{3..-1..2}", "{a,b}{1,2}", "$a{x,y}", "{z..x}")
		},
		g.glob,
	)
}

// words are some words.
func (g *generator) words(low, high int) string { return g.many(low, high, " ", g.word) }

// tame is a word that gives exactly one argument, and no option.
func (g *generator) tame() string {
	return g.one("foo", `"$a"`, `"$b"`, "'x y'", `"$n"`, `"$p"`, `"$(echo z)"`, "7", `"$*"`, "''")
}

// singleQuoted returns text in single quotes.
func singleQuoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
