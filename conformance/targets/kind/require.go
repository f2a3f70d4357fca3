package kind

import (
	"os"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
)

// VariableCluster names the kind cluster that tests run on; the default is the one of plumbline kind up.
const VariableCluster = "PLUMBLINE_KIND_CLUSTER"

// Required reports whether the environment wants the target to be run, so that leaving it out is a failure.
func Required() bool {
	return slices.Contains(strings.Split(os.Getenv(envtest.VariableRequire), ","), Name)
}
