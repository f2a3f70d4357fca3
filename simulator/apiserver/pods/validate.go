package pods

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Texts that kube-apiserver gives for common mistakes.
const (
	isNegative      = "must be greater than or equal to 0"
	mustBeUnique    = "must be unique"
	aboveLimit      = "must be less than or equal to %s limit of %s"
	maxDeadline     = 1<<31 - 1
	maxEnvValueName = "may not be specified when `value` is not empty"
)

// Validate returns what is wrong with a new, defaulted Pod outside its metadata.
func Validate(pod *corev1.Pod) field.ErrorList {
	v := validator{}
	p := root("spec")
	v.spec(&pod.Spec, &p)
	return v.errs
}

type validator struct {
	errs    field.ErrorList
	volumes map[string]*corev1.VolumeSource
}

func (v *validator) required(p path, detail string) {
	v.errs = append(v.errs, field.Required(p.field(), detail))
}

func (v *validator) invalid(p path, value any, detail string) {
	v.errs = append(v.errs, field.Invalid(p.field(), value, detail))
}

func (v *validator) duplicate(p path, value any) {
	v.errs = append(v.errs, field.Duplicate(p.field(), value))
}

func (v *validator) forbidden(p path, detail string) {
	v.errs = append(v.errs, field.Forbidden(p.field(), detail))
}

// oneOf checks an enumeration; an empty value is asked for where required.
func oneOf[T ~string](v *validator, p path, value T, required bool, supported ...T) {
	for _, s := range supported {
		if value == s {
			return
		}
	}
	if value == "" {
		if required {
			v.required(p, "")
		}
		return
	}
	v.errs = append(v.errs, field.NotSupported(p.field(), value, supported))
}

func (v *validator) label(p path, value string) {
	if plainLabel(value) {
		return
	}
	for _, msg := range validation.IsDNS1123Label(value) {
		v.invalid(p, value, msg)
	}
}

func (v *validator) subdomain(p path, value string) {
	if plainLabel(value) {
		return
	}
	for _, msg := range validation.IsDNS1123Subdomain(value) {
		v.invalid(p, value, msg)
	}
}

// plainLabel is validation.IsDNS1123Label without its regular expression.
func plainLabel(s string) bool {
	if len(s) == 0 || len(s) > validation.DNS1123LabelMaxLength || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

func (v *validator) nonNegative(p path, n int64) {
	if n < 0 {
		v.invalid(p, n, isNegative)
	}
}

func (v *validator) spec(spec *corev1.PodSpec, p *path) {
	volumes := p.child("volumes")
	v.volumeList(spec.Volumes, &volumes)
	// Names must differ among all containers; a real server looks at the app
	// containers first.
	names := make(map[string]bool, len(spec.Containers)+len(spec.InitContainers))
	containers := p.child("containers")
	if len(spec.Containers) == 0 {
		v.required(containers, "")
	}
	for i := range spec.Containers {
		at := containers.at(i)
		v.container(&spec.Containers[i], &at, names, false)
	}
	inits := p.child("initContainers")
	for i := range spec.InitContainers {
		at := inits.at(i)
		v.container(&spec.InitContainers[i], &at, names, true)
	}
	if len(spec.EphemeralContainers) > 0 {
		v.forbidden(p.child("ephemeralContainers"), "cannot be set on create")
	}
	oneOf(v, p.child("restartPolicy"), spec.RestartPolicy, true, corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever)
	oneOf(v, p.child("dnsPolicy"), spec.DNSPolicy, true, corev1.DNSClusterFirst, corev1.DNSClusterFirstWithHostNet, corev1.DNSDefault, corev1.DNSNone)
	v.labels(p.child("nodeSelector"), spec.NodeSelector)
	v.podSecurity(spec.SecurityContext, p)
	for i := range spec.ImagePullSecrets {
		if spec.ImagePullSecrets[i].Name == "" {
			list := p.child("imagePullSecrets")
			at := list.at(i)
			v.required(at.child("name"), "")
		}
	}
	v.tolerations(spec.Tolerations, p.child("tolerations"))
	v.hostAliases(spec.HostAliases, p.child("hostAliases"))
	if spec.ServiceAccountName != "" {
		v.subdomain(p.child("serviceAccountName"), spec.ServiceAccountName)
	}
	if spec.NodeName != "" {
		v.subdomain(p.child("nodeName"), spec.NodeName)
	}
	if spec.Hostname != "" {
		v.label(p.child("hostname"), spec.Hostname)
	}
	if spec.Subdomain != "" {
		v.label(p.child("subdomain"), spec.Subdomain)
	}
	if d := spec.ActiveDeadlineSeconds; d != nil && (*d < 1 || *d > maxDeadline) {
		v.invalid(p.child("activeDeadlineSeconds"), *d, validation.InclusiveRangeError(1, maxDeadline))
	}
	if spec.TerminationGracePeriodSeconds == nil {
		v.required(p.child("terminationGracePeriodSeconds"), "")
	}
	if spec.SchedulerName != "" {
		v.qualified(p.child("schedulerName"), spec.SchedulerName)
	}
	if spec.PriorityClassName != "" {
		v.subdomain(p.child("priorityClassName"), spec.PriorityClassName)
	}
	if spec.RuntimeClassName != nil {
		v.subdomain(p.child("runtimeClassName"), *spec.RuntimeClassName)
	}
	for i := range spec.SchedulingGates {
		gates := p.child("schedulingGates")
		at := gates.at(i)
		v.qualified(at.child("name"), spec.SchedulingGates[i].Name)
	}
}

func (v *validator) qualified(p path, s string) {
	for _, msg := range validation.IsQualifiedName(s) {
		v.invalid(p, s, msg)
	}
}

func (v *validator) labels(p path, labels map[string]string) {
	for _, k := range sortedKeys(labels) {
		for _, msg := range validation.IsQualifiedName(k) {
			v.invalid(p, k, "name part "+strings.TrimPrefix(msg, "name part "))
		}
		for _, msg := range validation.IsValidLabelValue(labels[k]) {
			v.invalid(p, labels[k], msg)
		}
	}
}

func (v *validator) podSecurity(sc *corev1.PodSecurityContext, p *path) {
	if sc == nil {
		return
	}
	sp := p.child("securityContext")
	v.id(sp.child("fsGroup"), sc.FSGroup, validation.IsValidGroupID)
	for i := range sc.SupplementalGroups {
		groups := sp.child("supplementalGroups")
		v.id(groups.at(i), &sc.SupplementalGroups[i], validation.IsValidGroupID)
	}
	v.id(sp.child("runAsUser"), sc.RunAsUser, validation.IsValidUserID)
	v.id(sp.child("runAsGroup"), sc.RunAsGroup, validation.IsValidGroupID)
	v.seccomp(sc.SeccompProfile, sp.child("seccompProfile"))
}

func (v *validator) id(p path, id *int64, check func(int64) []string) {
	if id == nil {
		return
	}
	for _, msg := range check(*id) {
		v.invalid(p, *id, msg)
	}
}

func (v *validator) seccomp(s *corev1.SeccompProfile, p path) {
	if s == nil {
		return
	}
	oneOf(v, p.child("type"), s.Type, true, corev1.SeccompProfileTypeLocalhost, corev1.SeccompProfileTypeRuntimeDefault, corev1.SeccompProfileTypeUnconfined)
	switch {
	case s.Type == corev1.SeccompProfileTypeLocalhost && (s.LocalhostProfile == nil || *s.LocalhostProfile == ""):
		v.required(p.child("localhostProfile"), "must be set when seccomp type is Localhost ")
	case s.Type != corev1.SeccompProfileTypeLocalhost && s.LocalhostProfile != nil:
		v.invalid(p.child("localhostProfile"), s, "can only be set when seccomp type is Localhost")
	}
}

func (v *validator) tolerations(list []corev1.Toleration, p path) {
	for i := range list {
		t, at := &list[i], p.at(i)
		if t.Key != "" {
			v.qualified(at.child("key"), t.Key)
		}
		if t.Key == "" && t.Operator != corev1.TolerationOpExists {
			v.invalid(at.child("operator"), t.Operator, "operator must be Exists when `key` is empty, which means \"match all values and all keys\"")
		}
		if t.TolerationSeconds != nil && t.Effect != corev1.TaintEffectNoExecute {
			v.invalid(at.child("effect"), t.Effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
		}
		switch t.Operator {
		case corev1.TolerationOpEqual, "":
			for _, msg := range validation.IsValidLabelValue(t.Value) {
				v.invalid(at.child("operator"), t.Value, msg)
			}
		case corev1.TolerationOpExists:
			if t.Value != "" {
				// A real server reports the whole toleration here.
				v.invalid(at.child("operator"), t.Value, "value must be empty when `operator` is 'Exists'")
			}
		default:
			oneOf(v, at.child("operator"), t.Operator, true, corev1.TolerationOpEqual, corev1.TolerationOpExists)
		}
		oneOf(v, at.child("effect"), t.Effect, false, corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute)
	}
}

func (v *validator) hostAliases(list []corev1.HostAlias, p path) {
	for i := range list {
		at := p.at(i)
		for _, e := range validation.IsValidIP(nil, list[i].IP) {
			v.invalid(at.child("ip"), list[i].IP, e.Detail)
		}
		for j, name := range list[i].Hostnames {
			names := at.child("hostnames")
			v.subdomain(names.at(j), name)
		}
	}
}

func aboveLimitText(name corev1.ResourceName, limit string) string {
	return fmt.Sprintf(aboveLimit, name, limit)
}
