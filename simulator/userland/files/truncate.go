package files

import (
	"math"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Truncate is the utility truncate.
func Truncate(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "cs:", false, nil)
	if !ok {
		return t.End()
	}
	if !kit.Has(opts, 's') {
		return t.Usage()
	}
	if t.Misused(names, 1, -1) {
		return t.End()
	}
	size, valid := kit.Count(kit.Last(opts, 's'))
	if !valid || !t.GNU && !kit.Digit(kit.Last(opts, 's')[0]) {
		return t.Fail("invalid number '%s'", kit.Last(opts, 's'))
	}
	for _, name := range names {
		flags := files.Write | files.Create
		if kit.Has(opts, 'c') {
			flags = files.Write
		}
		fd, err := p.OpenFile(name, flags, 0o666)
		if err == nil {
			if h := p.FileHandle(fd); h != nil {
				p.Allocate(size)
				p.Work(uint32(min(size>>9, math.MaxInt32))) // the zeros are written
				err = h.Truncate(size)
				p.Allocate(-size)
			}
			p.Close(fd)
		}
		if err != nil {
			t.Failed(name, err)
		}
	}
	return t.End()
}
