package render

import (
	"bytes"
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/failure"
	"github.com/plumbline-ci/plumbline/reports/internal/harmless"
	"github.com/plumbline-ci/plumbline/reports/internal/plain"
	"github.com/plumbline-ci/plumbline/reports/internal/webpage"
	"github.com/plumbline-ci/plumbline/reports/visible"
)

//go:embed page/page.html
var pageHTML string

//go:embed page/page.js
var pageJS string

type page struct {
	Title    string
	Report   *reports.ConformanceReport
	Total    reports.Tally
	Facts    []pageFact
	Profiles []pageProfile
	Selects  []pageSelect
	Verdicts []pageCount
	Scores   []pageScore
	Causes   []cause
	Failed   []pageFailure
	Fixtures []pageFixture
	CSS      template.CSS
	JS       template.JS
}

type pageFact struct {
	Name, Value string
	Long        bool // a hash
	Link        bool // a page on the web
}

type pageProfile struct {
	Name    string
	Result  reports.Result
	Levels  []pageLevel
	Missing string
}

type pageLevel struct {
	Name  string
	Parts []pagePart
	Words string
}

type pagePart struct {
	Class string
	N     int
}

type pageSelect struct {
	Name    string
	Options []string
}

type pageCount struct {
	Verdict reports.Verdict
	N       int
}

// pageScore is the features of one standing.
type pageScore struct {
	Standing standing
	Class    string
	Features string
}

type pageFailure struct{ Name, Text string }

type pageFixture struct {
	*reports.Fixture
	Proven []reports.Statement
	Binds  bool
	Open   bool
	Search string
	Chart  *chart
}

// openFailures is how many failures may be open from the beginning; more are a list.
const openFailures = 5

// writeHTML writes one page that needs nothing else: a file to open, to send, to keep as
// an artefact. Everything is in the page's text; its script only filters and folds.
func writeHTML(w io.Writer, r *reports.ConformanceReport) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"class": func(word any) string { return webpage.Class(fmt.Sprint(word)) },
		"join":  strings.Join,
		"mocks": failure.Mocks,
		"lines": func(s string) []string { return strings.Split(strings.TrimRight(s, "\n"), "\n") },
		"sign": func(line string) string {
			switch {
			case strings.HasPrefix(line, "-"):
				return "minus"
			case strings.HasPrefix(line, "+"):
				return "plus"
			}
			return ""
		},
	}).Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("rendering the page: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, newPage(harmless.Copy(r))); err != nil {
		return fmt.Errorf("rendering the page: %w", err)
	}
	_, err = w.Write(visible.Markup(b.Bytes()))
	return err
}

func newPage(r *reports.ConformanceReport) *page {
	p := &page{Title: about(r), Report: r, CSS: template.CSS(webpage.CSS), JS: template.JS(pageJS)} //nolint:gosec // they are ours
	for _, f := range facts(r) {
		p.Facts = append(p.Facts, pageFact{f.name, f.value, f.name == factDigest || f.name == factTrace, web(f.value)})
	}
	for _, x := range r.Profiles {
		q := pageProfile{Name: x.Name, Result: x.Result, Missing: strings.Join(x.Missing, ", ")}
		for _, level := range []struct {
			name  string
			tally reports.Tally
		}{{"required", x.Required}, {"recommended", x.Recommended}, {"reference", x.Reference}} {
			if level.tally.Total > 0 {
				q.Levels = append(q.Levels, pageLevel{level.name, parts(level.tally), level.tally.String()})
			}
		}
		p.Profiles = append(p.Profiles, q)
	}
	failed := 0
	options := map[string][]string{}
	count := map[reports.Verdict]int{}
	for i := range r.Fixtures {
		f := &r.Fixtures[i]
		p.Total.Add(f.Verdict)
		count[f.Verdict]++
		switch {
		case f.Failure != nil:
			failed++
			p.Failed = append(p.Failed, pageFailure{f.Name, failure.Headline(f.Failure)})
		case f.Verdict == reports.Error:
			failed++
			p.Failed = append(p.Failed, pageFailure{f.Name, "error: " + plain.Short(f.Reason)})
		}
		options["profile"] = append(options["profile"], f.Profile)
		options["level"] = append(options["level"], f.Level)
		options["feature"] = append(options["feature"], f.Features...)
	}
	if p.Causes = causes(r); len(p.Causes) > 0 {
		board := scoreboard(r)
		for _, of := range standings() {
			if names := ofStanding(board, of); len(names) > 0 {
				class := map[standing]string{featureFailed: "bad", featurePassed: "good"}[of]
				p.Scores = append(p.Scores, pageScore{of, class, strings.Join(names, ", ")})
			}
		}
	}
	for _, name := range []string{"feature", "level", "profile"} {
		slices.Sort(options[name])
		if list := slices.Compact(options[name]); len(list) > 1 || name == "feature" {
			p.Selects = append(p.Selects, pageSelect{name, list})
		}
	}
	for _, v := range reports.Verdicts() {
		if count[v] > 0 {
			p.Verdicts = append(p.Verdicts, pageCount{v, count[v]})
		}
	}
	for i := range r.Fixtures {
		f := &r.Fixtures[i]
		x := pageFixture{Fixture: f, Proven: r.Proven(f), Binds: r.Binds(f), Chart: newChart(f.Timeline)}
		x.Open = (f.Verdict == reports.Fail || f.Verdict == reports.Error) && failed <= openFailures
		words := []string{f.Name, f.Requirement, f.File, f.Component, f.Reason}
		words = append(words, f.Features...)
		words = append(words, f.Proves...)
		for _, s := range x.Proven {
			words = append(words, s.Text)
		}
		for _, id := range f.Proves {
			if !slices.ContainsFunc(x.Proven, func(s reports.Statement) bool { return s.ID == id }) {
				x.Proven = append(x.Proven, reports.Statement{ID: id})
			}
		}
		x.Search = strings.Join(words, " ")
		p.Fixtures = append(p.Fixtures, x)
	}
	return p
}

// web reports whether a text is the address of a page on the web: only such an address becomes a link.
func web(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}

// parts are the widths of a stacked bar.
func parts(t reports.Tally) []pagePart {
	var out []pagePart
	for _, x := range []pagePart{{"good", t.Pass}, {"bad", t.Fail + t.Error}, {"warn", t.Excluded + t.NotRun}, {"idle", t.Unsupported + t.NotOnThisTarget}} {
		if x.N > 0 {
			out = append(out, x)
		}
	}
	return out
}
