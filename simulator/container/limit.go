package container

import (
	"maps"
	"math"
)

// Limit is a limit of what a process may use. The soft one holds; it can be raised to the hard one.
type Limit struct{ Soft, Hard int64 }

// Unlimited is a limit that there is not.
const Unlimited = math.MaxInt64

// SetLimit sets a limit of the process and of the children that it makes from now on.
func (p *Process) SetLimit(letter byte, l Limit) {
	limits := maps.Clone(p.Limits)
	if limits == nil {
		limits = map[byte]Limit{}
	}
	limits[letter] = l
	p.Limits = limits
}
