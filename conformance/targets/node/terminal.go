package node

import (
	"bytes"
	"io"
)

// What a terminal's keys send.
const (
	keyInterrupt = 0x03 // Ctrl-C
	keyEnd       = 0x04 // Ctrl-D
	keyBack      = 0x08
	keyDelete    = 0x7f
)

// keyboard is the line discipline of a simulated terminal, between a client in raw mode and a command: what is typed is
// shown, and handed on line by line. There is no job control: Ctrl-C drops the line, Ctrl-D at the beginning of a line ends
// the input. It is for the kernel's goroutine.
type keyboard struct {
	screen io.Writer
	in     io.WriteCloser
	line   []byte
	ended  bool
}

// Write implements io.Writer.
func (k *keyboard) Write(typed []byte) (int, error) {
	for _, key := range typed {
		switch {
		case k.ended:
		case key == '\r' || key == '\n':
			k.show("\r\n")
			k.hand('\n')
		case key == keyInterrupt:
			k.line = nil
			k.show("^C\r\n")
		case key == keyEnd && len(k.line) == 0:
			_ = k.Close()
		case key == keyEnd:
			k.hand()
		case key == keyBack || key == keyDelete:
			if len(k.line) > 0 {
				k.line = k.line[:len(k.line)-1]
				k.show("\b \b")
			}
		default:
			k.line = append(k.line, key)
			k.show(string([]byte{key}))
		}
	}
	return len(typed), nil
}

// Close implements io.Closer.
func (k *keyboard) Close() error {
	if k.ended {
		return nil
	}
	k.ended = true
	k.hand()
	return k.in.Close()
}

// hand gives the line to the command. It never fails: the input is memory.
func (k *keyboard) hand(end ...byte) {
	_, _ = k.in.Write(append(k.line, end...))
	k.line = nil
}

func (k *keyboard) show(text string) { _, _ = io.WriteString(k.screen, text) }

// screen ends lines as a terminal in raw mode wants it.
type screen struct{ io.Writer }

// Write implements io.Writer.
func (s screen) Write(b []byte) (int, error) {
	if _, err := s.Writer.Write(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(b), nil
}
