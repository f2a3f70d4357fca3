package shelf

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// squeezer makes text shorter that resembles earlier text. It remembers texts that say mostly what none before has said,
// up to a limit, and writes what they say already as references to them: objects of one kind differ in few words.
//
// The library for this is s2 of klauspost/compress with a dictionary. It finds no likeness of less than six bytes, and with it the events
// of a TaskRun took 12.5 KB in place of 9.5, more than they may. A preset dictionary of compress/flate has to be read again for every text.
//
// A short text is a sequence of pairs: bytes to take as they are, and bytes to copy from before. "Before" is one range of
// places: memory first, then the text itself.
//
//	pair = token, rest of the length of the literal, literal, rest of the length of the copy, place to copy from
//
// A token is a byte that has both lengths, that of the literal in the upper half; a half of 15 says that the rest of the
// length follows. Copies are counted from the shortest one on, and a copy of nothing is the end.
type squeezer struct {
	memory []byte              // only grows, so that places stay right
	known  *[knownSlots]uint16 // places in memory + 1, by the hash of the four bytes there
	recent [recentSlots]uint16 // the same for the text being squeezed
	out    []byte              // to be used again
	block  strings.Builder     // short texts lie behind each other in blocks
}

const (
	memoryLimit = 1 << 15 // places in memory and in a text of this length fit in 16 bits
	knownBits   = 13
	knownSlots  = 1 << knownBits
	recentBits  = 10
	recentSlots = 1 << recentBits
	shortest    = 4 // copy that is worth it
)

// squeeze returns the short form of text.
func (z *squeezer) squeeze(text []byte) string {
	out := z.out[:0]
	literal := 0 // where the bytes begin that were not written yet
	known := 0   // bytes copied from memory
	if len(text) < memoryLimit {
		if z.known == nil {
			z.known = new([knownSlots]uint16)
		}
		clear(z.recent[:])
		for at := 0; at+shortest <= len(text); {
			place, length := z.match(text, at)
			if length < shortest {
				at++
				continue
			}
			out = appendPair(out, text[literal:at], length-shortest+1)
			out = binary.LittleEndian.AppendUint16(out, uint16(place))
			at += length
			literal = at
			if place < memoryLimit {
				known += length
			}
		}
	}
	out = appendPair(out, text[literal:], 0)
	z.out = out
	short := z.keep(out)
	if 3*known < 2*len(text) {
		z.remember(text)
	}
	return short
}

// blockSize is how much memory short texts take at a time. A block lives as long as one of its texts.
const blockSize = 4 << 10

// keep returns a text's bytes as a string.
func (z *squeezer) keep(text []byte) string {
	if len(text) > blockSize/4 {
		return string(text)
	}
	if z.block.Len()+len(text) > blockSize {
		z.block = strings.Builder{}
	}
	if z.block.Len() == 0 {
		z.block.Grow(blockSize)
	}
	from := z.block.Len()
	z.block.Write(text)
	return z.block.String()[from:]
}

// match finds what was said before like the text from at on, and notes the place at for later ones.
func (z *squeezer) match(text []byte, at int) (place, length int) {
	h := hash(text, at)
	if p := int(z.known[h>>(32-knownBits)]) - 1; p >= 0 {
		place, length = p, same(z.memory[p:], text[at:])
	}
	slot := &z.recent[h>>(32-recentBits)]
	if p := int(*slot) - 1; p >= 0 {
		if n := same(text[p:], text[at:]); n > length {
			place, length = memoryLimit+p, n
		}
	}
	*slot = uint16(at) + 1
	return place, length
}

// remember adds a text to memory, if there is room.
func (z *squeezer) remember(text []byte) {
	if len(z.memory)+len(text) > memoryLimit {
		return
	}
	from := max(0, len(z.memory)-shortest+1)
	z.memory = append(z.memory, text...)
	for p := from; p+shortest <= len(z.memory); p++ {
		z.known[hash(z.memory, p)>>(32-knownBits)] = uint16(p) + 1
	}
}

// expand appends to dst, which is empty, what short was made of.
func (z *squeezer) expand(dst []byte, short string) []byte {
	for {
		token := short[0]
		n, rest := length(token>>4, short[1:])
		dst = append(dst, rest[:n]...)
		if n, short = length(token&half, rest[n:]); n == 0 {
			return dst
		}
		n += shortest - 1
		place := int(short[0]) | int(short[1])<<8
		short = short[2:]
		if place < memoryLimit {
			dst = append(dst, z.memory[place:place+n]...)
			continue
		}
		for place -= memoryLimit; n > 0; n-- { // one by one: the copy may reach into what it writes
			dst = append(dst, dst[place])
			place++
		}
	}
}

// half is the largest length that half a token can hold; one less if nothing is to follow.
const half = 15

func appendPair(out, literal []byte, copied int) []byte {
	out = append(out, byte(min(len(literal), half)<<4|min(copied, half)))
	if len(literal) >= half {
		out = binary.AppendUvarint(out, uint64(len(literal)-half))
	}
	out = append(out, literal...)
	if copied >= half {
		out = binary.AppendUvarint(out, uint64(copied-half))
	}
	return out
}

// length completes a length of which a token has so much.
func length(begun byte, text string) (n int, rest string) {
	if begun < half {
		return int(begun), text
	}
	for shift := 0; ; shift += 7 {
		b := text[0]
		text = text[1:]
		n |= int(b&0x7f) << shift
		if b < 0x80 {
			return n + half, text
		}
	}
}

// hash mixes the four bytes from at on; its upper bits are the best.
func hash(text []byte, at int) uint32 {
	return binary.LittleEndian.Uint32(text[at:]) * 2654435761
}

// same returns how many bytes two texts have in common at their beginnings.
func same(a, b []byte) int {
	n := 0
	for n+8 <= len(a) && n+8 <= len(b) {
		if x := binary.LittleEndian.Uint64(a[n:]) ^ binary.LittleEndian.Uint64(b[n:]); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
		n += 8
	}
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
