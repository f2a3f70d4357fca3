package text

import "strings"

// sedSpace is a pattern or hold space. What is appended to it is put together when its text is asked for, so that a
// script that gathers line after line takes time in proportion to what it gathers.
type sedSpace struct {
	whole string
	more  []string
	size  int // of all
}

// get returns the text of a space.
func (r *sedRun) get(s *sedSpace) string {
	if len(s.more) > 0 {
		r.grown(s.size)
		var b strings.Builder
		b.Grow(s.size)
		b.WriteString(s.whole)
		for _, part := range s.more {
			b.WriteString(part)
		}
		s.set(b.String())
	}
	return s.whole
}

func (s *sedSpace) set(text string) { s.whole, s.more, s.size = text, nil, len(text) }

// extend appends a line to a space.
func (r *sedRun) extend(s *sedSpace, line string) {
	s.size += len(r.newline) + len(line)
	r.room(s.size)
	r.t.Effort((len(r.newline) + len(line)) / copiedAStep)
	s.more = append(s.more, r.newline, line)
}

// copiedAStep is how many bytes are copied in a step of [kit.Tool.Effort].
const copiedAStep = 8

// grown accounts for a space that gets a text of n bytes.
func (r *sedRun) grown(n int) {
	r.room(n)
	r.t.Effort(n / copiedAStep)
}

// room accounts for n bytes that a space is about to have.
func (r *sedRun) room(n int) {
	if n > 1<<16 {
		r.t.P.Allocate(int64(n))
		r.t.P.Allocate(-int64(n))
	}
}
