package v1beta1

import corev1 "k8s.io/api/core/v1"

// PodTemplate is what a user may say about the Pod of a run beyond its containers.
type PodTemplate struct {
	NodeSelector                 map[string]string                 `json:"nodeSelector,omitempty"`
	Env                          []corev1.EnvVar                   `json:"env,omitempty"`
	Tolerations                  []corev1.Toleration               `json:"tolerations,omitempty"`
	Affinity                     *corev1.Affinity                  `json:"affinity,omitempty"`
	SecurityContext              *corev1.PodSecurityContext        `json:"securityContext,omitempty"`
	Volumes                      []corev1.Volume                   `json:"volumes,omitempty"`
	RuntimeClassName             *string                           `json:"runtimeClassName,omitempty"`
	AutomountServiceAccountToken *bool                             `json:"automountServiceAccountToken,omitempty"`
	DNSPolicy                    *corev1.DNSPolicy                 `json:"dnsPolicy,omitempty"`
	DNSConfig                    *corev1.PodDNSConfig              `json:"dnsConfig,omitempty"`
	EnableServiceLinks           *bool                             `json:"enableServiceLinks,omitempty"`
	PriorityClassName            *string                           `json:"priorityClassName,omitempty"`
	SchedulerName                string                            `json:"schedulerName,omitempty"`
	ImagePullSecrets             []corev1.LocalObjectReference     `json:"imagePullSecrets,omitempty"`
	HostAliases                  []corev1.HostAlias                `json:"hostAliases,omitempty"`
	HostNetwork                  bool                              `json:"hostNetwork,omitempty"`
	TopologySpreadConstraints    []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`
}
