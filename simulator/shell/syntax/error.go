package syntax

import (
	"fmt"
	"strings"
)

// Error is a syntax error.
type Error struct {
	Line int
	// Token is what was not expected; "" is the end of the script, "\n" a newline.
	Token string
	// Expecting is what a dialect expected there, if it says so.
	Expecting string
	// Quote is the delimiter whose partner is missing: a quote, ")" or "}".
	Quote string
	// Reason is any other mistake, in the dialects' words.
	Reason string
	// Nested says that it is inside of a command substitution, Array of the value of an array, Condition of [[ ]].
	Nested, Array, Condition bool
	// Silent says that bash does not tell what is wrong.
	Silent bool
	// End says that the script ended where a command was to go on.
	End bool
	// Source is the line at which the error is.
	Source string
}

func (e *Error) Error() string { return e.Message(Bash) }

// Message returns what a dialect says after "syntax error" or, in bash, as a whole.
func (e *Error) Message(d Dialect) string {
	if d == Bash {
		switch {
		case e.Reason != "":
			return e.Reason
		case e.Quote != "":
			return "unexpected EOF while looking for matching `" + e.Quote + "'"
		case e.Token == "":
			return "syntax error: unexpected end of file"
		}
		return "syntax error near unexpected token `" + strings.ReplaceAll(e.Token, "\n", "newline") + "'"
	}
	text := e.Reason
	switch {
	case text != "":
	case e.Quote == `"` || e.Quote == "'":
		text = "unterminated quoted string"
	case e.Quote == "`":
		text = "EOF in backquote substitution"
	case e.Quote == "))":
		text = "missing '))'"
	case e.Quote == "}":
		text = "missing '}'"
	default:
		token := fmt.Sprintf("%q", e.Token)
		switch e.Token {
		case "redirection", "word":
			token = e.Token
		case "":
			token = "end of file"
		case "\n":
			token = "newline"
		}
		if d == Dash {
			text = token + " unexpected"
		} else {
			text = "unexpected " + token
		}
		switch e.Expecting {
		case "":
		case "word":
			text += " (expecting word)"
		default:
			text += fmt.Sprintf(" (expecting %q)", e.Expecting)
		}
	}
	if d == Dash && (e.Reason != "" || e.Quote != "") {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	return text
}
