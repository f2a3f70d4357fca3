package shell

import (
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// parse parses a script, or finds it among those parsed before. The memory of its tree is accounted for until release
// is called. If there are aliases, only the first line with commands is parsed.
func (s *shell) parse(text string) *syntax.Script {
	lost := s.lost
	s.lost = false
	if aliases := s.aliasesAtWork(); aliases != nil {
		s.p.Work(uint32(min(len(text)>>10, 1<<30)))
		return s.parseWith(text, syntax.Options{Extglob: s.options.extglob, Posix: s.options.posix, Aliases: aliases, Stuck: s.stuck, Lost: lost})
	}
	if s.stuck || lost {
		return s.parseWith(text, syntax.Options{Extglob: s.options.extglob, Posix: s.options.posix, Stuck: s.stuck, Lost: lost})
	}
	return s.parsePlain(text)
}

// parsePlain parses a script as if there were no aliases.
func (s *shell) parsePlain(text string) *syntax.Script {
	key := cacheKey{text, s.kind, s.options.extglob, s.options.posix, s.wide() && strings.Contains(text, "$'")}
	s.p.Work(uint32(min(len(text)>>10, 1<<30)))
	sc := s.in.own.byKey[key]
	if sc == nil {
		sc = s.in.shared.find(key)
	}
	if sc != nil {
		s.p.Allocate(sc.Size)
		return sc
	}
	sc, work := s.parseCharged(text, syntax.Options{Extglob: s.options.extglob, Posix: s.options.posix})
	if !s.in.shared.keep(key, sc, work) {
		s.in.own.keep(key, sc)
	}
	return sc
}

// parseWith parses a text and accounts for what it takes.
func (s *shell) parseWith(text string, o syntax.Options) *syntax.Script {
	sc, _ := s.parseCharged(text, o)
	return sc
}

// parseCharged is parseWith, and returns what it has charged as work.
func (s *shell) parseCharged(text string, o syntax.Options) (sc *syntax.Script, work uint32) {
	charge := func(n uint32) {
		work += n
		s.p.Work(n)
	}
	pending := int64(0)
	sc = syntax.Parse(text, s.kind, o, syntax.Limits{
		Take: func(n int64) {
			if pending += n; pending >= 1<<16 {
				s.p.Allocate(pending)
				charge(1)
				pending = 0
			}
		},
		Unquote: s.dollarQuote,
		Look:    func(n int) { charge(uint32(n >> 10)) },
		TooDeep: func() { s.p.Exceed("its shell was given commands nested too deeply in each other") },
	})
	s.p.Allocate(pending)
	return sc, work
}

// release gives back the memory of a script's tree.
func (s *shell) release(sc *syntax.Script) { s.p.Allocate(-sc.Size) }
