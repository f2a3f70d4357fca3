//go:build !linux

package real

import (
	"errors"

	"github.com/plumbline-ci/plumbline/internal/differential/outcome"
)

// Runner cannot be made on this system.
type Runner struct{ Applets []string }

// New says that scripts cannot be run here.
func New() (*Runner, error) { return nil, errors.New("the real programs run on Linux only") }

// Close does nothing.
func (r *Runner) Close() error { return nil }

// Run has nothing to run.
func (r *Runner) Run(string, []string) outcome.Outcome { return outcome.Outcome{} }
