// Package suite makes Ginkgo specs of fixtures: one spec each, so that label filters,
// focus, -p, and editors work as people expect of a Go test.
//
// A spec is labelled profile:…, feature:… (one for each), level:…, component:… and
// name:…, and its place is the fixture's file. A fixture that does not apply is a
// skipped spec with its reason. After the last spec the run as a whole is judged by
// the engine's rule, so that a run in which nothing was shown fails.
//
//	var flags = suite.RegisterFlags(flag.CommandLine, "fake")
//
//	func TestConformance(t *testing.T) {
//		flags.Run(t, map[string]suite.Constructor{"fake": …}, conformance.Options{})
//	}
package suite

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// entryName marks the report entry that carries a spec's result to the judge.
const entryName = "plumbline result"

// Specs registers a spec for each fixture of the options, and the verdict on the run.
// The options are asked for when Ginkgo builds its tree, after flags are parsed.
// report, if not nil, is given the report of the run.
func Specs(options func() (conformance.Options, error), report func(*reports.ConformanceReport) error) bool {
	var (
		runner *conformance.Runner
		early  *ahead
		failed error
	)
	ginkgo.Describe("fixtures", func() {
		var o conformance.Options
		if o, failed = options(); failed == nil {
			runner, failed = conformance.NewRunner(o)
		}
		if failed != nil {
			// A panic here would hide the message in a stack; a failing spec shows it.
			ginkgo.It("can be loaded", func() { ginkgo.Fail(failed.Error()) })
			return
		}
		early = newAhead(o, runner)
		for _, f := range runner.Fixtures() {
			spec(early, f)
		}
	})
	return ginkgo.ReportAfterSuite("the run passes as a whole", func(r ginkgo.Report) {
		if failed != nil || r.SuiteConfig.DryRun {
			return
		}
		early.stop()
		results, err := collect(runner, r)
		if err != nil {
			ginkgo.Fail(err.Error())
		}
		verdict := runner.Report(results)
		if report != nil {
			if err := report(verdict); err != nil {
				ginkgo.Fail(fmt.Sprintf("writing the report: %v", err))
			}
		}
		if verdict.Result != reports.Passed {
			text := fmt.Sprintf("%s: %s", verdict.Result, strings.Join(verdict.Reasons, "\n"))
			if causes := render.Summary(verdict); causes != "" {
				text += "\n\n" + causes
			}
			ginkgo.Fail(text)
		}
	})
}

// Labels returns the labels of a fixture's spec.
func Labels(f *fixture.Fixture) ginkgo.Labels {
	labels := ginkgo.Labels{"profile:" + f.Spec.Profile, "level:" + f.Spec.Level, "component:" + f.Spec.Component, "name:" + f.Name()}
	for _, feature := range f.Spec.Features {
		labels = append(labels, "feature:"+feature)
	}
	return labels
}

func spec(early *ahead, f *fixture.Fixture) {
	place := types.CodeLocation{FileName: f.File, LineNumber: f.Metadata.Pos.Line}
	ginkgo.It(f.Name(), Labels(f), place, func(ctx ginkgo.SpecContext) {
		result := early.result(ctx, f)
		data, err := json.Marshal(result)
		if err != nil {
			ginkgo.Fail(fmt.Sprintf("encoding the result: %v", err))
		}
		ginkgo.AddReportEntry(entryName, string(data), ginkgo.ReportEntryVisibilityNever, place)
		switch {
		case result.Verdict == reports.Pass:
		case result.Skipped():
			ginkgo.Skip(fmt.Sprintf("%s: %s", result.Verdict, result.Reason))
		default:
			ginkgo.Fail(early.runner.Explain(f, &result))
		}
	})
}

// collect reads the results that the specs of all processes left in Ginkgo's report.
func collect(runner *conformance.Runner, r ginkgo.Report) ([]reports.Fixture, error) {
	found := map[string]reports.Fixture{}
	for _, s := range r.SpecReports {
		for _, entry := range s.ReportEntries {
			if entry.Name != entryName {
				continue
			}
			var result reports.Fixture
			text, ok := entry.GetRawValue().(string)
			if !ok {
				text = entry.StringRepresentation()
			}
			if err := json.Unmarshal([]byte(text), &result); err != nil {
				return nil, fmt.Errorf("reading the result of %q: %w", s.LeafNodeText, err)
			}
			found[result.Name] = result
		}
	}
	var results []reports.Fixture
	for _, f := range runner.Fixtures() {
		if result, ok := found[f.Name()]; ok {
			results = append(results, result)
		}
	}
	return results, nil
}
