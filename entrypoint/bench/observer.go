//go:build linux

//plumbline:adapter it measures real processes

package main

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// observer notes when programs are executed and when they end.
type observer struct {
	fd    int
	index map[int32]int // by watch
	seen  []programRun
	done  chan error
}

// programRun is when a program was executed and when its process was gone.
type programRun struct{ began, ended time.Time }

// observePrograms must be called when no process has the programs open.
func observePrograms(programs []string) (*observer, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return nil, err
	}
	o := &observer{fd: fd, index: map[int32]int{}, seen: make([]programRun, len(programs)), done: make(chan error, 1)}
	for i, program := range programs {
		watch, err := unix.InotifyAddWatch(fd, program, unix.IN_OPEN|unix.IN_CLOSE_NOWRITE)
		if err != nil {
			return nil, err
		}
		o.index[int32(watch)] = i
	}
	go func() { o.done <- o.observe() }()
	return o, nil
}

// observe reads events until the last program has ended.
func (o *observer) observe() error {
	runtime.LockOSThread()
	defer func() { _ = unix.Close(o.fd) }()
	buffer := make([]byte, 4096)
	for o.seen[len(o.seen)-1].ended.IsZero() {
		n, err := unix.Read(o.fd, buffer)
		now := time.Now()
		if err != nil {
			return err
		}
		for events := buffer[:n]; len(events) >= unix.SizeofInotifyEvent; {
			i := o.index[int32(binary.NativeEndian.Uint32(events))]
			mask := binary.NativeEndian.Uint32(events[4:])
			switch {
			case mask&unix.IN_OPEN != 0 && o.seen[i].began.IsZero():
				o.seen[i].began = now
			case mask&unix.IN_CLOSE_NOWRITE != 0:
				o.seen[i].ended = now
			}
			events = events[unix.SizeofInotifyEvent+binary.NativeEndian.Uint32(events[12:]):]
		}
	}
	return nil
}

// runs waits for the end of the last program.
func (o *observer) runs() ([]programRun, error) {
	if err := <-o.done; err != nil {
		return nil, err
	}
	for i, run := range o.seen {
		if run.began.IsZero() || run.ended.Before(run.began) {
			return nil, fmt.Errorf("program %d was not seen to run", i)
		}
	}
	return o.seen, nil
}
