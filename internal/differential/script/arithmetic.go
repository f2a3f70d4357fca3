package script

// arithmetic is an expression as it stands in $(( )).
func (g *generator) arithmetic() string {
	if g.depth > 5 {
		return g.one("1", "n", "$n")
	}
	return g.nested(func() string {
		return g.do(
			g.operand,
			func() string { return g.operand() + g.operator() + g.operand() },
			func() string { return g.operand() + g.operator() + g.operand() },
			func() string { return g.one("-", "+", "!", "~", "- ", "!!") + g.operand() },
			func() string { return g.operand() + " ? " + g.operand() + " : " + g.operand() },
			func() string {
				return "i" + g.one("=", "+=", "-=", "*=", "<<=", "|=", "%=", "/=", "&=", "^=", ">>=") + g.operand()
			},
			when(g.d != Dash || g.chance(0.2), func() string { return g.one("n++", "n--", "++n", "--n", "i++ + n", "n++ + ++n", "n+++1") }),
			when(g.d != Dash || g.chance(0.2), func() string { return g.operand() + "," + g.operand() }),
			func() string { return g.arithmetic() + g.one("+", "-", "*", "|", "&", " == ") + g.arithmetic() },
			when(g.bash() || g.chance(0.6), g.wrongArithmetic),
		)
	})
}

// wrongArithmetic is a mistake, or close to one.
func (g *generator) wrongArithmetic() string {
	g.mark("mistakes in arithmetic")
	return g.one("1 +", "1 2", "$a", "$u", "1 +* 2", "08", "x y", "1/0", "n %% 2", "(1", "1)", "7 = 3", "\"$n\"", "'1'", "a.b", "1.5", "0x", "", " ", "?1:2", "1?2", "2**-1", "9223372036854775807+1", "-9223372036854775808", "99999999999999999999", "$e", "b", "1<<65", "@", "n=", "3 % 0")
}

func (g *generator) operand() string {
	return g.do(
		func() string {
			return g.one("1", "2", "7", "n", "$n", "0", "-3", "010", "0x1f", "${n}", "10", "z", "100")
		},
		func() string { return g.one("1", "2", "3", "n") },
		func() string { return "(" + g.arithmetic() + ")" },
		when(g.bash(), func() string { return g.one("2#101", "36#z", "arr[1]", "${#a}", "16#fF", "arr[n]", "64#_") }),
	)
}

func (g *generator) operator() string {
	if g.d != Dash && g.chance(0.1) {
		return "**"
	}
	return g.one("+", "-", "*", "/", "%", "<<", ">>", "<", "<=", ">", ">=", "==", "!=", "&", "|", "^", "&&", "||", " + ", " - ")
}
