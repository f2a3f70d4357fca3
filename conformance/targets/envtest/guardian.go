package envtest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// guardian is a shell that outlives this process by a moment: whether it was killed, panicked, or ran out of go test's
// time, the processes of the control plane end, and their files go. It waits at the end of a pipe whose other end this
// process alone holds.
type guardian struct {
	// dir has the files of the control plane, and one with the id of each of its processes.
	dir  string
	pipe io.WriteCloser
	cmd  *exec.Cmd
}

// watching is what the guardian does; $1 is the directory. What the terminal sends to all is not for it.
const watching = `trap '' HUP INT QUIT TERM
read -r _ && exit 0
for file in "$1"/*.pid; do
  read -r id < "$file" && kill -KILL "$id"
done
rm -rf "$1"
`

// wrapping runs a binary in the place of the shell, and leaves its process id. The processes live for a minute or two, so
// memory is cheaper than collecting it.
const wrapping = `#!/bin/sh
echo $$ > "$0.pid"
GOGC=${GOGC:-300}
export GOGC
exec %s "$@"
`

// newGuardian starts the guardian of a directory of its own.
func newGuardian() (_ *guardian, err error) {
	g := &guardian{}
	if g.dir, err = os.MkdirTemp("", "plumbline-envtest-"); err != nil {
		return nil, fmt.Errorf("making a directory for the control plane: %w", err)
	}
	g.cmd = exec.Command("/bin/sh", "-c", watching, "plumbline-guardian", g.dir)
	if g.pipe, err = g.cmd.StdinPipe(); err == nil {
		err = g.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the control plane's guardian: %w", err), os.RemoveAll(g.dir))
	}
	return g, nil
}

// wrap returns a command that runs the binary under guard.
func (g *guardian) wrap(binary string) (string, error) {
	quoted := "'" + strings.ReplaceAll(binary, "'", `'\''`) + "'"
	name := filepath.Join(g.dir, filepath.Base(binary))
	if err := os.WriteFile(name, fmt.Appendf(nil, wrapping, quoted), 0o700); err != nil {
		return "", fmt.Errorf("putting %s under guard: %w", binary, err)
	}
	return name, nil
}

// subdirectory makes a directory that goes with the guardian's.
func (g *guardian) subdirectory(name string) (string, error) {
	dir := filepath.Join(g.dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("making a directory for the control plane: %w", err)
	}
	return dir, nil
}

// dismiss ends the guardian, when the processes have ended.
func (g *guardian) dismiss() error {
	_, err := io.WriteString(g.pipe, "done\n")
	if err = errors.Join(err, g.pipe.Close(), g.cmd.Wait(), os.RemoveAll(g.dir)); err != nil {
		return fmt.Errorf("ending the control plane's guardian: %w", err)
	}
	return nil
}
