//go:build unix

package kindcluster

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// tidyWithin is how long a script that is interrupted may take to remove what it has begun.
const tidyWithin = 20 * time.Second

// endWithChildren makes an interrupt of c reach the compilers and engines that it has started. They are asked to end, so
// that scripts can tidy up, and killed when they take too long.
func endWithChildren(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.WaitDelay = tidyWithin
	signal := func(s syscall.Signal) error {
		err := syscall.Kill(-c.Process.Pid, s)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
	c.Cancel = func() error {
		time.AfterFunc(tidyWithin, func() { _ = signal(syscall.SIGKILL) }) // whatever is left of the group by then
		return signal(syscall.SIGTERM)
	}
}
