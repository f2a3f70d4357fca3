//plumbline:adapter the launcher on a real operating system

package osadapter

import (
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/plumbline-ci/plumbline/entrypoint"
)

// signals hands the launcher's signals to the running command, or else to the goroutine that waits.
type signals struct {
	// pending has a signal that came while no command was running.
	pending chan entrypoint.Signal
	// reap is called when a process has ended; nil is not to care.
	reap func()

	mu sync.Mutex
	// forward sends a signal to the running command; nil while there is none.
	forward func(syscall.Signal)
}

func newSignals(reap func()) *signals {
	s := &signals{pending: make(chan entrypoint.Signal, 1), reap: reap}
	received := make(chan os.Signal, 16)
	// Asking for all signals takes the runtime milliseconds. Those that end waiting are asked for first.
	signal.Notify(received, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGPIPE)
	go signal.Notify(received)
	go func() {
		for sig := range received {
			if sig, ok := sig.(syscall.Signal); ok {
				s.dispatch(sig)
			}
		}
	}()
	return s
}

// dispatch decides where a signal goes.
func (s *signals) dispatch(sig syscall.Signal) {
	if endOfChild(sig) && s.reap != nil {
		s.reap()
	}
	if ownSignal(sig) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forward != nil {
		s.forward(sig)
		return
	}
	switch n := entrypoint.Signal(sig); n {
	case entrypoint.SIGHUP, entrypoint.SIGINT, entrypoint.SIGQUIT, entrypoint.SIGTERM:
		select {
		case s.pending <- n:
		default: // one is enough to end a wait
		}
	}
}

// handOver makes start's process the receiver of signals, those included that arrived just before it was started.
func (s *signals) handOver(start func() (func(syscall.Signal), error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	forward, err := start()
	if err != nil {
		return err
	}
	s.forward = forward
	select {
	case sig := <-s.pending:
		forward(syscall.Signal(sig))
	default:
	}
	return nil
}

// takeBack ends the forwarding.
func (s *signals) takeBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forward = nil
}
