// Package annotation writes workflow commands, which GitHub shows as annotations beside a file.
package annotation

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/reports/visible"
)

// mostAnnotation is how many bytes an annotation has, all in all. GitHub cuts what is longer than 4 KB, shows few of them,
// and takes 64 KB for all of a step.
const mostAnnotation = 1000

// Write writes one workflow command. at is a file, or file:line:column. Lines for which there is no room are left out.
func Write(b *bytes.Buffer, level, at, title string, lines ...string) {
	var head bytes.Buffer
	head.WriteString("::" + level + " ")
	if file, line, column := Place(at); file != "" && len(escapeProperty(file)) < mostAnnotation/2 {
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

// Place takes file:line:column apart, from its end, since a file's name may have colons.
func Place(at string) (file string, line, column int) {
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
