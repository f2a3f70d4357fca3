package shell

import "github.com/plumbline-ci/plumbline/simulator/shell/syntax"

// How many parsed scripts are kept, and how much memory their trees may take together.
const (
	maxScripts     = 256
	maxScriptBytes = 64 << 20
)

type cacheKey struct {
	text    string
	kind    dialect
	extglob bool
}

// parse parses a script, or finds it among those parsed before. The memory of its tree is accounted for until release
// is called. If there are aliases, only the first line with commands is parsed.
func (s *shell) parse(text string) *syntax.Script {
	if aliases := s.aliasesAtWork(); aliases != nil {
		s.p.Work(uint32(min(len(text)>>10, 1<<30)))
		return s.parseWith(text, syntax.Options{Extglob: s.options.extglob, Posix: s.options.posix, Aliases: aliases, Stuck: s.stuck})
	}
	if s.stuck {
		return s.parseWith(text, syntax.Options{Extglob: s.options.extglob, Stuck: true})
	}
	return s.parsePlain(text)
}

// parsePlain parses a script as if there were no aliases.
func (s *shell) parsePlain(text string) *syntax.Script {
	i := s.in
	key := cacheKey{text, s.kind, s.options.extglob}
	s.p.Work(uint32(min(len(text)>>10, 1<<30)))
	if sc := i.parsed[key]; sc != nil {
		s.p.Allocate(sc.Size)
		return sc
	}
	sc := s.parseWith(text, syntax.Options{Extglob: s.options.extglob})
	if size := sc.Size + int64(len(text)); size < maxScriptBytes {
		if len(i.parsed) >= maxScripts || i.size+size > maxScriptBytes {
			clear(i.parsed)
			i.size = 0
		}
		i.parsed[key] = sc
		i.size += size
	}
	return sc
}

// parseWith parses a text and accounts for what it takes.
func (s *shell) parseWith(text string, o syntax.Options) *syntax.Script {
	pending := int64(0)
	sc := syntax.Parse(text, s.kind, o, syntax.Limits{
		Take: func(n int64) {
			if pending += n; pending >= 1<<16 {
				s.p.Allocate(pending)
				s.p.Work(1)
				pending = 0
			}
		},
		Unquote: s.dollarQuote,
		Look:    func(n int) { s.p.Work(uint32(n >> 10)) },
		TooDeep: func() { s.p.Exceed("its shell was given commands nested too deeply in each other") },
	})
	s.p.Allocate(pending)
	return sc
}

// release gives back the memory of a script's tree.
func (s *shell) release(sc *syntax.Script) { s.p.Allocate(-sc.Size) }
