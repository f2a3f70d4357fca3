// Package visible makes text harmless to print.
//
// Logs, names and messages are written by others. Printed as they are, they can move the cursor, rename the terminal,
// show a line in another order than it has, or give orders to the runner of a CI job that reads the output. This package
// shows such characters instead of printing them: ESC becomes \x1b, a right-to-left override \u202e, a byte that is not
// UTF-8 \xff.
//
// [Line] is for what has to stay on one line, [Text] for what may have several. Both look at characters alone. What
// gives orders is a matter of whole lines, so [Commands] and [Writer] look at the finished output.
//
// Limits: the escapes are for people. A text that has a backslash followed by x1b already looks the same afterwards;
// programs read JSON or YAML, which keep the exact text.
package visible

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns s with every character shown that a terminal would obey or hide. Line breaks and tabs stay.
func Text(s string) string {
	return replace(s, func(c rune) bool { return c != '\n' && c != '\t' && hidden(c) })
}

// Line returns s as one line: Text, with line breaks as \n and tabs as \t.
func Line(s string) string { return replace(s, hidden) }

// replace shows the characters of s that bad accepts, and bytes that are not UTF-8.
func replace(s string, bad func(rune) bool) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, bad) < 0 {
		return s
	}
	var b strings.Builder
	for i, c := range s {
		switch {
		case c == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case bad(c):
			b.WriteString(escape(c))
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// escape returns the form in which a character is shown: that of Go, Python and bash.
func escape(c rune) string {
	switch {
	case c == '\n':
		return `\n`
	case c == '\r':
		return `\r`
	case c == '\t':
		return `\t`
	case c < 0x80:
		return fmt.Sprintf(`\x%02x`, c)
	case c < 0x10000:
		return fmt.Sprintf(`\u%04x`, c)
	}
	return fmt.Sprintf(`\U%08x`, c)
}

// hidden reports whether a character is obeyed or hidden instead of shown.
func hidden(c rune) bool {
	switch {
	case c < 0x20, c >= 0x7f && c < 0xa0: // C0, DEL and C1
		return true
	case c < 0x80:
		return false
	case c == 0x200c, c == 0x200d: // joiners: letters of some scripts and many emoji need them
		return false
	case c&0xfffe == 0xfffe: // U+FFFE, U+FFFF and their like: XML refuses them
		return true
	}
	if unicode.Is(unicode.Prepended_Concatenation_Mark, c) { // they are seen
		return false
	}
	// Cf has the bidirectional controls, the byte order mark, what has no width, and tags. Zl and Zp are line breaks.
	return unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp)
}
