// Package crds holds the CustomResourceDefinitions of the API as bytes, for everything that installs them: a cluster's
// manifests, envtest, a simulated API server. They are generated from the types (.ci/generate).
//
// Every schema is an open object. Admission decides what a field may hold and whether it exists at all; a cluster that has
// the definitions but not the webhooks stores anything. Kinds with two versions are stored as v1beta1 and converted by a
// webhook.
package crds

import (
	"embed"
	"io/fs"
)

// FS has one YAML file for each definition.
//
//go:embed *.yaml
var FS embed.FS

//go:embed examples/*.yaml
var examples embed.FS

// All returns the definitions as YAML documents, in the order of their file names.
func All() ([][]byte, error) { return read(FS, "*.yaml") }

// Examples returns the definitions of the example custom tasks, which are no part of the API.
func Examples() ([][]byte, error) { return read(examples, "examples/*.yaml") }

func read(from embed.FS, pattern string) ([][]byte, error) {
	names, err := fs.Glob(from, pattern)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, 0, len(names))
	for _, name := range names {
		data, err := from.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}
