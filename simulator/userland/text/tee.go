package text

import (
	"errors"
	"io"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Tee is the utility tee.
func Tee(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "ai", false, nil)
	if !ok {
		return t.End()
	}
	flags := files.Write | files.Create | files.Truncate
	if kit.Has(opts, 'a') {
		flags = files.Append | files.Create
	}
	fds := []int{1}
	for _, name := range names {
		if name == "-" && !t.GNU {
			fds = append(fds, 1)
			continue
		}
		fd, err := p.OpenFile(name, flags, 0o666)
		if err != nil {
			t.Failed(name, err)
			continue
		}
		fds = append(fds, fd)
	}
	buf := make([]byte, 4096)
	for {
		n, err := p.Read(0, buf)
		for _, fd := range fds {
			if n > 0 {
				if _, werr := p.Write(fd, buf[:n]); werr != nil && t.Status == 0 && (fd != 1 || t.GNU) { // BusyBox does not look at standard output
					t.Complain("write error: %s", kit.Message(werr))
				}
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && t.Status == 0 {
				t.Status = 1
			}
			return t.End()
		}
	}
}
