package envtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// assetsVersion is the release that kindconfig/assets builds.
const assetsVersion = "v1.36.3"

// Variables of the environment that say where the binaries are, and whether they must be there.
const (
	// VariableAssets is envtest's own.
	VariableAssets = "KUBEBUILDER_ASSETS"
	// VariableBuilt is where make k8s-assets has put its own.
	VariableBuilt = "PLUMBLINE_ASSETS"
	// VariableRequire lists targets, separated by commas, that must be run and not left out.
	VariableRequire = "PLUMBLINE_REQUIRE"
)

const (
	binaryServer = "kube-apiserver"
	binaryEtcd   = "etcd"
	binaryTool   = "kubectl"
)

// MissingAssetsError says that there is no kube-apiserver to start.
type MissingAssetsError struct {
	// Directory is where it was looked for.
	Directory string
	// Binary is what is missing.
	Binary string
}

func (e *MissingAssetsError) Error() string {
	return fmt.Sprintf("the envtest target needs %s, and %s has none; run make k8s-assets or set %s", e.Binary, e.Directory, VariableAssets)
}

// FindAssets returns the directory of the binaries: what KUBEBUILDER_ASSETS names, or what make k8s-assets has built.
func FindAssets() (string, error) {
	dir := os.Getenv(VariableAssets)
	if dir == "" {
		dir = os.Getenv(VariableBuilt)
	}
	if dir == "" {
		cache := os.Getenv("XDG_CACHE_HOME")
		if cache == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", fmt.Errorf("finding the binaries of the envtest target: %w", err)
			}
			cache = filepath.Join(home, ".cache")
		}
		dir = filepath.Join(cache, "plumbline", "k8s-assets", assetsVersion)
	}
	for _, binary := range []string{binaryServer, binaryEtcd} {
		if info, err := os.Stat(filepath.Join(dir, binary)); err != nil || info.Mode()&0o111 == 0 {
			return "", &MissingAssetsError{Directory: dir, Binary: binary}
		}
	}
	return dir, nil
}

// Required reports whether the environment wants the target to be run, so that leaving it out is a failure.
func Required() bool {
	return slices.Contains(strings.Split(os.Getenv(VariableRequire), ","), Name)
}

// kubernetesVersion asks the API server's binary.
func kubernetesVersion(dir string) (string, error) {
	out, err := exec.Command(filepath.Join(dir, binaryServer), "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w", filepath.Join(dir, binaryServer), err)
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "Kubernetes "), nil
}
