package pods

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Defaults of Pods that are not constants of the API.
const (
	DefaultScheduler   = corev1.DefaultSchedulerName
	defaultGracePeriod = int64(corev1.DefaultTerminationGracePeriodSeconds)
	fieldPathVersion   = "v1"
	// tokenExpiration is what a projected token gets unless it says otherwise.
	tokenExpiration = int64(60 * 60)
)

// Default fills in what the API's version v1 of a Pod defaults to. The Pod must be
// the caller's own.
func Default(pod *corev1.Pod) {
	spec := &pod.Spec
	set(&spec.DNSPolicy, corev1.DNSClusterFirst)
	set(&spec.RestartPolicy, corev1.RestartPolicyAlways)
	set(&spec.SchedulerName, DefaultScheduler)
	if spec.SecurityContext == nil {
		spec.SecurityContext = &corev1.PodSecurityContext{}
	}
	point(&spec.TerminationGracePeriodSeconds, defaultGracePeriod)
	if *spec.TerminationGracePeriodSeconds < 0 {
		spec.TerminationGracePeriodSeconds = new(int64(1))
	}
	point(&spec.EnableServiceLinks, corev1.DefaultEnableServiceLinks)
	// The older name mirrors the newer one.
	if spec.ServiceAccountName == "" {
		spec.ServiceAccountName = spec.DeprecatedServiceAccount
	}
	spec.DeprecatedServiceAccount = spec.ServiceAccountName
	if spec.HostNetwork {
		Containers(spec, func(c *corev1.Container) {
			for i := range c.Ports {
				if c.Ports[i].HostPort == 0 {
					c.Ports[i].HostPort = c.Ports[i].ContainerPort
				}
			}
		})
	}
	Containers(spec, defaultContainer)
	for i := range spec.Volumes {
		defaultVolume(&spec.Volumes[i])
	}
	for i := range spec.TopologySpreadConstraints {
		point(&spec.TopologySpreadConstraints[i].NodeAffinityPolicy, corev1.NodeInclusionPolicyHonor)
		point(&spec.TopologySpreadConstraints[i].NodeTaintsPolicy, corev1.NodeInclusionPolicyIgnore)
	}
	defaultPodResources(spec)
}

func set[T ~string](field *T, value T) {
	if *field == "" {
		*field = value
	}
}

func point[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}

func defaultContainer(c *corev1.Container) {
	set(&c.TerminationMessagePath, corev1.TerminationMessagePathDefault)
	set(&c.TerminationMessagePolicy, corev1.TerminationMessageReadFile)
	set(&c.ImagePullPolicy, PullPolicy(c.Image))
	for i := range c.Ports {
		set(&c.Ports[i].Protocol, corev1.ProtocolTCP)
	}
	for i := range c.Env {
		if from := c.Env[i].ValueFrom; from != nil && from.FieldRef != nil {
			set(&from.FieldRef.APIVersion, fieldPathVersion)
		}
	}
	for _, p := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
		defaultProbe(p)
	}
	if l := c.Lifecycle; l != nil {
		for _, h := range []*corev1.LifecycleHandler{l.PostStart, l.PreStop} {
			if h != nil && h.HTTPGet != nil {
				defaultHTTPGet(h.HTTPGet)
			}
		}
	}
	// A limit is the request where no request is given.
	//plumbline:unordered one map is added to another
	for name := range c.Resources.Limits {
		if _, ok := c.Resources.Requests[name]; !ok {
			if c.Resources.Requests == nil {
				c.Resources.Requests = corev1.ResourceList{}
			}
			c.Resources.Requests[name] = c.Resources.Limits[name]
		}
	}
}

// PullPolicy returns the default pull policy of an image: Always for the tag
// latest, which is also that of an image without tag and digest, and IfNotPresent
// for all others.
func PullPolicy(image string) corev1.PullPolicy {
	image, _, digest := strings.Cut(image, "@")
	tag := "latest"
	if digest {
		tag = ""
	}
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		tag = image[i+1:]
	}
	if tag == "latest" {
		return corev1.PullAlways
	}
	return corev1.PullIfNotPresent
}

func defaultProbe(p *corev1.Probe) {
	if p == nil {
		return
	}
	number := func(field *int32, value int32) {
		if *field == 0 {
			*field = value
		}
	}
	number(&p.TimeoutSeconds, 1)
	number(&p.PeriodSeconds, 10)
	number(&p.SuccessThreshold, 1)
	number(&p.FailureThreshold, 3)
	if p.HTTPGet != nil {
		defaultHTTPGet(p.HTTPGet)
	}
	if p.GRPC != nil && p.GRPC.Service == nil {
		p.GRPC.Service = new(string)
	}
}

func defaultHTTPGet(h *corev1.HTTPGetAction) {
	set(&h.Path, "/")
	set(&h.Scheme, corev1.URISchemeHTTP)
}

func defaultVolume(v *corev1.Volume) {
	s := &v.VolumeSource
	mode := corev1.ConfigMapVolumeSourceDefaultMode
	switch {
	case s.Secret != nil:
		point(&s.Secret.DefaultMode, mode)
	case s.ConfigMap != nil:
		point(&s.ConfigMap.DefaultMode, mode)
	case s.DownwardAPI != nil:
		point(&s.DownwardAPI.DefaultMode, mode)
		defaultDownward(s.DownwardAPI.Items)
	case s.Projected != nil:
		point(&s.Projected.DefaultMode, mode)
		for i := range s.Projected.Sources {
			src := &s.Projected.Sources[i]
			if src.DownwardAPI != nil {
				defaultDownward(src.DownwardAPI.Items)
			}
			if src.ServiceAccountToken != nil {
				point(&src.ServiceAccountToken.ExpirationSeconds, tokenExpiration)
			}
		}
	case s.HostPath != nil:
		point(&s.HostPath.Type, corev1.HostPathUnset)
	case s.Ephemeral != nil && s.Ephemeral.VolumeClaimTemplate != nil:
		point(&s.Ephemeral.VolumeClaimTemplate.Spec.VolumeMode, corev1.PersistentVolumeFilesystem)
	case emptySource(s):
		s.EmptyDir = &corev1.EmptyDirVolumeSource{}
	}
}

func defaultDownward(items []corev1.DownwardAPIVolumeFile) {
	for i := range items {
		if items[i].FieldRef != nil {
			set(&items[i].FieldRef.APIVersion, fieldPathVersion)
		}
	}
}

func emptySource(s *corev1.VolumeSource) bool { return countSources(s) == 0 }

// defaultPodResources turns Pod-level limits into requests where none are given.
func defaultPodResources(spec *corev1.PodSpec) {
	if spec.Resources == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Resources.Limits)) {
		if _, ok := spec.Resources.Requests[name]; !ok {
			if spec.Resources.Requests == nil {
				spec.Resources.Requests = corev1.ResourceList{}
			}
			spec.Resources.Requests[name] = spec.Resources.Limits[name]
		}
	}
}
