package kit

import (
	"path"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// Into is where a file goes in a directory. The name of the directory may end in a slash.
func Into(dir, file string) string {
	return strings.TrimSuffix(dir, "/") + "/" + path.Base(file)
}

// ShellWords splits at white space, with quotes and backslashes.
func ShellWords(text string) []string {
	var out []string
	var b strings.Builder
	in := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ' ', '\t', '\n':
			if in {
				out = append(out, b.String())
				b.Reset()
				in = false
			}
		case '\'', '"':
			in = true
			end := strings.IndexByte(text[i+1:], c)
			if end < 0 {
				end = len(text) - i - 1
			}
			b.WriteString(text[i+1 : i+1+end])
			i += end + 1
		case '\\':
			in = true
			if i+1 < len(text) {
				i++
				b.WriteByte(text[i])
			}
		default:
			in = true
			b.WriteByte(c)
		}
	}
	if in {
		out = append(out, b.String())
	}
	return out
}

// Before is what a text has before a separator, or all of it.
func Before(text, separator string) string {
	first, _, _ := strings.Cut(text, separator)
	return first
}

// By is who a message of a utility is from: the shell, if it runs the utility itself.
func By(p *container.Process, name string) string {
	switch shell := Base(p.Args[0]); shell {
	case "sh", "ash":
		return shell
	}
	return name
}
