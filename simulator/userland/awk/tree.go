package awk

// The tree of a program. Expressions and statements are told apart by their types.

type (
	expression interface{}
	statement  interface{}
)

// block is a list of statements in braces.
type block struct{ list []statement }

// rule is a pattern with its action; an action of nil prints the record.
type rule struct {
	from, to expression // to: the end of a range
	number   int        // of the range
	action   *block
}

// function is a function of the program.
type function struct {
	name   string
	params []string
	body   *block
	line   int
}

// Expressions.
type (
	number struct{ v value }
	text   struct{ v value }
	// pattern is a regular expression constant: alone it is matched against the record.
	pattern struct{ source string }
	// variable is a global by its number, or a local of the function.
	variable struct {
		index int
		local bool
	}
	field   struct{ index expression }
	element struct {
		array *variable
		index []expression
	}
	assign struct {
		to    expression
		op    byte // 0, or the operator of +=
		value expression
		line  int
	}
	increment struct {
		to     expression
		by     float64
		before bool // ++x
	}
	binary struct {
		op          byte // + - * / % ^ and ' ' for concatenation
		left, right expression
		line        int
	}
	compare struct {
		op          token
		left, right expression
	}
	match struct {
		left, right expression
		not         bool
	}
	logic struct {
		or          bool
		left, right expression
	}
	unary struct {
		op byte // - + !
		of expression
	}
	choice     struct{ test, yes, no expression }
	membership struct {
		array *variable
		index []expression
	}
	group struct{ list []expression } // parentheses; more than one only before in, and in print
	call  struct {
		index int
		name  string
		args  []expression
		line  int
	}
	builtin struct {
		name string
		args []expression
		line int
	}
	// getline reads a record: from the input, a file, or a command.
	getline struct {
		to      expression
		from    expression
		command bool
		line    int
	}
)

// Statements. An expression alone is one, too.
type (
	printing struct {
		args   []expression
		format bool
		to     expression
		how    token // GREATER, APPEND, PIPE
		line   int
	}
	conditional struct {
		test    expression
		yes, no statement
	}
	loop struct {
		first      statement
		test       expression
		next, body statement
		after      bool // do … while
	}
	each struct {
		key   expression
		array *variable
		body  statement
	}
	deletion struct {
		array *variable
		index []expression // empty: all
	}
	jump struct {
		how   token // BREAK, CONTINUE, NEXT, NEXTFILE, EXIT, RETURN
		value expression
		line  int
	}
	simple struct{ of expression }
)
