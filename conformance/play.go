package conformance

import (
	"context"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/session"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
)

// Play does what a fixture says in spec.when, or applies its manifests if it says
// nothing or has no header, and judges nothing. The namespace must exist; manifests
// that name another keep it. virtual says that waiting costs nothing on the cluster.
//
// An action that does not succeed ends it: the error names the place in the file and
// holds the API server's answer.
func Play(ctx context.Context, c Cluster, f *fixture.Fixture, namespace string, virtual bool) (err error) {
	defer verdict.Recovered(&err, "the target")
	pace := session.Real
	if virtual {
		pace = session.Virtual
	}
	return session.New(session.Options{Fixture: f, Cluster: c, Namespace: namespace, Pace: pace, Replay: defaultReplay}).Play(ctx)
}
