package osadapter

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// firstInherited is the first descriptor after the standard streams.
const firstInherited = 3

// keepDescriptors keeps what the launcher inherited, beside its standard streams, from reaching a command.
func keepDescriptors() {
	if unix.CloseRange(firstInherited, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	open, err := filepath.Glob("/proc/self/fd/*") // a kernel before 5.11
	if err != nil {
		return
	}
	for _, name := range open {
		if fd, err := strconv.Atoi(filepath.Base(name)); err == nil && fd >= firstInherited {
			unix.CloseOnExec(fd)
		}
	}
}

// isolate is the namespaces of a hermetic command (EP-47): a network of its own without interfaces, and what it takes
// to be allowed to have one.
func isolate(hermetic bool) (*syscall.SysProcAttr, error) {
	if !hermetic {
		return &syscall.SysProcAttr{}, nil
	}
	everyone := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1<<32 - 2}}
	if os.Getuid() != 0 { // a user other than root may map only itself
		return &syscall.SysProcAttr{
			Cloneflags:  hermeticNamespaces,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}},
		}, nil
	}
	return &syscall.SysProcAttr{
		Cloneflags:                 hermeticNamespaces,
		UidMappings:                everyone,
		GidMappings:                everyone,
		GidMappingsEnableSetgroups: true,
	}, nil
}

const hermeticNamespaces = syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUSER
