package subject

import "github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"

// Remote is what the reference has to reach beyond the cluster.
type Remote struct {
	// Resolvers answer ResolutionRequests, beside the one that looks in the cluster.
	Resolvers []resolver.Resolver
	// Bundles fetches what the field bundle of a reference names.
	Bundles resolver.Bundles
}
