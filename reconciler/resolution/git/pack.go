package git

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/storage/memory"
)

// What a pack may come to. A pack is small for what is in it: it is compressed, and objects may be made from others by
// copying parts of them. So sizes are counted before anything is unpacked.
const (
	maxPack    = 64 << 20  // bytes of the pack
	maxObjects = 1 << 19   // objects in it
	maxBytes   = 192 << 20 // bytes of all objects
	maxCopied  = 4 << 30   // bytes that are looked at to make objects from others
)

// errPack says that a pack is more than that.
var errPack = errors.New("the repository is too large")

// unpack adds the objects of a pack to a store.
func unpack(pack []byte, into *memory.Storage) (err error) {
	// A pack is whatever a server sends. A parser that is confused by it must not end the program.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the pack cannot be read: %v", p)
		}
	}()
	if err := weigh(pack); err != nil {
		return err
	}
	parser, err := packfile.NewParserWithStorage(packfile.NewScanner(bytes.NewReader(pack)), into)
	if err != nil {
		return err
	}
	_, err = parser.Parse()
	return err
}

// weigh fails if a pack unpacks to too much.
func weigh(pack []byte) error {
	s := packfile.NewScanner(bytes.NewReader(pack))
	_, count, err := s.Header()
	if err != nil {
		return err
	}
	if count > maxObjects {
		return fmt.Errorf("%w: it has %d objects, where %d are allowed", errPack, count, maxObjects)
	}
	var size, copied int64
	for range count {
		h, err := s.NextObjectHeader()
		if err != nil {
			return err
		}
		if size += h.Length; h.Length < 0 || size > maxBytes {
			return fmt.Errorf("%w: it has more than %d bytes", errPack, maxBytes)
		}
		w := &start{left: h.Length}
		if _, _, err := s.NextObject(w); err != nil {
			return err
		}
		if h.Type != plumbing.OFSDeltaObject && h.Type != plumbing.REFDeltaObject {
			continue
		}
		base, target, err := w.sizes()
		if err != nil {
			return err
		}
		size, copied = size+target, copied+base+target
		if size > maxBytes || copied > maxCopied {
			return fmt.Errorf("%w: it has more than %d bytes", errPack, maxBytes)
		}
	}
	return nil
}

// start keeps the beginning of an object, which may not be longer than it says.
type start struct {
	data []byte
	left int64
}

// Write implements io.Writer.
func (s *start) Write(p []byte) (int, error) {
	if s.left -= int64(len(p)); s.left < 0 {
		return 0, fmt.Errorf("%w: an object is longer than it says", errPack)
	}
	const enough = 20 // two numbers of at most ten bytes
	s.data = append(s.data, p[:min(len(p), enough-min(enough, len(s.data)))]...)
	return len(p), nil
}

// sizes are how large a delta says that its base and its target are.
func (s *start) sizes() (base, target int64, err error) {
	r := bytes.NewReader(s.data)
	if base, err = size(r); err == nil {
		target, err = size(r)
	}
	return base, target, err
}

// size reads a number of seven bits a byte, the lowest first.
func size(r io.ByteReader) (int64, error) {
	var n int64
	for shift := 0; ; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, fmt.Errorf("%w: a delta without its sizes", packfile.ErrMalformedPackFile)
		}
		n |= int64(b&0x7f) << shift
		if n > maxBytes || shift > 28 {
			return 0, fmt.Errorf("%w: it has more than %d bytes", errPack, maxBytes)
		}
		if b < 0x80 {
			return n, nil
		}
	}
}
