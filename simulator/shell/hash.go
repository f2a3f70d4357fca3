package shell

import (
	"cmp"
	"maps"
	"slices"
)

// hashing is where bash keeps things by name: what it lists without sorting comes in the order of this table.
type hashing struct {
	chains [][]string
	n      int
}

// How many chains the tables of bash begin with: that of the global variables, and those of functions and commands.
const (
	globalChains = 1024
	localChains  = 4
)

func newHashing(chains int) *hashing { return &hashing{chains: make([][]string, chains)} }

// fnv is the hash of a name: FNV-1 in 32 bits.
func fnv(name string) uint32 {
	h := uint32(2166136261)
	for i := range len(name) {
		h = h*16777619 ^ uint32(name[i])
	}
	return h
}

// add puts a name in front of its chain. A table that holds twice as many names as it has chains is made larger first.
func (h *hashing) add(name string) {
	if h.n >= 2*len(h.chains) {
		old := h.chains
		h.chains = make([][]string, 4*len(old))
		for _, chain := range old {
			for _, n := range chain {
				h.put(n)
			}
		}
	}
	h.put(name)
	h.n++
}

func (h *hashing) put(name string) {
	c := &h.chains[fnv(name)&uint32(len(h.chains)-1)]
	*c = slices.Insert(*c, 0, name)
}

// names lists all names.
func (h *hashing) names() []string { return slices.Concat(h.chains...) }

// environmentOfBash returns the environment of a child: the variables of the innermost function first, those of a layer
// by their places in its table, then the functions.
func (s *shell) environmentOfBash() []string {
	layers := map[int][]string{}
	for name, v := range s.vars {
		if v.layer > 0 || v.exported {
			layers[v.layer] = append(layers[v.layer], name)
		}
	}
	var env []string
	for _, layer := range slices.Backward(slices.Sorted(maps.Keys(layers))) {
		names := layers[layer]
		slices.SortFunc(names, func(a, b string) int { return s.vars[a].order - s.vars[b].order })
		if layer == 0 {
			names = s.globalOrder(names)
		} else {
			table := newHashing(localChains)
			for _, name := range names {
				table.add(name)
			}
			names = table.names()
		}
		for _, name := range names {
			if v, ok := s.vars[name]; ok && v.exported && v.set && !v.isArray() {
				env = append(env, v.asEntry(name))
			} else if !ok {
				env = append(env, "_="+s.lastArg)
			}
		}
	}
	return append(env, s.exportedFunctions()...)
}

// globalOrder sorts global variables, which come in the order in which they were made, by their places in the table.
// That table is never made larger.
func (s *shell) globalOrder(names []string) []string {
	if s.lastArgExported {
		names = append(names, "_")
	}
	slices.Reverse(names)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(fnv(a)%globalChains, fnv(b)%globalChains) })
	return names
}
