package podspec

import (
	"crypto/sha256"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Names of containers.
const (
	prepareName     = "prepare"
	placeScripts    = "place-scripts"
	initWorkingDirs = "working-dir-initializer"
)

// Paths in the containers.
const (
	launcher        = v1beta1.BinDir + "/entrypoint"
	readyFile       = "ready"
	secretsDir      = v1beta1.CredsDir + "-secrets"
	debugScriptsDir = v1beta1.DebugDir + "/scripts"
	debugInfoDir    = v1beta1.DebugDir + "/info"

	launcherInImage       = "/ko-app/entrypoint"
	workingDirInitInImage = "/ko-app/workingdirinit"
	resultsReaderInImage  = "/ko-app/sidecarlogresults"
)

// Names of volumes.
const (
	workspaceVolume    = v1beta1.InternalVolumePrefix + "workspace"
	homeVolume         = v1beta1.InternalVolumePrefix + "home"
	resultsVolume      = v1beta1.InternalVolumePrefix + "results"
	stepsVolume        = v1beta1.InternalVolumePrefix + "steps"
	binVolume          = v1beta1.InternalVolumePrefix + "bin"
	scriptsVolume      = v1beta1.InternalVolumePrefix + "scripts"
	downwardVolume     = v1beta1.InternalVolumePrefix + "downward"
	runVolume          = v1beta1.InternalVolumePrefix + "run-"
	credentialsVolume  = "tekton-creds-init-home-"
	secretVolume       = v1beta1.InternalVolumePrefix + "secret-volume-"
	debugScriptsVolume = v1beta1.InternalVolumePrefix + "debug-scripts"
	debugInfoVolume    = v1beta1.InternalVolumePrefix + "debug-info"
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
	return restrict((&v1beta1.Step{Name: name}).ContainerName(index))
}

// SidecarContainerName is the name of the container of a Sidecar (POD-21).
func SidecarContainerName(name string) string { return restrict(v1beta1.SidecarContainerPrefix + name) }

// restrict cuts a name to what Kubernetes accepts.
func restrict(name string) string {
	name = name[:min(len(name), maxName)]
	return strings.TrimRightFunc(name, func(r rune) bool { return !isAlphanumeric(r) })
}

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
