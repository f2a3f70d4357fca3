package container

import "syscall"

// What Linux gives to the arguments and the environment of a program, with the usual stack of 8 MiB: see execve(2), "Limits
// on size of arguments and environment".
const (
	// maxArgument is for one of them, with the byte that ends it.
	maxArgument = 32 * 4096
	// maxArguments is for all of them, with a pointer to each.
	maxArguments = 8 << 20 / 4
	pointerSize  = 8
)

// handOver accounts for arguments and an environment that a program is to be executed with.
func (p *Process) handOver(args, env []string) {
	const copiedAStep = 256
	size := 0
	for _, list := range [][]string{args, env} {
		for _, s := range list {
			size += len(s)
		}
	}
	p.Work(uint32(size / copiedAStep))
}

// fit reports whether a program can be executed with arguments and an environment of this size: E2BIG if not.
func fit(name string, args, env []string) error {
	total := len(name) + 1
	for _, list := range [][]string{args, env} {
		for _, s := range list {
			if len(s) >= maxArgument {
				return &formatError{path: name, reason: syscall.E2BIG}
			}
			total += len(s) + 1 + pointerSize
		}
	}
	if total > maxArguments {
		return &formatError{path: name, reason: syscall.E2BIG}
	}
	return nil
}
