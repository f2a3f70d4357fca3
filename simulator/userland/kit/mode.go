package kit

import (
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/files"
)

// ParseMode reads a mode, octal or symbolic (u+x,go-w,a=rX), as a change to old.
func ParseMode(text string, old uint16, isDir bool) (uint16, bool) {
	return Modes{IsDir: isDir, GNU: true}.Parse(text, old)
}

// Modes reads modes in one of two ways.
type Modes struct {
	IsDir bool
	Umask uint16 // of clauses that do not say whose bits they change
	GNU   bool   // as GNU's chmod: that of BusyBox also takes clauses without anything in them
}

func (m Modes) Parse(text string, old uint16) (uint16, bool) {
	if text != "" && strings.Trim(text, "01234567") == "" {
		n, err := strconv.ParseUint(text, 8, 16)
		if m.GNU && m.IsDir && len(text) < len("00000") { // which keeps what makes a directory special
			n |= uint64(old & (files.Setuid | files.Setgid))
		}
		return uint16(n), err == nil && n <= 0o7777
	}
	mode := old
	for _, clause := range strings.Split(text, ",") {
		if clause == "" && !m.GNU {
			continue
		}
		var ok bool
		if mode, ok = m.clause(clause, mode); !ok {
			return 0, false
		}
	}
	return mode, true
}

// clause carries out one part: whose bits, and what is done to them, which may be several things.
func (m Modes) clause(clause string, mode uint16) (uint16, bool) {
	i := 0
	var who uint16
	for i < len(clause) && strings.IndexByte("ugoa", clause[i]) >= 0 {
		who |= map[byte]uint16{'u': 0o4700, 'g': 0o2070, 'o': 0o0007, 'a': 0o7777}[clause[i]]
		if m.GNU && clause[i] == 'o' {
			who |= files.Sticky
		}
		i++
	}
	mask := uint16(0o7777)
	if who == 0 {
		who, mask = 0o7777, 0o7777&^m.Umask
	}
	if i >= len(clause) {
		return 0, false
	}
	for i < len(clause) {
		op := clause[i]
		if op != '+' && op != '-' && op != '=' {
			return 0, false
		}
		i++
		from := i
		for i < len(clause) && strings.IndexByte("+-=", clause[i]) < 0 {
			i++
		}
		bits, ok := m.bits(clause[from:i], mode)
		if !ok {
			return 0, false
		}
		bits &= who & mask
		switch op {
		case '+':
			mode |= bits
		case '-':
			mode &^= bits
		default:
			cleared := who
			if m.GNU && m.IsDir { // which keeps what makes a directory special
				cleared &^= files.Setuid | files.Setgid
			}
			mode = mode&^cleared | bits
		}
	}
	return mode, true
}

// bits are those that letters stand for, of all users.
func (m Modes) bits(letters string, mode uint16) (bits uint16, ok bool) {
	for _, letter := range []byte(letters) {
		switch letter {
		case 'r':
			bits |= 0o444
		case 'w':
			bits |= 0o222
		case 'x':
			bits |= 0o111
		case 'X':
			if m.IsDir || mode&0o111 != 0 {
				bits |= 0o111
			}
		case 's':
			bits |= files.Setuid | files.Setgid
		case 't':
			bits |= files.Sticky
		case 'u':
			bits |= mode >> 6 & 7 * 0o111
		case 'g':
			bits |= mode >> 3 & 7 * 0o111
		case 'o':
			bits |= mode & 7 * 0o111
		default:
			return 0, false
		}
	}
	return bits, true
}
