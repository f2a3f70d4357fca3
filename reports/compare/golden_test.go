package compare

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/formats"
	"github.com/plumbline-ci/plumbline/reports/internal/reporttest"
)

// document is a Difference, a Gate or a Table.
type document interface {
	Render(w io.Writer, format string) error
}

// TestTables puts three targets side by side, in every form.
func TestTables(t *testing.T) {
	t.Parallel()
	fake, envtest, kind := reporttest.Full(), reporttest.Full(), reporttest.Full()
	for _, x := range []struct {
		r       *reports.ConformanceReport
		name    string
		took    string
		virtual bool
	}{{fake, "fake", "", true}, {envtest, "envtest", "1m3.5s", false}, {kind, "kind", "5m12s", false}} {
		x.r.Target.Name, x.r.Took, x.r.Target.VirtualTime = x.name, x.took, x.virtual
	}
	kind.Suite.Digest = "sha256:01"
	pass := reporttest.ByName(envtest)["fails-for-all-to-see"]
	pass.Verdict, pass.Failure, pass.Reason = reports.Pass, nil, ""
	needs := reporttest.ByName(kind)["needs-more"]
	needs.Verdict, needs.Failure = reports.Fail, &reports.Failure{At: "needs-more.yaml:3:1", Check: "spec.then[0]", Message: "it has <b>not</b> | what it needs", Want: "1", Got: "2"}
	met := reporttest.ByName(envtest)["needs-more"]
	met.Verdict, met.Reason = reports.Pass, ""
	kind.Fixtures = append(kind.Fixtures, reports.Fixture{Name: "only-on-kind", File: "k.yaml", Requirement: "A kubelet is real.", Profile: "taskrun-core", Level: "required", Verdict: reports.Pass, Duration: "3s"})
	explained := []Explanation{{Fixture: "needs-more", B: reports.Fail, Why: "what it needs | is late"}, {Fixture: "passes", Why: "never"}}
	list := []Named{{Report: fake}, {Report: envtest}, {Name: "kind v1.36", Report: kind}}
	for name, table := range map[string]*Table{
		"side-by-side":           NewTable(list, TableOptions{Explained: explained}),
		"side-by-side-differing": NewTable(list, TableOptions{Differing: true}),
	} {
		for _, format := range TableFormats() {
			var b bytes.Buffer
			if err := table.Render(&b, format); err != nil {
				t.Fatal(err)
			}
			reporttest.Golden(t, name+map[string]string{formats.Table: ".txt", formats.JSON: ".json", formats.Markdown: ".md", formats.GitHub: ".github.txt", formats.HTML: ".html"}[format], b.Bytes())
		}
		var page bytes.Buffer
		if err := table.Render(&page, formats.HTML); err != nil {
			t.Fatal(err)
		}
		for _, not := range []string{"ZgotmplZ", "src=", "<link", "@import", "url(", "fetch(", "<b>not", "<b>waits"} {
			if strings.Contains(page.String(), not) {
				t.Errorf("the page has %q", not)
			}
		}
		if err := table.Render(&bytes.Buffer{}, formats.JUnit); err == nil {
			t.Error("it is rendered in a format that it does not have")
		}
	}
}

func TestComparisons(t *testing.T) {
	t.Parallel()
	before, after := reporttest.Full(), reporttest.Full()
	before.Result, before.Implementation.Version, before.Reasons = reports.Partial, "v0", nil
	set := func(r *reports.ConformanceReport, name string, v reports.Verdict) {
		f := reporttest.ByName(r)[name]
		f.Verdict, f.Failure, f.Reason = v, nil, ""
	}
	set(before, "fails-for-all-to-see", reports.Pass)
	set(before, "passes", reports.Error)
	set(before, "unclaimed", reports.Pass)
	before.Fixtures = append(before.Fixtures, reports.Fixture{Name: "was-there", File: "was-there.yaml", Requirement: "It stays.", Profile: "taskrun-core", Level: "required", Verdict: reports.Pass})
	after.Fixtures = append(after.Fixtures, reports.Fixture{Name: "is-new", File: "is-new.yaml", Requirement: "It is new.", Profile: "taskrun-core", Level: "required", Verdict: reports.Fail, Failure: &reports.Failure{At: "is-new.yaml:1:2", Check: "c", Message: "m"}})
	before.Profiles[1].Result = reports.Partial
	before.Fixtures = append(before.Fixtures, reports.Fixture{Name: "old-name", File: "old-name.yaml", Requirement: "Names are names.", Profile: "taskrun-core", Level: "required", Verdict: reports.Pass})
	after.Fixtures = append(after.Fixtures, reports.Fixture{Name: "new-name", File: "new-name.yaml", Requirement: "Names are names.", Profile: "taskrun-core", Level: "required", Verdict: reports.Pass})
	before.Profiles[1].Features = []string{"bundles", "retries", "timeout"}
	explained := []Explanation{{Fixture: "unclaimed", B: reports.Unsupported, Why: "bundles are gone | for good"}, {Fixture: "passes", A: reports.Fail, Why: "never"}}
	for _, x := range []struct {
		name string
		c    document
	}{
		{"diff", Diff(before, after, DiffOptions{Explained: explained})},
		{"gate", NewGate(before, after)},
	} {
		for _, format := range Formats() {
			var b bytes.Buffer
			if err := x.c.Render(&b, format); err != nil {
				t.Fatal(err)
			}
			reporttest.Golden(t, x.name+map[string]string{formats.Table: ".txt", formats.JSON: ".json", formats.Markdown: ".md", formats.GitHub: ".github.txt"}[format], b.Bytes())
		}
		if err := x.c.Render(&bytes.Buffer{}, formats.HTML); err == nil {
			t.Errorf("%s is rendered in a format that it does not have", x.name)
		}
	}
}

// Whatever the texts of two reports are, no comparison of them gives orders to a terminal, a runner or a browser.
func TestHostileComparisonsAreHarmless(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := reporttest.Spoiled(seed)
		for _, x := range []struct {
			name    string
			c       document
			formats []string
		}{
			{"diff", Diff(r, reporttest.Spoiled(seed+1000), DiffOptions{}), Formats()},
			{"gate", NewGate(r, reporttest.Spoiled(seed+1000)), Formats()},
			{"table", NewTable([]Named{{Report: r}, {Report: reporttest.Spoiled(seed + 1000)}}, TableOptions{}), TableFormats()},
		} {
			for _, format := range x.formats {
				var b bytes.Buffer
				if err := x.c.Render(&b, format); err != nil {
					t.Fatal(err)
				}
				reporttest.Harmless(t, x.name+" as "+format, b.Bytes(), format == formats.GitHub)
				if format == formats.HTML {
					reporttest.Browse(t, x.name, b.Bytes(), tableJS)
				}
			}
		}
	}
}
