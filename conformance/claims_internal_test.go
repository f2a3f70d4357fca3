package conformance

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
)

// TestClaimsReachTheVerdict: the claims that verdicts are reached by have every field of those that a caller gives.
func TestClaimsReachTheVerdict(t *testing.T) {
	t.Parallel()
	given := Claims{
		Profiles: []string{"p"}, Features: []string{"f"}, Lacks: []string{"l"}, Served: map[string][]string{"taskruns": {"v1"}}, Reference: true,
		Exclusions: []Exclusion{{Fixture: "x", Statement: "s", By: "b", Why: "w"}}, Misses: []Miss{{Statement: "s", Fixtures: []string{"x"}, Why: "w"}},
	}
	want := verdict.Claims{
		Profiles: []string{"p"}, Features: []string{"f"}, Lacks: []string{"l"}, Served: map[string][]string{"taskruns": {"v1"}}, Reference: true,
		Exclusions: []verdict.Exclusion{{Fixture: "x", Statement: "s", By: "b", Why: "w"}}, Misses: []verdict.Miss{{Statement: "s", Fixtures: []string{"x"}, Why: "w"}},
	}
	if diff := cmp.Diff(want, given.plan()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, v := range []reflect.Value{reflect.ValueOf(given), reflect.ValueOf(given.plan())} {
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s.%s is not part of this test", v.Type(), v.Type().Field(i).Name)
			}
		}
	}
}
