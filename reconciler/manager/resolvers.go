package manager

import (
	"os"

	"github.com/plumbline-ci/plumbline/reconciler/resolution"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/bundles"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/git"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/http"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/hub"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/outbound"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// resolvers are those of the program, over a network, and what fetches bundles for the field of that name. The environment
// says where hubs are: ARTIFACT_HUB_API, and TEKTON_HUB_API, without which there is no Tekton Hub.
func resolvers(n outbound.Network) ([]resolver.Resolver, resolver.Bundles) {
	artifacts := os.Getenv("ARTIFACT_HUB_API")
	if artifacts == "" {
		artifacts = hub.ArtifactHub
	}
	registry := bundles.NewRemote(n)
	return []resolver.Resolver{
		&git.Resolver{Repositories: git.NewServers(n), API: git.NewAPI(n), Namespace: resolution.Namespace},
		bundles.Resolver{Registry: registry},
		hub.Resolver{API: hub.NewAPI(n), ArtifactURL: artifacts, TektonURL: os.Getenv("TEKTON_HUB_API")},
		http.Resolver{API: http.NewAPI(n)},
	}, bundles.Field{Registry: registry}
}
