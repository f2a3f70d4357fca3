package differential

import (
	"slices"
	"sort"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/plumbline-ci/plumbline/internal/differential/listed"
	"github.com/plumbline-ci/plumbline/internal/differential/outcome"
	"github.com/plumbline-ci/plumbline/internal/differential/script"
)

const (
	// mostTries bounds the work for one difference.
	mostTries = 250
	// triesOfListed bounds it for one that a listed kind covers as it is. It is shrunk at all to see that nothing else hides
	// behind that.
	triesOfListed = 80
)

// shrinker makes a script shorter as long as it stays a difference of the same class.
type shrinker struct {
	b       *bench
	dialect script.Dialect
	class   string
	tries   int
	most    int // tries
	seen    map[string]bool

	text      string
	sim, real outcome.Outcome
}

// shrink returns the difference of a script, as short as it gets. It is not stable if the real programs answer differently when
// they are asked again; those that are listed are not asked.
func (b *bench) shrink(s script.Script, sim, real outcome.Outcome) (d Difference, stable bool) {
	h := &shrinker{b: b, dialect: s.Dialect, class: class(sim, real), most: mostTries, seen: map[string]bool{}, text: s.Text(), sim: sim, real: real}
	if _, known := listed.Find(s.Dialect, h.text, sim, real); known {
		h.most = triesOfListed
	}
	h.parts(s.Parts)
	for h.once() {
	}
	if h.edits() == nil {
		h.tokens()
		for h.once() {
		}
	}
	name, known := listed.Find(s.Dialect, h.text, h.sim, h.real)
	if !known && !b.stable(s.Dialect, h.text, h.real, looks) { // it turned into a race on the way, or was one
		if h.text == s.Text() || !b.stable(s.Dialect, s.Text(), real, looks) {
			return d, false
		}
		h.text, h.sim, h.real = s.Text(), sim, real
		name, _ = listed.Find(s.Dialect, h.text, h.sim, h.real)
	}
	d = Difference{Dialect: s.Dialect, Script: h.text, Sim: h.sim, Real: h.real, Listed: name}
	if d.Script != s.Text() {
		d.Original = s.Text()
	}
	return d, true
}

// class keeps a difference from turning into another one while it shrinks: leaving parts out makes new syntax errors.
func class(sim, real outcome.Outcome) string {
	var c []string
	if sim.Failure != "" {
		c = append(c, "failure")
	}
	if sim.IsSyntaxError() {
		c = append(c, "simulator refuses")
	}
	if real.IsSyntaxError() {
		c = append(c, "real refuses")
	}
	return strings.Join(c, ",")
}

// try takes a text if it is still a difference.
func (h *shrinker) try(text string) bool {
	if h.tries >= h.most || len(text) >= len(h.text) || h.seen[text] || strings.TrimSpace(text) == "" {
		return false
	}
	h.seen[text] = true
	if strings.Count(text, "wait") < strings.Count(h.text, "wait") && strings.Count(text, " &") >= strings.Count(h.text, " &") {
		return false // a job that is not waited for races with what comes after it
	}
	h.tries++
	sim, real := h.b.both(h.dialect, text)
	if sim.Same(real) || real.Failure != "" || class(sim, real) != h.class {
		return false
	}
	h.text, h.sim, h.real = text, sim, real
	return true
}

// parts leaves out whole parts.
func (h *shrinker) parts(parts []string) {
	for i := len(parts) - 1; i >= 0 && len(parts) > 1; i-- {
		fewer := slices.Delete(slices.Clone(parts), i, i+1)
		if h.try(strings.Join(fewer, "\n") + "\n") {
			parts = fewer
		}
	}
}

// edit is a replacement of a part of the text.
type edit struct {
	from, to int
	text     string
}

// once takes the first edit that leaves a difference.
func (h *shrinker) once() bool {
	for _, e := range h.edits() {
		if h.tries >= h.most {
			return false
		}
		if h.try(h.text[:e.from] + e.text + h.text[e.to:]) {
			return true
		}
	}
	return false
}

// edits returns replacements of every node of the syntax tree, large nodes first.
func (h *shrinker) edits() []edit {
	lang := syntax.LangBash
	file, err := syntax.NewParser(syntax.Variant(lang)).Parse(strings.NewReader(h.text), "")
	if err != nil {
		return nil
	}
	var edits []edit
	add := func(n syntax.Node, text string) {
		if from, to := int(n.Pos().Offset()), int(n.End().Offset()); from < to && to <= len(h.text) {
			edits = append(edits, edit{from, to, text})
		}
	}
	source := func(n syntax.Node) string {
		from, to := int(n.Pos().Offset()), int(n.End().Offset())
		if from > to || to > len(h.text) {
			return ""
		}
		return h.text[from:to]
	}
	var stack []syntax.Node
	syntax.Walk(file, func(n syntax.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		switch n := n.(type) {
		case *syntax.Stmt:
			from, to := int(n.Pos().Offset()), int(n.End().Offset())
			if to <= len(h.text) {
				end := to
				for end < len(h.text) && strings.ContainsRune(" ;\n&|", rune(h.text[end])) {
					end++
				}
				start := from
				for start > 0 && strings.ContainsRune(" ;\n&|", rune(h.text[start-1])) {
					start--
				}
				edits = append(edits, edit{from, end, ""}, edit{start, to, ""})
				if h.text[from:to] != ":" {
					edits = append(edits, edit{from, to, ":"})
				}
			}
		case *syntax.Redirect, *syntax.Assign:
			add(n, "")
		case *syntax.Word:
			add(n, "")
			if len(source(n)) > 1 {
				add(n, "x")
			}
		case *syntax.ParamExp:
			if n.Param != nil && !n.Short {
				add(n, "$"+n.Param.Value)
			}
		}
		// Any node of the same kind above can be replaced by this one.
		for _, above := range stack {
			switch n.(type) {
			case *syntax.Stmt:
				if _, ok := above.(*syntax.Stmt); ok {
					add(above, source(n))
				}
			case *syntax.Word, *syntax.SglQuoted, *syntax.DblQuoted, *syntax.ParamExp, *syntax.CmdSubst, *syntax.ArithmExp, *syntax.Lit:
				switch above.(type) {
				case *syntax.Word, *syntax.DblQuoted, *syntax.ParamExp, *syntax.CmdSubst:
					add(above, source(n))
				}
			default:
				if _, ok := above.(syntax.ArithmExpr); ok {
					if _, ok := n.(syntax.ArithmExpr); ok {
						add(above, source(n))
					}
				}
				if _, ok := above.(syntax.TestExpr); ok {
					if _, ok := n.(syntax.TestExpr); ok {
						add(above, source(n))
					}
				}
			}
		}
		stack = append(stack, n)
		return true
	})
	sort.SliceStable(edits, func(i, j int) bool {
		return edits[i].to-edits[i].from-len(edits[i].text) > edits[j].to-edits[j].from-len(edits[j].text)
	})
	return edits
}

// tokens leaves out pieces between blanks and separators, which needs no syntax tree.
func (h *shrinker) tokens() {
	for size := 8; size >= 1; size /= 2 {
		for at := 0; ; at++ {
			pieces := strings.SplitAfter(h.text, " ")
			if len(pieces) > 120 || at+size > len(pieces) || h.tries >= h.most {
				break
			}
			if h.try(strings.Join(slices.Delete(slices.Clone(pieces), at, at+size), "")) {
				at--
			}
		}
	}
}
