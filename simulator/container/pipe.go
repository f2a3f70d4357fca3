package container

import (
	"io"
	"slices"
	"syscall"
	"time"
)

// pipeCapacity is how many bytes a pipe holds, as on Linux.
const pipeCapacity = 65536

// pipe is a pipe. The processes that wait for room or for data are in sleepers and are woken by every change.
type pipe struct {
	data             []byte
	readers, writers int
	sleepers         []*Process
}

func (q *pipe) wakeAll() {
	sleepers := q.sleepers
	q.sleepers = nil
	for _, p := range sleepers {
		p.wake()
	}
}

func (q *pipe) closeEnd(writer bool) {
	if writer {
		q.writers--
	} else {
		q.readers--
	}
	q.wakeAll()
}

// wait blocks until ready.
func (q *pipe) wait(p *Process, ready func() bool) error {
	return p.Block(time.Time{}, func() bool {
		if ready() {
			return true
		}
		if !slices.Contains(q.sleepers, p) {
			q.sleepers = append(q.sleepers, p)
		}
		return false
	})
}

func (q *pipe) read(p *Process, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if len(q.data) == 0 && q.writers > 0 {
		if err := q.wait(p, func() bool { return len(q.data) > 0 || q.writers == 0 }); err != nil {
			return 0, err
		}
	}
	if len(q.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b, q.data)
	q.data = q.data[n:]
	if len(q.data) == 0 {
		q.data = nil
	}
	q.wakeAll()
	return n, nil
}

func (q *pipe) write(p *Process, b []byte) (int, error) {
	written := 0
	for {
		if q.readers == 0 {
			if p.dispositions[SIGPIPE] == byDefault && p.pid != 1 {
				p.terminate(SIGPIPE)
			}
			p.deliver(SIGPIPE)
			return written, syscall.EPIPE
		}
		room := pipeCapacity - len(q.data)
		if room > 0 {
			n := min(room, len(b)-written)
			q.data = append(q.data, b[written:written+n]...)
			written += n
			q.wakeAll()
			if written == len(b) {
				return written, nil
			}
			continue
		}
		if err := q.wait(p, func() bool { return len(q.data) < pipeCapacity || q.readers == 0 }); err != nil {
			return written, err
		}
	}
}
