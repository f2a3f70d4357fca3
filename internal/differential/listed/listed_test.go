package listed_test

import (
	"testing"

	"github.com/plumbline-ci/plumbline/internal/differential/listed"
)

func TestListOfKindsIsConsistent(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, k := range listed.Kinds() {
		if names[k.Name] {
			t.Errorf("two kinds are called %q", k.Name)
		}
		names[k.Name] = true
		if k.Reason == "" || k.Covers == nil {
			t.Errorf("%q needs a reason and a predicate", k.Name)
		}
	}
	if len(names) > listed.Most {
		t.Errorf("%d kinds are listed; at most %d may be", len(names), listed.Most)
	}
}
