package command

import (
	"fmt"
	"maps"
	"slices"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
)

// checkConfig refuses values of the configuration that cannot be parsed, at their place: no cluster could be made of them.
func checkConfig(files []*fixture.Fixture) error {
	var errs source.Errors
	for _, f := range files {
		for _, name := range slices.Sorted(maps.Keys(f.Spec.Config)) {
			for _, key := range slices.Sorted(maps.Keys(f.Spec.Config[name])) {
				value := f.Spec.Config[name][key]
				if err := config.NewStore().Update(name, map[string]string{key: value}); err != nil {
					at, path := f.PlaceOfConfig(name, key)
					errs.Add(&source.Error{Position: at, Path: path, Message: fmt.Sprintf("the value %q cannot be used: %v", value, err), Hint: valueHint(key)})
				}
			}
		}
	}
	return errs.Err()
}

// valueHint says which values a key takes.
func valueHint(key string) string {
	switch key {
	case config.KeyTimeoutMinutes, config.KeyMaxMatrixCombinationsCount:
		return `write a whole number, in quotes: "60"`
	case config.KeyPodTemplate, config.KeyAffinityAssistantPodTemplate:
		return "write a pod template as YAML, in a block: |"
	case config.KeyEnableAPIFields:
		return "write one of: stable, beta, alpha"
	}
	return "write a value that the key takes, or remove it for the default"
}
