// Package markdown escapes texts for GitHub's dialect of Markdown, and limits how much of them a page has.
package markdown

import (
	"strings"
)

// Sizes that keep the page below GitHub's 1 MiB for a step summary, and readable.
const (
	MostFailures = 50      // told in full
	MostAccount  = 8 << 10 // bytes of one of them
	MostRows     = 1000    // of a table
)

// Badge is a mark for a heading.
func Badge(good, bad bool) string {
	switch {
	case good:
		return "✅"
	case bad:
		return "❌"
	}
	return "⚠️"
}

// Text keeps Markdown and HTML from finding marks in a text, and a table from finding its end.
func Text(s string) string {
	var b strings.Builder
	for _, c := range strings.Join(strings.Fields(s), " ") {
		switch {
		case c == '<':
			b.WriteString("&lt;")
		case c == '>':
			b.WriteString("&gt;")
		case c == '&':
			b.WriteString("&amp;")
		case c == '@': // must not mention a user
			b.WriteString("&#64;")
		case strings.ContainsRune("\\`*_[]|~#!$", c):
			b.WriteRune('\\')
			b.WriteRune(c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// Code is a text as code, in a line.
func Code(s string) string {
	return "<code>" + strings.ReplaceAll(HTML(s), "|", "&#124;") + "</code>"
}

// HTML is a text within the HTML of a Markdown page: neither reader finds marks in it.
func HTML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "[", "&#91;", "\n", " ").Replace(s)
}

// Fence puts a text into a block that nothing in it can end.
func Fence(s string) string {
	marks := "```"
	for strings.Contains(s, marks) {
		marks += "`"
	}
	return marks + "text\n" + strings.TrimRight(s, "\n") + "\n" + marks
}

// Cut ends a text at a line, and says so.
func Cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = s[:most]
	if i := strings.LastIndexByte(s, '\n'); i > 0 {
		s = s[:i]
	}
	return strings.ToValidUTF8(s, "") + "\n  … truncated; the report has the rest …\n"
}
