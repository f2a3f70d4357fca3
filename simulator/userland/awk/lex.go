package awk

import (
	"strings"
)

// token is the kind of a word of the program.
type token uint8

const (
	END token = iota
	NEWLINE
	NUMBER
	STRING
	REGEX
	NAME
	FUNCNAME // a name with "(" right after it
	BUILTIN
	LBRACE
	RBRACE
	LPAREN
	RPAREN
	LBRACKET
	RBRACKET
	SEMICOLON
	COMMA
	PLUS
	MINUS
	STAR
	SLASH
	PERCENT
	POWER
	NOT
	GREATER
	LESS
	PIPE
	QUESTION
	COLON
	TILDE
	NOMATCH
	DOLLAR
	ASSIGN
	OPASSIGN
	EQ
	LE
	GE
	NE
	INCR
	DECR
	AND
	OR
	APPEND
	KBEGIN
	KEND
	FUNCTION
	IF
	ELSE
	WHILE
	FOR
	DO
	BREAK
	CONTINUE
	NEXT
	NEXTFILE
	EXIT
	RETURN
	DELETE
	IN
	GETLINE
	PRINT
	PRINTF
)

// word is one token of the text.
type word struct {
	kind token
	text string
	num  float64
	line int
	op   byte // of an OPASSIGN
}

func keyword(name string) (token, bool) {
	switch name {
	case "BEGIN":
		return KBEGIN, true
	case "END":
		return KEND, true
	case "function", "func":
		return FUNCTION, true
	case "if":
		return IF, true
	case "else":
		return ELSE, true
	case "while":
		return WHILE, true
	case "for":
		return FOR, true
	case "do":
		return DO, true
	case "break":
		return BREAK, true
	case "continue":
		return CONTINUE, true
	case "next":
		return NEXT, true
	case "nextfile":
		return NEXTFILE, true
	case "exit":
		return EXIT, true
	case "return":
		return RETURN, true
	case "delete":
		return DELETE, true
	case "in":
		return IN, true
	case "getline":
		return GETLINE, true
	case "print":
		return PRINT, true
	case "printf":
		return PRINTF, true
	case "length", "substr", "index", "split", "sub", "gsub", "match", "sprintf", "sin", "cos", "atan2", "exp", "log", "sqrt", "int", "rand", "srand",
		"tolower", "toupper", "system", "close", "fflush", "gensub", "strftime", "systime", "mktime", "and", "or", "xor", "compl", "lshift", "rshift":
		return BUILTIN, true
	}
	return 0, false
}

type lexer struct {
	src   string
	at    int
	line  int
	words []word
}

// lex splits the text into words. Whether a slash divides or begins a regular expression shows in the word before it.
func lex(src string) ([]word, error) {
	l := &lexer{src: src, line: 1}
	for {
		done, err := l.next()
		if err != nil {
			return nil, err
		}
		if done {
			return l.words, nil
		}
	}
}

func (l *lexer) fail(message string) error { return &SyntaxError{l.line, message} }

func (l *lexer) put(kind token, size int) {
	l.words = append(l.words, word{kind: kind, text: l.src[l.at : l.at+size], line: l.line})
	l.at += size
}

func (l *lexer) next() (done bool, err error) {
	for l.at < len(l.src) {
		c := l.src[l.at]
		if c == ' ' || c == '\t' || c == '\r' {
			l.at++
		} else if c == '\\' && strings.HasPrefix(l.src[l.at+1:], "\n") {
			l.at += 2
			l.line++
		} else if c == '\\' && strings.HasPrefix(l.src[l.at+1:], "\r\n") {
			l.at += 3
			l.line++
		} else if c == '#' {
			for l.at < len(l.src) && l.src[l.at] != '\n' {
				l.at++
			}
		} else {
			break
		}
	}
	if l.at >= len(l.src) {
		l.words = append(l.words, word{kind: END, line: l.line})
		return true, nil
	}
	c := l.src[l.at]
	switch {
	case c == '\n':
		l.put(NEWLINE, 1)
		l.line++
		return false, nil
	case letter(c):
		l.name()
		return false, nil
	case digit(c) || c == '.' && l.at+1 < len(l.src) && digit(l.src[l.at+1]):
		l.number()
		return false, nil
	case c == '"':
		return false, l.string()
	case c == '/' && !l.divides():
		return false, l.regex()
	}
	return false, l.operator()
}

func letter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

func (l *lexer) name() {
	end := l.at
	for end < len(l.src) && (letter(l.src[end]) || digit(l.src[end])) {
		end++
	}
	name := l.src[l.at:end]
	kind, known := keyword(name)
	if !known {
		kind = NAME
		if end < len(l.src) && l.src[end] == '(' {
			kind = FUNCNAME
		}
	}
	l.put(kind, end-l.at)
}

func (l *lexer) number() {
	rest := l.src[l.at:]
	n, size := numberPrefix(rest)
	l.put(NUMBER, size)
	l.words[len(l.words)-1].num = n
}

func (l *lexer) string() error {
	from := l.line
	for i := l.at + 1; i < len(l.src); i++ {
		switch l.src[i] {
		case '\\':
			if i+1 < len(l.src) && l.src[i+1] == '\n' {
				l.line++
			}
			i++
		case '\n':
			l.line = from
			return l.fail("Unexpected end of string")
		case '"':
			body := l.src[l.at+1 : i]
			l.put(STRING, i+1-l.at)
			w := &l.words[len(l.words)-1]
			w.text, _, _ = strings.Cut(unescape(body), "\x00") // it is a string of C
			w.line = from
			return nil
		}
	}
	return l.fail("Unexpected end of string")
}

// unescape replaces the escapes of a string constant.
func unescape(body string) string {
	if strings.IndexByte(body, '\\') < 0 {
		return body
	}
	var b strings.Builder
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' || i+1 >= len(body) {
			b.WriteByte(body[i])
			continue
		}
		i++
		switch c := body[i]; c {
		case '\n':
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'a':
			b.WriteByte('\a')
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'v':
			b.WriteByte('\v')
		case '\\', '"', '/':
			b.WriteByte(c)
		case '0', '1', '2', '3', '4', '5', '6', '7':
			n, used := 0, 0
			for used < 3 && i+used < len(body) && body[i+used] >= '0' && body[i+used] <= '7' {
				n = n*8 + int(body[i+used]-'0')
				used++
			}
			i += used - 1
			b.WriteByte(byte(n))
		default: // \. stays \. for the regular expression that it may become
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String()
}

// divides reports whether a slash here divides.
func (l *lexer) divides() bool {
	if len(l.words) == 0 {
		return false
	}
	switch l.words[len(l.words)-1].kind {
	case NAME, NUMBER, STRING, REGEX, RPAREN, RBRACKET, INCR, DECR, BUILTIN, DOLLAR:
		return true
	}
	return false
}

func (l *lexer) regex() error {
	set := false
	for i := l.at + 1; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == '\\':
			i++
		case c == '\n':
			return l.fail("Unexpected end of string")
		case c == '[' && !set:
			set = true
			if i+1 < len(l.src) && l.src[i+1] == '^' {
				i++
			}
			if i+1 < len(l.src) && l.src[i+1] == ']' {
				i++
			}
		case c == '[' && strings.HasPrefix(l.src[i:], "[:"):
			if end := strings.Index(l.src[i:], ":]"); end > 0 {
				i += end + 1
			}
		case c == ']':
			set = false
		case c == '/' && !set:
			body := l.src[l.at+1 : i]
			l.put(REGEX, i+1-l.at)
			l.words[len(l.words)-1].text = body
			return nil
		}
	}
	return l.fail("Unexpected end of string")
}

// operator reads the longest operator.
func (l *lexer) operator() error {
	rest := l.src[l.at:]
	for _, o := range [...]struct {
		text string
		kind token
		op   byte
	}{
		{"**=", OPASSIGN, '^'}, {"**", POWER, 0}, {"^=", OPASSIGN, '^'}, {"+=", OPASSIGN, '+'}, {"-=", OPASSIGN, '-'}, {"*=", OPASSIGN, '*'},
		{"/=", OPASSIGN, '/'}, {"%=", OPASSIGN, '%'}, {"==", EQ, 0}, {"<=", LE, 0}, {">=", GE, 0}, {"!=", NE, 0}, {"++", INCR, 0}, {"--", DECR, 0},
		{"&&", AND, 0}, {"||", OR, 0}, {">>", APPEND, 0}, {"!~", NOMATCH, 0}, {"{", LBRACE, 0}, {"}", RBRACE, 0}, {"(", LPAREN, 0}, {")", RPAREN, 0},
		{"[", LBRACKET, 0}, {"]", RBRACKET, 0}, {";", SEMICOLON, 0}, {",", COMMA, 0}, {"+", PLUS, 0}, {"-", MINUS, 0}, {"*", STAR, 0}, {"/", SLASH, 0},
		{"%", PERCENT, 0}, {"^", POWER, 0}, {"!", NOT, 0}, {">", GREATER, 0}, {"<", LESS, 0}, {"|", PIPE, 0}, {"?", QUESTION, 0}, {":", COLON, 0},
		{"~", TILDE, 0}, {"$", DOLLAR, 0}, {"=", ASSIGN, 0},
	} {
		if strings.HasPrefix(rest, o.text) {
			l.put(o.kind, len(o.text))
			l.words[len(l.words)-1].op = o.op
			return nil
		}
	}
	return l.fail("Unexpected token")
}
