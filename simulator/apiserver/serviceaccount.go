package apiserver

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/pods"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// What the ServiceAccount admission plugin puts into Pods.
const (
	TokenVolumePrefix = "kube-api-access-"
	TokenMountPath    = "/var/run/secrets/kubernetes.io/serviceaccount"
	tokenKey          = "token"
	namespaceKey      = "namespace"
	// boundTokenSeconds is an hour and a little, so that a token is renewed before
	// clients that renew hourly see it expire.
	boundTokenSeconds = int64(60*60 + 7)
	projectedMode     = int32(0o644)
)

// newPod returns the Pod that a request creates, or nil if it does something else.
func newPod(req *Request) *corev1.Pod {
	if req.Operation != OperationCreate || req.Subresource != "" {
		return nil
	}
	pod, _ := req.Object.(*corev1.Pod)
	return pod
}

// serviceAccounts is the admission plugin ServiceAccount: a Pod runs under an
// account that exists, and gets its token.
type serviceAccounts struct{ s *Server }

func (a serviceAccounts) Admit(req *Request) error {
	pod := newPod(req)
	if pod == nil {
		return nil
	}
	spec := &pod.Spec
	if spec.ServiceAccountName == "" {
		spec.ServiceAccountName = DefaultServiceAccount
	}
	spec.DeprecatedServiceAccount = spec.ServiceAccountName
	key := types.NamespacedName{Namespace: pod.Namespace, Name: spec.ServiceAccountName}
	account, ok := a.s.Shared(corev1.SchemeGroupVersion.WithKind("ServiceAccount"), key).(*corev1.ServiceAccount)
	if !ok {
		return fmt.Errorf("error looking up service account %s/%s: %w", key.Namespace, key.Name,
			asText(apierrors.NewNotFound(corev1.Resource("serviceaccount"), key.Name)))
	}
	if automounts(account, spec) {
		a.mountToken(spec)
	}
	if len(spec.ImagePullSecrets) == 0 {
		spec.ImagePullSecrets = slices.Clone(account.ImagePullSecrets)
	}
	return nil
}

// asText keeps only the text of an error, so that its status does not become that
// of the refusal it is part of.
func asText(err error) error { return fmt.Errorf("%s", err.Error()) }

func automounts(account *corev1.ServiceAccount, spec *corev1.PodSpec) bool {
	switch {
	case spec.AutomountServiceAccountToken != nil:
		return *spec.AutomountServiceAccountToken
	case account.AutomountServiceAccountToken != nil:
		return *account.AutomountServiceAccountToken
	}
	return true
}

func (a serviceAccounts) mountToken(spec *corev1.PodSpec) {
	name, exists := "", false
	for i := range spec.Volumes {
		if strings.HasPrefix(spec.Volumes[i].Name, TokenVolumePrefix) {
			name, exists = spec.Volumes[i].Name, true
			break
		}
	}
	if !exists {
		name = TokenVolumePrefix + a.s.names.Name(generatedSuffix)
	}
	mounted := false
	pods.Containers(spec, func(c *corev1.Container) {
		if slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == TokenMountPath }) {
			return
		}
		c.VolumeMounts = slices.Concat(c.VolumeMounts, []corev1.VolumeMount{{Name: name, ReadOnly: true, MountPath: TokenMountPath}})
		mounted = true
	})
	if mounted && !exists {
		spec.Volumes = slices.Concat(spec.Volumes, []corev1.Volume{{Name: name, VolumeSource: corev1.VolumeSource{Projected: tokenSource()}}})
	}
}

func tokenSource() *corev1.ProjectedVolumeSource {
	mode, seconds := projectedMode, boundTokenSeconds
	return &corev1.ProjectedVolumeSource{
		DefaultMode: &mode,
		Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: tokenKey, ExpirationSeconds: &seconds}},
			{ConfigMap: &corev1.ConfigMapProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: RootCAConfigMap},
				Items:                []corev1.KeyToPath{{Key: rootCAKey, Path: rootCAKey}},
			}},
			{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{
				{Path: namespaceKey, FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.namespace"}},
			}}},
		},
	}
}
