// Package config parses the configuration of an installation, the ConfigMaps
// `config-defaults` and `feature-flags`, into typed values.
//
// A value is parsed from the data of a ConfigMap. A missing key has its default.
// An unknown key is ignored, since other releases have other keys. A value that
// cannot be parsed is an error, and the program that watches the ConfigMap then
// keeps the last good configuration (spec §9).
package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// The ConfigMaps, and the namespace they are in unless the installation says otherwise.
const (
	Namespace        = "tekton-pipelines"
	DefaultsName     = "config-defaults"
	FeatureFlagsName = "feature-flags"
)

// Config is the configuration that admission and a reconcile run under.
type Config struct {
	Defaults     Defaults
	FeatureFlags FeatureFlags
}

// Default is the configuration of an installation whose ConfigMaps are empty.
func Default() *Config {
	c, err := Parse(nil, nil)
	if err != nil {
		panic("config: the defaults do not parse: " + err.Error())
	}
	return c
}

// Parse reads the data of both ConfigMaps.
func Parse(defaults, flags map[string]string) (*Config, error) {
	d, err := ParseDefaults(defaults)
	if err != nil {
		return nil, err
	}
	f, err := ParseFeatureFlags(flags)
	if err != nil {
		return nil, err
	}
	return &Config{Defaults: *d, FeatureFlags: *f}, nil
}

// Keys of config-defaults (spec §9.1).
const (
	KeyTimeoutMinutes               = "default-timeout-minutes"
	KeyServiceAccount               = "default-service-account"
	KeyManagedByLabelValue          = "default-managed-by-label-value"
	KeyPodTemplate                  = "default-pod-template"
	KeyAffinityAssistantPodTemplate = "default-affinity-assistant-pod-template"
	KeyCloudEventsSink              = "default-cloud-events-sink"
	KeyTaskRunWorkspaceBinding      = "default-task-run-workspace-binding"
	KeyMaxMatrixCombinationsCount   = "default-max-matrix-combinations-count"
	KeyForbiddenEnv                 = "default-forbidden-env"
)

// Defaults is config-defaults: what a run has where it says nothing.
type Defaults struct {
	TimeoutMinutes               int // 0 means no timeout
	ServiceAccount               string
	ManagedByLabelValue          string
	PodTemplate                  *v1beta1.PodTemplate
	AffinityAssistantPodTemplate *AffinityAssistantPodTemplate
	CloudEventsSink              string
	// TaskRunWorkspaceBinding is the YAML of a WorkspaceBinding. It is parsed where it is used, because a text that
	// does not parse fails the run that wants it, not the configuration (LC-35).
	TaskRunWorkspaceBinding    string
	MaxMatrixCombinationsCount int
	ForbiddenEnv               []string // sorted, without duplicates
}

// AffinityAssistantPodTemplate is the part of a PodTemplate that affinity assistants take.
type AffinityAssistantPodTemplate struct {
	NodeSelector     map[string]string             `json:"nodeSelector,omitempty"`
	Tolerations      []corev1.Toleration           `json:"tolerations,omitempty"`
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
}

// Timeout is TimeoutMinutes as a duration.
func (d *Defaults) Timeout() time.Duration { return time.Duration(d.TimeoutMinutes) * time.Minute }

// ParseDefaults reads the data of config-defaults.
func ParseDefaults(data map[string]string) (*Defaults, error) {
	d := &Defaults{
		TimeoutMinutes:             60,
		ServiceAccount:             "default",
		ManagedByLabelValue:        "tekton-pipelines",
		MaxMatrixCombinationsCount: 256,
	}
	for _, number := range []struct {
		key  string
		into *int
	}{{KeyTimeoutMinutes, &d.TimeoutMinutes}, {KeyMaxMatrixCombinationsCount, &d.MaxMatrixCombinationsCount}} {
		text, set := data[number.key]
		if !set {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			// The words about tracing are the reference's.
			return nil, fmt.Errorf("failed parsing tracing config %q", number.key)
		}
		*number.into = n
	}
	for _, text := range []struct {
		key  string
		into *string
	}{
		{KeyServiceAccount, &d.ServiceAccount},
		{KeyManagedByLabelValue, &d.ManagedByLabelValue},
		{KeyCloudEventsSink, &d.CloudEventsSink},
		{KeyTaskRunWorkspaceBinding, &d.TaskRunWorkspaceBinding},
	} {
		if s, set := data[text.key]; set {
			*text.into = s
		}
	}
	// Fields of a template that are not known are dropped, so that a ConfigMap for a later release does not stop this one.
	if text := data[KeyPodTemplate]; text != "" {
		d.PodTemplate = &v1beta1.PodTemplate{}
		if err := yaml.Unmarshal([]byte(text), d.PodTemplate); err != nil {
			return nil, fmt.Errorf("failed to unmarshal %s: %w", KeyPodTemplate, err)
		}
	}
	if text := data[KeyAffinityAssistantPodTemplate]; text != "" {
		d.AffinityAssistantPodTemplate = &AffinityAssistantPodTemplate{}
		if err := yaml.Unmarshal([]byte(text), d.AffinityAssistantPodTemplate); err != nil {
			return nil, fmt.Errorf("failed to unmarshal %s: %w", KeyAffinityAssistantPodTemplate, err)
		}
	}
	for name := range strings.SplitSeq(data[KeyForbiddenEnv], ",") {
		if name = strings.TrimSpace(name); name != "" {
			d.ForbiddenEnv = append(d.ForbiddenEnv, name)
		}
	}
	slices.Sort(d.ForbiddenEnv)
	d.ForbiddenEnv = slices.Compact(d.ForbiddenEnv)
	return d, nil
}
