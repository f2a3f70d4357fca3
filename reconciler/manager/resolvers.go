package manager

import (
	"os"

	"github.com/plumbline-ci/plumbline/reconciler/resolution"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/bundles"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/git"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/http"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/hub"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// resolvers are those of the program, over the network. The environment says where hubs are: ARTIFACT_HUB_API, and
// TEKTON_HUB_API, without which there is no Tekton Hub.
func resolvers() []resolver.Resolver {
	artifacts := os.Getenv("ARTIFACT_HUB_API")
	if artifacts == "" {
		artifacts = hub.ArtifactHub
	}
	return []resolver.Resolver{
		&git.Resolver{Repositories: git.NewServers(), API: git.NewAPI(), Namespace: resolution.Namespace},
		bundles.Resolver{Registry: bundles.Remote{}},
		hub.Resolver{API: hub.NewAPI(), ArtifactURL: artifacts, TektonURL: os.Getenv("TEKTON_HUB_API")},
		http.Resolver{API: http.NewAPI()},
	}
}
