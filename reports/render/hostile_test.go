package render

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/reports/internal/reporttest"
)

// Whatever the texts of a report are, no rendering of it gives orders to a terminal, a runner or a browser.
func TestHostileTextsAreHarmless(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := reporttest.Spoiled(seed)
		for _, format := range Formats() {
			got := rendered(t, format, r)
			reporttest.Harmless(t, format, got, format == FormatGitHub)
			switch format {
			case FormatHTML:
				reporttest.Browse(t, format, got, pageJS)
			case FormatJUnit:
				wellFormed(t, got)
			}
		}
		var explained strings.Builder
		for i := range r.Fixtures {
			explained.WriteString(Explain(&r.Fixtures[i], r.Proven(&r.Fixtures[i])...) + "\n")
		}
		reporttest.Harmless(t, "Explain", []byte(explained.String()), false)
	}
}

func wellFormed(t *testing.T, got []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(got)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in %s", err, got)
		}
	}
}

func TestOnlyWebLinksAreRendered(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://example.com/toy": `<a href="https://example.com/toy">`,
		`https://x/"onx="`:        `<a href="https://x/%22onx=%22">`,
		"javascript:alert(1)":     "",
		"data:text/html,x":        "",
		"//example.com":           "",
		"https:":                  "",
		"https://bank@evil.com/":  "",
	} {
		r := reporttest.Full()
		r.Implementation.URL = address
		got := regexp.MustCompile(`<dt>url</dt><dd>(<a href="[^"]*">)?`).FindSubmatch(rendered(t, FormatHTML, r))
		if got == nil || string(got[1]) != want {
			t.Errorf("%s: the link is %q, want %q", address, got, want)
		}
	}
}
