package image_test

import (
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/simulator/image"
)

func TestPatternMatches(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("a", 64)
	defaults, err := image.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reason, pattern, reference string
		want                       bool
	}{
		{"a repository stands for every tag", "example.com/tools", "example.com/tools:1.22", true},
		{"a repository stands for every digest", "example.com/tools", "example.com/tools@" + digest, true},
		{"a repository does not match as a prefix of another", "example.com/tools", "example.com/tools2:1", false},
		{"a tag", "example.com/tools:1", "example.com/tools:1", true},
		{"another tag", "example.com/tools:1", "example.com/tools:2", false},
		{"no tag is latest", "busybox:latest", "busybox", true},
		{"the tag beside a digest", "example.com/tools:1", "example.com/tools:1@" + digest, true},
		{"a digest without its tag", "example.com/tools:1", "example.com/tools@" + digest, false},
		{"a digest", "example.com/tools@" + digest, "example.com/tools:1@" + digest, true},
		{"another digest", "example.com/tools@sha256:" + strings.Repeat("b", 64), "example.com/tools@" + digest, false},
		{"every spelling", "index.docker.io/busybox", "docker.io/library/busybox:1", true},
		{"a wildcard in the tag", "example.com/tools:1.*", "example.com/tools:1.22", true},
		{"a wildcard in the tag, not there", "example.com/tools:1.*", "example.com/tools:2", false},
		{"a wildcard in the name", "example.com/*/cli", "example.com/a/b/cli:2", true},
		{"a wildcard for the registry", "*/tools", "example.com/x/tools:2", true},
		{"a wildcard in a name of Docker's hub", "pyth*:3", "python:3", true},
		{"its full name", "docker.io/library/pyth*", "python:3", true},
		{"a wildcard for all", "*", "example.com/x:1", true},
		{"a wildcard for a digest", "example.com/x@*", "example.com/x@" + digest, true},
	} {
		p, err := image.ParsePattern(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		c, err := image.NewCatalogue(defaults...)
		if err != nil {
			t.Fatal(err)
		}
		c.Guess()
		i, err := c.Pull(tt.reference)
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		if got := p.Matches(i); got != tt.want {
			t.Errorf("%s: %s matches %s: %v", tt.reason, tt.pattern, tt.reference, got)
		}
	}
	for _, bad := range []string{"", "Upper", "a b", "x@sha256:1", "$(params.image)"} {
		if _, err := image.ParsePattern(bad); err == nil {
			t.Errorf("%q is a pattern", bad)
		}
	}
}

func FuzzParsePattern(f *testing.F) {
	for _, seed := range []string{"busybox", "*", "a/b:*", "x@*", "a*b*c*:d*", ":", "@", "*:*@*"} {
		f.Add(seed, "docker.io/library/busybox")
	}
	f.Fuzz(func(t *testing.T, pattern, repository string) {
		p, err := image.ParsePattern(pattern)
		if err == nil && p.String() != pattern {
			t.Errorf("%q became %q", pattern, p)
		}
		if err == nil {
			p.MatchesName(repository, "latest", "")
		}
	})
}
