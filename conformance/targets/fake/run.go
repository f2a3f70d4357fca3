package fake

import (
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/reports"
)

// Run judges a subject as a Go test, by what its subject file says: each fixture of the profiles that the file names is a subtest.
func Run[Test conformance.T[Test]](t Test, file string, s *subject.Subject) *reports.ConformanceReport {
	t.Helper()
	o, err := Judged(file, s)
	if err != nil {
		t.Fatal(err)
	}
	return conformance.Run(t, o)
}

// Judged returns the options by which Run judges a subject, for those who want to change some.
func Judged(file string, s *subject.Subject) (conformance.Options, error) {
	said, err := conformance.ReadSubject(file)
	if err != nil {
		return conformance.Options{}, err
	}
	o, err := said.Options()
	if err != nil {
		return o, err
	}
	o.Target, err = New(Options{Subject: s})
	return o, err
}
