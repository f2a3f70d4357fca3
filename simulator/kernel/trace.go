package kernel

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"
	"time"
)

// Record is one line of the trace: an event that ran, or something an actor
// noted while it ran.
type Record struct {
	Time   time.Duration // since the epoch
	Actor  string
	What   string
	Detail string // empty for events
}

// trace folds every record into a hash, so that two runs can be compared by
// comparing 32 bytes.
type trace struct {
	hash     hash.Hash
	buf      []byte
	onRecord func(Record)
}

const traceBuffer = 8 << 10

func (t *trace) init(onRecord func(Record)) {
	t.hash = sha256.New()
	t.buf = make([]byte, 0, traceBuffer+1024)
	t.onRecord = onRecord
}

func (t *trace) event(at time.Duration, actor, what string) { t.add(at, actor, what) }

func (t *trace) add(at time.Duration, actor, what string, detail ...string) {
	t.buf = binary.AppendUvarint(t.buf, uint64(at))
	t.buf = append(append(t.buf, actor...), 0)
	t.buf = append(append(t.buf, what...), 0)
	for i, word := range detail {
		if i > 0 {
			t.buf = append(t.buf, ' ')
		}
		t.buf = append(t.buf, word...)
	}
	t.buf = append(t.buf, 0)
	if len(t.buf) >= traceBuffer {
		t.hash.Write(t.buf)
		t.buf = t.buf[:0]
	}
	if t.onRecord != nil {
		t.onRecord(Record{Time: at, Actor: actor, What: what, Detail: strings.Join(detail, " ")})
	}
}

// Note adds a record to the trace: actor did what, with a detail that should
// tell two different deeds apart (a key and a resourceVersion, an exit code). Several
// words are taken as one text with spaces between them.
func (k *Kernel) Note(actor, what string, detail ...string) {
	k.trace.add(k.Elapsed(), actor, what, detail...)
}

// TraceHash returns the hash of the trace so far, in hex. Same seed, same binary,
// same inputs: same hash.
func (k *Kernel) TraceHash() string {
	k.trace.hash.Write(k.trace.buf)
	k.trace.buf = k.trace.buf[:0]
	return hex.EncodeToString(k.trace.hash.Sum(nil))
}
