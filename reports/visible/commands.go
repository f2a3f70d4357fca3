package visible

import (
	"bytes"
	"io"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Commands returns output without what the runner of a CI job would take for an order of ours: "::" at the beginning of a
// line, after blanks or not (GitHub), and "##[", "##vso[", "##teamcity[" wherever they stand (GitHub's older form, Azure
// Pipelines, TeamCity). One character of each is shown by its number, so that the line can still be read.
func Commands(output []byte) []byte { return commands(output, `\x3a`, `\x5b`) }

// Markup is Commands for HTML, where characters have another way to be written.
func Markup(page []byte) []byte { return commands(page, "&#58;", "&#91;") }

func commands(output []byte, colon, bracket string) []byte {
	if !bytes.Contains(output, []byte("::")) && !bytes.Contains(output, []byte("##")) {
		return output
	}
	var (
		w   watch
		out bytes.Buffer
	)
	for len(output) > 0 {
		c, n := utf8.DecodeRune(output)
		switch w.next(c) {
		case ':':
			out.WriteString(colon)
		case '[':
			out.WriteString(bracket)
		default:
			out.Write(output[:n])
		}
		output = output[n:]
	}
	return out.Bytes()
}

// watch follows a line as the runners do. Its zero value is the beginning of a line.
type watch struct {
	inside bool // something other than blanks was seen on this line
	colon  bool // the last character was a colon, the first on its line that is not blank
	marks  int  // how many # stand before what follows, with letters between
	word   bool // letters followed them
}

// next takes one character and returns it if it completes an order, else 0.
func (w *watch) next(c rune) rune {
	var order rune
	switch {
	case c == ':' && w.colon, c == '[' && w.marks >= 2:
		order = c
	}
	w.colon = c == ':' && !w.inside
	switch {
	case c == '#' && !w.word:
		w.marks++
	case c == '#':
		w.marks, w.word = 1, false
	case w.marks >= 2 && c < 0x80 && unicode.IsLetter(c):
		w.word = true
	default:
		w.marks, w.word = 0, false
	}
	w.inside = c != '\n' && (w.inside || !unicode.IsSpace(c))
	return order
}

// Writer makes everything harmless that is written through it: Text and Commands, whatever the pieces.
type Writer struct {
	w    io.Writer
	mu   sync.Mutex
	line watch
	rest []byte // the beginning of a character whose end is to come
}

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Unwrap returns what is behind the Writer, for what knows how to write to it: a line that is written over, say.
func (w *Writer) Unwrap() io.Writer { return w.w }

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	data := append(w.rest, p...) //nolint:gocritic // rest is given up
	w.rest = nil
	var out bytes.Buffer
	for len(data) > 0 {
		if !utf8.FullRune(data) {
			w.rest = bytes.Clone(data)
			break
		}
		c, n := utf8.DecodeRune(data)
		if c == utf8.RuneError || hidden(c) {
			for _, shown := range Text(string(data[:n])) {
				w.line.next(shown)
				out.WriteRune(shown)
			}
		} else if order := w.line.next(c); order != 0 {
			out.WriteString(escape(order))
		} else {
			out.Write(data[:n])
		}
		data = data[n:]
	}
	if out.Len() == 0 {
		return len(p), nil
	}
	if _, err := w.w.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close writes what is left of a character that has no end. It does not close what is behind the Writer.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	rest := w.rest
	if w.rest = nil; len(rest) == 0 {
		return nil // a pipe would wait for a reader even of nothing
	}
	_, err := io.WriteString(w.w, Text(string(rest)))
	return err
}
