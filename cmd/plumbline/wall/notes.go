package wall

import (
	"bytes"
	"sync/atomic"
)

// The page that parent and child share: a byte that is set when the child has ended by itself, and a slot for each cluster
// that runs at a time, with the name of the container that has its turn. A name is written whole before its first byte, which
// is what a reader looks at, so that a child that dies in the middle leaves an old name or none.
const (
	slotSize = 256
	slots    = 31
	pageSize = slotSize * (slots + 1)
)

type page []byte

func (p page) finish()        { p[0] = 1 }
func (p page) finished() bool { return p[0] == 1 }

// next numbers clusters; more than there are slots at a time share them.
var next atomic.Uint32

// slot returns a function that notes whose turn it is in one cluster.
func (p page) slot() func(actor string) {
	i := int(next.Add(1)-1)%slots + 1
	s := p[i*slotSize : (i+1)*slotSize]
	return func(actor string) {
		s[0] = 0
		if actor == "" {
			return
		}
		n := copy(s[2:], actor)
		s[1] = byte(n)
		s[0] = 1
	}
}

// ran returns the containers that had their turn when the child died.
func (p page) ran() []string {
	var out []string
	for i := 1; i <= slots; i++ {
		if s := p[i*slotSize : (i+1)*slotSize]; s[0] == 1 {
			out = append(out, container(string(bytes.Clone(s[2:2+int(s[1])]))))
		}
	}
	return out
}
