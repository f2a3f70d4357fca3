package kubelet

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// environment is a container's variables in their order; a later value of a name
// replaces an earlier one.
type environment struct{ list []string }

// find looks a variable up. Environments are short: a map would cost more.
func (e *environment) find(name string) int {
	for i, kv := range e.list {
		if len(kv) > len(name) && kv[len(name)] == '=' && kv[:len(name)] == name {
			return i
		}
	}
	return -1
}

func (e *environment) set(name, value string) {
	if i := e.find(name); i >= 0 {
		e.list[i] = name + "=" + value
		return
	}
	e.list = append(e.list, name+"="+value)
}

func (e *environment) get(name string) (string, bool) {
	if i := e.find(name); i >= 0 {
		return e.list[i][len(name)+1:], true
	}
	return "", false
}

// serviceEnvironment is what every container's environment says about the API server,
// the only service that this node announces.
func serviceEnvironment(address, port string) []string {
	tcp := "tcp://" + address + ":" + port
	return []string{
		"KUBERNETES_SERVICE_HOST=" + address,
		"KUBERNETES_SERVICE_PORT=" + port,
		"KUBERNETES_SERVICE_PORT_HTTPS=" + port,
		"KUBERNETES_PORT=" + tcp,
		"KUBERNETES_PORT_" + port + "_TCP=" + tcp,
		"KUBERNETES_PORT_" + port + "_TCP_PROTO=tcp",
		"KUBERNETES_PORT_" + port + "_TCP_PORT=" + port,
		"KUBERNETES_PORT_" + port + "_TCP_ADDR=" + address,
	}
}

// environment builds the variables of a container. The error is the message of
// CreateContainerConfigError.
func (w *worker) environment(s *slot) (*environment, error) {
	services := w.k.o.Node.services
	e := &environment{list: append(make([]string, 0, len(services)+len(s.spec.Env)), services...)}
	for _, from := range s.spec.EnvFrom {
		data, err := w.envFrom(from)
		if err != nil {
			return nil, err
		}
		for _, key := range slices.Sorted(maps.Keys(data)) {
			e.set(from.Prefix+key, data[key])
		}
	}
	for i := range s.spec.Env {
		v := &s.spec.Env[i]
		value, present := expand(v.Value, e.get), true
		if v.Value == "" && v.ValueFrom != nil {
			var err error
			if value, present, err = w.valueFrom(s, v.ValueFrom); err != nil {
				return nil, err
			}
		}
		if present {
			e.set(v.Name, value)
		}
	}
	return e, nil
}

func (w *worker) envFrom(from corev1.EnvFromSource) (map[string]string, error) {
	switch {
	case from.ConfigMapRef != nil:
		m, err := w.configMap(from.ConfigMapRef.Name, optional(from.ConfigMapRef.Optional))
		if m == nil {
			return nil, err
		}
		return m.Data, nil
	case from.SecretRef != nil:
		m, err := w.secret(from.SecretRef.Name, optional(from.SecretRef.Optional))
		if m == nil {
			return nil, err
		}
		out := make(map[string]string, len(m.Data))
		for k, v := range m.Data {
			out[k] = string(v)
		}
		return out, nil
	}
	return nil, nil
}

func optional(b *bool) bool { return b != nil && *b }

// valueFrom finds the value of one variable. present is false when an optional
// reference leads nowhere.
func (w *worker) valueFrom(s *slot, from *corev1.EnvVarSource) (value string, present bool, err error) {
	switch {
	case from.FieldRef != nil:
		value, err = w.field(from.FieldRef.FieldPath)
		return value, err == nil, err
	case from.ResourceFieldRef != nil:
		value, err = w.resourceField(s, from.ResourceFieldRef)
		return value, err == nil, err
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		m, err := w.configMap(ref.Name, optional(ref.Optional))
		if m == nil {
			return "", false, err
		}
		if value, present = m.Data[ref.Key]; !present && !optional(ref.Optional) {
			return "", false, fmt.Errorf("couldn't find key %s in ConfigMap %s/%s", ref.Key, w.pod.Namespace, ref.Name)
		}
		return value, present, nil
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		m, err := w.secret(ref.Name, optional(ref.Optional))
		if m == nil {
			return "", false, err
		}
		b, present := m.Data[ref.Key]
		if !present && !optional(ref.Optional) {
			return "", false, fmt.Errorf("couldn't find key %s in Secret %s/%s", ref.Key, w.pod.Namespace, ref.Name)
		}
		return string(b), present, nil
	}
	return "", true, nil
}

// configMap reads a configMap of the Pod's namespace. It returns nil without an
// error when it is missing and may be.
func (w *worker) configMap(name string, optional bool) (*corev1.ConfigMap, error) {
	m := &corev1.ConfigMap{}
	if found, err := w.read(name, m, "configmap", optional); !found {
		return nil, err
	}
	return m, nil
}

// secret reads a secret, as configMap does.
func (w *worker) secret(name string, optional bool) (*corev1.Secret, error) {
	m := &corev1.Secret{}
	if found, err := w.read(name, m, "secret", optional); !found {
		return nil, err
	}
	return m, nil
}

func (w *worker) read(name string, into client.Object, kind string, optional bool) (bool, error) {
	err := w.k.o.Client.Get(context.Background(), client.ObjectKey{Namespace: w.pod.Namespace, Name: name}, into)
	switch {
	case err == nil:
		return true, nil
	case apierrors.IsNotFound(err) && optional:
		return false, nil
	case apierrors.IsNotFound(err):
		return false, fmt.Errorf("%s %q not found", kind, name)
	}
	return false, err
}

// field finds a field of the Pod that a fieldRef may name.
func (w *worker) field(path string) (string, error) {
	pod := w.pod
	if base, key, ok := subscript(path); ok {
		switch base {
		case "metadata.annotations":
			return pod.Annotations[key], nil
		case "metadata.labels":
			return pod.Labels[key], nil
		}
	}
	switch path {
	case "metadata.name":
		return pod.Name, nil
	case "metadata.namespace":
		return pod.Namespace, nil
	case "metadata.uid":
		return string(pod.UID), nil
	case "metadata.labels":
		return formatMap(pod.Labels), nil
	case "metadata.annotations":
		return formatMap(pod.Annotations), nil
	case "spec.nodeName":
		return pod.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return pod.Spec.ServiceAccountName, nil
	case "status.hostIP", "status.hostIPs":
		return w.k.o.Node.Address, nil
	case "status.podIP", "status.podIPs":
		return w.ip, nil
	}
	return "", fmt.Errorf("unsupported fieldPath: %v", path)
}

// subscript splits metadata.annotations['key'].
func subscript(path string) (base, key string, ok bool) {
	base, key, ok = strings.Cut(path, "['")
	if !ok {
		return path, "", false
	}
	return base, strings.TrimSuffix(key, "']"), true
}

// formatMap prints labels or annotations as the downward API does.
func formatMap(m map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m)) {
		b.WriteString(k)
		b.WriteByte('=')
		b.WriteString(strconv.Quote(m[k]))
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// resourceField finds a container's request or limit; without a limit it is what
// the node can give.
func (w *worker) resourceField(s *slot, ref *corev1.ResourceFieldSelector) (string, error) {
	if ref.ContainerName != "" {
		if s = w.slot(ref.ContainerName); s == nil {
			return "", fmt.Errorf("container %s not found", ref.ContainerName)
		}
	}
	kind, name, _ := strings.Cut(ref.Resource, ".")
	list := s.spec.Resources.Requests
	if kind == "limits" {
		list = s.spec.Resources.Limits
	}
	quantity, ok := list[corev1.ResourceName(name)]
	if !ok && kind == "limits" {
		quantity = w.k.o.Node.Allocatable[corev1.ResourceName(name)]
	}
	divisor := ref.Divisor
	if divisor.IsZero() {
		divisor = resource.MustParse("1")
	}
	if name == string(corev1.ResourceCPU) {
		return strconv.FormatInt(int64(math.Ceil(float64(quantity.MilliValue())/float64(divisor.MilliValue()))), 10), nil
	}
	return strconv.FormatInt(int64(math.Ceil(float64(quantity.Value())/float64(divisor.Value()))), 10), nil
}
