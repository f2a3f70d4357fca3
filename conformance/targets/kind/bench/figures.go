package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// fact is a line of configuration, as benchstat reads them.
type fact struct{ key, value string }

func printFacts(w io.Writer, list []fact) {
	for _, f := range list {
		fmt.Fprintf(w, "%s: %s\n", f.key, f.value)
	}
}

// figure is one measurement.
type figure struct {
	Name string
	Took time.Duration
	More []unit
}

// unit is a further value of a measurement.
type unit struct {
	Name  string
	Value float64
}

// String is the line of a benchmark of one iteration.
func (f figure) String() string {
	text := fmt.Sprintf("Benchmark%s 1 %d ns/op", f.Name, f.Took.Nanoseconds())
	for _, u := range f.More {
		text += " " + strconv.FormatFloat(u.Value, 'f', -1, 64) + " " + u.Name
	}
	return text
}

// overview prints for people what benchstat would make of the figures.
func overview(w io.Writer, all []figure) {
	if len(all) == 0 {
		return
	}
	var names []string
	of := map[string][]time.Duration{}
	rates := map[string][]string{}
	for _, f := range all {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
		of[f.Name] = append(of[f.Name], f.Took)
		for _, u := range f.More {
			if strings.HasSuffix(u.Name, "/s") {
				rates[f.Name] = append(rates[f.Name], fmt.Sprintf("%.2f %s", u.Value, u.Name))
			}
		}
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "\nWHAT\tN\tMEDIAN\tLEAST\t90 %\tMOST\t")
	for _, name := range names {
		list := of[name]
		slices.Sort(list)
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", name, len(list), short(median(list)), short(list[0]), short(list[(len(list)*9-1)/10]), short(list[len(list)-1]), strings.Join(rates[name], ", "))
	}
	_ = t.Flush() // a summary that cannot be written is none
}

// median is that of a sorted list.
func median(sorted []time.Duration) time.Duration {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// short rounds to what is worth reading.
func short(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}
