package shell

import (
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// hasBrace reports whether a word may have braces to expand.
func hasBrace(w *syntax.Word) bool {
	for _, p := range w.Parts {
		if lit, ok := p.(*syntax.Lit); ok && strings.Contains(lit.Value, "{") {
			return true
		}
	}
	return false
}

// piece is a byte of unquoted text, or a part of a word that braces do not look into.
type piece struct {
	c    byte
	part syntax.Part
}

// braces performs bash's brace expansion. Each word it makes is accounted for before it is made.
func (s *shell) braces(w *syntax.Word) ([]*syntax.Word, error) {
	var pieces []piece
	for _, part := range w.Parts {
		lit, ok := part.(*syntax.Lit)
		if !ok || lit.Glob {
			pieces = append(pieces, piece{part: part})
			continue
		}
		for i := 0; i < len(lit.Value); i++ {
			c := lit.Value[i]
			if c == '\\' && i+1 < len(lit.Value) {
				pieces = append(pieces, piece{part: &syntax.Lit{Value: lit.Value[i : i+2]}})
				i++
				continue
			}
			pieces = append(pieces, piece{c: c})
		}
	}
	b := bracer{s: s}
	b.take(len(pieces))
	expanded := b.expand(pieces)
	words := make([]*syntax.Word, 0, len(expanded))
	for _, pieces := range expanded {
		if len(pieces) > 0 {
			words = append(words, join(pieces))
		}
	}
	s.p.Allocate(-b.held)
	return words, nil
}

// bracer expands braces and accounts for what that takes.
type bracer struct {
	s    *shell
	held int64
}

// pieceSize is what a piece takes in memory.
const pieceSize = 128

// perBrace is how many commands a word counts as that braces make.
const perBrace = 2

// take asks for room for n pieces.
func (b *bracer) take(n int) {
	b.held += int64(n) * pieceSize
	b.s.p.Allocate(int64(n) * pieceSize)
	b.s.p.Work(uint32(n>>6) + perBrace)
}

// join makes a word of pieces.
func join(pieces []piece) *syntax.Word {
	w := &syntax.Word{}
	var text []byte
	flush := func() {
		if len(text) > 0 {
			appendText(w, string(text))
			text = nil
		}
	}
	for _, p := range pieces {
		lit, ok := p.part.(*syntax.Lit)
		switch {
		case p.part == nil:
			text = append(text, p.c)
		case ok && !lit.Glob:
			text = append(text, lit.Value...)
		default:
			flush()
			w.Parts = append(w.Parts, p.part)
		}
	}
	flush()
	return w
}

// appendText appends text to a word. What can go on the name of a parameter does.
func appendText(w *syntax.Word, text string) {
	if n := len(w.Parts); n > 0 {
		if pe, ok := w.Parts[n-1].(*syntax.Param); ok && pe.Short && syntax.IsName(pe.Name) {
			more := 0
			for more < len(text) && isWordByte(text[more]) {
				more++
			}
			longer := *pe
			longer.Name, longer.Text = pe.Name+text[:more], pe.Text+text[:more]
			w.Parts[n-1], text = &longer, text[more:]
		}
	}
	if text != "" {
		w.Parts = append(w.Parts, &syntax.Lit{Value: text})
	}
}

// expand returns the words that a word with braces stands for.
func (b *bracer) expand(pieces []piece) [][]piece {
	b.s.deeper("braces")
	defer b.s.shallower()
	b.s.p.Work(uint32(len(pieces) >> 8))
	pairs := matching(pieces)
	for i := range pieces {
		pair := pairs[i]
		if pair == nil || pair.end < 0 {
			continue
		}
		end, commas := pair.end, pair.commas
		var middle [][]piece
		inner := pieces[i+1 : end]
		switch {
		case len(commas) > 0:
			from := i + 1
			for _, at := range append(commas, end) {
				middle = append(middle, b.expand(pieces[from:at])...)
				from = at + 1
			}
		default:
			var ok bool
			if middle, ok = b.sequence(inner); !ok {
				continue
			}
		}
		rest := b.expand(pieces[end+1:])
		out := make([][]piece, 0, 16)
		for _, m := range middle {
			for _, r := range rest {
				n := i + len(m) + len(r)
				b.take(n + 2)
				word := make([]piece, 0, n)
				word = append(append(append(word, pieces[:i]...), m...), r...)
				out = append(out, word)
			}
		}
		return out
	}
	return [][]piece{pieces}
}

// pair is a brace that is closed, with the commas between.
type pair struct {
	end    int
	commas []int
}

// matching returns the braces by where they open; the end of one that is not closed is -1.
func matching(pieces []piece) map[int]*pair {
	var pairs map[int]*pair
	var open []*pair
	for i := range pieces {
		switch pieces[i].c {
		case '{':
			if pairs == nil {
				pairs = map[int]*pair{}
			}
			p := &pair{end: -1}
			pairs[i] = p
			open = append(open, p)
		case '}':
			if n := len(open); n > 0 {
				open[n-1].end = i
				open = open[:n-1]
			}
		case ',':
			if n := len(open); n > 0 {
				open[n-1].commas = append(open[n-1].commas, i)
			}
		}
	}
	return pairs
}

// sequence expands {a..b} and {a..b..step}, of numbers or letters.
func (b *bracer) sequence(pieces []piece) ([][]piece, bool) {
	text := make([]byte, len(pieces))
	for i, p := range pieces {
		if p.part != nil {
			return nil, false
		}
		text[i] = p.c
	}
	ends := strings.Split(string(text), "..")
	if len(ends) != 2 && len(ends) != 3 {
		return nil, false
	}
	step := int64(0)
	if len(ends) == 3 {
		var err error
		if step, err = strconv.ParseInt(ends[2], 10, 64); err != nil {
			return nil, false
		}
	}
	from, err := strconv.ParseInt(ends[0], 10, 64)
	to, err2 := strconv.ParseInt(ends[1], 10, 64)
	width := 0
	letters := err != nil && err2 != nil && isLetter(ends[0]) && isLetter(ends[1])
	switch {
	case letters:
		from, to = int64(ends[0][0]), int64(ends[1][0])
	case err != nil || err2 != nil:
		return nil, false
	case padded(ends[0]) || padded(ends[1]):
		width = max(len(ends[0]), len(ends[1]))
	}
	if step < 0 {
		step = -step
	}
	step = max(step, 1)
	down := from > to
	var out [][]piece
	for n := from; ; {
		item := string(rune(n))
		if !letters {
			item = strconv.FormatInt(n, 10)
			if width > len(item) {
				sign := ""
				if n < 0 {
					sign, item = "-", item[1:]
				}
				item = sign + strings.Repeat("0", width-len(sign)-len(item)) + item
			}
		}
		b.take(len(item) + 2)
		word := make([]piece, len(item))
		for i := range len(item) {
			word[i].c = item[i]
		}
		if letters && strings.Contains("\\`\"'$", item) {
			word = []piece{{part: &syntax.SglQuoted{Value: item}}}
		}
		out = append(out, word)
		if down && n-to < step || !down && to-n < step {
			return out, true
		}
		if down {
			n -= step
		} else {
			n += step
		}
	}
}

func isLetter(text string) bool {
	return len(text) == 1 && text[0]|0x20 >= 'a' && text[0]|0x20 <= 'z'
}

// padded reports whether a number is written with leading zeros.
func padded(text string) bool {
	text = strings.TrimPrefix(text, "-")
	return len(text) > 1 && text[0] == '0'
}
