package kubelet

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

type probeKind int

const (
	startup probeKind = iota
	liveness
	readiness
)

func (k probeKind) String() string { return [...]string{"Startup", "Liveness", "Readiness"}[k] }

// probe asks one instance of a container for its health, again and again.
type probe struct {
	s         *slot
	kind      probeKind
	spec      *corev1.Probe
	container Container
	next      *kernel.Event
	timeout   *kernel.Event
	round     int // counts attempts, so that a late answer is told from a fresh one
	successes int
	failures  int
	passing   bool
	failing   bool // has failed often enough to act on it
}

// probeOutput is how much of a probe's output is kept.
const probeOutput = 10 << 10

// startProbes begins to probe the instance that has just started.
func (s *slot) startProbes() {
	s.probes = nil
	for _, p := range [...]struct {
		kind probeKind
		spec *corev1.Probe
	}{{startup, s.spec.StartupProbe}, {liveness, s.spec.LivenessProbe}, {readiness, s.spec.ReadinessProbe}} {
		if p.spec == nil {
			continue
		}
		b := &probe{s: s, kind: p.kind, spec: p.spec, container: s.container, passing: p.kind == liveness}
		s.probes = append(s.probes, b)
		first := time.Duration(p.spec.InitialDelaySeconds) * time.Second
		first += s.w.stream.Between(0, min(b.period(), time.Second))
		b.schedule(first)
	}
}

func (s *slot) stopProbes() {
	for _, p := range s.probes {
		p.stop()
	}
}

// passed reports whether the container has no probe of that kind or it passes.
func (s *slot) passed(kind probeKind) bool {
	for _, p := range s.probes {
		if p.kind == kind {
			return p.passing
		}
	}
	return true
}

// failed reports whether a probe of that kind has failed for good.
func (s *slot) failed(kind probeKind) bool {
	for _, p := range s.probes {
		if p.kind == kind {
			return p.failing
		}
	}
	return false
}

func (p *probe) period() time.Duration {
	return time.Duration(max(p.spec.PeriodSeconds, 1)) * time.Second
}

func (p *probe) schedule(d time.Duration) {
	p.next = p.s.w.k.kernel.After(d, p.s.w.actor, "probe", p.ask)
}

func (p *probe) stop() {
	p.next.Cancel()
	p.timeout.Cancel()
	p.round++
}

// ask runs the probe once.
func (p *probe) ask() {
	s := p.s
	if s.container != p.container || !s.running() {
		return
	}
	p.schedule(p.period())
	if p.kind != startup && !s.passed(startup) || p.kind == startup && p.passing {
		return
	}
	p.round++
	round := p.round
	switch {
	case p.spec.Exec != nil:
		out := &bytes.Buffer{}
		answer := func(code int) {
			if p.round != round {
				return
			}
			p.timeout.Cancel()
			p.round++
			p.judge(code == 0, clipBytes(out))
		}
		limit := time.Duration(max(p.spec.TimeoutSeconds, 1)) * time.Second
		p.timeout = s.w.k.kernel.After(limit, s.w.actor, "probe timeout", func() {
			if p.round == round {
				p.round++
				p.judge(false, fmt.Sprintf("command timed out: %q timed out after %s", strings.Join(p.spec.Exec.Command, " "), limit))
			}
		})
		if err := p.container.Exec(p.spec.Exec.Command, out, out, answer); err != nil {
			p.timeout.Cancel()
			s.w.event(s.fieldPath, corev1.EventTypeWarning, reasonUnhealthy,
				p.kind.String()+" probe errored and resulted in unknown state: "+err.Error())
		}
	default:
		listening, message := p.listening()
		p.judge(listening, message)
	}
}

func clipBytes(b *bytes.Buffer) string { return string(b.Bytes()[:min(b.Len(), probeOutput)]) }

// listening stands in for HTTP, TCP and gRPC probes: it asks the container whether
// something listens on the port; one that cannot tell is taken to listen.
func (p *probe) listening() (bool, string) {
	port, what := 0, ""
	switch {
	case p.spec.HTTPGet != nil:
		port = p.port(p.spec.HTTPGet.Port.IntValue(), p.spec.HTTPGet.Port.StrVal)
		what = fmt.Sprintf("Get %q: dial tcp %s:%d: connect: connection refused",
			fmt.Sprintf("http://%s:%d%s", p.s.w.ip, port, p.spec.HTTPGet.Path), p.s.w.ip, port)
	case p.spec.TCPSocket != nil:
		port = p.port(p.spec.TCPSocket.Port.IntValue(), p.spec.TCPSocket.Port.StrVal)
		what = fmt.Sprintf("dial tcp %s:%d: connect: connection refused", p.s.w.ip, port)
	case p.spec.GRPC != nil:
		port = int(p.spec.GRPC.Port)
		what = fmt.Sprintf("timeout: failed to connect service %q within 1s: context deadline exceeded", fmt.Sprintf("%s:%d", p.s.w.ip, port))
	}
	if l, ok := p.container.(Listener); ok && !l.Listening(port) {
		return false, what
	}
	return true, ""
}

func (p *probe) port(number int, name string) int {
	for _, c := range p.s.spec.Ports {
		if name != "" && c.Name == name {
			return int(c.ContainerPort)
		}
	}
	return number
}

// judge counts one answer and calls for a sync when the verdict turns.
func (p *probe) judge(ok bool, output string) {
	s := p.s
	if !s.running() || s.container != p.container {
		return
	}
	before := [2]bool{p.passing, p.failing}
	if ok {
		p.successes, p.failures = p.successes+1, 0
		if p.successes >= max(int(p.spec.SuccessThreshold), 1) {
			p.passing, p.failing = true, false
		}
	} else {
		p.successes, p.failures = 0, p.failures+1
		s.w.event(s.fieldPath, corev1.EventTypeWarning, reasonUnhealthy, p.kind.String()+" probe failed: "+output)
		if p.failures >= max(int(p.spec.FailureThreshold), 1) {
			p.passing, p.failing = false, true
		}
	}
	if before != [2]bool{p.passing, p.failing} && s.w.stop == nil {
		s.w.request(s.w.now())
	}
	if p.failing && p.kind != readiness {
		p.next.Cancel() // the container is about to be killed for it
	}
}
