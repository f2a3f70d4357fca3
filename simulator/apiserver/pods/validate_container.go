package pods

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func sortedKeys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func (v *validator) container(c *corev1.Container, p *path, names map[string]bool, init bool) {
	if c.Name == "" {
		v.required(p.child("name"), "")
	} else {
		v.label(p.child("name"), c.Name)
		if names[c.Name] {
			v.duplicate(p.child("name"), c.Name)
		}
		names[c.Name] = true
	}
	if c.Image == "" {
		v.required(p.child("image"), "")
	} else if strings.TrimSpace(c.Image) != c.Image {
		v.invalid(p.child("image"), c.Image, "must not have leading or trailing whitespace")
	}
	sidecar := Sidecar(c)
	if init && !sidecar {
		// Lifecycle and probes belong to containers that keep running.
		for _, f := range [...]struct {
			name string
			set  bool
		}{
			{"lifecycle", c.Lifecycle != nil}, {"livenessProbe", c.LivenessProbe != nil},
			{"readinessProbe", c.ReadinessProbe != nil}, {"startupProbe", c.StartupProbe != nil},
		} {
			if f.set {
				v.forbidden(p.child(f.name), "may not be set for init containers without restartPolicy=Always")
			}
		}
	} else {
		v.probe(c.LivenessProbe, p.child("livenessProbe"), true)
		v.probe(c.ReadinessProbe, p.child("readinessProbe"), false)
		v.probe(c.StartupProbe, p.child("startupProbe"), true)
		if l := c.Lifecycle; l != nil {
			lp := p.child("lifecycle")
			v.hook(l.PostStart, lp.child("postStart"))
			v.hook(l.PreStop, lp.child("preStop"))
		}
	}
	if c.RestartPolicy != nil {
		oneOf(v, p.child("restartPolicy"), *c.RestartPolicy, true, corev1.ContainerRestartPolicyAlways, corev1.ContainerRestartPolicyNever, corev1.ContainerRestartPolicyOnFailure)
	}
	oneOf(v, p.child("terminationMessagePolicy"), c.TerminationMessagePolicy, true, corev1.TerminationMessageReadFile, corev1.TerminationMessageFallbackToLogsOnError)
	oneOf(v, p.child("imagePullPolicy"), c.ImagePullPolicy, true, corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever)
	v.ports(c.Ports, p.child("ports"))
	v.env(c.Env, p.child("env"))
	v.envFrom(c.EnvFrom, p.child("envFrom"))
	v.mounts(c.VolumeMounts, p.child("volumeMounts"))
	v.resources(&c.Resources, p.child("resources"))
	v.security(c.SecurityContext, p)
}

func (v *validator) ports(list []corev1.ContainerPort, p path) {
	names := map[string]bool{}
	for i := range list {
		c, at := &list[i], p.at(i)
		if c.Name != "" {
			if msgs := validation.IsValidPortName(c.Name); len(msgs) > 0 {
				for _, msg := range msgs {
					v.invalid(at.child("name"), c.Name, msg)
				}
			} else if names[c.Name] {
				v.duplicate(at.child("name"), c.Name)
			} else {
				names[c.Name] = true
			}
		}
		if c.ContainerPort == 0 {
			v.required(at.child("containerPort"), "")
		} else {
			for _, msg := range validation.IsValidPortNum(int(c.ContainerPort)) {
				v.invalid(at.child("containerPort"), c.ContainerPort, msg)
			}
		}
		if c.HostPort != 0 {
			for _, msg := range validation.IsValidPortNum(int(c.HostPort)) {
				v.invalid(at.child("hostPort"), c.HostPort, msg)
			}
		}
		oneOf(v, at.child("protocol"), c.Protocol, true, corev1.ProtocolSCTP, corev1.ProtocolTCP, corev1.ProtocolUDP)
	}
}

// envFieldPaths are the fields of its Pod that a variable can be made of.
var envFieldPaths = []string{"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"}

func (v *validator) env(list []corev1.EnvVar, p path) {
	for i := range list {
		e, at := &list[i], p.at(i)
		if e.Name == "" {
			v.required(at.child("name"), "")
		} else if !plainEnvName(e.Name) {
			for _, msg := range validation.IsRelaxedEnvVarName(e.Name) {
				v.invalid(at.child("name"), e.Name, msg)
			}
		}
		if e.ValueFrom != nil {
			from := at.child("valueFrom")
			v.envSource(e, &from)
		}
	}
}

func plainEnvName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c|0x20 < 'a' || c|0x20 > 'z') && c != '_' && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func (v *validator) envSource(e *corev1.EnvVar, p *path) {
	from := e.ValueFrom
	n := 0
	if f := from.FieldRef; f != nil {
		n++
		v.fieldRef(f, p.child("fieldRef"), envFieldPaths)
	}
	if f := from.ResourceFieldRef; f != nil {
		n++
		if f.Resource == "" {
			at := p.child("resourceFieldRef")
			v.required(at.child("resource"), "")
		}
	}
	if f := from.ConfigMapKeyRef; f != nil {
		n++
		v.keyRef(f.Key, p.child("configMapKeyRef"))
	}
	if f := from.SecretKeyRef; f != nil {
		n++
		v.keyRef(f.Key, p.child("secretKeyRef"))
	}
	if f := from.FileKeyRef; f != nil {
		n++
	}
	switch {
	case n == 0:
		v.invalid(*p, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`")
	case e.Value != "":
		v.invalid(*p, "", maxEnvValueName)
	case n > 1:
		v.invalid(*p, "", "may not have more than one field specified at a time")
	}
}

func (v *validator) keyRef(key string, p path) {
	if key == "" {
		v.required(p.child("key"), "")
		return
	}
	for _, msg := range validation.IsConfigMapKey(key) {
		v.invalid(p.child("key"), key, msg)
	}
}

func (v *validator) fieldRef(f *corev1.ObjectFieldSelector, p path, allowed []string) {
	switch {
	case f.APIVersion == "":
		v.required(p.child("apiVersion"), "")
		return
	case f.FieldPath == "":
		v.required(p.child("fieldPath"), "")
		return
	}
	if name, sub, ok := strings.Cut(strings.TrimSuffix(f.FieldPath, "']"), "['"); ok && strings.HasSuffix(f.FieldPath, "']") {
		switch name {
		case "metadata.annotations":
			for _, msg := range validation.IsQualifiedName(strings.ToLower(sub)) {
				v.invalid(p, sub, msg)
			}
			return
		case "metadata.labels":
			for _, msg := range validation.IsQualifiedName(sub) {
				v.invalid(p, sub, msg)
			}
			return
		}
		v.invalid(p.child("fieldPath"), f.FieldPath, "error converting fieldPath: field label does not support subscript")
		return
	}
	if slices.Contains(allowed, f.FieldPath) {
		return
	}
	known := append([]string{"metadata.labels", "metadata.annotations", "spec.restartPolicy", "spec.schedulerName", "status.phase", "spec.hostNetwork", "status.nominatedNodeName"}, envFieldPaths...)
	if !slices.Contains(known, f.FieldPath) {
		v.invalid(p.child("fieldPath"), f.FieldPath, "error converting fieldPath: field label not supported: "+f.FieldPath)
		return
	}
	v.errs = append(v.errs, field.NotSupported(fieldOf(p.child("fieldPath")), f.FieldPath, sortedCopy(allowed)))
}

func fieldOf(p path) *field.Path { return p.field() }

func sortedCopy(list []string) []string { return slices.Sorted(slices.Values(list)) }

func (v *validator) envFrom(list []corev1.EnvFromSource, p path) {
	for i := range list {
		s, at := &list[i], p.at(i)
		if s.Prefix != "" {
			for _, msg := range validation.IsRelaxedEnvVarName(s.Prefix) {
				v.invalid(at.child("prefix"), s.Prefix, msg)
			}
		}
		switch {
		case s.ConfigMapRef != nil && s.SecretRef != nil:
			v.invalid(at, "", "may not have more than one field specified at a time")
		case s.ConfigMapRef == nil && s.SecretRef == nil:
			v.invalid(at, "", "must specify one of: `configMapRef` or `secretRef`")
		case s.ConfigMapRef != nil && s.ConfigMapRef.Name == "":
			ref := at.child("configMapRef")
			v.required(ref.child("name"), "")
		case s.SecretRef != nil && s.SecretRef.Name == "":
			ref := at.child("secretRef")
			v.required(ref.child("name"), "")
		}
	}
}

func (v *validator) mounts(list []corev1.VolumeMount, p path) {
	for i := range list {
		m, at := &list[i], p.at(i)
		if m.Name == "" {
			v.required(at.child("name"), "")
		} else if _, ok := v.volumes[m.Name]; !ok {
			v.errs = append(v.errs, field.NotFound(fieldOf(at.child("name")), m.Name))
		}
		if m.MountPath == "" {
			v.required(at.child("mountPath"), "")
		}
		for j := range i {
			if m.MountPath != "" && list[j].MountPath == m.MountPath {
				v.invalid(at.child("mountPath"), m.MountPath, mustBeUnique)
				break
			}
		}
		if m.SubPath != "" {
			v.descending(m.SubPath, at.child("subPath"))
		}
		if m.SubPathExpr != "" {
			if m.SubPath != "" {
				v.invalid(at.child("subPathExpr"), m.SubPathExpr, "subPathExpr and subPath are mutually exclusive")
			}
			v.descending(m.SubPathExpr, at.child("subPathExpr"))
		}
		if m.RecursiveReadOnly != nil {
			oneOf(v, at.child("recursiveReadOnly"), *m.RecursiveReadOnly, true, corev1.RecursiveReadOnlyDisabled, corev1.RecursiveReadOnlyIfPossible, corev1.RecursiveReadOnlyEnabled)
		}
	}
}

// descending refuses paths that are absolute or lead upwards.
func (v *validator) descending(s string, p path) {
	if strings.HasPrefix(s, "/") {
		v.invalid(p, s, "must be a relative path")
	}
	v.backsteps(s, p)
}

func (v *validator) backsteps(s string, p path) {
	for part := range strings.SplitSeq(s, "/") {
		if part == ".." {
			v.invalid(p, s, "must not contain '..'")
			return
		}
	}
}

func (v *validator) resources(r *corev1.ResourceRequirements, p path) {
	if len(r.Limits) == 0 && len(r.Requests) == 0 {
		return
	}
	limits, requests := p.child("limits"), p.child("requests")
	for _, name := range sortedKeys(r.Limits) {
		q := r.Limits[name]
		v.resourceName(string(name), limits)
		if q.Sign() < 0 {
			v.errs = append(v.errs, field.Invalid(limits.field().Key(string(name)), q.String(), isNegative))
		}
	}
	for _, name := range sortedKeys(r.Requests) {
		q := r.Requests[name]
		v.resourceName(string(name), requests)
		if q.Sign() < 0 {
			v.errs = append(v.errs, field.Invalid(requests.field().Key(string(name)), q.String(), isNegative))
		}
		limit, ok := r.Limits[name]
		switch {
		case ok && q.Cmp(limit) > 0 && !overcommits(name):
			v.invalid(requests, q.String(), "must be equal to "+string(name)+" limit of "+limit.String())
		case ok && q.Cmp(limit) > 0:
			v.invalid(requests, q.String(), aboveLimitText(name, limit.String()))
		case ok && !overcommits(name) && q.Cmp(limit) != 0:
			v.invalid(requests, q.String(), "must be equal to "+string(name)+" limit of "+limit.String())
		case !ok && !overcommits(name):
			v.required(limits, "Limit must be set for non overcommitable resources")
		}
	}
}

// overcommits reports whether a resource may be requested below its limit.
func overcommits(name corev1.ResourceName) bool {
	s := string(name)
	return !strings.HasPrefix(s, corev1.ResourceHugePagesPrefix) &&
		(!strings.Contains(s, "/") || strings.Contains(s, corev1.ResourceDefaultNamespacePrefix))
}

func (v *validator) resourceName(name string, p path) {
	fp := func() *field.Path { return p.field().Key(name) }
	switch corev1.ResourceName(name) {
	case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
		return
	}
	for _, msg := range validation.IsQualifiedName(name) {
		v.errs = append(v.errs, field.Invalid(fp(), name, msg))
	}
	if !strings.Contains(name, "/") && !strings.HasPrefix(name, corev1.ResourceHugePagesPrefix) {
		v.errs = append(v.errs, field.Invalid(fp(), name, "must be a standard resource type or fully qualified"),
			field.Invalid(fp(), name, "must be a standard resource for containers"))
	}
}

func (v *validator) security(sc *corev1.SecurityContext, p *path) {
	if sc == nil {
		return
	}
	sp := p.child("securityContext")
	v.id(sp.child("runAsUser"), sc.RunAsUser, validation.IsValidUserID)
	v.id(sp.child("runAsGroup"), sc.RunAsGroup, validation.IsValidGroupID)
	v.seccomp(sc.SeccompProfile, sp.child("seccompProfile"))
	if sc.AllowPrivilegeEscalation == nil || *sc.AllowPrivilegeEscalation {
		return
	}
	if sc.Privileged != nil && *sc.Privileged {
		v.invalid(sp, sc, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
	}
	if sc.Capabilities != nil && slices.Contains(sc.Capabilities.Add, "CAP_SYS_ADMIN") {
		v.invalid(sp, sc, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN")
	}
}

func (v *validator) probe(pr *corev1.Probe, p path, successOnce bool) {
	if pr == nil {
		return
	}
	v.handler(&pr.ProbeHandler, &p)
	v.nonNegative(p.child("initialDelaySeconds"), int64(pr.InitialDelaySeconds))
	v.nonNegative(p.child("timeoutSeconds"), int64(pr.TimeoutSeconds))
	v.nonNegative(p.child("periodSeconds"), int64(pr.PeriodSeconds))
	v.nonNegative(p.child("successThreshold"), int64(pr.SuccessThreshold))
	v.nonNegative(p.child("failureThreshold"), int64(pr.FailureThreshold))
	if g := pr.TerminationGracePeriodSeconds; g != nil {
		if *g <= 0 {
			v.invalid(p.child("terminationGracePeriodSeconds"), *g, "must be greater than 0")
		}
		if !successOnce {
			v.invalid(p.child("terminationGracePeriodSeconds"), *g, "must not be set for readinessProbes")
		}
	}
	if successOnce && pr.SuccessThreshold != 1 {
		v.invalid(p.child("successThreshold"), pr.SuccessThreshold, "must be 1")
	}
}

func (v *validator) handler(h *corev1.ProbeHandler, p *path) {
	n := 0
	count := func(set bool, name string) bool {
		if !set {
			return false
		}
		n++
		if n > 1 {
			v.forbidden(p.child(name), "may not specify more than 1 handler type")
			return false
		}
		return true
	}
	if count(h.Exec != nil, "exec") {
		v.exec(h.Exec, p.child("exec"))
	}
	if count(h.HTTPGet != nil, "httpGet") {
		v.httpGet(h.HTTPGet, p.child("httpGet"))
	}
	if count(h.TCPSocket != nil, "tcpSocket") {
		at := p.child("tcpSocket")
		v.port(h.TCPSocket.Port, at.child("port"))
	}
	if count(h.GRPC != nil, "grpc") {
		at := p.child("grpc")
		for _, msg := range validation.IsValidPortNum(int(h.GRPC.Port)) {
			v.invalid(at.child("port"), h.GRPC.Port, msg)
		}
	}
	if n == 0 {
		v.required(*p, "must specify a handler type")
	}
}

func (v *validator) hook(h *corev1.LifecycleHandler, p path) {
	if h == nil {
		return
	}
	switch {
	case h.Exec != nil:
		v.exec(h.Exec, p.child("exec"))
	case h.HTTPGet != nil:
		v.httpGet(h.HTTPGet, p.child("httpGet"))
	case h.TCPSocket != nil:
		at := p.child("tcpSocket")
		v.port(h.TCPSocket.Port, at.child("port"))
	case h.Sleep != nil:
	default:
		v.required(p, "must specify a handler type")
	}
}

func (v *validator) exec(e *corev1.ExecAction, p path) {
	if len(e.Command) == 0 {
		v.required(p.child("command"), "")
	}
}

func (v *validator) httpGet(h *corev1.HTTPGetAction, p path) {
	if h.Path == "" {
		v.required(p.child("path"), "")
	}
	v.port(h.Port, p.child("port"))
	oneOf(v, p.child("scheme"), h.Scheme, true, corev1.URISchemeHTTP, corev1.URISchemeHTTPS)
}

func (v *validator) port(port intstr.IntOrString, p path) {
	if port.Type == intstr.Int {
		for _, msg := range validation.IsValidPortNum(port.IntValue()) {
			v.invalid(p, port.IntValue(), msg)
		}
		return
	}
	for _, msg := range validation.IsValidPortName(port.StrVal) {
		v.invalid(p, port.StrVal, msg)
	}
}
