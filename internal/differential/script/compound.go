package script

import "strings"

// command is any command.
func (g *generator) command() string {
	if g.depth > 4 {
		return g.simple()
	}
	return g.nested(func() string {
		return g.do(
			g.simple, g.simple,
			func() string { return g.simple() + g.redirection() },
			func() string { return g.simple() + g.redirection() },
			when(!g.noPipe, func() string { return with(&g.noPipe, func() string { return g.simple() + " 2>&1" }) }),
			func() string { return g.command() + " && " + g.command() },
			func() string { return g.command() + " || " + g.command() },
			func() string { return "! " + g.simple() },
			when(!g.noPipe, g.pipeline), when(!g.noPipe, g.pipeline),
			g.ifCommand, g.forCommand, g.whileCommand, g.caseCommand, g.caseCommand,
			func() string { g.mark("subshells"); return "(" + g.body(2) + ")" },
			func() string { g.mark("subshells"); return "(" + g.body(2) + ")" + g.redirection() },
			func() string { return "{ " + g.body(2) + "; }" },
			func() string { return "{ " + g.body(2) + "; }" + g.redirection() },
			g.function,
			when(!g.hereDocs, g.hereDocument),
			func() string {
				g.mark("command substitution")
				return `x=$(` + g.command() + `); echo "[$x]$?"`
			},
			func() string { g.mark("((a); b)"); return "((" + g.simple() + "); " + g.simple() + ")" },
			when(!g.inJob, func() string { return "{ " + g.background() + "; }" }), // of which no pipeline takes a part
			when(g.d != Dash || g.chance(0.1), func() string { g.mark("[[ ]]"); return "[[ " + g.condition() + " ]] && echo y || echo n" }),
			when(g.bash(), g.bashCompound), when(g.bash(), g.bashCompound),
		)
	})
}

// body is one to most commands, separated by semicolons.
func (g *generator) body(most int) string {
	return g.many(1, most, "; ", func() string { return with(&g.hereDocs, g.command) })
}

// pipeline is a pipeline.
func (g *generator) pipeline() string {
	g.mark("pipelines")
	if !g.statusSeen && g.chance(0.2) {
		return "echo " + g.tame() + " | " + g.one("true", "false", "read x", "head -n1", "exit 3", "{ read q; echo \"$q\"; }", "sed 1q", "grep -q foo", "f1")
	}
	left := g.command
	return g.do(
		func() string { return with(&g.hereDocs, left) + " | " + g.reader() },
		func() string { return with(&g.hereDocs, left) + " | " + g.reader() + " | " + g.reader() },
		func() string { return "{ " + g.body(2) + "; } | " + g.reader() },
		func() string { return g.hereless() + " | " + g.reader() + "; echo $?" },
		when(g.bash(), func() string { return g.hereless() + " |& cat >/dev/null" }),
	)
}

func (g *generator) hereless() string { return with(&g.hereDocs, g.simple) }

func (g *generator) ifCommand() string {
	g.mark("if")
	return "if " + g.body(1) + "; then " + g.body(2) + "; " + g.do(
		func() string { return "" },
		func() string { return "else " + g.body(2) + "; " },
		func() string { return "elif " + g.body(1) + "; then " + g.body(1) + "; " },
	) + "fi"
}

func (g *generator) forCommand() string {
	g.mark("for")
	return g.do(
		func() string {
			return "for " + g.one("i", "x") + " in " + g.words(0, 3) + "; do " + g.body(2) + "; done"
		},
		func() string { return "for i; do echo $i; done" },
		func() string { return "for i in \"$@\"; do " + g.body(1) + "; done" },
	)
}

func (g *generator) whileCommand() string {
	g.mark("while and until")
	return g.do(
		func() string {
			v := g.fresh()
			return v + "=0; " + strings.ReplaceAll(g.one("while [ $K -lt 3 ]", "until [ $K -ge 2 ]", "while [ $((K)) != 2 ]"), "K", v) + "; do " + v + "=$((" + v + "+1)); " + g.body(2) + "; done"
		},
		func() string {
			return "while read " + g.one("-r ", "") + g.one("l", "l m") + "; do " + g.body(1) + "; done < " + g.one("t1", "t2", "nofile")
		},
	)
}

func (g *generator) caseCommand() string {
	g.mark("case")
	return "case " + g.word() + " in " + g.one("", "(") + g.pattern() + ") " + g.body(1) + ";; " + g.pattern() + "|" + g.one("foo", "*b*", `"$b"`) + ") " + g.body(1) + ";; *) " + g.body(1) + g.one(";; esac", "; esac", ";; esac")
}

// function defines a function, and may use the definition as a command among others.
func (g *generator) function() string {
	g.mark("functions")
	return with(&g.inFunction, func() string {
		definition := g.one("f1", "f2", "f3") + "() " + g.do(
			func() string { return "{ " + g.body(3) + "; }" },
			func() string { return "(" + g.body(2) + ")" },
			func() string {
				return "{ " + g.one("local x=", "local y z=", "local q=") + g.expansion(false) + "; " + g.body(2) + "; }"
			},
			func() string { return g.ifCommand() },
		)
		switch {
		case g.chance(0.2):
			g.mark("a function's body, and what follows")
			return definition + g.one(" && echo defined", " || echo not", "; echo $?", " > o8", " 2>&1")
		case g.chance(0.1) && !g.noPipe:
			g.mark("a function's body, and what follows")
			return definition + " | cat"
		}
		return definition
	})
}
