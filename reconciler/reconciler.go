// Package reconciler is what the reconcilers of all kinds share: what they are given to work with ([Deps]), and how one of
// them is declared ([Controller]).
//
//	reconciler.go   Deps, and the small interfaces in it
//	controller.go   Controller: what a reconciler is for, what wakes it, which rights it needs
//	run.go          Run, what runs of all kinds have
//	adapters.go     functions and the machine's clock as those interfaces
//
// Each kind has a folder of its own, taskrun for one, which reconciles it on top of package pass. What such a folder decides
// without the cluster is in packages that several kinds use: resolve, remote, substitution, fit, podspec, podstatus, progress,
// childname. The folder resolution has the resolvers, too. Package controllers lists what the folders declare. Packages manager and webhook make a program of all that.
package reconciler

import (
	"context"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/reconciler/podspec"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// Deps is what a reconciler needs. Everything that it learns from the world, and does to it, goes through these.
type Deps struct {
	// Client reads from a cache, which may be behind, and writes.
	Client client.Client
	// Reader reads from the API server.
	Reader client.Reader
	Clock  Clock
	// Recorder records events, under the name of the controller that they come from.
	Recorder Recorder
	// Config is the configuration as of now. A reconciler asks for it once a pass.
	Config func() config.Config
	// Images are the images that Pods use besides those of their Task.
	Images Images
	// ImageConfig looks up images of Steps without a command. Without it such Steps fail.
	ImageConfig ImageLookup
	// Logs is needed where results come from the logs of a Sidecar.
	Logs PodLogs
	// Bundles fetches what the deprecated field bundle of references names. Without it such references fail.
	Bundles resolver.Bundles
	// Deadline bounds how long a resolver works. Without it nothing does, as in a world whose clock stands still meanwhile.
	Deadline func(context.Context, time.Duration) (context.Context, context.CancelFunc)
	// Rights are those of the program. Without them it has all that it needs, everywhere.
	Rights Rights
	// Revision names this build. It is "unknown" if empty.
	Revision string
}

// Recorder records events. It must not block.
type Recorder interface {
	Event(object runtime.Object, eventtype, reason, message string)
}

// Rights tell what the program may do.
type Rights interface {
	// Has reports whether it has a right: in the namespace that the right names, or without one in all.
	Has(ctx context.Context, right authorizationv1.ResourceAttributes) (bool, error)
}

// Clock tells the time.
type Clock interface{ Now() time.Time }

// ImageLookup asks a registry about images.
type ImageLookup interface {
	// ImageConfig returns what the registry knows of an image, as far as access allows.
	ImageConfig(ctx context.Context, reference string, access ImageAccess) (Image, error)
}

// ImageAccess says on whose behalf a registry is asked: the pull secrets of the service account, and those named.
type ImageAccess struct {
	Namespace, ServiceAccount string
	PullSecrets               []string
}

// PodLogs reads what containers print.
type PodLogs interface {
	Logs(ctx context.Context, namespace, pod, container string) ([]byte, error)
}

// Image is what a registry knows of an image.
type Image = podspec.Image

// Images are the images that Pods use besides those of their Task.
type Images = podspec.Images
