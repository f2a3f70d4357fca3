package kind

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/reports"
)

// Journal reads what kubelet and container runtime of a node have logged since then.
type Journal func(ctx context.Context, node string, since time.Time) (string, error)

// EngineJournal reads the journals of nodes that are containers of this machine's engine: docker, or what takes its place.
func EngineJournal(engine string) Journal {
	return func(ctx context.Context, node string, since time.Time) (string, error) {
		return journal(ctx, engine, node, since)
	}
}

func journal(ctx context.Context, engine, node string, since time.Time) (string, error) {
	var out, errs bytes.Buffer
	c := exec.CommandContext(ctx, engine, "exec", node, "journalctl", "--no-pager", "-o", "short-precise", "-u", "kubelet", "-u", "containerd",
		"--since", fmt.Sprintf("@%d", since.Unix()))
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("reading the journal of node %s: %w: %s", node, err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// mostLines is how many lines of a journal are shown for each Pod.
const mostLines = 40

// beside are the places in kubelet and container runtime whose lines are many, and do not concern a run: volumes that come
// and go, and cgroups of containers that are gone.
func beside() []string {
	return []string{"reconciler_common.go", "operation_generator.go", "watcher.go", "UnmountVolume", "pod_startup_latency_tracker.go", "\"RemoveContainer"}
}

// Collect implements conformance.Collector: the node's journal, as far as it is about the Pods of a namespace.
func (c *Cluster) Collect(ctx context.Context, namespace string, since time.Time) []reports.Log {
	if c.target.o.Journal == nil {
		return nil
	}
	pods, err := c.target.clientset.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil // a failure is explained without it
	}
	journals := map[string]string{}
	var out []reports.Log
	for i := range pods.Items {
		p := &pods.Items[i]
		if p.Spec.NodeName == "" {
			continue
		}
		if _, ok := journals[p.Spec.NodeName]; !ok {
			text, err := c.target.o.Journal(ctx, p.Spec.NodeName, since)
			if err != nil {
				text = err.Error()
			}
			journals[p.Spec.NodeName] = text
		}
		terms := []string{namespace + "/" + p.Name, string(p.UID)}
		for _, s := range p.Status.InitContainerStatuses {
			terms = append(terms, id(s.ContainerID))
		}
		for _, s := range p.Status.ContainerStatuses {
			terms = append(terms, id(s.ContainerID))
		}
		if text := about(journals[p.Spec.NodeName], terms); text != "" {
			out = append(out, reports.Log{Pod: p.Name, Container: "journal of node " + p.Spec.NodeName, Text: text})
		}
	}
	return out
}

// id is a container's without the runtime's name.
func id(containerID string) string {
	_, out, _ := strings.Cut(containerID, "://")
	return out
}

// mostOfALine is how much of a line is shown.
const mostOfALine = 500

func shortened(line string) string {
	if len(line) > mostOfALine {
		return strings.ToValidUTF8(line[:mostOfALine], "") + " …"
	}
	return line
}

// about keeps the lines that have one of the terms, the last of them.
func about(text string, terms []string) string {
	var lines []string
	for line := range strings.Lines(text) {
		has := func(term string) bool { return term != "" && strings.Contains(line, term) }
		if slices.ContainsFunc(terms, has) && !slices.ContainsFunc(beside(), has) {
			lines = append(lines, shortened(strings.TrimRight(line, "\n")))
		}
	}
	if cut := len(lines) - mostLines; cut > 0 {
		lines = append([]string{fmt.Sprintf("… %d lines before …", cut)}, lines[cut:]...)
	}
	return strings.Join(lines, "\n")
}
