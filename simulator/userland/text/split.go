package text

import (
	"bytes"
	"io"
	"math"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// longestName is the most bytes that a name of a file has.
const longestName = 255

// Split is the utility split.
func Split(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "l:b:a:d", false, map[string]string{"lines": "l:", "bytes": "b:", "suffix-length": "a:"})
	if !ok {
		return t.End()
	}
	prefix, length := "x", 2
	if length, ok = t.Within(opts, 'a', length, 1, math.MaxUint32); !ok {
		return t.End()
	}
	if len(names) > 1 {
		prefix = names[1]
	}
	if length > longestName-len(kit.Base(prefix)) {
		return t.Fail("suffix too long")
	}
	size := int64(1000)
	for _, l := range []byte("lb") {
		if kit.Has(opts, l) {
			if size, ok = kit.Count(kit.Last(opts, l)); !ok || size < 1 {
				return t.Fail("invalid number '%s'", kit.Last(opts, l))
			}
		}
	}
	n := 0
	write := func(chunk []byte) {
		name := ""
		for i, x := 0, n; i < length; i++ {
			name = string(rune('a'+x%26)) + name
			x /= 26
		}
		n++
		if err := p.WriteFile(prefix+name, chunk, 0o666); err != nil {
			t.Failed(prefix+name, err)
		}
	}
	t.Inputs(names[:min(1, len(names))], func(_ string, r io.Reader) bool {
		data, _ := t.ReadAll(r)
		for len(data) > 0 {
			end := int(min(size, int64(len(data))))
			if !kit.Has(opts, 'b') {
				end = 0
				for i := int64(0); i < size && end < len(data); i++ {
					next := bytes.IndexByte(data[end:], '\n')
					if next < 0 {
						end = len(data)
						break
					}
					end += next + 1
				}
			}
			write(bytes.Clone(data[:end]))
			data = data[end:]
		}
		return true
	})
	return t.End()
}
