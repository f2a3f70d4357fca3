package compare

import (
	"bytes"
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/plumbline-ci/plumbline/reports/internal/plain"
	"github.com/plumbline-ci/plumbline/reports/internal/webpage"
	"github.com/plumbline-ci/plumbline/reports/visible"
)

//go:embed page/table.html
var tableHTML string

//go:embed page/table.css
var tableCSS string

//go:embed page/table.js
var tableJS string

type tablePage struct {
	*Table
	Verdict string
	Suites  bool
	CSS     template.CSS
	JS      template.JS
}

// html writes one page that needs nothing else, as that of a report.
func (t *Table) html(w io.Writer) error {
	page, err := template.New("table").Funcs(template.FuncMap{
		"class": func(word any) string { return webpage.Class(fmt.Sprint(word)) },
		"dash":  func(word any) string { return plain.Dash(fmt.Sprint(word)) },
		"lower": strings.ToLower,
		"time":  func(c Column) string { return plain.Dash(c.time()) },
		"agree": func(a Agreement) string {
			return map[Agreement]string{Contradiction: "bad", PartAgreement: "warn", FullAgreement: "good"}[a]
		},
	}).Parse(tableHTML)
	if err != nil {
		return fmt.Errorf("rendering the page: %w", err)
	}
	var b bytes.Buffer
	if err := page.Execute(&b, tablePage{Table: t, Verdict: t.verdict(), Suites: t.suites(), CSS: template.CSS(webpage.CSS + tableCSS), JS: template.JS(tableJS)}); err != nil { //nolint:gosec // they are ours
		return fmt.Errorf("rendering the page: %w", err)
	}
	_, err = w.Write(visible.Markup(b.Bytes()))
	return err
}
