package kubelet

// previousPrefix marks, in the logs kept of a finished Pod, the instance before a
// container's last. No container name contains a slash.
const previousPrefix = "previous/"

// Output is something that a container has written.
type Output struct {
	Namespace, Pod, Container string
	Restarts                  int // of the container before this instance
	Stream                    int // 1 is standard output, 2 standard error
	Data                      []byte
}

// output is what a container has written, limited in size. Beyond the limit the
// oldest output goes, as log rotation has it.
type output struct {
	buf   []byte
	limit int
}

func (o *output) write(b []byte) {
	o.buf = append(o.buf, b...)
	if len(o.buf) > 2*o.limit {
		o.buf = append(make([]byte, 0, o.limit*3/2), o.buf[len(o.buf)-o.limit:]...)
	}
}

func (o *output) bytes() []byte {
	if n := len(o.buf) - o.limit; n > 0 {
		return append([]byte(nil), o.buf[n:]...)
	}
	return append([]byte(nil), o.buf...)
}

// compact gives back the room that growing has left over.
func (o *output) compact() *output {
	if cap(o.buf) > len(o.buf)+len(o.buf)/4 || len(o.buf) > o.limit {
		o.buf = o.bytes()
	}
	return o
}

// tail returns the end of the output: at most lines lines and size bytes.
func (o *output) tail(lines, size int) []byte {
	b := o.buf
	if n := len(b) - size; n > 0 {
		b = b[n:]
	}
	count := 0
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] == '\n' && i != len(b)-1 {
			if count++; count == lines {
				return b[i+1:]
			}
		}
	}
	return b
}
