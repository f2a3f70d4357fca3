package kit

import (
	"path"

	"github.com/plumbline-ci/plumbline/simulator/files"
)

// Walk calls f for everything below a directory, in order of names.
func (t *Tool) Walk(dir string, f func(name string, info *files.Info)) {
	entries, err := t.P.ReadDir(dir)
	if err != nil {
		t.Failed(dir, err)
		return
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if dir == "." {
			name = "./" + e.Name()
		}
		f(name, e)
		if e.IsDir() {
			t.Walk(name, f)
		}
	}
}
