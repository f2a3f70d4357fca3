// Package hub finds Tasks and Pipelines in catalogs: those of an Artifact Hub or of a Tekton Hub.
//
//	hub.go     the resolver
//	folder.go  a hub that is a folder
package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/outbound"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// Params of requests.
const (
	ParamName    = "name"
	ParamKind    = "kind"
	ParamVersion = "version"
	ParamCatalog = "catalog"
	ParamType    = "type"
)

// Values of the param type.
const (
	Artifact = "artifact"
	Tekton   = "tekton"
)

const (
	configTektonCatalog   = "default-tekton-hub-catalog"
	configTaskCatalog     = "default-artifact-hub-task-catalog"
	configPipelineCatalog = "default-artifact-hub-pipeline-catalog"
	configKind            = "default-kind"
	configType            = "default-type"
)

// ArtifactHub is where the public Artifact Hub is.
const ArtifactHub = "https://artifacthub.io"

// Resolver finds what hubs have.
type Resolver struct {
	API API
	// ArtifactURL and TektonURL are where the hubs of the two types are. Without TektonURL the type is refused.
	ArtifactURL, TektonURL string
}

// API is how a hub is reached. An *http.Client is one.
type API interface {
	Do(r *http.Request) (*http.Response, error)
}

// maxAnswer is how large an answer may be: the text of an object as JSON, with what a hub says about it.
const maxAnswer = 4 * resolver.MaxData

// NewAPI returns a client for the hubs of a network.
func NewAPI(n outbound.Network) API { return n.Client(maxAnswer) }

var _ resolver.Resolver = Resolver{}

// Type implements resolver.Resolver.
func (Resolver) Type() string { return "hub" }

// Name implements resolver.Resolver.
func (Resolver) Name() string { return "Hub" }

// ConfigMap implements resolver.Resolver.
func (Resolver) ConfigMap() string { return "hubresolver-config" }

// Flag implements resolver.Resolver.
func (Resolver) Flag() string { return "enable-hub-resolver" }

// Defaults implements resolver.Resolver.
func (Resolver) Defaults() map[string]string {
	return map[string]string{
		configTektonCatalog: "Tekton", configTaskCatalog: "tekton-catalog-tasks", configPipelineCatalog: "tekton-catalog-pipelines",
		configKind: "task", configType: Artifact,
	}
}

// wanted is what a request asks for, with defaults.
type wanted struct{ name, kind, version, catalog, hub string }

func (h Resolver) read(r resolver.Request) (wanted, error) {
	w := wanted{name: r.Param(ParamName), kind: r.Param(ParamKind), version: r.Param(ParamVersion), catalog: r.Param(ParamCatalog), hub: r.Param(ParamType)}
	if err := w.fill(r.Config); err != nil {
		return w, fmt.Errorf("failed to populate default params: %w", err)
	}
	if err := h.check(w); err != nil {
		return w, fmt.Errorf("failed to validate params: %w", err)
	}
	w.version = spelled(w.version, w.hub)
	return w, nil
}

// fill gives what was left out its default.
func (w *wanted) fill(config map[string]string) error {
	for _, d := range []struct {
		field     *string
		key, what string
	}{
		{&w.hub, configType, "type"},
		{&w.kind, configKind, "resource kind"},
		{&w.catalog, w.catalogKey(config), "catalog"},
	} {
		if *d.field != "" {
			continue
		}
		value := config[d.key]
		if value == "" {
			return fmt.Errorf("default %s was not set during installation of the hub resolver", d.what)
		}
		*d.field = value
	}
	return nil
}

// catalogKey is the key of the default catalog for the type and the kind, which may be defaults themselves.
func (w *wanted) catalogKey(config map[string]string) string {
	or := func(value, key string) string {
		if value == "" {
			return config[key]
		}
		return value
	}
	switch {
	case or(w.hub, configType) == Tekton:
		return configTektonCatalog
	case or(w.kind, configKind) == "pipeline":
		return configPipelineCatalog
	default:
		return configTaskCatalog
	}
}

func (h Resolver) check(w wanted) error {
	switch {
	case w.kind != "task" && w.kind != "pipeline":
		return errors.New("kind param must be task or pipeline")
	case w.hub != Artifact && w.hub != Tekton:
		return fmt.Errorf("type param must be %s or %s", Artifact, Tekton)
	case w.hub == Tekton && h.TektonURL == "":
		return errors.New("pleaes configure TEKTON_HUB_API env variable to use tekton type")
	}
	var missing []string
	if w.name == "" {
		missing = append(missing, ParamName)
	}
	if w.version == "" {
		missing = append(missing, ParamVersion)
	}
	if len(missing) > 0 {
		return fmt.Errorf("missing required hub resolver params: %s", strings.Join(missing, ", "))
	}
	return nil
}

// spelled is a version as a hub of a type spells it: an Artifact Hub has three parts, a Tekton Hub two.
func spelled(version, hub string) string {
	parts := strings.Split(version, ".")
	switch {
	case hub == Artifact && len(parts) == 2:
		return version + ".0"
	case hub == Tekton && len(parts) == 3:
		return strings.Join(parts[:2], ".")
	}
	return version
}

// Validate implements resolver.Resolver.
func (h Resolver) Validate(_ context.Context, r resolver.Request) error {
	_, err := h.read(r)
	return err
}

// Resolve implements resolver.Resolver.
func (h Resolver) Resolve(ctx context.Context, r resolver.Request) (resolver.Resource, error) {
	w, err := h.read(r)
	if err != nil {
		return resolver.Resource{}, err
	}
	at, what := h.where(w)
	data, err := h.fetch(ctx, at, w.hub)
	if err != nil {
		return resolver.Resource{}, fmt.Errorf("fail to fetch %s Hub resource: %w", what, err)
	}
	sum := sha256.Sum256(data)
	return resolver.Resource{
		Data:   data,
		Source: &v1beta1.ConfigSource{URI: at, Digest: map[string]string{"sha256": hex.EncodeToString(sum[:])}},
	}, nil
}

// where is the URL of what is wanted, and what its hub is called.
func (h Resolver) where(w wanted) (at, what string) {
	kind, catalog, name, version := escape(w.kind), escape(w.catalog), escape(w.name), escape(w.version)
	if w.hub == Tekton {
		return fmt.Sprintf("%s/v1/resource/%s/%s/%s/%s/yaml", strings.TrimSuffix(h.TektonURL, "/"), catalog, kind, name, version), "Tekton"
	}
	return fmt.Sprintf("%s/api/v1/packages/tekton-%s/%s/%s/%s", strings.TrimSuffix(h.ArtifactURL, "/"), kind, catalog, name, version), "Artifact"
}

// escape makes a param one segment of a path.
func escape(s string) string {
	if s == "." || s == ".." {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}

func (h Resolver) fetch(ctx context.Context, at, hub string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := h.API.Do(r)
	if err != nil {
		return nil, fmt.Errorf("error requesting resource from Hub: %w", err)
	}
	body, err := io.ReadAll(answer.Body)
	err = errors.Join(err, answer.Body.Close())
	switch {
	case answer.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("requested resource '%s' not found on hub", at)
	case err != nil:
		return nil, fmt.Errorf("error reading response body: %w", err)
	}
	var found struct {
		Data struct {
			YAML        string `json:"yaml"`
			ManifestRaw string `json:"manifestRaw"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &found); err != nil {
		return nil, fmt.Errorf("error unmarshalling json response: %w", err)
	}
	text := found.Data.ManifestRaw
	if hub == Tekton {
		text = found.Data.YAML
	}
	switch {
	case text == "":
		return nil, fmt.Errorf("the answer of '%s' has no manifest", at)
	case len(text) > resolver.MaxData:
		return nil, fmt.Errorf("the manifest has %d bytes, where %d are allowed", len(text), resolver.MaxData)
	}
	return []byte(text), nil
}
