package childname

import (
	"strings"
	"testing"
)

func TestChildNames(t *testing.T) {
	t.Parallel()
	const long = "task-run-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789"
	for _, tt := range []struct {
		reason, parent, suffix, want string
	}{
		{"a short name is kept whole", "task-run", "-pod", "task-run-pod"},
		{"so is the name of a later attempt", "task-run", "-pod-retry1", "task-run-pod-retry1"},
		{"63 characters still fit", strings.Repeat("a", 59), "-pod", strings.Repeat("a", 59) + "-pod"},
		{"64 do not: head, hash and suffix fill 63", strings.Repeat("a", 60), "-pod", strings.Repeat("a", 27) + "cc7ed669cf88f201c3297c6a91e1d18d-pod"},
		{"the example of taskruns.md", long, "-pod", "task-run-0123456789-01234560d38957287bb0283c59440df14069f59-pod"},
		{"its second attempt has a shorter head and the same hash", long, "-pod-retry1", "task-run-0123456789-0d38957287bb0283c59440df14069f59-pod-retry1"},
		{"a suffix that leaves one character of the parent", strings.Repeat("a", 40), "-" + strings.Repeat("s", 29), "a4697843037d962f62a5a429e611e0f5f-" + strings.Repeat("s", 29)},
		{"a suffix that leaves no character takes part in the hash", strings.Repeat("a", 40), "-" + strings.Repeat("s", 30), strings.Repeat("a", 31) + "07588b9e080f88c49a4f85492bba48fc"},
		{"after a short parent, the part of the suffix that fits is kept", "abcde", "-" + strings.Repeat("s", 60), "abcde14755a076be6c6ec739624ec8ba93ea8-" + strings.Repeat("s", 25)},
		{"a name does not end in the dash at which it is cut", "abcdefghij", "-" + strings.Repeat("s", 19) + "-" + strings.Repeat("s", 36), "abcdefghijed92f04e21ec6e39186eb614a45af9a4-" + strings.Repeat("s", 19)},
	} {
		if got := Of(tt.parent, tt.suffix); got != tt.want {
			t.Errorf("%s: Of(%q, %q) = %q, want %q", tt.reason, tt.parent, tt.suffix, got, tt.want)
		}
	}
}

func TestChildNamesAlwaysFit(t *testing.T) {
	t.Parallel()
	for parent := 1; parent < 80; parent++ {
		for suffix := 1; suffix < 70; suffix++ {
			got := Of(strings.Repeat("p", parent), "-"+strings.Repeat("s", suffix))
			if len(got) > maxLength || strings.HasSuffix(got, "-") {
				t.Fatalf("Of(%d characters, %d characters) = %q: must be at most %d characters and not end in a dash", parent, suffix+1, got, maxLength)
			}
		}
	}
}

func TestParentsWithTheSamePrefixGetDifferentNames(t *testing.T) {
	t.Parallel()
	head := strings.Repeat("x", 70)
	if a, b := Of(head+"a", "-pod"), Of(head+"b", "-pod"); a == b {
		t.Errorf("both are %q", a)
	}
	suffix := "-" + strings.Repeat("s", 40)
	if a, b := Of(head, suffix+"a"), Of(head, suffix+"b"); a == b {
		t.Errorf("long suffixes that differ at the end give the same name %q", a)
	}
}
