package command

import (
	"os"
	"path/filepath"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
)

// beside reads what is beside a fixture's file.
func beside(f *fixture.Fixture) error {
	if f.File == stdinName {
		return f.Beside(nil, "", "")
	}
	folder := filepath.Dir(f.File)
	root, err := os.OpenRoot(folder) // links cannot lead out of it
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // of a folder that was only read
	return f.Beside(root.FS(), prefix(folder), ".")
}

// prefix is how messages begin the names of a folder's files.
func prefix(folder string) string {
	if folder == "." {
		return ""
	}
	return filepath.ToSlash(folder)
}

// imagesFlag is the file that --images names, before all else that describes images.
func imagesFlag(name string) ([]fixture.Image, error) {
	if name == "" {
		return nil, nil
	}
	data, err := source.ReadFile(name)
	if err != nil {
		return nil, notFound("%s: %w", name, pathReason(err))
	}
	given, err := surroundings(name, data)
	if err != nil {
		return nil, err
	}
	if len(given.CustomTasks) > 0 {
		return nil, source.Errors{{Position: given.CustomTasks[0].Pos, Path: "customTasks", Message: "a file of images has no custom tasks", Hint: "write them into headers, or into a file for simulate --mocks"}}
	}
	if len(given.Mocks) > 0 {
		return nil, source.Errors{{Position: given.Mocks[0].Pos, Path: "mocks", Message: "a file of images has no mocks", Hint: "write mocks into headers, or into a file for simulate --mocks"}}
	}
	return given.Images, nil
}

// imagesUsage describes the flag that names a file of images.
const imagesUsage = "a file that describes images: {images: [{image: …, like: …, entrypoint: […], files: {path: text}}]}, as " + fixture.ImagesFile + " beside the manifests"

// surroundings reads a file of mocks and images.
func surroundings(name string, data []byte) (*fixture.Surroundings, error) {
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // of a folder that was only read
	return fixture.LoadSurroundings(name, data, root.FS())
}

// loadFolder reads the fixtures of a folder. Links cannot lead out of it.
func loadFolder(name string) ([]*fixture.Fixture, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // of a folder that was only read
	return fixture.LoadFS(root.FS(), filepath.ToSlash(name))
}
