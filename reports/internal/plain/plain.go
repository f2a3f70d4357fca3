// Package plain shortens and indents texts for output in plain text.
package plain

import (
	"bytes"
	"fmt"
	"strings"
)

// Dash is a text, or a dash for none.
func Dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// Short cuts what would make a line unreadable.
func Short(text string) string {
	const most = 200
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// FirstLine is the first line of a text that is not empty.
func FirstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimLeft(s, "\n"), "\n")
	return line
}

// Hang indents the lines of a text behind its first.
func Hang(s string) string { return strings.ReplaceAll(s, "\n", "\n          ") }

// Block writes a text of several lines below a title, indented; an empty text is left out.
func Block(b *bytes.Buffer, title, text string) {
	if text == "" {
		return
	}
	fmt.Fprintf(b, "  %s\n", title)
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(b, "    %s\n", line)
	}
}
