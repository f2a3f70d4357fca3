package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/targets/cluster"
	"github.com/plumbline-ci/plumbline/reports"
)

// longestPrefix leaves room for what tells namespaces apart.
const longestPrefix = 20

// clusterOptions are the flags of run that are about a cluster that is there already.
type clusterOptions struct {
	kubeconfig, context string
	subject             string
	images              []string
	keep                bool
	prefix              string
	claimedOnly         bool
	budget, limit       time.Duration
	outside             bool
	given               []string // the flags that were given, by name
	there               *cluster.Target
}

// clusterFlags are their names.
func clusterFlags() []string {
	return []string{"kubeconfig", "context", "subject", "image", "keep", "namespace-prefix", "claimed-only", "budget", "time-limit", "outside"}
}

func (o *clusterOptions) register(f *pflag.FlagSet) {
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of the cluster to judge, with --target cluster, or of the kind cluster, with --target kind; default: as kubectl")
	f.StringVar(&o.context, "context", "", "context of the kubeconfig; default: the current one")
	f.StringVar(&o.subject, "subject", "", "file of kind Subject: the implementation on that cluster and its claims; on other targets the reference is judged by these claims")
	f.StringArrayVar(&o.images, "image", nil, "name of a fixture image on the cluster, such as busybox=registry.example.com/busybox; may be repeated")
	f.BoolVar(&o.keep, "keep", false, "keep the namespaces of fixtures that did not pass, and with --target kind also the cluster")
	f.StringVar(&o.prefix, "namespace-prefix", "", "prefix of the fixtures' namespaces")
	f.DurationVar(&o.budget, "budget", 0, "minimum time for each wait, for slow clusters; default: what each fixture says, mostly 2m")
	f.DurationVar(&o.limit, "time-limit", 0, "how long the run may take, on any target; a run that exceeds it is incomplete; default: no limit")
	f.BoolVar(&o.outside, "outside", false, "the resolvers of the implementation reach what plumbline outside serves, so fixtures with something outside the cluster are run")
	f.BoolVar(&o.claimedOnly, "claimed-only", false, "do not try features that are not claimed")
}

// note remembers which of the flags were given.
func (o *clusterOptions) note(f *pflag.FlagSet) {
	for _, name := range clusterFlags() {
		if f.Changed(name) {
			o.given = append(o.given, name)
		}
	}
}

// anywhere are the flags that all targets have a use for.
func anywhere() []string { return []string{"subject", "claimed-only", "time-limit"} }

// elsewhere refuses flags that a target has no use for. taken are those that it has one for, besides those of all targets.
func (o *clusterOptions) elsewhere(target string, taken ...string) error {
	for _, name := range o.given {
		if !slices.Contains(anywhere(), name) && !slices.Contains(taken, name) {
			return &usageError{fmt.Errorf("--%s is for --target %s, but the target is %s", name, cluster.Name, target)}
		}
	}
	return nil
}

// claim has the reference claim what a subject file says, on targets where it is what is judged. It is still the reference:
// who the file is about was not there.
func (o *clusterOptions) claim(options *conformance.Options) (*conformance.Subject, error) {
	subject, err := o.load()
	if subject == nil || err != nil {
		return nil, err
	}
	options.Claims, options.TryUnclaimed = subject.Claims(), !o.claimedOnly
	return subject, nil
}

// into makes a cluster the target of a run, and its subject what is judged.
func (o *clusterOptions) into(ctx context.Context, errs io.Writer, options *conformance.Options) error {
	images, err := o.mapping()
	if err != nil {
		return err
	}
	if err := o.checkPrefix(); err != nil {
		return err
	}
	subject, err := o.load()
	if err != nil {
		return err
	}
	if subject != nil {
		if err := subject.Check(options.Fixtures); err != nil {
			return err
		}
	}
	config, err := cluster.Connect(o.kubeconfig, o.context)
	if err != nil {
		return unreachable(err)
	}
	config.WarningHandlerWithContext = newWarnings(errs)
	target := cluster.Options{Config: config, Images: images, Parallel: options.Parallel, Remote: o.outside}
	options.Claims = conformance.Claims{Profiles: []string{fixture.ProfileTaskRunCore}}
	options.Implementation = reports.Implementation{Project: "the implementation installed at " + config.Host}
	if subject != nil {
		options.Claims, options.Implementation = subject.Claims(), subject.Identity()
		options.TryUnclaimed = !o.claimedOnly
		target.Configuration, target.Roles, target.Substituted = subject.Configuration, subject.Roles, subject.Substituted
		for name, here := range subject.Images {
			if _, ok := images[name]; !ok { // the command line wins
				target.Images[name] = here
			}
		}
	}
	options.KeepNamespaces, options.NamespacePrefix, options.Budget, options.Date = o.keep, o.prefix, o.budget, time.Now()
	there, err := cluster.New(ctx, target)
	if err != nil {
		return unreachable(err)
	}
	if target.Configuration != nil {
		if err := there.Hold(ctx, target.Configuration.Namespace); err != nil {
			return unreachable(err)
		}
	}
	o.there, options.Target = there, there
	return nil
}

// leave lets other runs in.
func (o *clusterOptions) leave(errs io.Writer) {
	if err := o.there.Close(); err != nil {
		fmt.Fprintf(errs, "plumbline: %v\n", err)
	}
}

// mapping reads --image.
func (o *clusterOptions) mapping() (map[string]string, error) {
	images := map[string]string{}
	for _, text := range o.images {
		name, here, ok := strings.Cut(text, "=")
		if !ok || name == "" || here == "" {
			return nil, &usageError{fmt.Errorf("--image %s: want name=name, such as busybox=registry.example.com/busybox", text)}
		}
		images[name] = here
	}
	return images, nil
}

// limited is the time that a run has.
func (o *clusterOptions) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.limit <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, o.limit, fmt.Errorf("the time limit of %v was reached: %w", o.limit, context.DeadlineExceeded))
}

func (o *clusterOptions) checkPrefix() error {
	if o.prefix == "" {
		return nil
	}
	if wrong := validation.IsDNS1123Label(o.prefix + "x"); len(wrong) > 0 || len(o.prefix) > longestPrefix {
		return &usageError{fmt.Errorf("--namespace-prefix %s: names begin with at most %d lower-case letters, digits and dashes", o.prefix, longestPrefix)}
	}
	return nil
}

func (o *clusterOptions) checkTimes() error {
	if o.budget < 0 || o.limit < 0 {
		return &usageError{errors.New("--budget and --time-limit cannot be negative")}
	}
	return nil
}

// load reads the subject file, if there is one.
func (o *clusterOptions) load() (*conformance.Subject, error) {
	if o.subject == "" {
		return nil, nil
	}
	return readSubject(o.subject)
}

// readSubject reads a subject file, and says which file is missing.
func readSubject(file string) (*conformance.Subject, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("subject %s: %w", file, pathReason(err))
	}
	return conformance.LoadSubject(file, data)
}

// unreachable gives what stands between us and a cluster its exit code.
func unreachable(err error) error {
	var (
		none      *cluster.NoKubeconfigError
		wrong     *cluster.InvalidKubeconfigError
		nothing   *cluster.NotInstalledError
		ambiguous *cluster.AmbiguousImageError
		used      *cluster.InUseError
	)
	switch {
	case errors.As(err, &none) && !errors.Is(err, fs.ErrPermission), errors.As(err, &nothing):
		return &coded{code: exitNotFound, err: err}
	case errors.As(err, &wrong), errors.As(err, &ambiguous):
		return &coded{code: exitInvalid, err: err}
	case errors.As(err, &used), apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return &coded{code: exitForbidden, err: err}
	}
	return err
}
