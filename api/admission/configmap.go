package admission

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// ConfigLabelValue is the value of v1beta1.LabelPartOf of the ConfigMaps that the configuration webhook is asked about.
const ConfigLabelValue = "tekton-pipelines"

// ConfigMap is the configuration webhook: it refuses a config-defaults that cannot be parsed (spec §2.1). feature-flags is
// not among what it checks: there a bad value is stored, and not taken over.
func ConfigMap(m *corev1.ConfigMap) error {
	if m.Labels[v1beta1.LabelPartOf] != ConfigLabelValue || m.Name != config.DefaultsName {
		return nil
	}
	if _, err := config.ParseDefaults(m.Data); err != nil {
		return &Denied{Webhook: ConfigWebhook, Stage: "validation failed", Err: err}
	}
	return nil
}
