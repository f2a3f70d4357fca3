package posix

// machine follows all ways through a program at once. It keeps its memory between matches.
type machine struct {
	now, next threads
	captures  []int32 // of the thread that is being added
	slots     int
	visited   int // instructions that add looked at, not yet charged
}

// threads is a list of the places that a program is at, the first choice first, each with what its groups matched.
type threads struct {
	places   []int32
	seen     []uint32 // by instruction: the generation in which it was added
	captures []int32
	stamp    uint32
}

func (t *threads) clear() {
	t.places = t.places[:0]
	t.captures = t.captures[:0]
	t.stamp++
}

func (t *threads) prepare(re *Regexp) {
	if len(t.seen) < len(re.program) {
		re.meter.Allocate(int64(len(re.program)) * 8)
		t.seen = make([]uint32, len(re.program))
	}
	t.clear()
}

// holds reports whether a condition holds at a place.
func holds(a assertion, text string, at int, inside bool) bool {
	before := at > 0 && isWord(text[at-1])
	after := at < len(text) && isWord(text[at])
	switch a {
	case lineBegin:
		return at == 0 && !inside
	case lineEnd, textEnd:
		return at == len(text)
	case wordBegin:
		return !before && after
	case wordEnd:
		return before && !after
	case wordEdge:
		return before != after
	case notWordEdge:
		return before == after
	}
	return at == 0
}

// run returns the leftmost longest match: the first slots offsets of it.
func (v *machine) run(re *Regexp, text string, from int, inside bool, slots int) []int {
	if re.anchored && (from > 0 || inside) {
		return nil
	}
	re.spend(perMatch + slots)
	v.slots = slots
	v.now.prepare(re)
	v.next.prepare(re)
	if len(v.captures) < slots {
		v.captures = make([]int32, slots)
	}
	var best []int
	for at := from; ; at++ {
		if best == nil && (at == 0 || !re.anchored) {
			if len(v.now.places) == 0 && re.first != nil {
				before := at
				for at < len(text) && !re.first.has(text[at]) {
					at++
				}
				re.spend((at - before) >> 3)
				if at == len(text) || at > 0 && re.anchored {
					return nil
				}
			}
			for i := range v.captures[:slots] {
				v.captures[i] = -1
			}
			v.add(re, &v.now, 0, text, at, inside)
			v.pay(re)
		}
		if len(v.now.places) == 0 {
			if best != nil || re.anchored || at >= len(text) {
				return best
			}
			v.now.clear()
			continue
		}
		re.spend(len(v.now.places))
		v.next.clear()
		for i, place := range v.now.places {
			captures := v.now.captures[i*slots : (i+1)*slots]
			if best != nil && int(captures[0]) > best[0] {
				continue
			}
			in := &re.program[place]
			if in.op == opMatch {
				if best == nil || int(captures[0]) < best[0] || int(captures[1]) > best[1] {
					if best == nil {
						best = make([]int, slots)
					}
					for j, c := range captures {
						best[j] = int(c)
					}
				}
				continue
			}
			if at < len(text) && in.set.has(text[at]) {
				copy(v.captures, captures)
				v.add(re, &v.next, place+1, text, at+1, inside)
			}
		}
		v.pay(re)
		v.now, v.next = v.next, v.now
		if at >= len(text) {
			return best
		}
	}
}

// pay charges for the instructions that were looked at: each place that they led to has a copy of the offsets.
func (v *machine) pay(re *Regexp) {
	re.spend(v.visited * (1 + v.slots/16))
	v.visited = 0
}

// add adds a place, or those that it leads to without reading more.
func (v *machine) add(re *Regexp, to *threads, place int32, text string, at int, inside bool) {
	for {
		if to.seen[place] == to.stamp {
			return
		}
		to.seen[place] = to.stamp
		v.visited++
		in := &re.program[place]
		switch in.op {
		case opJump:
			place = in.x
			continue
		case opSplit:
			v.add(re, to, in.x, text, at, inside)
			place = in.y
			continue
		case opSave:
			if int(in.x) >= v.slots {
				place++
				continue
			}
			old := v.captures[in.x]
			v.captures[in.x] = int32(at)
			v.add(re, to, place+1, text, at, inside)
			v.captures[in.x] = old
			return
		case opAssert:
			if !holds(in.assert, text, at, inside) {
				return
			}
			place++
			continue
		}
		to.keep(re, place, v.captures[:v.slots])
		return
	}
}

// keep adds a place with its offsets, for which room is asked first.
func (t *threads) keep(re *Regexp, place int32, captures []int32) {
	t.places = append(t.places, place)
	if need := len(t.captures) + len(captures); need > cap(t.captures) {
		grown := max(64, 2*need)
		more := int64(grown-cap(t.captures)) * 4
		re.meter.Allocate(more)
		re.size += more
		t.captures = append(make([]int32, 0, grown), t.captures...)
	}
	t.captures = append(t.captures, captures...)
}

// backtrack matches an expression with back-references: it tries all ways from each place, and keeps the longest match
// of the first place that has one.
func (re *Regexp) backtrack(text string, from int, inside bool) []int {
	b := backtracker{re: re, text: text, inside: inside, captures: make([]int, 2*re.groups+2)}
	for at := from; at <= len(text); at++ {
		for i := range b.captures {
			b.captures[i] = -1
		}
		b.from(at)
		if b.best != nil || re.anchored {
			break
		}
	}
	return b.best
}

type backtracker struct {
	re       *Regexp
	text     string
	inside   bool
	captures []int
	best     []int
	stack    []choice
}

// choice is a way that is still to be tried, or an offset of a group to be put back before the next one is.
type choice struct {
	place     int32 // -1: captures[at] was old
	at, quiet int
	old       int
}

// push keeps a choice, which is accounted for.
func (b *backtracker) push(c choice) {
	if len(b.stack) == cap(b.stack) {
		b.re.meter.Allocate(int64(cap(b.stack)) * 32)
	}
	b.stack = append(b.stack, c)
}

// from tries all ways from a place of the text.
func (b *backtracker) from(at int) {
	b.stack = b.stack[:0]
	b.push(choice{at: at})
	for len(b.stack) > 0 {
		c := b.stack[len(b.stack)-1]
		b.stack = b.stack[:len(b.stack)-1]
		if c.place < 0 {
			b.captures[c.at] = c.old
			continue
		}
		b.try(c)
		if b.best != nil && b.best[1] == len(b.text) {
			return
		}
	}
}

// try goes one way until it matches or fails, and keeps the others for later.
func (b *backtracker) try(c choice) {
	place, at := c.place, c.at
	for quiet := c.quiet; quiet <= len(b.re.program); quiet++ { // more steps without reading: it repeats nothing
		b.re.spend(perTry)
		in := &b.re.program[place]
		switch in.op {
		case opMatch:
			if b.best == nil || at > b.best[1] {
				b.best = append(b.best[:0], b.captures...)
			}
			return
		case opBytes:
			if at >= len(b.text) || !in.set.has(b.text[at]) {
				return
			}
			at++
			quiet = 0
		case opAssert:
			if !holds(in.assert, b.text, at, b.inside) {
				return
			}
		case opRefer:
			from, to := b.captures[2*in.x], b.captures[2*in.x+1]
			if from < 0 || to < from || at+to-from > len(b.text) || !b.same(b.text[from:to], b.text[at:at+to-from]) {
				return
			}
			if at += to - from; to > from {
				quiet = 0
			}
		case opJump:
			place = in.x
			continue
		case opSplit:
			b.push(choice{place: in.y, at: at, quiet: quiet})
			place = in.x
			continue
		case opSave:
			b.push(choice{place: -1, at: int(in.x), old: b.captures[in.x]})
			b.captures[in.x] = at
		}
		place++
	}
}

func (b *backtracker) same(x, y string) bool {
	if !b.re.fold {
		b.re.spend(len(x) >> 7)
		return x == y
	}
	b.re.spend(len(x) >> 3)
	for i := range len(x) {
		if upper(x[i]) != upper(y[i]) {
			return false
		}
	}
	return true
}
