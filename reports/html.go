package reports

import (
	"bytes"
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/reports/visible"
)

// HTML renders one page that needs nothing else: a file to open, to send, to keep as
// an artefact. Everything is in the page's text; its script only filters and folds.
type HTML struct{}

var _ Renderer = HTML{}

//go:embed page/page.html
var pageHTML string

//go:embed page/page.css
var pageCSS string

//go:embed page/page.js
var pageJS string

type page struct {
	Title    string
	Report   *ConformanceReport
	Total    Tally
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
	Result  Result
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
	Verdict Verdict
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
	*Fixture
	Proven []Statement
	Binds  bool
	Open   bool
	Search string
	Chart  *chart
}

// openFailures is how many failures may be open from the beginning; more are a list.
const openFailures = 5

// Render implements Renderer.
func (HTML) Render(w io.Writer, r *ConformanceReport) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"class": func(word any) string { return wordClass(fmt.Sprint(word)) },
		"join":  strings.Join,
		"mocks": MocksFor,
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
	if err := t.Execute(&b, newPage(shown(r))); err != nil {
		return fmt.Errorf("rendering the page: %w", err)
	}
	_, err = w.Write(visible.Markup(b.Bytes()))
	return err
}

func newPage(r *ConformanceReport) *page {
	p := &page{Title: about(r), Report: r, CSS: template.CSS(pageCSS), JS: template.JS(pageJS)} //nolint:gosec // they are ours
	for _, f := range facts(r) {
		p.Facts = append(p.Facts, pageFact{f.name, f.value, f.name == factDigest || f.name == factTrace, web(f.value)})
	}
	for _, x := range r.Profiles {
		q := pageProfile{Name: x.Name, Result: x.Result, Missing: strings.Join(x.Missing, ", ")}
		for _, level := range []struct {
			name  string
			tally Tally
		}{{"required", x.Required}, {"recommended", x.Recommended}, {"reference", x.Reference}} {
			if level.tally.Total > 0 {
				q.Levels = append(q.Levels, pageLevel{level.name, parts(level.tally), level.tally.String()})
			}
		}
		p.Profiles = append(p.Profiles, q)
	}
	failed := 0
	options := map[string][]string{}
	count := map[Verdict]int{}
	for i := range r.Fixtures {
		f := &r.Fixtures[i]
		p.Total.Add(f.Verdict)
		count[f.Verdict]++
		switch {
		case f.Failure != nil:
			failed++
			p.Failed = append(p.Failed, pageFailure{f.Name, headline(f.Failure)})
		case f.Verdict == Error:
			failed++
			p.Failed = append(p.Failed, pageFailure{f.Name, "error: " + short(f.Reason)})
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
	for _, v := range Verdicts() {
		if count[v] > 0 {
			p.Verdicts = append(p.Verdicts, pageCount{v, count[v]})
		}
	}
	for i := range r.Fixtures {
		f := &r.Fixtures[i]
		x := pageFixture{Fixture: f, Proven: r.Proven(f), Binds: r.Binds(f), Chart: newChart(f.Timeline)}
		x.Open = (f.Verdict == Fail || f.Verdict == Error) && failed <= openFailures
		words := []string{f.Name, f.Requirement, f.File, f.Component, f.Reason}
		words = append(words, f.Features...)
		words = append(words, f.Proves...)
		for _, s := range x.Proven {
			words = append(words, s.Text)
		}
		for _, id := range f.Proves {
			if !slices.ContainsFunc(x.Proven, func(s Statement) bool { return s.ID == id }) {
				x.Proven = append(x.Proven, Statement{ID: id})
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
func parts(t Tally) []pagePart {
	var out []pagePart
	for _, x := range []pagePart{{"good", t.Pass}, {"bad", t.Fail + t.Error}, {"warn", t.Excluded + t.NotRun}, {"idle", t.Unsupported + t.NotOnThisTarget}} {
		if x.N > 0 {
			out = append(out, x)
		}
	}
	return out
}

// wordClass is the colour of a verdict or a result.
func wordClass(word string) string {
	switch word {
	case string(Pass), string(Passed):
		return "good"
	case string(Fail), string(Failed), string(Error):
		return "bad"
	case string(Excluded), string(NotRun), string(Partial), string(Inconclusive), string(Incomplete):
		return "warn"
	}
	return "idle"
}
