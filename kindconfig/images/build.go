package images

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Builder compiles programs and makes images of them.
type Builder struct {
	// Directory is in a checkout, or in another module that requires this one; empty is the working directory.
	Directory string
	// Go is the command of that name; empty means the one of the search path.
	Go string
	// Architecture is what is compiled for, as Go calls it; empty means this machine's.
	Architecture string
	// Authorities is a file of certificates; empty means this machine's, if it has one.
	Authorities string
}

// NoSourceError says that there is nothing to build images from.
type NoSourceError struct {
	Directory string
	Err       error
}

func (e *NoSourceError) Error() string {
	return fmt.Sprintf("the images are built from Plumbline's source, which %s does not lead to (%v): run it in a checkout, or in a module that requires %s, "+
		"or give images that are built already", e.Directory, e.Err, Module)
}

// Unwrap returns what the go command said.
func (e *NoSourceError) Unwrap() error { return e.Err }

// Source is the directory of the module's source: the checkout, or a folder of the module cache.
func (b Builder) Source(ctx context.Context) (string, error) {
	out, err := b.run(ctx, "list", "-m", "-f", "{{.Dir}}", Module)
	directory := strings.TrimSpace(out)
	if err == nil && directory == "" {
		err = fmt.Errorf("%s is not downloaded", Module)
	}
	if err != nil {
		return "", &NoSourceError{Directory: b.directory(), Err: err}
	}
	return directory, nil
}

// Build makes an image of each program, named as it, in that order. What has not changed since the last time comes out
// of the go command's cache.
func (b Builder) Build(ctx context.Context, programs ...Program) ([]Image, error) {
	into, err := os.MkdirTemp("", "plumbline-images-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(into) //nolint:errcheck // of a directory of our own, nothing depends on it
	if err := b.Compile(ctx, into, programs...); err != nil {
		return nil, err
	}
	var out []Image
	for _, p := range programs {
		binary, err := os.ReadFile(filepath.Join(into, p.Name))
		if err != nil {
			return nil, err
		}
		image, err := b.Image(p, binary)
		if err != nil {
			return nil, fmt.Errorf("the image of %s: %w", p.Name, err)
		}
		out = append(out, Image{Name: p.Name, Image: image})
	}
	return out, nil
}

// Compile puts the programs into a directory, each under its name: static, and without what names this machine.
func (b Builder) Compile(ctx context.Context, into string, programs ...Program) error {
	if len(programs) == 0 {
		return nil
	}
	if _, err := b.Source(ctx); err != nil {
		return err
	}
	// Package names differ in their last elements, which is what the go command calls the files.
	arguments := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", into + string(filepath.Separator)}
	for _, p := range programs {
		arguments = append(arguments, p.Package)
	}
	if _, err := b.run(ctx, arguments...); err != nil {
		return fmt.Errorf("compiling: %w", err)
	}
	for _, p := range programs {
		if made := lastElement(p.Package); made != p.Name {
			if err := os.Rename(filepath.Join(into, made), filepath.Join(into, p.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Image is the image of a program whose binary is there.
func (b Builder) Image(p Program, binary []byte) (v1.Image, error) {
	files := Files{p.path(): {Content: binary, Mode: 0o755}, "/tmp": temporary()}
	if p.Authorities {
		certificates, err := b.authorities()
		if err != nil {
			return nil, err
		}
		if len(certificates) > 0 {
			files[authoritiesInImage] = File{Content: certificates, Mode: 0o644}
		}
	}
	return New(files, b.architecture(), v1.Config{Entrypoint: []string{p.path()}, User: nonroot, WorkingDir: "/", Env: []string{searchPath}})
}

// authoritiesInImage is where Go programs look first.
const authoritiesInImage = "/etc/ssl/certs/ca-certificates.crt"

// authorities are the certificates that go into images. A machine without any makes images without any.
func (b Builder) authorities() ([]byte, error) {
	if b.Authorities != "" {
		return os.ReadFile(b.Authorities)
	}
	for _, file := range []string{authoritiesInImage, "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"} {
		content, err := os.ReadFile(file)
		if !errors.Is(err, os.ErrNotExist) {
			return content, err
		}
	}
	return nil, nil
}

// run runs the go command for the images' platform and returns what it prints.
func (b Builder) run(ctx context.Context, arguments ...string) (string, error) {
	command := b.Go
	if command == "" {
		command = "go"
	}
	c := exec.CommandContext(ctx, command, arguments...)
	c.Dir = b.Directory
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+b.architecture())
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	err := c.Run()
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	var ended *exec.ExitError
	if errors.As(err, &ended) && said.Len() > 0 {
		return "", fmt.Errorf("go %s: %s", arguments[0], strings.TrimSpace(said.String()))
	}
	if err != nil {
		return "", fmt.Errorf("go %s: %w", arguments[0], err)
	}
	return out.String(), nil
}

func (b Builder) architecture() string {
	if b.Architecture == "" {
		return runtime.GOARCH
	}
	return b.Architecture
}

func (b Builder) directory() string {
	if b.Directory == "" {
		return "the working directory"
	}
	return b.Directory
}

func lastElement(pkg string) string { return pkg[strings.LastIndexByte(pkg, '/')+1:] }
