package render

import (
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/failure"
)

// MocksFor renders a mock for each of the commands, ready for a file of mocks or the header of a fixture. It says which
// command it is; what the command prints and how it ends is for the reader to fill in.
func MocksFor(list []reports.MissingCommand) string { return failure.Mocks(list) }
