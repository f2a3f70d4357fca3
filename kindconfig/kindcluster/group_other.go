//go:build !unix

package kindcluster

import "os/exec"

// endWithChildren does nothing where there are no process groups: an interrupt ends c alone.
func endWithChildren(*exec.Cmd) {}
