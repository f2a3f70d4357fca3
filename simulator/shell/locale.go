package shell

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plumbline-ci/plumbline/simulator/userland/formatting"
)

// wide reports whether characters are those of UTF-8: as the locale says, which most images do not set. Dash knows bytes
// alone.
func (s *shell) wide() bool {
	if s.kind == dash {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if text := s.value(name); text != "" {
			text = strings.ToLower(text)
			return strings.HasSuffix(text, "utf-8") || strings.HasSuffix(text, "utf8")
		}
	}
	return false
}

// length returns the number of characters.
func (s *shell) length(text string) int {
	if s.wide() {
		s.p.Work(uint32(len(text) / countedAStep))
		return utf8.RuneCountInString(text)
	}
	return len(text)
}

// countedAStep is how many bytes count as one command that are read one by one.
const countedAStep = 1024

// offset returns where the n-th character begins.
func (s *shell) offset(text string, n int) int {
	if !s.wide() {
		return min(n, len(text))
	}
	s.p.Work(uint32(min(n, len(text)) / countedAStep))
	at := 0
	for ; n > 0 && at < len(text); n-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

// upperAll and lowerAll change the case of text.
func (s *shell) upperAll(text string) string {
	if s.wide() {
		return strings.ToUpper(text)
	}
	return mapASCII(text, 'a', 'z')
}

func (s *shell) lowerAll(text string) string {
	if s.wide() {
		return strings.ToLower(text)
	}
	return mapASCII(text, 'A', 'Z')
}

// mapASCII changes the case of the letters in a range.
func mapASCII(text string, from, to byte) string {
	out := []byte(text)
	for i, c := range out {
		if from <= c && c <= to {
			out[i] = c ^ 0x20
		}
	}
	return string(out)
}

func isLower(c string) bool {
	r, _ := utf8.DecodeRuneInString(c)
	return unicode.IsLower(r)
}

// dollarQuote replaces the escapes of $'…'. Outside of UTF-8, \u of a character that is not of ASCII stays.
func (s *shell) dollarQuote(text string) string {
	if s.kind != bash {
		text = strings.NewReplacer(`\\`, `\\`, `\u`, `\\u`, `\U`, `\\U`).Replace(text)
	} else if !s.wide() && (strings.Contains(text, `\u`) || strings.Contains(text, `\U`)) {
		text = narrow(text)
	}
	if s.kind == bash && strings.HasSuffix(text, `\c`) && (len(text)-len(strings.TrimRight(text[:len(text)-1], `\`)))%2 == 0 {
		text = text[:len(text)-2] + `\\c` // nothing is behind it
	}
	text, _ = formatting.Escapes(text, formatting.DollarQuote)
	if cut := strings.IndexByte(text, 0); cut >= 0 {
		text = text[:cut]
	}
	return text
}

// narrow protects \u and \U of characters that are not of ASCII from being replaced.
func narrow(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 >= len(text) {
			b.WriteByte(text[i])
			continue
		}
		n := i + 2
		most := map[byte]int{'u': 4, 'U': 8}[text[i+1]]
		code := 0
		for n < len(text) && n-i-2 < most && digit(text[n], 16) < 16 {
			code = code*16 + digit(text[n], 16)
			n++
		}
		escape := text[i:n]
		if code >= utf8.RuneSelf {
			digits := strings.ToUpper(text[i+2 : n])
			if code < 1<<16 {
				digits = strings.TrimLeft(digits, "0")
				escape = `\\u` + strings.Repeat("0", max(0, 4-len(digits))) + digits
			} else {
				escape = `\\U` + strings.Repeat("0", max(0, 8-len(digits))) + digits
			}
		}
		b.WriteString(escape)
		i = n - 1
	}
	return b.String()
}
