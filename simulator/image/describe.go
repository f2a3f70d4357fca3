package image

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// Description says what images are like, by their references.
type Description struct {
	Of Pattern
	// Like is a key of Models; empty means what the image would be without a description.
	Like string
	// Entrypoint and Cmd are the image's, if they are not nil. An Entrypoint without a Cmd has none.
	Entrypoint, Cmd []string
	// User is as in Image, if it is not empty.
	User string
	// Env is over that of the model.
	Env []string
	// WorkingDir, if not empty, is in place of the model's.
	WorkingDir string
	// Shell is what /bin/sh is: ash, dash, bash, or none; empty means as in the model.
	Shell string
	// Programs are further executables, by name or absolute path. Those that the simulation has run, others need mocks.
	Programs []string
	// Files are what the image brings.
	Files []File
}

// File is a file of an image.
type File struct {
	// Path is absolute.
	Path       string
	Content    []byte
	Executable bool
}

// ShellNone is the [Description.Shell] of an image without one.
const ShellNone = "none"

// Describe adds descriptions. The first that stands for a reference counts. Images of the catalogue are described, too, but
// not its own ones ([Image.Own]). Nothing must have been pulled yet.
func (c *Catalogue) Describe(list ...Description) error {
	for i := range list {
		if _, ok := Models()[list[i].Like]; list[i].Like != "" && !ok {
			return fmt.Errorf("the description of %s: there are no images like %q", list[i].Of, list[i].Like)
		}
		for _, ref := range slices.Sorted(maps.Keys(c.images)) {
			if known := c.images[ref]; !known.Own && list[i].Of.Matches(known) {
				delete(c.images, ref)
			}
		}
	}
	c.descriptions = append(c.descriptions, list...)
	return nil
}

// described makes an image as it is described.
func (c *Catalogue) described(d *Description, name, tag string) (*Image, error) {
	var made *Image
	var err error
	if d.Like == "" {
		made, err = c.guessed(name, tag)
	} else {
		made, err = c.model(Models()[d.Like])
		if err == nil && d.Like == "toolbox" {
			made.unknown()
		}
	}
	if err != nil {
		return nil, err
	}
	if d.Entrypoint != nil || d.Cmd != nil {
		made.Entrypoint, made.Cmd = d.Entrypoint, d.Cmd
	}
	if d.User != "" {
		made.User, made.UserUnknown = d.User, false
	}
	if d.WorkingDir != "" {
		made.WorkingDir = d.WorkingDir
	}
	made.Env = slices.Concat(made.Env, d.Env)
	if slices.Equal(made.Entrypoint, []string{UnknownEntrypoint}) {
		with := *d
		with.Programs = append(slices.Clone(d.Programs), UnknownEntrypoint)
		d = &with
	}
	made.Root, err = d.root(made.Root)
	return made, err
}

// root is the file system of a model with what the description says of it.
func (d *Description) root(model *files.Volume) (*files.Volume, error) {
	if d.Shell == "" && len(d.Programs) == 0 && len(d.Files) == 0 {
		return model, nil
	}
	v := files.NewOverlay(func() time.Time { return kernel.Epoch }, model, files.Options{})
	b := builder{v: v}
	switch d.Shell {
	case "":
	case ShellNone:
		for _, name := range []string{"bin/sh", "bin/ash", "bin/dash", "bin/bash", "usr/local/bin/bash"} {
			_ = v.Remove(name)
		}
	default:
		programs := shell(d.Shell)
		for _, name := range slices.Sorted(maps.Keys(programs)) {
			b.do(v.WriteFile("bin/"+name, Executable(programs[name]), 0o755))
		}
	}
	for _, name := range d.Programs {
		program := path.Base(name)
		if !Simulated(program) {
			program = UnknownProgram
		}
		if !path.IsAbs(name) {
			name = "/usr/bin/" + name
		}
		b.do(v.WriteFile(name, Executable(program), 0o755))
	}
	for _, f := range d.Files {
		if f.Executable {
			b.do(v.WriteFile(f.Path, f.Content, 0o755))
		} else {
			b.do(v.WriteFile(f.Path, f.Content, 0o644))
		}
	}
	v.Freeze()
	if b.err != nil {
		return nil, fmt.Errorf("the files of images described by %s: %w", d.Of, b.err)
	}
	return v, nil
}

// Simulated reports whether the simulation has a program of that name.
func Simulated(name string) bool {
	return slices.Contains([]string{"sh", "ash", "dash", "bash", "busybox", "jq"}, name) || slices.Contains(Applets(), name)
}

// shell are the executables of a shell as /bin/sh: name to program.
func shell(kind string) map[string]string {
	if kind == "bash" {
		return map[string]string{"sh": "bash-as-sh", "bash": "bash"}
	}
	return map[string]string{"sh": kind, kind: kind}
}
