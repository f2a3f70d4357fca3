package render

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/plain"
)

// cause is what several failures have in common.
type cause struct {
	// What says it in a line.
	What string
	// Fixtures are those that failed so, in the report's order.
	Fixtures []string
	// Counts says that one of them counts.
	Counts bool
}

// causes groups failures and errors by cause: the same panic, the same field with the same values wanted and seen, or the
// same message except for names and numbers in it. Those that count come first, then the more frequent ones.
func causes(r *reports.ConformanceReport) []cause {
	var out []cause
	places := map[string]int{}
	for i := range r.Fixtures {
		f := &r.Fixtures[i]
		key, what := causeOf(f)
		if key == "" {
			continue
		}
		at, known := places[key]
		if !known {
			at = len(out)
			places[key] = at
			out = append(out, cause{What: what})
		}
		out[at].Fixtures = append(out[at].Fixtures, f.Name)
		out[at].Counts = out[at].Counts || f.Verdict == reports.Error || r.Binds(f)
	}
	slices.SortStableFunc(out, func(a, b cause) int {
		if a.Counts != b.Counts {
			if a.Counts {
				return -1
			}
			return 1
		}
		return cmp.Compare(len(b.Fixtures), len(a.Fixtures))
	})
	return out
}

// causeOf returns the key of a failure's cause, and its text. A fixture that neither failed nor broke has no cause.
func causeOf(f *reports.Fixture) (key, what string) {
	message := f.Reason
	switch {
	case f.Failure != nil:
		message = f.Failure.Message
	case f.Verdict != reports.Error:
		return "", ""
	}
	message = untold(plain.FirstLine(message))
	if i := strings.Index(message, "panicked: "); i >= 0 {
		return "panic " + alike(message[i:]), message
	}
	x := f.Failure
	if x != nil && x.Path != "" && (x.Want != "" || x.Got != "") {
		what = fmt.Sprintf("%s: want %s, got %s", x.Path, plain.Short(plain.FirstLine(x.Want)), plain.Short(plain.FirstLine(x.Got)))
		return "field " + x.Path + "\x00" + x.Want + "\x00" + alike(x.Got), what
	}
	what = message
	if x != nil && (x.Want != "" || x.Got != "") {
		what = fmt.Sprintf("%s: want %s, got %s", message, plain.Short(plain.FirstLine(x.Want)), plain.Short(plain.FirstLine(x.Got)))
	}
	return "message " + alike(what), what
}

// variable is what differs between two messages of one cause: references, durations, hashes and other numbers.
var variable = regexp.MustCompile(`\b[a-z]+/[\w.*-]+|\b[0-9a-f]{8,}\b|\b\d[\d.]*(?:[a-zµ]+[\d.]*)*\b`)

// alike removes from a message the parts that differ between failures of the same cause.
func alike(message string) string { return variable.ReplaceAllString(message, "…") }

// untold returns a message without its reference to another fixture.
func untold(message string) string {
	if i := strings.LastIndex(message, reports.ToldBy("", "")); i >= 0 {
		return message[:i]
	}
	return message
}

// someNames lists the first names.
func someNames(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
