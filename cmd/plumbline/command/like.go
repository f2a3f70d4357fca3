package command

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// likes are the releases of Tekton whose defaults --like sets, by name: keys of feature-flags. Other flags and headers win over them.
var likes = map[string]map[string]string{
	// Array and object results, matrix, propagated workspaces and more are on in v1.x without a flag.
	"v1": {
		config.KeyEnableAPIFields:   config.AlphaAPIFields,
		config.KeyEmbeddedStatus:    "minimal",
		config.KeyCustomTaskVersion: "v1beta1",
	},
}

// setLike sets the defaults of a release.
func (o *simulateOptions) setLike(sc *scenario) error {
	if o.like == "" {
		return nil
	}
	flags, ok := likes[o.like]
	if !ok {
		return &usageError{fmt.Errorf("--like %s: want %s", o.like, strings.Join(slices.Sorted(maps.Keys(likes)), " or "))}
	}
	for key, value := range flags {
		sc.set(fixture.ConfigFeatureFlags, key, value)
	}
	return nil
}
