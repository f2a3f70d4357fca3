// Package podsecurity evaluates Pods against the Pod Security Standards, as the
// admission plugin of that name does: the levels privileged, baseline and
// restricted, chosen by labels of the namespace.
//
// Checks are those of a current cluster, whatever version a label names; Windows
// is left out.
package podsecurity

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Labels of a namespace that choose its policy.
const (
	LabelEnforce        = "pod-security.kubernetes.io/enforce"
	LabelEnforceVersion = "pod-security.kubernetes.io/enforce-version"
	LabelWarn           = "pod-security.kubernetes.io/warn"
	LabelWarnVersion    = "pod-security.kubernetes.io/warn-version"
)

// Levels of the standards.
const (
	Privileged = "privileged"
	Baseline   = "baseline"
	Restricted = "restricted"
)

// Level is a level of the standards as of a version of Kubernetes.
type Level struct{ Name, Version string }

func (l Level) String() string { return l.Name + ":" + l.Version }

// Policy is what a namespace asks for.
type Policy struct{ Enforce, Warn Level }

// PolicyOf reads the labels of a namespace. An unknown level counts as restricted,
// as on a real server.
func PolicyOf(labels map[string]string) Policy {
	level := func(name, version string) Level {
		l := Level{Name: Privileged, Version: "latest"}
		switch v := labels[name]; v {
		case "":
		case Privileged, Baseline, Restricted:
			l.Name = v
		default:
			l.Name = Restricted
		}
		if v := labels[version]; v != "" {
			l.Version = v
		}
		return l
	}
	return Policy{Enforce: level(LabelEnforce, LabelEnforceVersion), Warn: level(LabelWarn, LabelWarnVersion)}
}

// check returns why a Pod fails it, in two parts; an empty reason means it passes.
type check func(meta *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string)

// The checks of a level in the order in which a server reports them.
func checks(level string) []check {
	switch level {
	case Baseline:
		return []check{
			capabilitiesBaseline, hostNamespaces, hostPathVolumes, hostPorts, privileged, procMount, seccompBaseline, sysctls,
		}
	case Restricted:
		return []check{
			allowPrivilegeEscalation, capabilitiesRestricted, hostNamespaces, hostPathVolumes, hostPorts, privileged, procMount,
			restrictedVolumes, runAsNonRoot, runAsUser, seccompRestricted, sysctls,
		}
	}
	return nil
}

// Evaluate returns what a Pod violates of a level, or nothing.
func Evaluate(level Level, meta *metav1.ObjectMeta, spec *corev1.PodSpec) string {
	var parts []string
	for _, c := range checks(level.Name) {
		reason, detail := c(meta, spec)
		switch {
		case reason == "":
		case detail == "":
			parts = append(parts, reason)
		default:
			parts = append(parts, fmt.Sprintf("%s (%s)", reason, detail))
		}
	}
	return strings.Join(parts, ", ")
}

// containers returns the names of the containers, init containers first, for which
// bad holds.
func containers(spec *corev1.PodSpec, bad func(*corev1.Container) bool) []string {
	var names []string
	for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			if bad(&list[i]) {
				names = append(names, list[i].Name)
			}
		}
	}
	return names
}

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

func quoted(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strconv.Quote(s)
	}
	return strings.Join(out, ", ")
}

// who names containers: container "a", or containers "a", "b".
func who(names []string) string { return plural("container", len(names)) + " " + quoted(names) }

func addTo(set *[]string, values ...string) {
	for _, v := range values {
		if !slices.Contains(*set, v) {
			*set = append(*set, v)
		}
	}
}

func allowPrivilegeEscalation(_ *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string) {
	bad := containers(spec, func(c *corev1.Container) bool {
		return c.SecurityContext == nil || c.SecurityContext.AllowPrivilegeEscalation == nil || *c.SecurityContext.AllowPrivilegeEscalation
	})
	if len(bad) == 0 {
		return "", ""
	}
	return "allowPrivilegeEscalation != false", who(bad) + " must set securityContext.allowPrivilegeEscalation=false"
}

// defaultCapabilities are those a container runtime gives anyway.
var defaultCapabilities = []corev1.Capability{
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

func added(c *corev1.Container) []corev1.Capability {
	if c.SecurityContext == nil || c.SecurityContext.Capabilities == nil {
		return nil
	}
	return c.SecurityContext.Capabilities.Add
}

func forbiddenCapabilities(spec *corev1.PodSpec, allowed []corev1.Capability) (names, capabilities []string) {
	names = containers(spec, func(c *corev1.Container) bool {
		bad := false
		for _, a := range added(c) {
			if !slices.Contains(allowed, a) {
				addTo(&capabilities, string(a))
				bad = true
			}
		}
		return bad
	})
	slices.Sort(capabilities)
	return names, capabilities
}

func capabilitiesBaseline(_ *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string) {
	names, caps := forbiddenCapabilities(spec, defaultCapabilities)
	if len(names) == 0 {
		return "", ""
	}
	return "non-default capabilities", fmt.Sprintf("%s must not include %s in securityContext.capabilities.add", who(names), quoted(caps))
}

func capabilitiesRestricted(_ *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string) {
	var details []string
	undropped := containers(spec, func(c *corev1.Container) bool {
		return c.SecurityContext == nil || c.SecurityContext.Capabilities == nil || !slices.Contains(c.SecurityContext.Capabilities.Drop, "ALL")
	})
	if len(undropped) > 0 {
		details = append(details, who(undropped)+` must set securityContext.capabilities.drop=["ALL"]`)
	}
	if names, caps := forbiddenCapabilities(spec, []corev1.Capability{"NET_BIND_SERVICE"}); len(names) > 0 {
		details = append(details, fmt.Sprintf("%s must not include %s in securityContext.capabilities.add", who(names), quoted(caps)))
	}
	if len(details) == 0 {
		return "", ""
	}
	return "unrestricted capabilities", strings.Join(details, "; ")
}

func hostNamespaces(_ *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string) {
	var used []string
	if spec.HostNetwork {
		used = append(used, "hostNetwork=true")
	}
	if spec.HostPID {
		used = append(used, "hostPID=true")
	}
	if spec.HostIPC {
		used = append(used, "hostIPC=true")
	}
	if len(used) == 0 {
		return "", ""
	}
	return "host namespaces", strings.Join(used, ", ")
}

func hostPathVolumes(_ *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string) {
	var names []string
	for i := range spec.Volumes {
		if spec.Volumes[i].HostPath != nil {
			names = append(names, spec.Volumes[i].Name)
		}
	}
	if len(names) == 0 {
		return "", ""
	}
	return "hostPath volumes", plural("volume", len(names)) + " " + quoted(names)
}

func hostPorts(_ *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string) {
	var ports []string
	bad := containers(spec, func(c *corev1.Container) bool {
		any := false
		for _, p := range c.Ports {
			if p.HostPort != 0 {
				addTo(&ports, strconv.Itoa(int(p.HostPort)))
				any = true
			}
		}
		return any
	})
	if len(bad) == 0 {
		return "", ""
	}
	use := "uses"
	if len(bad) > 1 {
		use = "use"
	}
	slices.Sort(ports)
	return "hostPort", fmt.Sprintf("%s %s %s %s", who(bad), use, plural("hostPort", len(ports)), strings.Join(ports, ", "))
}

func privileged(_ *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string) {
	bad := containers(spec, func(c *corev1.Container) bool {
		return c.SecurityContext != nil && c.SecurityContext.Privileged != nil && *c.SecurityContext.Privileged
	})
	if len(bad) == 0 {
		return "", ""
	}
	return "privileged", who(bad) + " must not set securityContext.privileged=true"
}

func procMount(_ *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string) {
	var kinds []string
	bad := containers(spec, func(c *corev1.Container) bool {
		if c.SecurityContext == nil || c.SecurityContext.ProcMount == nil || *c.SecurityContext.ProcMount == corev1.DefaultProcMount {
			return false
		}
		addTo(&kinds, string(*c.SecurityContext.ProcMount))
		return true
	})
	if len(bad) == 0 {
		return "", ""
	}
	return "procMount", fmt.Sprintf("%s must not set securityContext.procMount to %s", who(bad), quoted(kinds))
}

// restrictedVolumeType returns the type of a volume that is not among those that
// the restricted level allows, or nothing.
func restrictedVolumeType(s *corev1.VolumeSource) string {
	switch {
	case s.ConfigMap != nil, s.CSI != nil, s.DownwardAPI != nil, s.EmptyDir != nil, s.Ephemeral != nil, s.PersistentVolumeClaim != nil,
		s.Projected != nil, s.Secret != nil, s.Image != nil:
		return ""
	case s.HostPath != nil:
		return "hostPath"
	case s.GCEPersistentDisk != nil:
		return "gcePersistentDisk"
	case s.AWSElasticBlockStore != nil:
		return "awsElasticBlockStore"
	case s.GitRepo != nil:
		return "gitRepo"
	case s.NFS != nil:
		return "nfs"
	case s.ISCSI != nil:
		return "iscsi"
	case s.RBD != nil:
		return "rbd"
	case s.FlexVolume != nil:
		return "flexVolume"
	case s.Cinder != nil:
		return "cinder"
	case s.CephFS != nil:
		return "cephfs"
	case s.FC != nil:
		return "fc"
	case s.AzureFile != nil:
		return "azureFile"
	case s.VsphereVolume != nil:
		return "vsphereVolume"
	case s.AzureDisk != nil:
		return "azureDisk"
	case s.PortworxVolume != nil:
		return "portworxVolume"
	}
	return "unknown"
}

func restrictedVolumes(_ *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string) {
	var names, kinds []string
	for i := range spec.Volumes {
		if t := restrictedVolumeType(&spec.Volumes[i].VolumeSource); t != "" {
			names = append(names, spec.Volumes[i].Name)
			addTo(&kinds, t)
		}
	}
	if len(names) == 0 {
		return "", ""
	}
	use := "uses"
	if len(names) > 1 {
		use = "use"
	}
	slices.Sort(kinds)
	return "restricted volume types", fmt.Sprintf("%s %s %s %s %s", plural("volume", len(names)), quoted(names), use, plural("restricted volume type", len(kinds)), quoted(kinds))
}

func runAsNonRoot(_ *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string) {
	podSets := spec.SecurityContext != nil && spec.SecurityContext.RunAsNonRoot != nil && *spec.SecurityContext.RunAsNonRoot
	var setters []string
	if spec.SecurityContext != nil && spec.SecurityContext.RunAsNonRoot != nil && !podSets {
		setters = append(setters, "pod")
	}
	explicit := containers(spec, func(c *corev1.Container) bool {
		return c.SecurityContext != nil && c.SecurityContext.RunAsNonRoot != nil && !*c.SecurityContext.RunAsNonRoot
	})
	if len(explicit) > 0 {
		setters = append(setters, who(explicit))
	}
	if len(setters) > 0 {
		return "runAsNonRoot != true", strings.Join(setters, " and ") + " must not set securityContext.runAsNonRoot=false"
	}
	if podSets {
		return "", ""
	}
	implicit := containers(spec, func(c *corev1.Container) bool {
		return c.SecurityContext == nil || c.SecurityContext.RunAsNonRoot == nil
	})
	if len(implicit) == 0 {
		return "", ""
	}
	return "runAsNonRoot != true", "pod or " + who(implicit) + " must set securityContext.runAsNonRoot=true"
}

func runAsUser(_ *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string) {
	var setters []string
	if spec.SecurityContext != nil && spec.SecurityContext.RunAsUser != nil && *spec.SecurityContext.RunAsUser == 0 {
		setters = append(setters, "pod")
	}
	bad := containers(spec, func(c *corev1.Container) bool {
		return c.SecurityContext != nil && c.SecurityContext.RunAsUser != nil && *c.SecurityContext.RunAsUser == 0
	})
	if len(bad) > 0 {
		setters = append(setters, who(bad))
	}
	if len(setters) == 0 {
		return "", ""
	}
	return "runAsUser=0", strings.Join(setters, " and ") + " must not set runAsUser=0"
}

func profileOf(c *corev1.Container) *corev1.SeccompProfile {
	if c.SecurityContext == nil {
		return nil
	}
	return c.SecurityContext.SeccompProfile
}

// badSeccomp returns who sets a seccomp profile that is not allowed, and which.
func badSeccomp(spec *corev1.PodSpec, allowed func(corev1.SeccompProfileType) bool) (setters, values []string) {
	if sc := spec.SecurityContext; sc != nil && sc.SeccompProfile != nil && !allowed(sc.SeccompProfile.Type) {
		setters = append(setters, "pod")
		addTo(&values, string(sc.SeccompProfile.Type))
	}
	bad := containers(spec, func(c *corev1.Container) bool {
		p := profileOf(c)
		if p == nil || allowed(p.Type) {
			return false
		}
		addTo(&values, string(p.Type))
		return true
	})
	if len(bad) > 0 {
		setters = append(setters, who(bad))
	}
	slices.Sort(values)
	return setters, values
}

func seccompBaseline(_ *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string) {
	setters, values := badSeccomp(spec, func(t corev1.SeccompProfileType) bool { return t != corev1.SeccompProfileTypeUnconfined })
	if len(setters) == 0 {
		return "", ""
	}
	return "seccompProfile", fmt.Sprintf("%s must not set securityContext.seccompProfile.type to %s", strings.Join(setters, " and "), quoted(values))
}

func seccompRestricted(_ *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string) {
	fine := func(t corev1.SeccompProfileType) bool {
		return t == corev1.SeccompProfileTypeRuntimeDefault || t == corev1.SeccompProfileTypeLocalhost
	}
	if setters, values := badSeccomp(spec, fine); len(setters) > 0 {
		return "seccompProfile", fmt.Sprintf("%s must not set securityContext.seccompProfile.type to %s", strings.Join(setters, " and "), quoted(values))
	}
	if sc := spec.SecurityContext; sc != nil && sc.SeccompProfile != nil {
		return "", ""
	}
	implicit := containers(spec, func(c *corev1.Container) bool { return profileOf(c) == nil })
	if len(implicit) == 0 {
		return "", ""
	}
	return "seccompProfile", "pod or " + who(implicit) + ` must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`
}

// safeSysctls are isolated between containers.
var safeSysctls = []string{
	"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
	"net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
	"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
}

func sysctls(_ *metav1.ObjectMeta, spec *corev1.PodSpec) (reason, detail string) {
	if spec.SecurityContext == nil {
		return "", ""
	}
	var bad []string
	for _, s := range spec.SecurityContext.Sysctls {
		if !slices.Contains(safeSysctls, s.Name) {
			bad = append(bad, s.Name)
		}
	}
	if len(bad) == 0 {
		return "", ""
	}
	return "forbidden sysctls", strings.Join(bad, ", ")
}
