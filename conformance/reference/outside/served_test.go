package outside_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/reference/outside"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/fixtures"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// withRemote are the fixtures of the suite that have something outside the cluster.
func withRemote(t *testing.T) []*fixture.Fixture {
	t.Helper()
	all, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		t.Fatal(err)
	}
	var out []*fixture.Fixture
	for _, f := range all {
		if !f.Spec.Remote.Empty() {
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		t.Fatal("there is none")
	}
	return out
}

// TestOneWorldForAll: a cluster whose implementation is there once can only have one world around it.
func TestOneWorldForAll(t *testing.T) {
	t.Parallel()
	var world fixture.Remote
	for _, f := range withRemote(t) {
		together, err := world.With(&f.Spec.Remote)
		if err != nil {
			t.Fatalf("%s and those before it: %v", f.Name(), err)
		}
		world = together
	}
	if _, err := world.Servers(); err != nil {
		t.Error(err)
	}
}

// TestServedIsAsInMemory runs the fixtures with the world in memory, and with servers that resolvers ask over HTTPS.
func TestServedIsAsInMemory(t *testing.T) {
	t.Parallel()
	judge := func(remote func(fixture.Remote) (subject.Remote, error)) map[string]string {
		target, err := fake.New(fake.Options{Remote: remote})
		if err != nil {
			t.Fatal(err)
		}
		report, err := conformance.Judge(t.Context(), conformance.Options{
			Target: target, Implementation: reference.Implementation(), Claims: reference.Claims(), Date: time.Unix(0, 0), Fixtures: withRemote(t),
		})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for i := range report.Fixtures {
			f := &report.Fixtures[i]
			if out[f.Name] = string(f.Verdict); f.Verdict != reports.Pass {
				out[f.Name] += "\n" + render.Explain(f)
			}
		}
		return out
	}
	want := judge(outside.Of)
	got := judge(func(r fixture.Remote) (subject.Remote, error) {
		remote, end, err := outside.Over(context.WithoutCancel(t.Context()), r)
		if err == nil {
			t.Cleanup(func() {
				if err := end(); err != nil {
					t.Error(err)
				}
			})
		}
		return remote, err
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-in memory +served)\n%s", diff)
	}
}
