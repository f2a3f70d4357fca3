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

// All returns the definitions as YAML documents, in the order of their file names.
func All() ([][]byte, error) {
	names, err := fs.Glob(FS, "*.yaml")
	if err != nil {
		return nil, err
	}
	out := make([][]byte, 0, len(names))
	for _, name := range names {
		data, err := FS.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}
