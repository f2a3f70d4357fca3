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
			annotate(&b, level, f.Failure.At, f.Name+" ("+f.Level+")", pointed(f, r.Proven(f))...)
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
	annotate(&b, level, "", about(r)+": "+string(r.Result), append([]string{total.String()}, r.Reasons...)...)
	_, err := w.Write(b.Bytes())
	return err
}

// pointed tells of a failure what matters, the most important first: an annotation has little room.
func pointed(f *Fixture, proven []Statement) []string {
	x := f.Failure
	lines := []string{f.Requirement}
	if x.Path != "" {
		lines = append(lines, strings.TrimSpace(x.Object+" "+x.Path))
	}
	if x.Want != "" || x.Got != "" {
		lines = append(lines, "want "+short(x.Want), "got "+short(x.Got))
	}
	lines = append(lines, short(x.Message))
	if x.Replay != "" {
		lines = append(lines, "replay: "+x.Replay)
	}
	for _, s := range proven {
		lines = append(lines, fmt.Sprintf("%s (%s): %s", s.ID, s.Source, s.Text))
	}
	return lines
}

// mostAnnotation is how many bytes an annotation has, all in all. GitHub cuts what is longer than 4 KB, shows few of them,
// and takes 64 KB for all of a step.
const mostAnnotation = 1000

// annotate writes one workflow command. at is a file, or file:line:column. Lines for which there is no room are left out.
func annotate(b *bytes.Buffer, level, at, title string, lines ...string) {
	var head bytes.Buffer
	head.WriteString("::" + level + " ")
	if file, line, column := place(at); file != "" && len(escapeProperty(file)) < mostAnnotation/2 {
		fmt.Fprintf(&head, "file=%s,", escapeProperty(file))
		if line > 0 {
			fmt.Fprintf(&head, "line=%d,", line)
		}
		if column > 0 {
			fmt.Fprintf(&head, "col=%d,", column)
		}
	}
	fmt.Fprintf(&head, "title=%s::", fitting(title, mostAnnotation/4, escapeProperty))
	b.Write(head.Bytes())
	room := mostAnnotation - head.Len()
	for i, line := range strings.Split(strings.Join(lines, "\n"), "\n") {
		line = string(visible.Commands([]byte(line)))
		if i > 0 {
			line = "\n" + line
		}
		data := escapeData(line)
		if len(data) > room {
			b.WriteString(fitting(line, room, escapeData))
			break
		}
		b.WriteString(data)
		room -= len(data)
	}
	b.WriteString("\n")
}

// fitting escapes a text, or as much of it as there is room for.
func fitting(s string, room int, escape func(string) string) string {
	if whole := escape(s); len(whole) <= room {
		return whole
	}
	const more = "…"
	var b strings.Builder
	for _, c := range s {
		next := escape(string(c))
		if b.Len()+len(next)+len(more) > room {
			break
		}
		b.WriteString(next)
	}
	if b.Len() == 0 {
		return ""
	}
	return b.String() + more
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
