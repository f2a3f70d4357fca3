//go:build linux

package real

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/image"
)

// programs are what the root holds, besides the applets of BusyBox, and how each one tells its version. Another version
// gives other answers, so it is not asked. Dash tells none.
var programs = []struct {
	name    string
	asked   []string
	version string
}{
	{"busybox", []string{"busybox"}, "BusyBox v1.35.0"},
	{"bash", []string{"bash", "--version"}, "version 5.2.15"},
	{"jq", []string{"jq", "--version"}, "jq-1.6"},
	{"dash", nil, ""},
}

// libraryDirs are where Debian keeps shared libraries.
var libraryDirs = []string{"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"}

// buildRoot copies the programs and the libraries that they need to dir, and links the applets that the simulated image
// has too. It returns those.
func buildRoot(dir string) ([]string, error) {
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		return nil, err
	}
	done := map[string]bool{}
	for _, p := range programs {
		path, err := exec.LookPath(p.name)
		if err != nil {
			return nil, fmt.Errorf("%s is not installed", p.name)
		}
		if p.asked != nil {
			said, err := exec.Command(p.asked[0], p.asked[1:]...).CombinedOutput()
			if err != nil || !strings.Contains(string(said), p.version) {
				first, _, _ := strings.Cut(string(said), "\n")
				return nil, fmt.Errorf("%s is %q, and the comparison is with %q", p.name, first, p.version)
			}
		}
		if err := copyFile(path, filepath.Join(dir, "bin", p.name)); err != nil {
			return nil, err
		}
		if err := copyLibraries(path, dir, done); err != nil {
			return nil, err
		}
	}
	list, err := exec.Command("busybox", "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("busybox --list: %w", err)
	}
	var applets []string
	for _, name := range image.Applets() {
		if !slices.Contains(strings.Fields(string(list)), name) {
			continue
		}
		applets = append(applets, name)
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", name)); err != nil {
			return nil, err
		}
	}
	return applets, os.Symlink("busybox", filepath.Join(dir, "bin", "ash"))
}

// copyLibraries copies the loader and the libraries of a program, and those that they need.
func copyLibraries(program, dir string, done map[string]bool) error {
	f, err := elf.Open(program)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		name, err := io.ReadAll(p.Open())
		if err != nil {
			return err
		}
		if loader := strings.TrimRight(string(name), "\x00"); !done[loader] {
			done[loader] = true
			if err := copyFile(loader, filepath.Join(dir, loader)); err != nil {
				return err
			}
		}
	}
	names, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, name := range names {
		if done[name] {
			continue
		}
		done[name] = true
		path, err := findLibrary(name)
		if err != nil {
			return fmt.Errorf("%s: %w", program, err)
		}
		if err := copyFile(path, filepath.Join(dir, "lib", name)); err != nil {
			return err
		}
		if err := copyLibraries(path, dir, done); err != nil {
			return err
		}
	}
	return nil
}

func findLibrary(name string) (string, error) {
	for _, dir := range libraryDirs {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", errors.New("the library " + name + " is missing")
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}
