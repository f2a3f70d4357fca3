package kubelet

import (
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Runtime makes containers and the volumes they share.
type Runtime interface {
	// NewVolume returns an empty volume.
	NewVolume(VolumeOptions) Volume
	// Start runs a container. A *StartError means that it was created but its
	// command could not be started; any other error, that it could not be created.
	Start(ContainerConfig) (Container, error)
}

// VolumeOptions say what kind of volume is wanted.
type VolumeOptions struct {
	Memory    bool   // backed by memory: the limit is hard, writes beyond it fail
	SizeLimit int64  // bytes; 0 is none
	Group     *int64 // fsGroup: the group that owns it
	Content   bool   // filled by Replace only, as configMaps and secrets are
}

// Volume is a directory that containers mount.
type Volume interface {
	// Replace makes files the whole content, atomically for who reads it.
	Replace(files []File) error
	// Usage returns the bytes stored.
	Usage() int64
}

// File is a file that the kubelet puts into a volume.
type File struct {
	Path string // relative, with slashes
	Data []byte
	Mode uint32 // permission bits
}

// Mount is a volume in a container.
type Mount struct {
	Volume   Volume
	Path     string // where the container sees it
	SubPath  string // the part of the volume that is mounted; empty is all of it
	ReadOnly bool
}

// ContainerConfig is everything the runtime has to know of one container.
type ContainerConfig struct {
	Actor                  string // names the container in the trace
	ID                     string // 64 hexadecimal digits
	Namespace, Pod, Name   string
	Hostname               string
	Image                  string // a reference that Images resolves
	Command, Args          []string
	Env                    []string // NAME=value, in order
	WorkingDir             string
	Mounts                 []Mount
	TerminationMessagePath string // an empty file there collects the message
	RunAsUser, RunAsGroup  *int64
	Groups                 []int64 // supplemental ones
	ReadOnlyRoot           bool
	MemoryLimit            int64 // bytes; 0 is none

	// Log takes what the container writes to stream 1 or 2.
	Log func(stream int, b []byte)
}

// StartError says, in the runtime's words, why a container's command could not be
// started.
type StartError struct{ Message string }

func (e *StartError) Error() string { return e.Message }

// Container is a container that has been started.
type Container interface {
	Terminate() // asks it to end, as SIGTERM
	Kill()      // ends it, as SIGKILL
	// OnExit calls f once when the container has ended.
	OnExit(f func(ExitStatus))
	// Exec runs a command in it and gives done the exit code.
	Exec(argv []string, stdout, stderr io.Writer, done func(code int)) error
	// ReadFile reads a file as the container sees it, also after its end.
	ReadFile(path string) ([]byte, error)
}

// Reader is a Container whose commands may have standard input. What is written to it, on the kernel's goroutine, the
// command reads.
type Reader interface {
	ExecInput(argv []string, stdout, stderr io.Writer, done func(code int)) (io.WriteCloser, error)
}

// OOMKiller is a Container that can be ended as if it had run out of memory.
type OOMKiller interface{ OOMKill() }

// Listener is a Container that knows whether something listens on a port of it.
type Listener interface{ Listening(port int) bool }

// Writer is a Container that knows how many bytes it holds outside of volumes.
type Writer interface{ Written() int64 }

// ExitStatus is how a container ended.
type ExitStatus struct {
	Code      int
	OOMKilled bool
	Note      string // why the simulation itself ended it; it becomes an event
}

// Image is what the kubelet knows of an image in a registry.
type Image struct {
	Name  string // its full name, which statuses show; empty means the one asked for
	ID    string // what status.containerStatuses[].imageID shows
	Size  int64  // bytes
	Root  bool   // its user is root (or none is set)
	User  string // its user, if that is a name and no number
	Any   bool   // its user is not known: it may be whichever a Pod demands
	Local bool   // present on every node without a pull
}

// Images are the images that can be had.
type Images interface {
	// Image finds an image by its reference. The error is what a pull that fails
	// says, or an *InvalidReferenceError.
	Image(reference string) (Image, error)
}

// InvalidReferenceError says that a text names no image. Nothing is pulled then.
type InvalidReferenceError struct{ Message string }

func (e *InvalidReferenceError) Error() string { return e.Message }

// Range is a span of durations that one is drawn from.
type Range struct{ Low, High time.Duration }

// Timing is how long things take on the node.
type Timing struct {
	Relist     Range // from a container's change to the sync that sees it
	Mount      Range // setting up volumes
	Sandbox    Range // making the sandbox
	Pull       Range // pulling an image
	PullFail   Range // a pull that fails
	Create     Range // creating a container
	Start      Range // starting a container
	Stop       Range // bookkeeping after the last container has ended
	Teardown   Range // unmounting, before a deleted Pod leaves the API
	Projection Range // from a change of metadata to the downward API files
	Content    Range // from a change of a configMap or secret to its files
	Retry      Range // from a sync that failed to the next
	Eviction   Range // between looks at local storage, where there are limits
	Stall      Range // how late a lost downward API update comes
}

// DefaultTiming is a lightly loaded node, fitted to recordings of a kind cluster.
func DefaultTiming() Timing {
	const ms = time.Millisecond
	return Timing{
		Relist:     Range{100 * ms, time.Second},
		Mount:      Range{100 * ms, 400 * ms},
		Sandbox:    Range{100 * ms, 400 * ms},
		Pull:       Range{500 * ms, 3 * time.Second},
		PullFail:   Range{10 * ms, 1500 * ms},
		Create:     Range{10 * ms, 60 * ms},
		Start:      Range{60 * ms, 250 * ms},
		Stop:       Range{50 * ms, 500 * ms},
		Teardown:   Range{100 * ms, time.Second},
		Projection: Range{500 * ms, 1500 * ms},
		Content:    Range{time.Second, 90 * time.Second},
		Retry:      Range{10 * time.Second, 15 * time.Second},
		Eviction:   Range{10 * time.Second, 15 * time.Second},
		Stall:      Range{60 * time.Second, 90 * time.Second},
	}
}

// Faults are things that go wrong on the node. The zero value is a sound node.
type Faults struct {
	// LostProjection is the chance, per Pod, that the first update of its downward
	// API files is lost: the files are refreshed a minute or more later (Stall).
	LostProjection float64
	// Projection, if set, is how much later than usual a Pod's downward API files are
	// brought up to date, asked each time that they have to be.
	Projection func(*corev1.Pod) time.Duration
	// Pull, if set, may say why the image is neither on the node nor to be had.
	Pull func(reference string) error
	// Start, if set, is asked at each attempt to start a container.
	Start func(pod *corev1.Pod, container string) StartFault
}

// StartFault is what goes wrong with one instance of a container. The zero value is nothing.
type StartFault struct {
	// Reason and Message, if not empty, keep it from being made: CreateContainerError, for one. It is tried again.
	Reason, Message string
	// Kill ends it by a signal as soon as it runs, OOMKill for want of memory.
	Kill, OOMKill bool
	// Again runs an init container once more after it has succeeded.
	Again bool
	// Late is how much later than it happened the kubelet notices its end.
	Late time.Duration
}
