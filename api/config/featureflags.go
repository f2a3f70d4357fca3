package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Keys of feature-flags (spec §9.2).
const (
	KeyEnableAPIFields          = "enable-api-fields"
	KeyDisableAffinityAssistant = "disable-affinity-assistant"
	KeyDisableCredsInit         = "disable-creds-init"
	KeyInjectedSidecars         = "running-in-environment-with-injected-sidecars"
	KeyAwaitSidecarReadiness    = "await-sidecar-readiness"
	KeyRequireGitSSHKnownHosts  = "require-git-ssh-secret-known-hosts"
	KeyEnableTektonOCIBundles   = "enable-tekton-oci-bundles"
	KeyEnableCustomTasks        = "enable-custom-tasks"
	KeyEnableSpire              = "enable-spire"
	KeySendCloudEventsForRuns   = "send-cloudevents-for-runs"
	KeyEmbeddedStatus           = "embedded-status"
	KeyResourceVerificationMode = "resource-verification-mode"
	KeyEnableProvenanceInStatus = "enable-provenance-in-status"
	KeyResultsFrom              = "results-from"
	KeyMaxResultSize            = "max-result-size"
	KeyCustomTaskVersion        = "custom-task-version"
)

// Values of enable-api-fields.
const (
	StableAPIFields = "stable"
	BetaAPIFields   = "beta"
	AlphaAPIFields  = "alpha"
)

// Values of results-from.
const (
	ResultsFromTerminationMessage = "termination-message"
	ResultsFromSidecarLogs        = "sidecar-logs"
)

// maxMaxResultSize is what an object in etcd can hold.
const maxMaxResultSize = 1572864

// FeatureFlags is feature-flags: what an installation switches on.
type FeatureFlags struct {
	EnableAPIFields          string // stable, beta or alpha
	DisableAffinityAssistant bool
	DisableCredsInit         bool
	// InjectedSidecars says that sidecars may appear in Pods that no Task declares, so Steps always wait for readiness.
	InjectedSidecars         bool
	AwaitSidecarReadiness    bool
	RequireGitSSHKnownHosts  bool
	EnableTektonOCIBundles   bool
	EnableCustomTasks        bool
	EnableSpire              bool
	SendCloudEventsForRuns   bool
	EmbeddedStatus           string // full, both or minimal
	ResourceVerificationMode string // skip, warn or enforce
	EnableProvenanceInStatus bool
	ResultsFrom              string
	MaxResultSize            int // bytes
	CustomTaskVersion        string
}

// Alpha reports whether alpha features are allowed.
func (f *FeatureFlags) Alpha() bool { return f.EnableAPIFields == AlphaAPIFields }

// Beta reports whether beta features are allowed, which alpha implies.
func (f *FeatureFlags) Beta() bool { return f.Alpha() || f.EnableAPIFields == BetaAPIFields }

// ParseFeatureFlags reads the data of feature-flags.
func ParseFeatureFlags(data map[string]string) (*FeatureFlags, error) {
	f := &FeatureFlags{
		InjectedSidecars:      true,
		AwaitSidecarReadiness: true,
		EnableCustomTasks:     true,
		MaxResultSize:         4096,
	}
	for _, flag := range []struct {
		key  string
		into *bool
	}{
		{KeyDisableAffinityAssistant, &f.DisableAffinityAssistant},
		{KeyDisableCredsInit, &f.DisableCredsInit},
		{KeyInjectedSidecars, &f.InjectedSidecars},
		{KeyAwaitSidecarReadiness, &f.AwaitSidecarReadiness},
		{KeyRequireGitSSHKnownHosts, &f.RequireGitSSHKnownHosts},
		{KeyEnableTektonOCIBundles, &f.EnableTektonOCIBundles},
		{KeyEnableCustomTasks, &f.EnableCustomTasks},
		{KeyEnableSpire, &f.EnableSpire},
		{KeySendCloudEventsForRuns, &f.SendCloudEventsForRuns},
		{KeyEnableProvenanceInStatus, &f.EnableProvenanceInStatus},
	} {
		text, set := data[flag.key]
		if !set {
			continue
		}
		value, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("failed parsing feature flags config %q: %w", text, err)
		}
		*flag.into = value
	}
	for _, choice := range []struct {
		key    string
		into   *string
		values []string // the first is the default
	}{
		{KeyEnableAPIFields, &f.EnableAPIFields, []string{StableAPIFields, BetaAPIFields, AlphaAPIFields}},
		{KeyEmbeddedStatus, &f.EmbeddedStatus, []string{"full", "both", "minimal"}},
		{KeyResourceVerificationMode, &f.ResourceVerificationMode, []string{"skip", "warn", "enforce"}},
		{KeyResultsFrom, &f.ResultsFrom, []string{ResultsFromTerminationMessage, ResultsFromSidecarLogs}},
		{KeyCustomTaskVersion, &f.CustomTaskVersion, []string{"v1alpha1", "v1beta1"}},
	} {
		if err := choose(choice.into, data, choice.key, choice.values); err != nil {
			return nil, err
		}
	}
	if text, set := data[KeyMaxResultSize]; set {
		n, err := strconv.Atoi(text)
		if err != nil || n <= 0 || n >= maxMaxResultSize {
			return nil, fmt.Errorf("invalid value for feature flag %q: %q", KeyMaxResultSize, text)
		}
		f.MaxResultSize = n
	}
	if f.Alpha() {
		f.EnableTektonOCIBundles, f.EnableCustomTasks, f.EnableSpire = true, true, true
	}
	return f, nil
}

func choose(into *string, data map[string]string, key string, values []string) error {
	*into = values[0]
	text, set := data[key]
	if !set {
		return nil
	}
	for _, v := range values {
		if strings.EqualFold(strings.TrimSpace(text), v) {
			*into = v
			return nil
		}
	}
	return fmt.Errorf("invalid value for feature flag %q: %q", key, strings.ToLower(text))
}
