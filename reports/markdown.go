package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Markdown renders a page for a step summary or a comment: the verdict, the profiles,
// the failures with their evidence folded, the rest as lists. It is GitHub's dialect,
// and stays below the size that a step summary may have.
type Markdown struct{}

var _ Renderer = Markdown{}

// Sizes that keep the page below GitHub's 1 MiB for a step summary, and readable.
const (
	markdownFailures = 50      // told in full
	markdownAccount  = 8 << 10 // bytes of one of them
	markdownRows     = 1000    // of a table
)

// Render implements Renderer.
func (Markdown) Render(w io.Writer, r *ConformanceReport) error {
	r = shown(r)
	var b bytes.Buffer
	var total Tally
	for _, f := range r.Fixtures {
		total.Add(f.Verdict)
	}
	fmt.Fprintf(&b, "## %s %s: %s\n\n%s.\n\n", badge(r.Result == Passed, r.Result == Failed || r.Result == Errored), text(about(r)), r.Result, total)
	for _, reason := range r.Reasons {
		fmt.Fprintf(&b, "- %s\n", text(reason))
	}
	if len(r.Reasons) > 0 {
		fmt.Fprintln(&b)
	}
	markdownFindings(&b, r)
	if r.Selection != nil {
		fmt.Fprintf(&b, "%d of %d fixtures were selected by %s, which does not judge a profile.\n\n", r.Selection.Selected, r.Selection.Of, code(r.Selection.Filter))
	}
	if len(r.Profiles) > 0 {
		fmt.Fprint(&b, "| Profile | Result | Required | Recommended | Reference |\n|---|---|---|---|---|\n")
		for _, p := range r.Profiles {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", text(p.Name), p.Result, ratio(p.Required), ratio(p.Recommended), ratio(p.Reference))
		}
		fmt.Fprintln(&b)
	}
	markdownSummary(&b, r)
	markdownFailed(&b, r)
	markdownOthers(&b, r)
	markdownAll(&b, r)
	var about []string
	for _, p := range facts(r) {
		about = append(about, text(p.name)+" "+code(p.value))
	}
	fmt.Fprintf(&b, "<sub>%s</sub>\n", strings.Join(about, " · "))
	return write(w, b.Bytes())
}

// markdownFindings is a table of what is claimed and seen differently.
func markdownFindings(b *bytes.Buffer, r *ConformanceReport) {
	if len(r.Findings) == 0 {
		return
	}
	fmt.Fprint(b, "### Where claims and observations differ\n\n| Finding | Subject | Observation |\n|---|---|---|\n")
	for i, f := range r.Findings {
		if i == markdownRows {
			fmt.Fprintf(b, "\n… and %d more.\n", len(r.Findings)-i)
			break
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", f.Kind, text(strings.TrimSpace(f.Profile+" "+f.Of)), text(f.Message))
	}
	fmt.Fprintln(b)
}

// markdownSummary has the score of each feature and the causes of failures.
func markdownSummary(b *bytes.Buffer, r *ConformanceReport) {
	list := causes(r)
	if len(list) == 0 {
		return
	}
	if board := scoreboard(r); len(board) > 0 {
		fmt.Fprintf(b, "### Features: %s\n\n| | Features |\n|---|---|\n", scores(board))
		for _, of := range standings() {
			if names := ofStanding(board, of); len(names) > 0 {
				fmt.Fprintf(b, "| %s | %s |\n", of, text(strings.Join(names, ", ")))
			}
		}
		fmt.Fprintln(b)
	}
	fmt.Fprint(b, "### Failures by cause\n\n| Failures | Cause | Fixtures |\n|---|---|---|\n")
	for i, c := range list {
		if i == markdownFailures {
			fmt.Fprintf(b, "\n… and %d more.\n", len(list)-i)
			break
		}
		count := fmt.Sprint(len(c.Fixtures))
		if !c.Counts {
			count += " (does not count)"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", count, text(c.What), text(someNames(c.Fixtures)))
	}
	fmt.Fprintln(b)
}

func markdownFailed(b *bytes.Buffer, r *ConformanceReport) {
	n := 0
	for i := range r.Fixtures {
		f := &r.Fixtures[i]
		if f.Failure == nil {
			continue
		}
		n++
		if n == 1 {
			fmt.Fprint(b, "### Failures\n\n")
		}
		if n > markdownFailures {
			continue
		}
		uncounted := ""
		if !r.Binds(f) {
			uncounted = " (" + f.Level + ", does not count)"
		}
		var told bytes.Buffer
		account(&told, f, r.Proven(f))
		fmt.Fprintf(b, "<details><summary><b>%s</b>%s: %s</summary>\n\n", escapeHTML(f.Name), uncounted, escapeHTML(f.Requirement))
		fmt.Fprintf(b, "%s\n\n", fence(cut(told.String(), markdownAccount)))
		fmt.Fprint(b, "</details>\n\n")
	}
	if n > markdownFailures {
		fmt.Fprintf(b, "… and %d more.\n\n", n-markdownFailures)
	}
}

// markdownOthers lists what was not judged.
func markdownOthers(b *bytes.Buffer, r *ConformanceReport) {
	n := 0
	for _, f := range r.Fixtures {
		if f.Verdict == Pass || f.Verdict == Fail {
			continue
		}
		n++
		if n == 1 {
			fmt.Fprint(b, "### Not judged\n\n| Fixture | Verdict | Reason |\n|---|---|---|\n")
		}
		if n <= markdownRows {
			fmt.Fprintf(b, "| %s | %s | %s |\n", text(f.Name), f.Verdict, text(short(f.Reason)))
		}
	}
	if n > markdownRows {
		fmt.Fprintf(b, "\n… and %d more.\n", n-markdownRows)
	}
	if n > 0 {
		fmt.Fprintln(b)
	}
}

func markdownAll(b *bytes.Buffer, r *ConformanceReport) {
	if len(r.Fixtures) == 0 {
		return
	}
	fmt.Fprintf(b, "<details><summary>All %d fixtures</summary>\n\n| Verdict | Fixture | Profile | Level | Time |\n|---|---|---|---|---|\n", len(r.Fixtures))
	for i, f := range r.Fixtures {
		if i == markdownRows {
			fmt.Fprintf(b, "\n… and %d more.\n", len(r.Fixtures)-i)
			break
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", f.Verdict, text(f.Name), text(f.Profile), text(f.Level), dash(f.Duration))
	}
	fmt.Fprint(b, "\n</details>\n\n")
}

// badge is a mark for a heading.
func badge(good, bad bool) string {
	switch {
	case good:
		return "✅"
	case bad:
		return "❌"
	}
	return "⚠️"
}

func ratio(t Tally) string {
	if t.Total == 0 {
		return "-"
	}
	return t.String()
}

// text keeps Markdown and HTML from finding marks in a text, and a table from finding its end.
func text(s string) string {
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

// code is a text as code, in a line.
func code(s string) string {
	return "<code>" + strings.ReplaceAll(escapeHTML(s), "|", "&#124;") + "</code>"
}

func escapeHTML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "[", "&#91;", "\n", " ").Replace(s)
}

// fence puts a text into a block that nothing in it can end.
func fence(s string) string {
	marks := "```"
	for strings.Contains(s, marks) {
		marks += "`"
	}
	return marks + "text\n" + strings.TrimRight(s, "\n") + "\n" + marks
}

// cut ends a text at a line, and says so.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = s[:most]
	if i := strings.LastIndexByte(s, '\n'); i > 0 {
		s = s[:i]
	}
	return strings.ToValidUTF8(s, "") + "\n  … truncated; the report has the rest …\n"
}
