// Package syntax parses shell scripts as BusyBox ash, dash and bash read them.
//
// A [Parser] reads a script line by line, as a shell does: what comes before a syntax error has been returned, and may
// have run, before the error is. Only what shells refuse at that time is an error here. Mistakes inside of ${…} and
// $((…)) strike when the expansion is reached, if it ever is: a parameter expansion that makes no sense is kept as text
// ([Param.Bad]), and arithmetic is kept as a word to expand and to evaluate then.
//
// A general parser of shells (mvdan.cc/sh) refuses such scripts as a whole, does not know dash from bash, and has no
// bound for nesting: its recursion takes the process with it. Here, nesting is bounded and every byte of the tree is
// accounted for ([Limits]) before it is taken.
package syntax

// Dialect is a kind of shell.
type Dialect uint8

// The dialects.
const (
	Ash Dialect = iota
	Dash
	Bash
)

// Stmt is a command with its redirections.
type Stmt struct {
	Line       int
	Cmd        Command // nil if there are only redirections
	Redirs     []*Redirect
	Negated    bool
	Background bool
	NewLine    bool // a newline, and no semicolon, is before it
}

// Command is what a statement runs.
type Command interface{ command() }

// Call is a simple command.
//
// Line is where the shell knows which command it is: bash, behind its first word that is not an assignment, only when it has
// read the word behind that one too.
type Call struct {
	Line    int
	Assigns []*Assign
	Args    []*Word
}

// Assign is name=value, name+=value, name[index]=value or name=(…).
type Assign struct {
	Name   string
	Index  *Word // nil if there is none
	Value  *Word
	Array  *Array // nil unless the value is in parentheses
	Append bool
	// Text says that the value is text though it begins with parentheses, because more stands right behind them.
	Text bool
}

// Array is the value of an array.
type Array struct{ Elems []Element }

// Element is one entry of an array's value.
type Element struct {
	Index  *Word // nil unless it is [index]=value
	Value  *Word
	Append bool
}

// Pipeline is two or more commands joined by pipes.
type Pipeline struct {
	Stages []*Stmt
	Both   []bool // for each stage: standard error goes into the pipe too
}

// AndOr is a list of commands joined by && and ||.
type AndOr struct {
	First *Stmt
	Rest  []AndOrItem
}

// AndOrItem is a further command of an [AndOr], with the operator before it.
type AndOrItem struct {
	And  bool
	Stmt *Stmt
}

// Block is { …; }.
type Block struct{ List []*Stmt }

// Subshell is (…). Line is where it ends.
type Subshell struct {
	Line int
	List []*Stmt
}

// If is if, elif or else; else has no condition.
type If struct {
	Cond, Then []*Stmt
	Else       *If
}

// While is while and until.
type While struct {
	Until    bool
	Cond, Do []*Stmt
}

// For is for and select over words.
type For struct {
	Line   int
	Name   string
	In     bool // there is an "in"
	Items  []*Word
	Do     []*Stmt
	Select bool
}

// ArithFor is for ((…; …; …)).
type ArithFor struct {
	Line             int
	Init, Cond, Post *Word
	Do               []*Stmt
}

// Case is case.
type Case struct {
	Line  int
	Word  *Word
	Items []*CaseItem
}

// CaseItem is one branch of a case.
type CaseItem struct {
	Patterns []*Word
	List     []*Stmt
	// After says what follows the branch: ";;", ";&" (the next branch runs too) or ";;&" (the next is tested too).
	After string
}

// Func defines a function. Body has the redirections of each call.
type Func struct {
	Line int
	Name string
	Body *Stmt
}

// Arith is ((…)).
type Arith struct {
	Line int
	X    *Word
}

// Cond is [[ … ]].
type Cond struct {
	Line int
	X    CondExpr
}

// Time is bash's time before a pipeline; Stmt may be nil.
type Time struct {
	Posix bool
	Stmt  *Stmt
}

// Coproc is bash's coproc.
type Coproc struct {
	Name string
	Stmt *Stmt
}

func (*Call) command()     {}
func (*Pipeline) command() {}
func (*AndOr) command()    {}
func (*Block) command()    {}
func (*Subshell) command() {}
func (*If) command()       {}
func (*While) command()    {}
func (*For) command()      {}
func (*ArithFor) command() {}
func (*Case) command()     {}
func (*Func) command()     {}
func (*Arith) command()    {}
func (*Cond) command()     {}
func (*Time) command()     {}
func (*Coproc) command()   {}

// CondExpr is an expression inside of [[ ]].
type CondExpr interface{ condition() }

// CondWord is true if the word is not empty.
type CondWord struct{ Word *Word }

// CondNot is !.
type CondNot struct{ X CondExpr }

// CondGroup is (…).
type CondGroup struct{ X CondExpr }

// CondAnd is a chain of &&, CondOr one of ||.
type (
	CondAnd struct{ Terms []CondExpr }
	CondOr  struct{ Terms []CondExpr }
)

// CondUnary is -f word and the like.
type CondUnary struct {
	Op   string
	Word *Word
}

// CondBinary is an operator between two words.
type CondBinary struct {
	Op   string
	X, Y *Word
}

func (*CondWord) condition()   {}
func (*CondNot) condition()    {}
func (*CondGroup) condition()  {}
func (*CondAnd) condition()    {}
func (*CondOr) condition()     {}
func (*CondUnary) condition()  {}
func (*CondBinary) condition() {}

// Redirect is a redirection.
type Redirect struct {
	N    string // descriptor or {name} before the operator
	Op   string // < > >> >| <> <& >& &> &>> << <<- <<<
	Word *Word  // for a here-document its end word
	Doc  *Word  // the body of a here-document
	Raw  string // the body if the end word was quoted
	// Quoted says that the body of the here-document is not expanded.
	Quoted bool
	// Unended says that the script ended before the end word came.
	Unended bool
	Line    int
}

// Word is a word. Its parts follow each other without a gap.
type Word struct {
	Parts []Part
	// Assign is set for an argument of a declaring command that bash reads as an assignment to an array.
	Assign *Assign
}

// Part is a part of a word.
type Part interface{ part() }

// Lit is text as it stands, backslashes included.
type Lit struct {
	Value string
	Glob  bool // it belongs to an extended pattern
}

// SglQuoted is '…' or $'…'.
type SglQuoted struct {
	Value  string
	Dollar bool
	Text   string // of $'…', with its escapes replaced
	Inside bool   // it is $'…' in the operand of ${…} in double quotes
}

// print returns the quotes as bash shows them: it replaces $'…' when it reads the script.
func (q *SglQuoted) print() string {
	switch {
	case q.Inside:
		return q.Text
	case q.Dollar:
		return quoteSingle(q.Text)
	}
	return "'" + q.Value + "'"
}

// DblQuoted is "…" or $"…".
type DblQuoted struct {
	Parts  []Part
	Dollar bool
}

// CmdSubst is $(…) or `…`. Of $(…) in bash there is no Script: it is printed from List, and parsed again when it is to
// run. That is why its lines count as they do.
type CmdSubst struct {
	Script    *Script
	List      []*Stmt
	Backquote bool
	Raw       bool // it begins with $(( and is not arithmetic: Text is parsed when it is to run
	Text      string
	Source    string // of one in backquotes, before its backslashes are gone
}

// ArithExp is $((…)).
type ArithExp struct{ X *Word }

// ProcSubst is <(…), or >(…) if Out.
type ProcSubst struct {
	List []*Stmt
	Out  bool
}

// Param is $name or ${…}.
type Param struct {
	Name     string
	Short    bool // without braces
	Index    *Word
	All      byte // the index is @ or *
	Length   bool // ${#name}
	Indirect bool // ${!name}
	Names    byte // ${!prefix@} or ${!prefix*}
	Op       string
	Word     *Word // operand, or pattern to replace
	With     *Word // replacement
	Offset   *Word
	Count    *Word
	Text     string // as it stands
	Bad      bool   // it is no valid expansion
	// Transform says that it is bad because there is no ${name@operator} of that kind.
	Transform bool
}

func (*Lit) part()       {}
func (*SglQuoted) part() {}
func (*DblQuoted) part() {}
func (*CmdSubst) part()  {}
func (*ArithExp) part()  {}
func (*ProcSubst) part() {}
func (*Param) part()     {}

// Script is a parsed script: its complete lines up to the first error, and that error.
//
// Bash reads a line when the ones before it have run, and these may turn extended patterns on or off. Extglob says of each
// line, and of what is behind the last, how it was read, and Starts where it begins in Text. Ends are the numbers of the
// lines at which it had read them.
type Script struct {
	Text    string
	Lines   [][]*Stmt
	Starts  []int
	Ends    []int
	Extglob []bool
	Err     *Error
	// Aliases says that there are aliases. Rest is what is still to be read then, or behind the error if that does not end
	// the script; its first line has the number RestLine.
	Aliases  bool
	Rest     string
	RestLine int
	// Literal says that words are not aliases, even if there are some when the script runs.
	Literal bool
	// Posix says how it was read; what changes that changes the lines behind it.
	Posix bool
	// Stuck is that of the [Options].
	Stuck bool
	// Unended is a here-document whose end word has not come, and Continued says that the last line goes on in the next.
	Unended   *Redirect
	Continued bool
	// Size is the memory that the tree takes, about.
	Size int64
}

// Whole reports whether there is no more to come of the commands.
func (sc *Script) Whole() bool {
	return sc.Unended == nil && !sc.Continued && (sc.Err == nil || !sc.Err.End && sc.Err.Quote == "")
}

// Literal returns the text of a word that consists of unquoted text alone.
func (w *Word) Literal() (string, bool) {
	if w == nil || len(w.Parts) != 1 {
		return "", false
	}
	lit, ok := w.Parts[0].(*Lit)
	if !ok {
		return "", false
	}
	return lit.Value, true
}

// IsName reports whether text can be the name of a variable.
func IsName(text string) bool {
	return text != "" && nameLength(text) == len(text)
}

// nameLength returns how many bytes at the beginning of text are a name.
func nameLength(text string) int {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(text)
}

// IsKeyword reports whether a dialect reserves a word.
func (d Dialect) IsKeyword(word string) bool {
	switch word {
	case "if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "{", "}", "!":
		return word != "in" || d == Bash
	case "[[", "]]", "select", "time", "coproc":
		return d == Bash
	case "function":
		return d != Dash
	}
	return false
}
