package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
)

// maxLog bounds what is read of one log: a container that floods must not fill this process.
const maxLog = 16 << 20

// Logs implements conformance.Cluster.
func (c *Cluster) Logs(ctx context.Context, namespace, pod, container string) (string, error) {
	stream, err := c.target.clientset.CoreV1().Pods(namespace).GetLogs(pod, &corev1.PodLogOptions{Container: container}).Stream(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the log of container %s in Pod %s: %w", container, pod, err)
	}
	text, err := io.ReadAll(io.LimitReader(stream, maxLog))
	if err := errors.Join(err, stream.Close()); err != nil {
		return "", fmt.Errorf("reading the log of container %s in Pod %s: %w", container, pod, err)
	}
	return string(text), nil
}

// Exec implements conformance.Cluster.
func (c *Cluster) Exec(ctx context.Context, namespace, pod, container string, argv []string) (stdout, stderr string, exit int, err error) {
	request := c.target.clientset.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: container, Command: argv, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(c.target.o.Config, "GET", request.URL().String())
	if err != nil {
		return "", "", 0, fmt.Errorf("preparing to run %q in container %s of Pod %s: %w", argv, container, pod, err)
	}
	var out, errs bytes.Buffer
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &errs})
	var ended exec.CodeExitError
	switch {
	case errors.As(err, &ended):
		return out.String(), errs.String(), ended.Code, nil
	case err != nil:
		return "", "", 0, fmt.Errorf("running %q in container %s of Pod %s: %w", argv, container, pod, err)
	}
	return out.String(), errs.String(), 0, nil
}
