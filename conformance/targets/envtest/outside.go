package envtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/targets/internal/remote"
)

// StartEmpty starts the binaries of a directory, with nothing installed in them: for programs that come from outside, and
// bring what they need.
func StartEmpty(assets string) (*ControlPlane, error) {
	c := &ControlPlane{}
	if err := c.start(assets, nil, nil); err != nil {
		return nil, err
	}
	return c, nil
}

// StartNode runs the simulated part of a cluster before the control plane, until ctx ends: scheduler, node, containers,
// garbage collector. In them the reference's images can be pulled. The function returned waits for its end.
func (c *ControlPlane) StartNode(ctx context.Context) (stopped func(), err error) {
	t, err := New(Options{})
	if err != nil {
		return nil, err
	}
	m := &machine{plane: c, news: remote.NewNews()}
	m.running, m.end = context.WithCancelCause(ctx)
	if m.client, err = client.NewWithWatch(c.Config, client.Options{Scheme: t.scheme}); err != nil {
		return nil, fmt.Errorf("making the node's client: %w", err)
	}
	if m.node, err = m.startNode(t); err != nil {
		m.end(err)
		return nil, err
	}
	return func() { m.end(errStopped); m.stopped.Wait() }, nil
}

// RestartServer kills the API server and starts it again, with the same store, address and users. It needs Linux, to see
// how the first one was started.
func (c *ControlPlane) RestartServer(ctx context.Context) error {
	idFile := filepath.Join(c.guardian.dir, binaryServer+".pid")
	text, err := os.ReadFile(idFile)
	if err != nil {
		return fmt.Errorf("finding the API server: %w", err)
	}
	id, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("finding the API server: %w", err)
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", id))
	if err != nil {
		return fmt.Errorf("asking how the API server was started: %w", err)
	}
	var args []string
	for part := range bytes.SplitSeq(bytes.TrimSuffix(line, []byte{0}), []byte{0}) {
		args = append(args, string(part))
	}
	process, err := os.FindProcess(id)
	if err == nil {
		err = process.Kill()
	}
	if err != nil {
		return fmt.Errorf("killing the API server: %w", err)
	}
	// The wrapper leaves the new id for the guardian.
	again := exec.Command(c.env.ControlPlane.GetAPIServer().Path, args[1:]...)
	// The first one has to be gone, or its port is taken.
	gone := func(context.Context) (bool, error) {
		_, err := os.Stat(fmt.Sprintf("/proc/%d/cmdline", id))
		return errors.Is(err, os.ErrNotExist), nil
	}
	if err := wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, startTimeout, true, gone); err != nil {
		return fmt.Errorf("waiting for the end of the API server: %w", err)
	}
	if err := again.Start(); err != nil {
		return fmt.Errorf("starting the API server again: %w", err)
	}
	c.again = append(c.again, again)
	api, err := kubernetes.NewForConfig(c.Config)
	if err != nil {
		return err
	}
	ready := func(ctx context.Context) (bool, error) {
		_, err := api.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err == nil, nil
	}
	if err := wait.PollUntilContextTimeout(ctx, pollInterval, startTimeout, true, ready); err != nil {
		return fmt.Errorf("waiting for the API server: %w", err)
	}
	return nil
}

// stopAgain ends the API servers that were started again.
func (c *ControlPlane) stopAgain() {
	for _, cmd := range c.again {
		// It may have been killed already; that it ends by a signal is how it is to end.
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}
