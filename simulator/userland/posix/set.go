package posix

// set is a set of bytes.
type set [4]uint64

func (s *set) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *set) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }

func (s *set) addRange(from, to byte) {
	for c := int(from); c <= int(to); c++ {
		s.add(byte(c))
	}
}

func (s *set) union(o *set) {
	for i := range s {
		s[i] |= o[i]
	}
}

func (s *set) invert() {
	for i := range s {
		s[i] = ^s[i]
	}
}

// fold makes the letters that are in the set as capitals be in it as small ones too, and no others.
func (s *set) fold() {
	for c := byte('a'); c <= 'z'; c++ {
		if s.has(c - 'a' + 'A') {
			s.add(c)
		} else {
			s[c>>6] &^= 1 << (c & 63)
		}
	}
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// Class reports whether a byte belongs to a class of characters; known is false if there is no such class.
func Class(name string, c byte) (in, known bool) {
	isUpper, isLower, isDigit := c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9'
	switch name {
	case "alpha":
		return isUpper || isLower, true
	case "digit":
		return isDigit, true
	case "alnum":
		return isUpper || isLower || isDigit, true
	case "upper":
		return isUpper, true
	case "lower":
		return isLower, true
	case "space":
		return c == ' ' || c >= '\t' && c <= '\r', true
	case "blank":
		return c == ' ' || c == '\t', true
	case "punct":
		return c > ' ' && c < 127 && !isUpper && !isLower && !isDigit, true
	case "cntrl":
		return c < ' ' || c == 127, true
	case "print":
		return c >= ' ' && c < 127, true
	case "graph":
		return c > ' ' && c < 127, true
	case "xdigit":
		return isDigit || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F', true
	}
	return false, false
}

// addClass adds a class of characters. It reports whether there is such a class.
func (s *set) addClass(name string) bool {
	for c := range 256 {
		in, known := Class(name, byte(c))
		if !known {
			return false
		}
		if in {
			s.add(byte(c))
		}
	}
	return true
}
