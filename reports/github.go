package reports

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/reports/visible"
)

// GitHub renders workflow commands, which GitHub shows as annotations: an error for
// each failure that counts and for what broke, a warning for one that does not count,
// a notice for what was left out, and the verdict as an error unless the run passed.
// GitHub shows the first ten of a kind and step; the log has all.
type GitHub struct{}

var _ Renderer = GitHub{}

// Render implements Renderer.
func (GitHub) Render(w io.Writer, r *ConformanceReport) error {
	r = shown(r)
	var b bytes.Buffer
	for i := range r.Fixtures {
		f := &r.Fixtures[i]
		switch {
		case f.Failure != nil:
			level := "error"
			if !r.Binds(f) {
				level = "warning"
			}
			var text bytes.Buffer
			fmt.Fprintln(&text, f.Requirement)
			account(&text, f, r.Proven(f))
			annotate(&b, level, f.Failure.At, f.Name+" ("+f.Level+")", strings.TrimRight(text.String(), "\n"))
		case f.Verdict == Error:
			annotate(&b, "error", f.File, f.Name+" broke", f.Reason)
		case f.Verdict == NotRun || f.Verdict == Excluded:
			annotate(&b, "notice", f.File, f.Name+" "+string(f.Verdict), f.Reason)
		}
	}
	var total Tally
	for _, f := range r.Fixtures {
		total.Add(f.Verdict)
	}
	for _, f := range r.Findings {
		annotate(&b, "notice", "", string(f.Kind), f.Message)
	}
	level := "notice"
	if r.Result != Passed {
		level = "error"
	}
	annotate(&b, level, "", about(r)+": "+string(r.Result), strings.Join(append([]string{total.String()}, r.Reasons...), "\n"))
	_, err := w.Write(b.Bytes())
	return err
}

// annotate writes one workflow command. at is a file, or file:line:column.
func annotate(b *bytes.Buffer, level, at, title, text string) {
	b.WriteString("::" + level + " ")
	if file, line, column := place(at); file != "" {
		fmt.Fprintf(b, "file=%s,", escapeProperty(file))
		if line > 0 {
			fmt.Fprintf(b, "line=%d,", line)
		}
		if column > 0 {
			fmt.Fprintf(b, "col=%d,", column)
		}
	}
	fmt.Fprintf(b, "title=%s::%s\n", escapeProperty(title), escapeData(string(visible.Commands([]byte(text)))))
}

// place takes file:line:column apart, from its end, since a file's name may have colons.
func place(at string) (file string, line, column int) {
	file = at
	number := func() (int, bool) {
		i := strings.LastIndexByte(file, ':')
		if i < 0 {
			return 0, false
		}
		n, err := strconv.Atoi(file[i+1:])
		if err != nil || n <= 0 {
			return 0, false
		}
		file = file[:i]
		return n, true
	}
	last, ok := number()
	if !ok {
		return file, 0, 0
	}
	if before, ok := number(); ok {
		return file, before, last
	}
	return file, last, 0
}

// escapeData and escapeProperty are the escapes of workflow commands: in properties two more letters have a meaning.
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func escapeProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(escapeData(s))
}
