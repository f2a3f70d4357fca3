package docs_test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/plumbline-ci/plumbline/"

// mayImport are the rules of architecture.md for imports within the module. The longest pattern that fits a package counts; it
// may import what fits one of the others. A pattern is a package, or with /... also those below it.
var mayImport = map[string][]string{
	"cmd/...":        {"cmd/...", "conformance/...", "simulator/...", "reconciler/...", "entrypoint/...", "kindconfig/...", "api/...", "reports/...", "fixtures", "internal/..."},
	"api/...":        {"api/..."},
	"entrypoint/...": {"entrypoint/..."},
	"simulator/...":  {"simulator/..."},
	"reconciler/...": {"reconciler/...", "api/...", "entrypoint/termination"},
	"kindconfig/...": {"kindconfig/...", "api/..."},
	"fixtures":       {},
	"reports/...":    {"reports/...", "conformance/source"},

	// What an implementation is judged by knows none.
	"conformance": {"conformance/internal/...", "conformance/policy", "conformance/fixture", "conformance/statement", "conformance/source", "conformance/invariant", "conformance/disturbance",
		"fixtures", "reports/..."},
	"conformance/suite":                {"conformance", "conformance/internal/verdict", "conformance/fixture", "reports/..."},
	"conformance/fixture":              {"conformance/match", "conformance/source", "conformance/statement"},
	"conformance/match":                {"conformance/source"},
	"conformance/source":               {},
	"conformance/statement":            {"fixtures"},
	"conformance/invariant":            {"conformance/fixture", "internal/untyped"},
	"conformance/disturbance":          {"conformance/fixture", "conformance/source"},
	"conformance/internal/certificate": {},
	"conformance/internal/observe":     {"conformance/fixture", "conformance/match", "reports", "internal/untyped"},
	"conformance/internal/refusal":     {"conformance/fixture", "conformance/source"},
	"conformance/policy":               {"conformance/fixture"},
	"conformance/internal/verdict":     {"conformance/internal/observe", "conformance/policy", "conformance/fixture", "conformance/source", "reports"},
	"conformance/internal/session":     {"conformance/internal/...", "conformance/fixture", "conformance/match", "conformance/source", "conformance/invariant", "reports", "internal/untyped"},
	"conformance/subject":              {"simulator/...", "reconciler/...", "api/..."},
	"conformance/reference":            {"conformance", "conformance/fixture", "conformance/subject", "simulator/...", "reconciler/...", "entrypoint", "api/...", "reports"},
	"conformance/reference/outside":    {"conformance/fixture", "conformance/internal/certificate", "conformance/subject", "reconciler/resolution/..."},
	"conformance/targets/...":          {"conformance", "conformance/fixture", "conformance/invariant", "conformance/reference", "conformance/subject", "conformance/targets/internal/...", "simulator/...", "reconciler/...", "kindconfig/...", "api/...", "reports", "internal/untyped"},
	"conformance/targets/envtest":      {"conformance", "conformance/fixture", "conformance/reference", "conformance/subject", "conformance/targets/internal/...", "conformance/targets/node", "simulator/...", "reconciler/...", "kindconfig/...", "api/..."},
	"conformance/targets/kind":         {"conformance", "conformance/fixture", "conformance/internal/certificate", "conformance/targets/internal/...", "conformance/targets/kind/injector", "conformance/targets/cluster", "conformance/targets/envtest", "kindconfig/...", "api/...", "reports"},
	"conformance/examples/...":         {"conformance", "conformance/subject", "api/v1beta1"},
	"internal/...":                     {"internal/...", "conformance/...", "simulator/...", "kindconfig/...", "api/...", "reports/...", "fixtures"},
	"internal/untyped":                 {},
	"internal/differential/...":        {"internal/differential/...", "simulator/..."},
}

func TestImportsFollowTheArchitecture(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}\n{{end}}", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		from, to, _ := strings.Cut(strings.TrimSpace(line), " ")
		from, _ = strings.CutPrefix(from, module)
		to, own := strings.CutPrefix(to, module)
		if !own {
			continue
		}
		seen++
		rule := ""
		for pattern := range mayImport {
			if fits(pattern, from) && len(pattern) > len(rule) {
				rule = pattern
			}
		}
		if rule == "" {
			t.Errorf("no rule says what %s may import", from)
			continue
		}
		allowed := false
		for _, pattern := range mayImport[rule] {
			allowed = allowed || fits(pattern, to)
		}
		if !allowed {
			t.Errorf("%s imports %s, which the rule for %s does not allow", from, to, rule)
		}
	}
	if seen == 0 {
		t.Error("no import was seen")
	}
}

// TestJudgesDoNotPayForResolvers: git and registries are large. Packages that judge an implementation, or simulate a cluster
// for one, do not import them, directly or not.
func TestJudgesDoNotPayForResolvers(t *testing.T) {
	t.Parallel()
	args := []string{"list", "-deps"}
	for _, name := range []string{
		"conformance", "conformance/suite", "conformance/subject", "conformance/reference", "conformance/targets/fake", "conformance/targets/attached",
		"conformance/targets/envtest", "simulator", "reconciler/controllers", "reconciler/resolution", "reports/...",
	} {
		args = append(args, module+name)
	}
	out, err := exec.CommandContext(t.Context(), "go", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.Lines(string(out)) {
		for _, large := range []string{"github.com/go-git/", "github.com/google/go-containerregistry/", module + "conformance/reference/outside"} {
			if strings.HasPrefix(name, large) {
				t.Errorf("a judge imports %s", strings.TrimSpace(name))
			}
		}
	}
}

func fits(pattern, name string) bool {
	prefix, deep := strings.CutSuffix(pattern, "/...")
	return name == prefix || deep && strings.HasPrefix(name, prefix+"/")
}
