package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"github.com/plumbline-ci/plumbline/simulator"
)

// streamsTimeout is how long a client may take to open the streams that it has announced.
const streamsTimeout = 30 * time.Second

// Parameters of /exec, and kinds of streams.
const (
	parameterCommand = "command"
	parameterInput   = "input"
	parameterOutput  = "output"
	parameterError   = "error"
	parameterTTY     = "tty"

	headerStreamType = "streamType"
	streamInput      = "stdin"
	streamOutput     = "stdout"
	streamErrors     = "stderr"
	streamStatus     = "error"
	streamResize     = "resize"
)

// How the client learns of an exit code.
const (
	reasonNonZero = metav1.StatusReason("NonZeroExitCode")
	causeExitCode = metav1.CauseType("ExitCode")
)

// streams are the connection of one command.
type streams struct {
	stdin            io.Reader
	stdout, stderr   io.Writer
	status           io.WriteCloser
	structuredStatus bool // the status is an object, not a text
	tty              bool
	close            func()
}

// exec runs a command in a container, over SPDY, as kube-apiserver asks kubelets to.
func (s *server) exec(w http.ResponseWriter, r *http.Request) {
	key, _, ok := s.asked(w, r)
	if !ok {
		return
	}
	q := r.URL.Query()
	argv := q[parameterCommand]
	if len(argv) == 0 {
		http.Error(w, "there is no command", http.StatusBadRequest)
		return
	}
	wanted := map[string]bool{}
	for parameter, stream := range map[string]string{parameterInput: streamInput, parameterOutput: streamOutput, parameterError: streamErrors} {
		if q.Get(parameter) == "1" || q.Get(parameter) == "true" {
			wanted[stream] = true
		}
	}
	if len(wanted) == 0 {
		http.Error(w, "you must specify at least 1 of stdin, stdout, stderr", http.StatusBadRequest)
		return
	}
	tty := q.Get(parameterTTY) == "1" || q.Get(parameterTTY) == "true"
	if tty { // a terminal has one output
		delete(wanted, streamErrors)
	}
	c, err := upgrade(w, r, wanted, tty)
	if err != nil {
		return // it has been answered
	}
	defer c.close()
	s.node.runCommand(r.Context(), key, argv, c)
}

// upgrade makes a connection of streams out of a request. On an error the client has been told.
func upgrade(w http.ResponseWriter, r *http.Request, wanted map[string]bool, tty bool) (*streams, error) {
	protocol, err := httpstream.Handshake(r, w, []string{
		remotecommand.StreamProtocolV4Name, remotecommand.StreamProtocolV3Name, remotecommand.StreamProtocolV2Name, remotecommand.StreamProtocolV1Name,
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return nil, err
	}
	opened := make(chan httpstream.Stream, 5)
	connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(stream httpstream.Stream, replySent <-chan struct{}) error {
		select {
		case opened <- stream:
			return nil
		default:
			return errors.New("too many streams")
		}
	})
	if connection == nil {
		return nil, errors.New("the request asks for no streams")
	}
	c := &streams{tty: tty, structuredStatus: protocol == remotecommand.StreamProtocolV4Name, close: func() { _ = connection.Close() }}
	c.stdout, c.stderr = io.Discard, io.Discard
	missing := len(wanted) + 1
	resizes := tty && protocol != remotecommand.StreamProtocolV1Name && protocol != remotecommand.StreamProtocolV2Name
	if resizes {
		missing++
	}
	late := time.NewTimer(streamsTimeout)
	defer late.Stop()
	for ; missing > 0; missing-- {
		select {
		case stream := <-opened:
			switch stream.Headers().Get(headerStreamType) {
			case streamInput:
				c.stdin = stream
			case streamOutput:
				c.stdout = stream
			case streamErrors:
				c.stderr = stream
			case streamStatus:
				c.status = stream
			case streamResize: // a simulated terminal has no size
				go func() { _, _ = io.Copy(io.Discard, stream) }()
			}
		case <-late.C:
			c.close()
			return nil, errors.New("the client opened fewer streams than it had announced")
		case <-r.Context().Done():
			c.close()
			return nil, context.Cause(r.Context())
		}
	}
	if c.status == nil {
		c.close()
		return nil, errors.New("the client opened no stream for the status")
	}
	return c, nil
}

// runCommand runs a command and says how it ended.
func (n *Node) runCommand(ctx context.Context, key logKey, argv []string, c *streams) {
	stdout, stderr := newSpool(c.stdout), newSpool(c.stderr)
	var out, errs io.Writer = stdout, stderr
	if c.tty {
		out, errs = screen{stdout}, screen{stdout}
	}
	ended := make(chan int, 1)
	done := func(code int) { ended <- code }
	var err error
	failed := n.Do(ctx, func(a *simulator.Actors) {
		if c.stdin == nil {
			err = a.Exec(key.pod.Namespace, key.pod.Name, key.container, argv, out, errs, done)
			return
		}
		var input io.WriteCloser
		if input, err = a.ExecInput(key.pod.Namespace, key.pod.Name, key.container, argv, out, errs, done); err != nil {
			return
		}
		if c.tty {
			input = &keyboard{screen: stdout, in: input}
		}
		go n.feed(c.stdin, input)
	})
	if err = errors.Join(failed, err); err != nil {
		stdout.end()
		stderr.end()
		c.fail(fmt.Errorf("error executing command in container: %w", err))
		return
	}
	select {
	case code := <-ended:
		stdout.end()
		stderr.end()
		c.exited(code)
	case <-ctx.Done(): // the client has gone; the command runs on
		go func() {
			select {
			case <-ended:
			case <-n.running.Done():
			}
			stdout.end()
			stderr.end()
		}()
	}
}

// feed hands what a client writes to a command's input.
func (n *Node) feed(from io.Reader, to io.WriteCloser) {
	buffer := make([]byte, 32<<10)
	for {
		size, err := from.Read(buffer)
		if size > 0 {
			// Neither write fails: the input is memory. When the node stops, the input is no longer read.
			if n.call(n.running, func() { _, _ = to.Write(buffer[:size]) }) != nil {
				return
			}
		}
		if err != nil {
			_ = n.call(n.running, func() { _ = to.Close() })
			return
		}
	}
}

// exited tells the client the exit code.
func (c *streams) exited(code int) {
	if code == 0 {
		if c.structuredStatus {
			c.tell(metav1.Status{Status: metav1.StatusSuccess})
		}
		return
	}
	message := fmt.Sprintf("command terminated with non-zero exit code: exit status %d", code)
	c.tell(metav1.Status{
		Status: metav1.StatusFailure, Reason: reasonNonZero, Message: message,
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: causeExitCode, Message: strconv.Itoa(code)}}},
	})
}

// fail tells the client that there was no command.
func (c *streams) fail(err error) { c.tell(apierrors.NewInternalError(err).Status()) }

// tell writes the status. A client that has gone needs none.
func (c *streams) tell(status metav1.Status) {
	text := []byte(status.Message)
	if c.structuredStatus {
		data, err := json.Marshal(status)
		if err == nil {
			text = data
		}
	}
	_, _ = c.status.Write(text)
	_ = c.status.Close()
}

// spool lets the kernel's goroutine write without waiting for a client.
type spool struct {
	mu     sync.Mutex
	some   sync.Cond
	data   []byte
	closed bool
	done   chan struct{}
}

func newSpool(to io.Writer) *spool {
	s := &spool{done: make(chan struct{})}
	s.some.L = &s.mu
	go s.run(to)
	return s
}

// Write implements io.Writer.
func (s *spool) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = append(s.data, b...)
	s.some.Signal()
	return len(b), nil
}

func (s *spool) run(to io.Writer) {
	defer close(s.done)
	for {
		s.mu.Lock()
		for len(s.data) == 0 && !s.closed {
			s.some.Wait()
		}
		data := s.data
		s.data = nil
		s.mu.Unlock()
		if len(data) == 0 {
			return
		}
		if _, err := to.Write(data); err != nil {
			to = io.Discard // the client has gone; the command goes on
		}
	}
}

// end waits until everything has been written.
func (s *spool) end() {
	s.mu.Lock()
	s.closed = true
	s.some.Signal()
	s.mu.Unlock()
	<-s.done
}
