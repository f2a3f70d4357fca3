package reports

import (
	"testing"
)

func TestVersionsAreOrdered(t *testing.T) {
	t.Parallel()
	order := []string{"nonsense", "v1alpha1", "v1alpha2", "v1beta1", "v1", "v2alpha1", "v2"}
	for i := 1; i < len(order); i++ {
		if age(order[i-1]) >= age(order[i]) {
			t.Errorf("%s (%d) is not before %s (%d)", order[i-1], age(order[i-1]), order[i], age(order[i]))
		}
	}
}
