package kernel

import (
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// Stream is one actor's source of entropy. Streams of different names are
// independent: what one actor draws never changes what another one gets.
type Stream struct {
	rand.Rand
	source rand.PCG
}

// Stream returns a new stream for name, at its beginning. The same seed and name
// always give the same values.
func (k *Kernel) Stream(name string) *Stream { return k.StreamOf(name) }

// StreamOf is Stream for a name in parts, which need not be put together.
func (k *Kernel) StreamOf(name ...string) *Stream {
	k.name = binary.LittleEndian.AppendUint64(k.name[:0], k.seed)
	for _, part := range name {
		k.name = append(k.name, part...)
	}
	k.hash.Reset()
	_, _ = k.hash.Write(k.name)
	sum := k.hash.Sum(k.name[:0])
	s := &Stream{}
	s.source.Seed(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:]))
	s.Rand = *rand.New(&s.source)
	return s
}

// Between returns a duration in [lo, hi). It returns lo when the range is empty.
func (s *Stream) Between(lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	return lo + time.Duration(s.Int64N(int64(hi-lo)))
}

// Chance reports true with probability p.
func (s *Stream) Chance(p float64) bool { return s.Float64() < p }

// nameAlphabet is what Kubernetes draws generated name suffixes from: no vowels
// and no digits that look like letters, so that no word is spelt by accident.
const nameAlphabet = "bcdfghjklmnpqrstvwxz2456789"

// Name returns n characters as Kubernetes' generated names have them.
func (s *Stream) Name(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = nameAlphabet[s.IntN(len(nameAlphabet))]
	}
	return string(b)
}

// UUID returns a version 4 UUID in its text form.
func (s *Stream) UUID() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], s.Uint64())
	binary.BigEndian.PutUint64(b[8:], s.Uint64())
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	const hex = "0123456789abcdef"
	out := make([]byte, 0, 36)
	for i, c := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = append(out, hex[c>>4], hex[c&15])
	}
	return string(out)
}
