package podspec

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// executionModeHermetic is the value of v1beta1.AnnotationExecutionMode that takes the network from the Steps.
const executionModeHermetic = "hermetic"

// Names of containers.
const (
	StepPrefix      = "step-"
	SidecarPrefix   = "sidecar-"
	unnamedStep     = "unnamed-"
	prepareName     = "prepare"
	placeScripts    = "place-scripts"
	initWorkingDirs = "working-dir-initializer"
	// ResultsSidecar is the name of the Sidecar that prints the results.
	ResultsSidecar = "tekton-log-results"
)

// Paths in the containers.
const (
	workspaceDir    = v1beta1.WorkspaceDir
	binDir          = "/tekton/bin"
	launcher        = binDir + "/entrypoint"
	homeDir         = "/tekton/home"
	resultsDir      = "/tekton/results"
	stepsDir        = "/tekton/steps"
	runDir          = "/tekton/run"
	downwardDir     = "/tekton/downward"
	readyFile       = "ready"
	credentialsDir  = "/tekton/creds"
	secretsDir      = "/tekton/creds-secrets"
	debugScriptsDir = "/tekton/debug/scripts"
	debugInfoDir    = "/tekton/debug/info"
	terminationPath = "/tekton/termination"

	launcherInImage       = "/ko-app/entrypoint"
	workingDirInitInImage = "/ko-app/workingdirinit"
	resultsReaderInImage  = "/ko-app/sidecarlogresults"
)

// ScriptsDir is where steps and sidecars find their scripts.
const ScriptsDir = "/tekton/scripts"

// Names of volumes.
const (
	workspaceVolume    = "tekton-internal-workspace"
	homeVolume         = "tekton-internal-home"
	resultsVolume      = "tekton-internal-results"
	stepsVolume        = "tekton-internal-steps"
	binVolume          = "tekton-internal-bin"
	scriptsVolume      = "tekton-internal-scripts"
	downwardVolume     = "tekton-internal-downward"
	runVolume          = "tekton-internal-run-"
	credentialsVolume  = "tekton-creds-init-home-"
	secretVolume       = "tekton-internal-secret-volume-"
	debugScriptsVolume = "tekton-internal-debug-scripts"
	debugInfoVolume    = "tekton-internal-debug-info"
	workspacePrefix    = "ws-"
)

// maxName is the longest name of a container or volume.
const maxName = 63

// alphabet is that of Kubernetes' generated names: no vowels, no digits that look like letters.
const alphabet = "bcdfghjklmnpqrstvwxz2456789"

// suffix is the part of a name that looks random: five characters that depend on the run and on what they are for, and
// on nothing else, so that a Pod built again has the same names.
func suffix(uid types.UID, purpose string) string {
	sum := sha256.Sum256([]byte(string(uid) + "/" + purpose))
	b := make([]byte, 5)
	for i := range b {
		b[i] = alphabet[int(sum[i])%len(alphabet)]
	}
	return string(b)
}

// StepContainerName is the name of the container of the Step at that index (POD-20).
func StepContainerName(name string, index int) string {
	return restrict(stepFullName(name, index))
}

func stepFullName(name string, index int) string {
	if name == "" {
		return fmt.Sprintf("%s%s%d", StepPrefix, unnamedStep, index)
	}
	return StepPrefix + name
}

// SidecarContainerName is the name of the container of a Sidecar (POD-21).
func SidecarContainerName(name string) string { return restrict(SidecarPrefix + name) }

// restrict cuts a name to what Kubernetes accepts.
func restrict(name string) string {
	name = name[:min(len(name), maxName)]
	return strings.TrimRightFunc(name, func(r rune) bool { return !isAlphanumeric(r) })
}

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
