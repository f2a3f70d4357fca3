package text

import (
	"bytes"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Unix is dos2unix and unix2dos.
func Unix(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "ud", false, nil)
	if !ok {
		return t.End()
	}
	dos := t.Name == "unix2dos" && !kit.Has(opts, 'u') || kit.Has(opts, 'd')
	convert := func(data []byte) []byte {
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
		if dos {
			data = bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
		}
		return data
	}
	if len(names) == 0 {
		data, _ := t.ReadAll(p.Stdin())
		t.Out.Write(convert(data))
	}
	for _, name := range names {
		data, err := p.ReadFile(name)
		if err == nil {
			err = p.WriteFile(name, convert(data), 0o644)
		}
		if err != nil {
			t.Failed(name, err)
		}
	}
	return t.End()
}
