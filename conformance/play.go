package conformance

import (
	"context"
	"errors"
	"fmt"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/statement"
	"github.com/plumbline-ci/plumbline/fixtures"
)

// Play does what a fixture says in spec.when, or applies its manifests if it says
// nothing or has no header, and judges nothing. The namespace must exist; manifests
// that name another keep it. virtual says that waiting costs nothing on the cluster.
//
// An action that does not succeed ends it: the error names the place in the file and
// holds the API server's answer.
func Play(ctx context.Context, c Cluster, f *fixture.Fixture, namespace string, virtual bool) (err error) {
	defer recovered(&err, "the target")
	s := &session{fixture: f, cluster: c, virtual: virtual, namespace: namespace, replay: defaultReplay, refused: map[string]error{}}
	s.start = c.Now()
	s.last = s.start
	s.world = newWorld(f, namespace, c.Now)
	stop, err := s.observe(ctx)
	defer stop()
	if err != nil {
		return err
	}
	return s.located(s.act(ctx))
}

// located turns a refusal of a manifest into mistakes in the file, at the fields that the API server's answer means.
func (s *session) located(err error) error {
	var r *refused
	if !errors.As(err, &r) || r.manifest == nil {
		return err
	}
	return s.mistakes(r.manifest, r.answer)
}

// Suite returns the fixtures of the embedded suite, sorted by profile and name.
func Suite() ([]*fixture.Fixture, error) {
	var o Options
	return o.load()
}

// Statements returns the documents' statements that the embedded suite's fixtures prove.
func Statements() (*statement.Table, error) {
	table, err := statement.Parse(suitePrefix+"/statements.tsv", fixtures.Statements)
	if err != nil {
		return nil, fmt.Errorf("the embedded statements: %w", err)
	}
	return table, nil
}
