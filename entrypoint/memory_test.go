package entrypoint_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/entrypoint"
	"github.com/plumbline-ci/plumbline/entrypoint/contract"
)

// memory is a world without an operating system: files in a map, a clock that jumps, and commands in the language of
// package contract. Its events happen when the program waits and nothing else can.
type memory struct {
	files          *memoryFiles
	now            time.Time
	env            []string
	stdout, stderr bytes.Buffer
	events         []contract.Event
	running        *memoryProcess
	pending        []entrypoint.Signal
	// sent are the signals that the launcher sent, with the time since its start.
	sent  []string
	start time.Time
	// delay is how long the program has to wait for each event.
	delay time.Duration
}

func newMemory(c contract.Case) *memory {
	start := time.Date(2022, 12, 22, 10, 0, 0, 123_456_789, time.UTC)
	m := &memory{files: newMemoryFiles(), now: start, start: start, events: c.Events}
	m.env = append([]string{"HOME=/home/user", "PATH=/bin:/usr/bin"}, c.Env...)
	m.put("/tekton/", "")
	for _, name := range slices.Sorted(maps.Keys(c.Before)) {
		m.put(name, c.Before[name])
	}
	return m
}

func (m *memory) system() entrypoint.System {
	return entrypoint.System{
		Files: m.files, Watcher: m, Processes: m, Clock: m, Env: m.env, Platform: contract.Platform,
		Stdout: &m.stdout, Stderr: &m.stderr, Grace: contract.Grace,
	}
}

func (m *memory) Now() time.Time { return m.now }

// put is how a case describes files.
func (m *memory) put(name, content string) {
	dir := strings.HasSuffix(name, "/")
	name = path.Clean(name)
	if dir {
		must(m.files.MkdirAll(name, 0o755))
		return
	}
	must(m.files.MkdirAll(path.Dir(name), 0o755))
	if target, ok := strings.CutPrefix(content, "-> "); ok {
		delete(m.files.nodes, name)
		must(m.files.Symlink(target, name))
		return
	}
	must(m.files.WriteFileAtomic(name, []byte(content), 0o644))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// happen lets the next event happen, if its time has come.
func (m *memory) happen() bool {
	if len(m.events) == 0 {
		return false
	}
	e := m.events[0]
	if e.After != "" {
		if info, err := m.files.Stat(e.After); err != nil || info.Size() == 0 {
			return false
		}
	}
	m.events = m.events[1:]
	switch {
	case e.Signal == 0:
		m.put(e.Put, e.Content)
	case m.running != nil:
		m.running.deliver(e.Signal)
	default:
		m.pending = append(m.pending, e.Signal)
	}
	return true
}

func (m *memory) Watch(...string) (entrypoint.Subscription, error) { return m, nil }
func (m *memory) Close() error                                     { return nil }

// Wait is the subscription's.
func (m *memory) Wait(deadline time.Time) error {
	for len(m.pending) == 0 {
		switch {
		case m.happen():
			m.now = m.now.Add(m.delay)
			if len(m.pending) == 0 {
				return nil
			}
		case deadline.IsZero():
			panic("the program waits for ever")
		default:
			m.now = deadline
			return entrypoint.ErrDeadline
		}
	}
	sig := m.pending[0]
	m.pending = m.pending[1:]
	return &entrypoint.Interrupted{Signal: sig}
}

func (m *memory) Start(c entrypoint.Command) (entrypoint.Process, error) {
	p := &memoryProcess{world: m, stdout: c.Stdout, stderr: c.Stderr, traps: map[entrypoint.Signal]string{}}
	if p.stdout == nil {
		p.stdout = &m.stdout
	}
	if p.stderr == nil {
		p.stderr = &m.stderr
	}
	switch {
	case c.Path == "sh" && len(c.Args) == 2 && c.Args[0] == "-c":
		p.script = strings.Split(c.Args[1], "; ")
	case c.Path == "echo":
		p.script = []string{"echo " + strings.Join(c.Args, " ")}
	case !strings.Contains(c.Path, "/"):
		return nil, fmt.Errorf("exec: %q: executable file not found in $PATH", c.Path)
	default:
		err := error(syscall.EACCES)
		if _, missing := m.files.Stat(c.Path); missing != nil {
			err = syscall.ENOENT
		}
		return nil, &fs.PathError{Op: "fork/exec", Path: c.Path, Err: err}
	}
	m.running = p
	return p, nil
}

// memoryProcess runs a script of the contract's language.
type memoryProcess struct {
	world          *memory
	script         []string
	stdout, stderr io.Writer
	traps          map[entrypoint.Signal]string
	asleep         time.Time
	ended          bool
	exit           entrypoint.Exit
}

func (p *memoryProcess) Wait(deadline time.Time) (entrypoint.Exit, error) {
	for !p.ended {
		switch {
		case p.asleep.IsZero() && len(p.script) == 0:
			p.end(entrypoint.Exit{Code: p.exit.Code})
		case p.asleep.IsZero():
			command := p.script[0]
			p.script = p.script[1:]
			p.execute(command)
		case p.world.happen():
		case !deadline.IsZero() && deadline.Before(p.asleep):
			p.world.now = deadline
			return entrypoint.Exit{}, entrypoint.ErrDeadline
		default:
			p.world.now = p.asleep
			p.asleep = time.Time{}
		}
	}
	return p.exit, nil
}

func (p *memoryProcess) end(e entrypoint.Exit) {
	p.ended, p.exit, p.world.running = true, e, nil
}

func (p *memoryProcess) SignalGroup(sig entrypoint.Signal) error {
	p.world.sent = append(p.world.sent, fmt.Sprintf("%d at %s", sig, p.world.now.Sub(p.world.start)))
	if !p.ended {
		p.deliver(sig)
	}
	return nil
}

func (p *memoryProcess) deliver(sig entrypoint.Signal) {
	action, trapped := p.traps[sig]
	switch {
	case !trapped || sig == entrypoint.SIGKILL:
		p.end(entrypoint.Exit{Signal: sig})
	case action != "":
		p.asleep = time.Time{}
		p.execute(action)
	}
}

func (p *memoryProcess) execute(command string) {
	name, rest, _ := strings.Cut(command, " ")
	switch name {
	case "exit":
		code, err := strconv.Atoi(rest)
		must(err)
		p.end(entrypoint.Exit{Code: code})
	case "sleep":
		d, err := time.ParseDuration(rest + "s")
		must(err)
		p.asleep = p.world.now.Add(d)
	case "kill":
		p.deliver(signalNamed(strings.TrimSuffix(rest, " $$")))
	case "trap":
		action, sig, _ := strings.Cut(strings.TrimPrefix(rest, "'"), "' ")
		p.traps[signalNamed("-"+sig)] = action
	case "echo":
		to := p.stdout
		if text, ok := strings.CutSuffix(rest, " >&2"); ok {
			rest, to = text, p.stderr
		}
		if variable, ok := strings.CutPrefix(rest, "$"); ok {
			for _, entry := range p.world.env {
				if value, ok := strings.CutPrefix(entry, variable+"="); ok {
					rest = value
				}
			}
		}
		fmt.Fprintln(to, rest)
	case "printf":
		text, file, _ := strings.Cut(strings.TrimPrefix(rest, "%s "), " > ")
		must(p.world.files.WriteFile(file, []byte(text), 0o644))
	case "exec":
		p.stderr = io.Discard
	case "cat":
		if rest != "" {
			content, err := p.world.files.ReadFile(rest)
			must(err)
			_, _ = p.stdout.Write(content)
		}
	default:
		panic("not in the contract's language: " + command)
	}
}

func signalNamed(name string) entrypoint.Signal {
	switch name {
	case "-TERM":
		return entrypoint.SIGTERM
	case "-KILL":
		return entrypoint.SIGKILL
	case "-INT":
		return entrypoint.SIGINT
	default:
		panic("no such signal: " + name)
	}
}

// Run implements contract.World.
func (m *memory) run(c contract.Case) contract.Outcome {
	var code int
	switch c.Program {
	case contract.Nop:
		code = entrypoint.Nop(m.system(), c.Args)
	case contract.WorkingDirInit:
		code = entrypoint.WorkingDirInit(m.system(), c.Args)
	case contract.SidecarLogResults:
		code = entrypoint.SidecarLogResults(m.system(), c.Args)
	default:
		code = entrypoint.Main(m.system(), c.Args)
	}
	got := contract.Outcome{Code: code, Stdout: m.stdout.String(), Stderr: m.stderr.String(),
		Files: map[string]string{}, Modes: map[string]string{}}
	for name, node := range m.files.nodes {
		mode := fmt.Sprintf("%#o", node.mode.Perm())
		switch {
		case node.mode.IsDir():
			got.Modes[name+"/"] = mode
		case node.mode&fs.ModeSymlink != 0:
			got.Files[name] = "-> " + node.target
		default:
			got.Files[name], got.Modes[name] = string(node.content), mode
		}
	}
	return got
}

type memoryWorld struct{}

func (memoryWorld) Run(t *testing.T, c contract.Case) contract.Outcome {
	m := newMemory(c)
	got := m.run(c)
	if len(m.events) > 0 {
		t.Errorf("did not come to event %+v", m.events[0])
	}
	return got
}

func TestLauncherInMemory(t *testing.T) {
	t.Parallel()
	contract.Run(t, memoryWorld{})
}
