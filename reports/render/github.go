package render

import (
	"bytes"
	"io"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/annotation"
	"github.com/plumbline-ci/plumbline/reports/internal/failure"
	"github.com/plumbline-ci/plumbline/reports/internal/harmless"
)

// writeGitHub writes workflow commands, which GitHub shows as annotations: an error for
// each failure that counts and for what broke, a warning for one that does not count,
// a notice for what was left out, and the verdict as an error unless the run passed.
// GitHub shows the first ten of a kind and step; the log has all.
func writeGitHub(w io.Writer, r *reports.ConformanceReport) error {
	r = harmless.Copy(r)
	var b bytes.Buffer
	for i := range r.Fixtures {
		f := &r.Fixtures[i]
		switch {
		case f.Failure != nil:
			level := "error"
			if !r.Binds(f) {
				level = "warning"
			}
			annotation.Write(&b, level, f.Failure.At, f.Name+" ("+f.Level+")", failure.Pointed(f, r.Proven(f))...)
		case f.Verdict == reports.Error:
			annotation.Write(&b, "error", f.File, f.Name+" broke", f.Reason)
		case f.Verdict == reports.NotRun || f.Verdict == reports.Excluded:
			annotation.Write(&b, "notice", f.File, f.Name+" "+string(f.Verdict), f.Reason)
		}
	}
	var total reports.Tally
	for _, f := range r.Fixtures {
		total.Add(f.Verdict)
	}
	if p := r.Policy; p != nil {
		for _, f := range p.Fields {
			if f.Verdict != reports.Pass {
				annotation.Write(&b, "error", "", "policy "+p.Name+": "+f.Field+": "+string(f.Verdict), f.Fixtures...)
			}
		}
		annotation.Write(&b, "notice", "", "policy "+p.String(), p.Title)
	}
	for _, f := range r.Findings {
		annotation.Write(&b, "notice", "", string(f.Kind), f.Message)
	}
	level := "notice"
	if r.Result != reports.Passed {
		level = "error"
	}
	annotation.Write(&b, level, "", about(r)+": "+string(r.Result), append([]string{total.String()}, r.Reasons...)...)
	_, err := w.Write(b.Bytes())
	return err
}
