package suite

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/reports"
)

// Flags are the command-line flags of a conformance test: go test ./conformance -args -target=fake.
type Flags struct {
	// Target names where to run, of the targets given to Run.
	Target string
	// Kubeconfig is for targets that are a cluster.
	Kubeconfig string
	// Subject is a file of kind Subject: what is judged and what it claims.
	Subject string
	// Fixtures is a folder of fixtures, instead of the embedded suite.
	Fixtures string
	// Report is a file to write the report to, as JSON.
	Report string
	// Seed decides everything random on virtual time.
	Seed uint64

	kubeconfig flag.Value
}

// RegisterFlags adds the flags to a set; target is the default of -target.
func RegisterFlags(set *flag.FlagSet, target string) *Flags {
	f := &Flags{}
	set.StringVar(&f.Target, "target", target, "where to run the fixtures")
	if theirs := set.Lookup("kubeconfig"); theirs != nil {
		f.kubeconfig = theirs.Value // controller-runtime's config package has one on the command line
	} else {
		set.StringVar(&f.Kubeconfig, "kubeconfig", "", "the cluster, for targets that are one")
	}
	set.StringVar(&f.Subject, "subject", "", "file of kind Subject: the implementation and its claims")
	set.StringVar(&f.Fixtures, "fixtures", "", "folder of fixtures instead of the embedded suite")
	set.StringVar(&f.Report, "report", "", "file to write the report to, as JSON")
	set.Uint64Var(&f.Seed, "seed", conformance.DefaultSeed, "decides everything random on virtual time")
	return f
}

// Constructor makes a target as the flags say.
type Constructor func(*Flags) (conformance.Target, error)

// Run runs the fixtures as Ginkgo specs. defaults are what is judged without a -subject.
func (f *Flags) Run(t *testing.T, targets map[string]Constructor, defaults conformance.Options) {
	t.Helper()
	Specs(func() (conformance.Options, error) { return f.options(targets, defaults) }, f.write)
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.RunSpecs(t, "Plumbline conformance on "+f.Target)
}

func (f *Flags) options(targets map[string]Constructor, o conformance.Options) (conformance.Options, error) {
	if f.kubeconfig != nil {
		f.Kubeconfig = f.kubeconfig.String()
	}
	construct, ok := targets[f.Target]
	if !ok {
		return o, fmt.Errorf("unknown target %q; use one of: %s", f.Target, strings.Join(slices.Sorted(maps.Keys(targets)), ", "))
	}
	target, err := construct(f)
	if err != nil {
		return o, fmt.Errorf("target %s: %w", f.Target, err)
	}
	o.Target, o.Seed, o.Date = target, f.Seed, time.Now()
	o.Replay = func(name string, seed uint64) string {
		text := fmt.Sprintf("go test ./conformance -ginkgo.label-filter=name:%s -args -target=%s", name, f.Target)
		for _, x := range []struct{ flag, value string }{{"kubeconfig", f.Kubeconfig}, {"subject", f.Subject}, {"fixtures", f.Fixtures}} {
			if x.value != "" {
				text += fmt.Sprintf(" -%s='%s'", x.flag, strings.ReplaceAll(x.value, "'", `'\''`))
			}
		}
		return text + fmt.Sprintf(" -seed=%d", seed)
	}
	if f.Fixtures != "" {
		o.FS, o.FSName = os.DirFS(f.Fixtures), f.Fixtures
	}
	subject, err := f.LoadSubject()
	if err != nil {
		return o, err
	}
	if subject != nil {
		o.Implementation, o.Claims = subject.Identity(), subject.Claims()
	}
	return o, nil
}

// LoadSubject reads the subject file; without one the answer is nil.
func (f *Flags) LoadSubject() (*conformance.Subject, error) {
	if f.Subject == "" {
		return nil, nil
	}
	return conformance.ReadSubject(f.Subject)
}

func (f *Flags) write(r *reports.ConformanceReport) error {
	if f.Report == "" {
		return nil
	}
	data, err := reports.Encode(r)
	if err != nil {
		return err
	}
	return os.WriteFile(f.Report, data, 0o644)
}
