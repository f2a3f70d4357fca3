package conformance_test

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/suite"
	"github.com/plumbline-ci/plumbline/conformance/targets/cluster"
	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/conformance/targets/kind"
	"github.com/plumbline-ci/plumbline/kindconfig/kindcluster"
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
		kind.Name: func(f *suite.Flags) (conformance.Target, error) {
			state, err := kindcluster.Up(t.Context(), kindcluster.Options{
				Name: os.Getenv(kind.VariableCluster), Kubeconfig: f.Kubeconfig, Tell: func(text string) { t.Log(text) },
			})
			if err != nil {
				return nil, err
			}
			target, err := kind.New(t.Context(), kind.Options{Config: state.Config(), Images: state.Images, Outside: state.Outside, Journal: kind.EngineJournal(strings.Fields(state.Engine)[0])})
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
		cluster.Name: func(f *suite.Flags) (conformance.Target, error) {
			subject, err := f.LoadSubject()
			if err != nil {
				return nil, err
			}
			if subject == nil {
				return nil, errors.New("-subject says who is judged there: name a file")
			}
			config, err := cluster.Connect(f.Kubeconfig, "")
			if err != nil {
				return nil, err
			}
			target, err := cluster.New(t.Context(), cluster.Options{
				Config: config, Configuration: subject.Configuration, Roles: subject.Roles, Images: subject.Images, Substituted: subject.Substituted,
			})
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
	}, conformance.Options{Implementation: reference.Implementation(), Claims: reference.Claims()})
}
