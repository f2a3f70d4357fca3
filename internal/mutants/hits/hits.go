// Package hits remembers which blocks of woven packages were reached. Package schemata puts a mark at the beginning of each
// block; a program that has none of them has nothing to remember.
package hits

import "slices"

// marks are those of each woven package, by its name.
var marks = map[string][]bool{}

// Of returns the marks of a package, of which each block sets its own. It is called once, when the package begins.
func Of(name string, blocks int) []bool {
	marks[name] = make([]bool, blocks)
	return marks[name]
}

// Reset forgets what was reached.
func Reset() {
	for _, m := range marks {
		clear(m)
	}
}

// Reached are the numbers of the blocks that were reached since Reset, by package.
func Reached() map[string][]int {
	out := map[string][]int{}
	for name, m := range marks {
		for i, hit := range m {
			if hit {
				out[name] = append(out[name], i)
			}
		}
		slices.Sort(out[name])
	}
	return out
}
