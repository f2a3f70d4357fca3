package syntax

// slab hands out values of one type that come from arrays of several: a script is a tree of many small nodes, most of which
// live as long as the tree does. The arrays grow with the script, so that a short one takes little.
type slab[T any] struct {
	free []T
	size int // of the array that free is the rest of
}

const (
	firstSlab = 4
	lastSlab  = 64
)

// one returns a new zero value.
func (s *slab[T]) one() *T {
	s.need(1)
	v := &s.free[0]
	s.free = s.free[1:]
	return v
}

// room returns an empty list that can take n values before it has to grow.
func (s *slab[T]) room(n int) []T {
	s.need(n)
	list := s.free[:0:n]
	s.free = s.free[n:]
	return list
}

func (s *slab[T]) need(n int) {
	if len(s.free) < n {
		s.size = min(max(firstSlab, 2*s.size), lastSlab)
		s.free = make([]T, max(n, s.size))
	}
}

// nodes are where the commonest nodes of a tree come from.
type nodes struct {
	simples  slab[simple]
	words    slab[Word]
	literals slab[Lit]
	parts    slab[Part]
	args     slab[*Word]
	lines    slab[*Stmt]
}

// simple is a simple command, which is a statement of one call.
type simple struct {
	stmt Stmt
	call Call
}

// literal returns a part that is text as it stands.
func (n *nodes) literal(text string) *Lit {
	l := n.literals.one()
	l.Value = text
	return l
}

// word returns a word of these parts.
func (n *nodes) word(parts []Part) *Word {
	w := n.words.one()
	w.Parts = parts
	return w
}

// usualArgs is how many words most simple commands have at most.
const usualArgs = 4
