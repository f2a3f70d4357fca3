package reports

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
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
func causes(r *ConformanceReport) []cause {
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
		out[at].Counts = out[at].Counts || f.Verdict == Error || r.Binds(f)
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
func causeOf(f *Fixture) (key, what string) {
	message := f.Reason
	switch {
	case f.Failure != nil:
		message = f.Failure.Message
	case f.Verdict != Error:
		return "", ""
	}
	message = untold(firstLine(message))
	if i := strings.Index(message, "panicked: "); i >= 0 {
		return "panic " + alike(message[i:]), message
	}
	x := f.Failure
	if x != nil && x.Path != "" && (x.Want != "" || x.Got != "") {
		what = fmt.Sprintf("%s: want %s, got %s", x.Path, short(firstLine(x.Want)), short(firstLine(x.Got)))
		return "field " + x.Path + "\x00" + x.Want + "\x00" + alike(x.Got), what
	}
	what = message
	if x != nil && (x.Want != "" || x.Got != "") {
		what = fmt.Sprintf("%s: want %s, got %s", message, short(firstLine(x.Want)), short(firstLine(x.Got)))
	}
	return "message " + alike(what), what
}

// variable is what differs between two messages of one cause: references, durations, hashes and other numbers.
var variable = regexp.MustCompile(`\b[a-z]+/[\w.*-]+|\b[0-9a-f]{8,}\b|\b\d[\d.]*(?:[a-zµ]+[\d.]*)*\b`)

// alike returns a message without what tells two of one cause apart.
func alike(message string) string { return variable.ReplaceAllString(message, "…") }

// see is before the name of the fixture that tells a failure in full.
const see = "; see fixture "

// ToldBy is the message of a failure whose cause another fixture tells in full. Both count as failures of that one cause.
func ToldBy(message, fixture string) string { return message + see + fixture }

// untold returns a message without its reference to another fixture.
func untold(message string) string {
	if i := strings.LastIndex(message, see); i >= 0 {
		return message[:i]
	}
	return message
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimLeft(s, "\n"), "\n")
	return line
}

// someNames lists the first names.
func someNames(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
