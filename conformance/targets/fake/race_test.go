//go:build race

package fake_test

// raced says that the race detector is at work, which allocates.
const raced = true
