package shell

import (
	"sync"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// Library is scripts that were parsed, for the interpreters of many kernels: the scripts of one fixture run in every world
// in which it is tried. It is safe for concurrent use, since nothing changes a script once it is parsed.
//
// Whether a script is found here depends on what other worlds have run, so it must not show. Only scripts are kept
// whose parsing is charged the same as finding them.
type Library struct {
	mu     sync.Mutex
	parsed scripts
}

// NewLibrary returns a library without scripts.
func NewLibrary() *Library { return &Library{parsed: newScripts()} }

func (l *Library) find(key cacheKey) *syntax.Script {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.parsed.byKey[key]
}

// keep takes a script in, if it may be shared. work is what parsing it was charged.
func (l *Library) keep(key cacheKey, sc *syntax.Script, work uint32) bool {
	if l == nil || work > 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parsed.keep(key, sc)
	return true
}

// How many parsed scripts are kept, and how much memory their trees may take together.
const (
	maxScripts     = 256
	maxScriptBytes = 64 << 20
)

// scripts are the last that were parsed.
type scripts struct {
	byKey map[cacheKey]*syntax.Script
	size  int64
}

// cacheKey is what the parse of a text depends on.
type cacheKey struct {
	text    string
	kind    dialect
	extglob bool
	posix   bool // of bash
	wide    bool // $'…' may have characters that are not of ASCII
}

func newScripts() scripts { return scripts{byKey: map[cacheKey]*syntax.Script{}} }

// keep takes a script in. It is emptied when there are too many.
func (s *scripts) keep(key cacheKey, sc *syntax.Script) {
	size := sc.Size + int64(len(key.text))
	if size >= maxScriptBytes {
		return
	}
	if len(s.byKey) >= maxScripts || s.size+size > maxScriptBytes {
		clear(s.byKey)
		s.size = 0
	}
	s.byKey[key] = sc
	s.size += size
}
