package posix

// node is a part of an expression.
type node struct {
	kind     kind
	set      set
	assert   assertion
	children []*node
	number   int // of a group, or of the group that is referred to
	min, max int // of a repetition; max is -1 without an end
}

type kind uint8

const (
	empty kind = iota
	bytes
	sequence
	alternatives
	repetition
	group
	reference
	condition
)

// assertion is a condition on a place in the text.
type assertion uint8

const (
	lineBegin assertion = iota
	lineEnd
	wordBegin
	wordEnd
	wordEdge
	notWordEdge
	textBegin
	textEnd
)

// size is how many instructions the node takes, or more than mostInstructions.
func (n *node) size() int {
	total := 2
	for _, c := range n.children {
		total = min(total+c.size()+1, mostInstructions+1)
	}
	if n.kind == repetition {
		times := max(n.max, n.min+1, 1)
		if total > mostInstructions/times {
			return mostInstructions + 1
		}
		total = total*times + 1
	}
	return total
}

// anchored reports whether the node matches at the beginning only.
func (n *node) anchored() bool {
	switch n.kind {
	case condition:
		return n.assert == lineBegin || n.assert == textBegin
	case sequence, group:
		return len(n.children) > 0 && n.children[0].anchored()
	case alternatives:
		for _, c := range n.children {
			if !c.anchored() {
				return false
			}
		}
		return true
	case repetition:
		return n.min > 0 && n.children[0].anchored()
	}
	return false
}

// starts adds the bytes that a match can begin with. It reports whether the node can match nothing.
func (n *node) starts(s *set) (nothing bool) {
	switch n.kind {
	case bytes:
		s.union(&n.set)
		return false
	case sequence:
		for _, c := range n.children {
			if !c.starts(s) {
				return false
			}
		}
		return true
	case group:
		return n.children[0].starts(s)
	case alternatives:
		for _, c := range n.children {
			if c.starts(s) {
				nothing = true
			}
		}
		return nothing
	case repetition:
		if n.max == 0 {
			return true
		}
		return n.children[0].starts(s) || n.min == 0
	}
	return true
}

type opcode uint8

const (
	opBytes opcode = iota
	opSplit
	opJump
	opSave
	opAssert
	opRefer
	opMatch
)

type instruction struct {
	op     opcode
	assert assertion
	x, y   int32 // where to go on; y comes second
	set    *set
}

// compiler writes the program of an expression.
type compiler struct{ program []instruction }

func (c *compiler) add(i instruction) int {
	c.program = append(c.program, i)
	return len(c.program) - 1
}

func (c *compiler) here() int32 { return int32(len(c.program)) }

func (c *compiler) emit(n *node) {
	switch n.kind {
	case bytes:
		c.add(instruction{op: opBytes, set: &n.set})
	case sequence:
		for _, child := range n.children {
			c.emit(child)
		}
	case alternatives:
		var ends []int
		for i, child := range n.children {
			if i == len(n.children)-1 {
				c.emit(child)
				break
			}
			split := c.add(instruction{op: opSplit})
			c.program[split].x = c.here()
			c.emit(child)
			ends = append(ends, c.add(instruction{op: opJump}))
			c.program[split].y = c.here()
		}
		for _, e := range ends {
			c.program[e].x = c.here()
		}
	case repetition:
		c.repeat(n)
	case group:
		c.add(instruction{op: opSave, x: int32(2 * n.number)})
		c.emit(n.children[0])
		c.add(instruction{op: opSave, x: int32(2*n.number + 1)})
	case reference:
		c.add(instruction{op: opRefer, x: int32(n.number)})
	case condition:
		c.add(instruction{op: opAssert, assert: n.assert})
	}
}

func (c *compiler) repeat(n *node) {
	child := n.children[0]
	for range n.min {
		c.emit(child)
	}
	if n.max < 0 {
		split := c.add(instruction{op: opSplit})
		c.program[split].x = c.here()
		c.emit(child)
		c.add(instruction{op: opJump, x: int32(split)})
		c.program[split].y = c.here()
		return
	}
	var splits []int
	for range n.max - n.min {
		split := c.add(instruction{op: opSplit})
		c.program[split].x = c.here()
		splits = append(splits, split)
		c.emit(child)
	}
	for _, s := range splits {
		c.program[s].y = c.here()
	}
}
