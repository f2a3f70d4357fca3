// Package webpage has the style that all pages in HTML share.
package webpage

import (
	_ "embed" // the page's style

	"github.com/plumbline-ci/plumbline/reports"
)

// CSS is the style sheet.
//
//go:embed page.css
var CSS string

// Class is the colour of a verdict or a result.
func Class(word string) string {
	switch word {
	case string(reports.Pass), string(reports.Passed):
		return "good"
	case string(reports.Fail), string(reports.Failed), string(reports.Error):
		return "bad"
	case string(reports.Excluded), string(reports.NotRun), string(reports.Partial), string(reports.Inconclusive), string(reports.Incomplete):
		return "warn"
	}
	return "idle"
}
