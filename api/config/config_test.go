package config_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

func TestEmptyConfigMapsMeanTheDocumentedDefaults(t *testing.T) {
	t.Parallel()
	want := &config.Config{
		Defaults: config.Defaults{
			TimeoutMinutes: 60, ServiceAccount: "default", ManagedByLabelValue: "tekton-pipelines", MaxMatrixCombinationsCount: 256,
		},
		FeatureFlags: config.FeatureFlags{
			EnableAPIFields: "stable", InjectedSidecars: true, AwaitSidecarReadiness: true, EnableCustomTasks: true,
			EmbeddedStatus: "full", ResourceVerificationMode: "skip", ResultsFrom: "termination-message", MaxResultSize: 4096,
			CustomTaskVersion: "v1alpha1",
		},
	}
	if diff := cmp.Diff(want, config.Default()); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestEveryKeyIsRead(t *testing.T) {
	t.Parallel()
	got, err := config.Parse(map[string]string{
		"default-timeout-minutes":                 "0",
		"default-service-account":                 "builder",
		"default-managed-by-label-value":          "us",
		"default-pod-template":                    "nodeSelector: {disk: ssd}\nfieldOfALaterRelease: x\n",
		"default-affinity-assistant-pod-template": "tolerations: [{key: k}]",
		"default-cloud-events-sink":               "http://sink",
		"default-task-run-workspace-binding":      "emptyDir: {}",
		"default-max-matrix-combinations-count":   "7",
		"default-forbidden-env":                   " B, A ,B,, ",
		"key-of-a-later-release":                  "x",
	}, map[string]string{
		"enable-api-fields":                             "Beta",
		"disable-affinity-assistant":                    "true",
		"disable-creds-init":                            "true",
		"running-in-environment-with-injected-sidecars": "false",
		"await-sidecar-readiness":                       "false",
		"require-git-ssh-secret-known-hosts":            "true",
		"enable-tekton-oci-bundles":                     "true",
		"enable-custom-tasks":                           "false",
		"enable-spire":                                  "true",
		"send-cloudevents-for-runs":                     "true",
		"embedded-status":                               "both",
		"resource-verification-mode":                    "warn",
		"enable-provenance-in-status":                   "true",
		"results-from":                                  "sidecar-logs",
		"max-result-size":                               "1572863",
		"custom-task-version":                           "v1beta1",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		Defaults: config.Defaults{
			ServiceAccount: "builder", ManagedByLabelValue: "us",
			PodTemplate:                  &v1beta1.PodTemplate{NodeSelector: map[string]string{"disk": "ssd"}},
			AffinityAssistantPodTemplate: &config.AffinityAssistantPodTemplate{Tolerations: []corev1.Toleration{{Key: "k"}}},
			CloudEventsSink:              "http://sink",
			TaskRunWorkspaceBinding:      "emptyDir: {}",
			MaxMatrixCombinationsCount:   7,
			ForbiddenEnv:                 []string{"A", "B"},
		},
		FeatureFlags: config.FeatureFlags{
			EnableAPIFields: "beta", DisableAffinityAssistant: true, DisableCredsInit: true, RequireGitSSHKnownHosts: true,
			EnableTektonOCIBundles: true, EnableSpire: true, SendCloudEventsForRuns: true, EmbeddedStatus: "both",
			ResourceVerificationMode: "warn", EnableProvenanceInStatus: true, ResultsFrom: "sidecar-logs", MaxResultSize: 1572863,
			CustomTaskVersion: "v1beta1",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if got.Defaults.Timeout() != 0 || config.Default().Defaults.Timeout() != time.Hour {
		t.Errorf("timeouts are %v and %v, want none and an hour", got.Defaults.Timeout(), config.Default().Defaults.Timeout())
	}
}

func TestAlphaTurnsOnAllItsFeatures(t *testing.T) {
	t.Parallel()
	f, err := config.ParseFeatureFlags(map[string]string{
		"enable-api-fields": "ALPHA", "enable-tekton-oci-bundles": "false", "enable-custom-tasks": "false", "enable-spire": "false",
	})
	if err != nil {
		t.Fatal(err)
	}
	if !f.EnableTektonOCIBundles || !f.EnableCustomTasks || !f.EnableSpire || !f.Alpha() || !f.Beta() {
		t.Errorf("alpha left something off: %+v", f)
	}
	beta := config.FeatureFlags{EnableAPIFields: config.BetaAPIFields}
	if beta.Alpha() || !beta.Beta() {
		t.Error("beta is beta and not alpha")
	}
}

func TestBadValuesAreRefusedByName(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ reason, key, value, want string }{
		{"not a number; the words are the reference's", "default-timeout-minutes", "1h", `failed parsing tracing config "default-timeout-minutes"`},
		{"not a number", "default-max-matrix-combinations-count", "", `failed parsing tracing config "default-max-matrix-combinations-count"`},
		{"not a boolean: the value is quoted, not the key", "disable-creds-init", "maybe", `failed parsing feature flags config "maybe": strconv.ParseBool: parsing "maybe": invalid syntax`},
		{"no such stage, in lower case", "enable-api-fields", "Gamma", `invalid value for feature flag "enable-api-fields": "gamma"`},
		{"no such choice", "embedded-status", "none", `invalid value for feature flag "embedded-status": "none"`},
		{"no such choice", "resource-verification-mode", "x", `invalid value for feature flag "resource-verification-mode": "x"`},
		{"no such choice", "results-from", "x", `invalid value for feature flag "results-from": "x"`},
		{"no such choice", "custom-task-version", "v1", `invalid value for feature flag "custom-task-version": "v1"`},
		{"more than an object can hold", "max-result-size", "1572864", `invalid value for feature flag "max-result-size": "1572864"`},
		{"a result needs room", "max-result-size", "0", `invalid value for feature flag "max-result-size": "0"`},
	} {
		t.Run(row.key+"="+row.value, func(t *testing.T) {
			t.Parallel()
			data := map[string]string{row.key: row.value}
			_, errDefaults := config.ParseDefaults(data)
			_, errFlags := config.ParseFeatureFlags(data)
			got := ""
			for _, err := range []error{errDefaults, errFlags} {
				if err != nil {
					got += err.Error()
				}
			}
			if got != row.want {
				t.Errorf("%s:\n got %s\nwant %s", row.reason, got, row.want)
			}
		})
	}
	for _, key := range []string{"default-pod-template", "default-affinity-assistant-pod-template"} {
		if _, err := config.ParseDefaults(map[string]string{key: "tolerations: 5"}); err == nil {
			t.Errorf("%s: a template of another shape was accepted", key)
		}
	}
}
