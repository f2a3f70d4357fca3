package conformance_test

import (
	"flag"
	"testing"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/suite"
	"github.com/plumbline-ci/plumbline/conformance/target/envtest"
	"github.com/plumbline-ci/plumbline/conformance/target/fake"
)

var flags = suite.RegisterFlags(flag.CommandLine, fake.Name)

// TestConformance is the suite: a Ginkgo spec for each fixture, on the target that the flags name.
func TestConformance(t *testing.T) {
	flags.Run(t, map[string]suite.Constructor{
		fake.Name: func(*suite.Flags) (conformance.Target, error) { return fake.New(fake.Options{}) },
		envtest.Name: func(*suite.Flags) (conformance.Target, error) {
			target, err := envtest.New(envtest.Options{})
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() {
				if err := target.Close(); err != nil {
					t.Error(err)
				}
			})
			return target, nil
		},
	}, conformance.Options{Implementation: fake.Implementation(), Claims: fake.Claims()})
}
