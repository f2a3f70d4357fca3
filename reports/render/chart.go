package render

import (
	"fmt"
	"strconv"
	"time"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/plain"
)

// chart is a timeline as rows of bars; places are in percent of its length.
type chart struct {
	Ticks   []tick
	Grid    string // distance of ticks
	Rows    []chartRow
	Moments []chartMoments
	Legend  []legendEntry
	// Rest describes the time after the chart, if that is long.
	Rest string
}

type tick struct{ Left, Text string }

type chartRow struct {
	Class string
	Label string
	Bars  []chartBar
	Times string
	Bad   bool

	instances int // of a container that was restarted
}

// again counts one more instance of a container.
func (r *chartRow) again(s reports.Span) {
	if r.instances++; r.instances == 1 {
		r.instances = 2
	}
	r.Times = fmt.Sprintf("%d instances", r.instances)
	if s.Exit != nil {
		r.Times += fmt.Sprintf(", exit %d", *s.Exit)
	}
}

type chartBar struct{ Class, Left, Width, Title string }

type chartMoments struct {
	Object string
	List   []chartMoment
}

type chartMoment struct{ Class, At, Text string }

type legendEntry struct{ Class, Text string }

// newChart draws a timeline.
func newChart(t *reports.Timeline) *chart {
	if t == nil {
		return nil
	}
	c := &chart{}
	last := lastOf(t)
	length := c.scale(last)
	if t.End > last {
		c.Rest = "nothing more was seen until +" + clock(t.End)
	}
	place := func(at int64) string { return percent(at, length) }
	for _, o := range t.Objects {
		row := chartRow{Class: "object", Label: o.Object}
		m := chartMoments{Object: o.Object}
		for _, x := range o.Transitions {
			class := map[string]string{"True": "good", "False": "bad"}[x.Status]
			text := x.Type + "=" + x.Status
			if x.Reason != "" {
				text += "/" + x.Reason
			}
			row.Bars = append(row.Bars, chartBar{Class: "mark " + class, Left: place(x.At), Title: "+" + clock(x.At) + " " + text})
			m.List = append(m.List, chartMoment{class, clock(x.At), text})
			row.Times = x.Reason
			row.Bad = x.Status == "False"
		}
		c.Rows = append(c.Rows, row)
		c.Moments = append(c.Moments, m)
	}
	used := map[string]bool{}
	for _, p := range t.Pods {
		c.Rows = append(c.Rows, podRow(p, last, place, length))
		for i, s := range p.Spans {
			row, kinds := spanRow(s, p, last, place, length)
			for _, k := range kinds {
				used[k] = true
			}
			if i > 0 && p.Spans[i-1].Container == s.Container { // begun again: beside its former instance
				last := &c.Rows[len(c.Rows)-1]
				last.Bars = append(last.Bars, row.Bars...)
				last.Bad = last.Bad || row.Bad
				last.again(s)
				continue
			}
			c.Rows = append(c.Rows, row)
		}
	}
	for _, l := range []legendEntry{{"init", "init container"}, {"waits", "step waits for its turn"}, {"step", "step"}, {"sidecar", "sidecar"}, {"other", "other container"}, {"failed", "ended with an error"}} {
		if used[l.Class] {
			c.Legend = append(c.Legend, l)
		}
	}
	return c
}

// lastOf is the last moment that is drawn: the end, or if nothing happened for long before it, a little after what happened last.
func lastOf(t *reports.Timeline) int64 {
	last := int64(1)
	for _, o := range t.Objects {
		for _, x := range o.Transitions {
			last = max(last, x.At)
		}
	}
	for _, p := range t.Pods {
		last = max(last, p.From)
		if p.To != nil {
			last = max(last, *p.To)
		}
		for _, s := range p.Spans {
			last = max(last, s.From)
			if s.To != nil {
				last = max(last, *s.To)
			}
		}
	}
	if t.End > 2*last {
		return last + last/10
	}
	return max(last, t.End)
}

// scale chooses ticks that people read easily, and returns the chart's length.
func (c *chart) scale(end int64) int64 {
	const most = 5
	steps := []time.Duration{
		time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
		100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second,
		15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 120 * time.Hour, 240 * time.Hour,
	}
	length := end + end/50 + 1 // the last mark stands inside
	step := length             // longer than all: one tick
	for _, s := range steps {
		if length/s.Milliseconds() <= most {
			step = s.Milliseconds()
			break
		}
	}
	for at := int64(0); at <= length-length/20 || at == 0; at += step {
		c.Ticks = append(c.Ticks, tick{percent(at, length), clock(at)})
	}
	c.Grid = percent(step, length)
	return length
}

func podRow(p reports.PodLine, end int64, place func(int64) string, length int64) chartRow {
	row := chartRow{Class: "pod", Label: "pod/" + p.Name, Times: p.Phase}
	to, what := end, "still there at the end"
	if p.To != nil {
		to, what = *p.To, "deleted at +"+clock(*p.To)
		row.Times = "deleted " + clock(*p.To)
	}
	if p.Attempt > 0 {
		row.Times = fmt.Sprintf("attempt %d, %s", p.Attempt, row.Times)
	}
	row.Bars = []chartBar{{Class: "life", Left: place(p.From), Width: percent(to-p.From, length), Title: fmt.Sprintf("pod/%s from +%s, %s, phase %s", p.Name, clock(p.From), what, plain.Dash(p.Phase))}}
	return row
}

func spanRow(s reports.Span, p reports.PodLine, end int64, place func(int64) string, length int64) (row chartRow, kinds []string) {
	to, open := end, true
	if p.To != nil {
		to = *p.To
	}
	if s.To != nil {
		to, open = *s.To, false
	}
	to = max(to, s.From)
	row = chartRow{Class: "container", Label: s.Container, Times: clock(s.From) + "–"}
	if !open {
		row.Times += clock(to)
	}
	ended := "running at the end"
	if s.Exit != nil {
		row.Bad = *s.Exit != 0
		ended = fmt.Sprintf("exit %d %s", *s.Exit, s.Reason)
		row.Times += fmt.Sprintf(", exit %d", *s.Exit)
	} else if !open {
		ended = "deleted with its Pod"
	}
	bar := chartBar{Class: string(s.Role), Left: place(s.From), Width: percent(to-s.From, length), Title: fmt.Sprintf("%s %s–%s, %s", s.Container, clock(s.From), clock(to), ended)}
	if row.Bad {
		bar.Class = "failed"
	}
	kinds = []string{bar.Class}
	if open {
		bar.Class += " open"
	}
	row.Bars = []chartBar{bar}
	if s.Work != nil && !row.Bad {
		row.Bars[0].Class += " waits"
		row.Bars = append(row.Bars, chartBar{Class: string(s.Role), Left: place(s.Work.From), Width: percent(s.Work.To-s.Work.From, length), Title: fmt.Sprintf("%s worked %s–%s", s.Container, clock(s.Work.From), clock(s.Work.To))})
		kinds = append(kinds, "waits")
	}
	return row, kinds
}

// percent renders a place in percent, with two decimals at most.
func percent(at, of int64) string {
	return strconv.FormatFloat(float64(at*10000/max(of, 1))/100, 'f', -1, 64)
}

// clock renders milliseconds as 5.07s, 1m30s, 1h0m0s.
func clock(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d < time.Second:
		return d.String()
	case d < time.Minute:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
