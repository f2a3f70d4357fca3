package simulator

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/kubelet"
	"github.com/plumbline-ci/plumbline/simulator/shell"
	"github.com/plumbline-ci/plumbline/simulator/userland"
)

// runner is the node's container runtime: it makes the kubelet's containers and
// volumes of the container and files packages.
type runner struct {
	kernel   *kernel.Kernel
	supplies *supplies
	programs map[string]container.Program
	// launchers are those of the programs that no mock stands in for.
	launchers []string
	budget    container.Budget

	onMissing   func(MissingCommand)
	stubMissing bool
}

// supplies are what containers are started from.
type supplies struct {
	images *image.Catalogue
	mocks  *container.Mocks
	// own are mocks of single namespaces, instead of mocks.
	own map[string]*container.Mocks
}

// in are the mocks of a namespace.
func (s *supplies) in(namespace string) *container.Mocks {
	if own, ok := s.own[namespace]; ok {
		return own
	}
	return s.mocks
}

var _ kubelet.Runtime = (*runner)(nil)

// messageFile is the name, in a volume of its own, of the file that collects a
// container's termination message.
const messageFile = "message"

// NewVolume implements kubelet.Runtime.
func (r *runner) NewVolume(o kubelet.VolumeOptions) kubelet.Volume {
	options := files.Options{Memory: o.Memory}
	if o.Memory {
		options.Limit = o.SizeLimit
	}
	if o.Content {
		options.Mode = 0o755
	}
	if o.Group != nil { // what is made in it belongs to the group, too
		options.GID = uint32(*o.Group)
		options.Mode = fs.ModeSetgid | max(options.Mode, 0o777)
	}
	return &volume{files.NewVolume(r.kernel.Now, options)}
}

// volume is a kubelet.Volume.
type volume struct{ *files.Volume }

func (v *volume) Replace(list []kubelet.File) error {
	contents := make(map[string]files.Projected, len(list))
	for _, f := range list {
		contents[f.Path] = files.Projected{Data: f.Data, Mode: fs.FileMode(f.Mode)}
	}
	return v.Project(contents)
}

func (v *volume) Usage() int64 { return v.Used() }

// Start implements kubelet.Runtime.
func (r *runner) Start(c kubelet.ContainerConfig) (kubelet.Container, error) {
	img, err := r.supplies.images.Pull(c.Image)
	if err != nil {
		return nil, err
	}
	config := container.Config{
		Kernel: r.kernel, Actor: c.Actor, Image: img, Programs: r.programs, Mocks: r.supplies.in(c.Namespace),
		Command: c.Command, Args: c.Args, Env: c.Env, WorkingDir: c.WorkingDir,
		RunAsUser: c.RunAsUser, RunAsGroup: c.RunAsGroup, Groups: c.Groups, ReadOnlyRoot: c.ReadOnlyRoot,
		Hostname: c.Hostname, Log: c.Log, Budget: r.budget, MemoryLimit: c.MemoryLimit, Launchers: r.launchers,
		StubMissing: r.stubMissing,
	}
	if r.onMissing != nil {
		config.OnMissing = func(m container.MissingCommand) {
			r.onMissing(MissingCommand{Namespace: c.Namespace, Pod: c.Pod, Container: c.Name, MissingCommand: m})
		}
	}
	config.Mounts = make([]files.Mount, 0, len(c.Mounts)+1)
	for _, m := range c.Mounts {
		v, ok := m.Volume.(*volume)
		if !ok {
			return nil, errors.New("the volume is of another runtime")
		}
		config.Mounts = append(config.Mounts, files.Mount{Volume: v.Volume, Path: m.Path, SubPath: m.SubPath, ReadOnly: m.ReadOnly})
	}
	if c.TerminationMessagePath != "" {
		v := files.NewVolume(r.kernel.Now, files.Options{})
		if err := v.WriteFile(messageFile, nil, 0o666); err != nil {
			return nil, err
		}
		config.Mounts = append(config.Mounts, files.Mount{Volume: v, Path: c.TerminationMessagePath, SubPath: messageFile})
	}
	made, err := container.Start(config)
	var refused *container.StartError
	switch {
	case errors.As(err, &refused) && strings.HasPrefix(refused.Message, "failed to generate"):
		return nil, err // it could not even be made
	case errors.As(err, &refused):
		return nil, &kubelet.StartError{Message: refused.Message}
	case err != nil:
		return nil, err
	}
	return &instance{Container: made}, nil
}

// instance is a kubelet.Container.
type instance struct {
	*container.Container
	oom bool
}

// Exec implements kubelet.Container.
func (i *instance) Exec(argv []string, stdout, stderr io.Writer, done func(code int)) error {
	return i.Container.Exec(argv, stdout, stderr, done)
}

// ExecInput implements kubelet.Reader.
func (i *instance) ExecInput(argv []string, stdout, stderr io.Writer, done func(code int)) (io.WriteCloser, error) {
	return i.Container.ExecInput(argv, stdout, stderr, done)
}

func (i *instance) Terminate() { i.Signal(container.SIGTERM) }

// OOMKill ends the container as the kernel's out-of-memory killer does.
func (i *instance) OOMKill() {
	i.oom = true
	i.Kill()
}

func (i *instance) OnExit(f func(kubelet.ExitStatus)) {
	i.Container.OnExit(func(s container.ExitStatus) {
		f(kubelet.ExitStatus{Code: s.Code, OOMKilled: s.OOMKilled || i.oom, Note: s.Message})
	})
}

// registry shows the catalogue to the kubelet.
type registry struct {
	supplies *supplies
	local    bool
}

// Image implements kubelet.Images.
func (r registry) Image(reference string) (kubelet.Image, error) {
	i, err := r.supplies.images.Pull(reference)
	var refused *image.PullError
	switch {
	case errors.As(err, &refused) && refused.Invalid:
		return kubelet.Image{}, &kubelet.InvalidReferenceError{Message: refused.Message}
	case err != nil:
		return kubelet.Image{}, err
	}
	user, _, _ := strings.Cut(i.User, ":")
	name := user
	if _, err := strconv.ParseUint(user, 10, 32); err == nil {
		name = ""
	}
	return kubelet.Image{
		User: name, Any: i.UserUnknown,
		Name: i.Reference, ID: i.RepoDigest(), Size: i.Root.Used(), Local: r.local,
		Root: user == "" || user == "0" || user == "root",
	}, nil
}

// utilities are the same programs in every cluster: they keep nothing between two runs. The map must not be changed.
var utilities = sync.OnceValue(userland.Programs)

// builtinPrograms are what the built-in images need. The map is the caller's.
func builtinPrograms(scripts *shell.Library) map[string]container.Program {
	programs := maps.Clone(utilities())
	maps.Copy(programs, shell.NewWith(scripts).Programs())
	return programs
}
