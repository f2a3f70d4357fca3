package subject

import (
	"time"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/simulator"
)

// World is a simulated cluster, as an attached subject finds it.
type World interface {
	// Name is that of the fixture which the cluster is for.
	Name() string
	Simulation() *simulator.Cluster
	// Config is the configuration of the implementation as of now.
	Config() config.Config
}

// Attached is a subject that runs by itself, as the cluster drives it. Its methods are called on the kernel's goroutine,
// where it makes its requests too, and only while one of its methods runs.
//
// The rule is that the clock moves only when the subject is quiet: when all of it waits, for the cluster or for time to
// pass. So it is never too slow, whatever the machine is doing.
type Attached interface {
	// Settle lets the subject work, at this instant, until it is quiet.
	Settle() error
	// Advance lets time pass for a quiet subject, up to t or until it asks the cluster for something; then the kernel's
	// clock has come along. It returns what time it is.
	Advance(t time.Time) (time.Time, error)
	// Check returns an error if the subject has broken a rule of clients, such as by changing objects of its caches.
	Check() error
	// Close ends the subject. The error says what of it is left.
	Close() error
}
