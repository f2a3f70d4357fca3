package text

import (
	"fmt"
	"io"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Cksum prints checksums as POSIX defines them.
func Cksum(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	t.Inputs(args[1:], func(name string, r io.Reader) bool {
		data, _ := t.ReadAll(r)
		crc := uint32(0)
		feed := func(b byte) {
			crc ^= uint32(b) << 24
			for range 8 {
				if crc&(1<<31) != 0 {
					crc = crc<<1 ^ 0x04c11db7
				} else {
					crc <<= 1
				}
			}
		}
		for _, b := range data {
			feed(b)
		}
		for n := len(data); n > 0; n >>= 8 {
			feed(byte(n))
		}
		if name == "-" {
			name = ""
		} else {
			name = " " + name
		}
		fmt.Fprintf(t.Out, "%d %d%s\n", ^crc, len(data), name)
		return true
	})
	return t.End()
}
