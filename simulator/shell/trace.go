package shell

import (
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// tracePrefix is PS4, in bash with its first character once for each level of substitutions and evals.
func (s *shell) tracePrefix() string {
	v, ok := s.vars["PS4"]
	prefix := v.value
	if !ok {
		prefix = ""
	}
	if strings.ContainsAny(prefix, "$`") {
		s.options.xtrace = false
		status := s.status
		if text, err := s.document(s.text(prefix)); err == nil {
			prefix = text
		}
		s.options.xtrace, s.status = true, status
	}
	if s.kind == bash && prefix != "" {
		first := prefix[:1]
		prefix = strings.Repeat(first, int(min(s.traced, 1000))) + prefix
	}
	return prefix
}

// text parses text as the body of a here-document is.
func (s *shell) text(text string) *syntax.Word { return syntax.Text(text, s.kind) }

// traceLine prints one line of the trace.
func (s *shell) traceLine(text string) {
	fd := 2
	if s.traceFD != 0 {
		fd = int(s.traceFD)
	}
	s.print(fd, s.tracePrefix()+text+"\n")
}

// ashWords are the reserved words, which ash's trace shows in quotes.
var ashWords = []string{"!", "case", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in", "then", "until", "while", "{", "}"}

// trace prints a command for set -x. assigns are the assignments before it, as name=value.
func (s *shell) trace(assigns []string, fields []string) {
	if s.kind == bash {
		for _, a := range assigns {
			s.traceLine(s.traceAssign(a))
		}
		if len(fields) > 0 {
			s.traceLine(s.traceWords(fields))
		}
		return
	}
	words := make([]string, 0, len(assigns)+len(fields))
	for _, a := range assigns {
		words = append(words, s.traceAssign(a))
	}
	for _, f := range fields {
		if s.kind == ash && slices.Contains(ashWords, f) {
			words = append(words, quoteSingle(f))
		} else {
			words = append(words, s.traceQuote(f))
		}
	}
	s.traceLine(strings.Join(words, " "))
}

func (s *shell) traceWords(fields []string) string {
	words := make([]string, len(fields))
	for i, f := range fields {
		words[i] = s.traceQuote(f)
	}
	return strings.Join(words, " ")
}

func (s *shell) traceAssign(text string) string {
	name, value, _ := strings.Cut(text, "=")
	if value == "" {
		return name + "="
	}
	return name + "=" + s.traceQuote(value)
}

// traceQuote quotes a word as the trace of the dialect shows it.
func (s *shell) traceQuote(word string) string {
	switch s.kind {
	case dash:
		return word
	case ash:
		for i := range len(word) {
			if c := word[i]; c < '+' || c >= ';' && c <= '?' || c == '[' || c == '\\' || c == '`' || c > 'z' {
				return s.quoted(word)
			}
		}
		return word
	}
	switch word {
	case "":
		return "''"
	case "'":
		return `\'`
	}
	if hasMeta(word) { // which the trace looks for first
		return quoteSingle(word)
	}
	return s.quoteIfNeeded(word)
}

// hasMeta reports whether a word has characters that mean something to bash.
func hasMeta(word string) bool {
	return strings.ContainsAny(word, " \t\n\"'\\$`*?[]|&;()<>{}!^") || word[0] == '#' || word[0] == '~' ||
		strings.Contains(word, ":~") || strings.Contains(word, "=~")
}

// printable is a name as messages of bash show it.
func (s *shell) printable(name string) string {
	if s.kind == bash && s.unprintable(name, "") {
		return s.quoteDollar(name)
	}
	return name
}

// quoteIfNeeded puts text into quotes if bash would not read it back as it is.
func (s *shell) quoteIfNeeded(word string) string {
	if s.unprintable(word, "\n\t") {
		return s.quoteDollar(word)
	}
	if hasMeta(word) {
		return quoteSingle(word)
	}
	return word
}
