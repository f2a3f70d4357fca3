package reports_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/compare"
	"github.com/plumbline-ci/plumbline/reports/internal/formats"
	"github.com/plumbline-ci/plumbline/reports/internal/reporttest"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// Whatever the bytes, what is read is written and read again the same.
func FuzzDecode(f *testing.F) {
	for _, format := range []string{formats.JSON, formats.YAML} {
		renderer, err := render.RendererFor(format)
		if err != nil {
			f.Fatal(err)
		}
		// Small ones: what is interesting is made smaller before the search goes on.
		small := &reports.ConformanceReport{APIVersion: reports.APIVersion, Kind: reports.Kind, Result: reports.Passed, Fixtures: []reports.Fixture{{Name: "a", Verdict: reports.Pass, Timeline: &reports.Timeline{End: 9, Pods: []reports.PodLine{{Name: "p", Spans: []reports.Span{{Container: "c", Role: reports.RoleStep, To: reporttest.Millis(5)}}}}}}}}
		var b bytes.Buffer
		if err := renderer.Render(&b, small); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte(`{"apiVersion":"plumbline.dev/v1alpha1","kind":"ConformanceReport","result":"passed"}`))
	f.Add([]byte("apiVersion: plumbline.dev/v1alpha1\nkind: ConformanceReport\nresult: failed\nreasons: [\"\\n a\\u2028\\x85 #\", '0x1', \"a\\n\\n\", ~]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := reports.Decode(data)
		if err != nil {
			if !errors.Is(err, reports.ErrInvalid) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		for _, format := range render.Formats() {
			renderer, err := render.RendererFor(format)
			if err != nil {
				t.Fatal(err)
			}
			if err := renderer.Render(&bytes.Buffer{}, r); err != nil {
				t.Fatal(err)
			}
		}
		table := compare.NewTable([]compare.Named{{Report: r}, {Report: reporttest.Example()}, {Report: r}}, compare.TableOptions{})
		for _, format := range compare.TableFormats() {
			if err := table.Render(&bytes.Buffer{}, format); err != nil {
				t.Fatal(err)
			}
		}
		if g := compare.NewGate(r, r); !g.Passed {
			t.Fatalf("a report is worse than itself: %+v", g)
		}
		if d := compare.Diff(r, r, compare.DiffOptions{}); d.Unexplained > 0 {
			t.Fatalf("a report differs from itself: %+v", d)
		}
		first, err := reports.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := reports.Decode(first)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		second, err := reports.Encode(again)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("not canonical: %v", err)
		}
		asYAML, err := reports.EncodeYAML(r)
		if err != nil {
			t.Fatal(err)
		}
		fromYAML, err := reports.Decode(asYAML)
		if err != nil {
			t.Fatalf("what was written as YAML cannot be read: %v\n%s", err, asYAML)
		}
		third, err := reports.Encode(fromYAML)
		if err != nil || !bytes.Equal(first, third) {
			t.Fatalf("YAML says something else: %v\n%s", err, cmp.Diff(string(first), string(third)))
		}
	})
}

// Every text comes through YAML as it was.
func FuzzTextInYAML(f *testing.F) {
	for _, text := range []string{"", " a", "a\nb", "\na", "a\n\n", "a: b", "0x1", "~", "- a", "\t", "a\n b\n\tc", "\u2028\n", "#\n", "'\"\\", "a \nb ", "\x85\n", "\U0001F600\n", "1e3", "yes", "2026-01-01", "<<", "|\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := reporttest.Example()
		r.Reasons = []string{strings.ToValidUTF8(text, "?")}
		data, err := reports.EncodeYAML(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := reports.Decode(data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
