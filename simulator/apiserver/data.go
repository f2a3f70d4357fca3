package apiserver

import (
	"encoding/json"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// immutableData is the answer to a change of an immutable ConfigMap or Secret.
const immutableData = "field is immutable when `immutable` is set"

func validateConfigMap(obj client.Object) field.ErrorList {
	cm, ok := obj.(*corev1.ConfigMap)
	if !ok {
		return nil
	}
	var errs field.ErrorList
	size := 0
	for _, k := range sortedKeys(cm.Data) {
		for _, msg := range validation.IsConfigMapKey(k) {
			errs = append(errs, field.Invalid(field.NewPath("data").Key(k), k, msg))
		}
		if _, twice := cm.BinaryData[k]; twice {
			errs = append(errs, field.Invalid(field.NewPath("data").Key(k), k, "duplicate of key present in binaryData"))
		}
		size += len(cm.Data[k])
	}
	for _, k := range sortedKeys(cm.BinaryData) {
		for _, msg := range validation.IsConfigMapKey(k) {
			errs = append(errs, field.Invalid(field.NewPath("binaryData").Key(k), k, msg))
		}
		size += len(cm.BinaryData[k])
	}
	if size > corev1.MaxSecretSize {
		errs = append(errs, field.TooLong(field.NewPath(""), cm, corev1.MaxSecretSize))
	}
	return errs
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	keys := make([]string, 0, len(m))
	//plumbline:unordered they are sorted
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func validateConfigMapUpdate(obj, old client.Object) field.ErrorList {
	cm, ok := obj.(*corev1.ConfigMap)
	was, ok2 := old.(*corev1.ConfigMap)
	if !ok || !ok2 {
		return nil
	}
	errs := validateConfigMap(obj)
	if was.Immutable == nil || !*was.Immutable {
		return errs
	}
	if cm.Immutable == nil || !*cm.Immutable {
		errs = append(errs, field.Forbidden(field.NewPath("immutable"), immutableData))
	}
	if !maps.Equal(cm.Data, was.Data) {
		errs = append(errs, field.Forbidden(field.NewPath("data"), immutableData))
	}
	if !maps.EqualFunc(cm.BinaryData, was.BinaryData, slices.Equal[[]byte]) {
		errs = append(errs, field.Forbidden(field.NewPath("binaryData"), immutableData))
	}
	return errs
}

// secretKeys are the keys that a type of Secret must have.
func secretKeys(t corev1.SecretType) []string {
	switch t {
	case corev1.SecretTypeDockercfg:
		return []string{corev1.DockerConfigKey}
	case corev1.SecretTypeDockerConfigJson:
		return []string{corev1.DockerConfigJsonKey}
	case corev1.SecretTypeSSHAuth:
		return []string{corev1.SSHAuthPrivateKey}
	case corev1.SecretTypeTLS:
		return []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey}
	}
	return nil
}

func validateSecret(obj client.Object) field.ErrorList {
	s, ok := obj.(*corev1.Secret)
	if !ok {
		return nil
	}
	var errs field.ErrorList
	data := field.NewPath("data")
	size := 0
	for _, k := range slices.Sorted(maps.Keys(s.Data)) {
		for _, msg := range validation.IsConfigMapKey(k) {
			errs = append(errs, field.Invalid(data.Key(k), k, msg))
		}
		size += len(s.Data[k])
	}
	if size > corev1.MaxSecretSize {
		errs = append(errs, field.TooLong(data, "", corev1.MaxSecretSize))
	}
	for _, k := range secretKeys(s.Type) {
		if _, ok := s.Data[k]; !ok {
			errs = append(errs, field.Required(data.Key(k), ""))
		}
	}
	if text, ok := s.Data[corev1.DockerConfigJsonKey]; ok && s.Type == corev1.SecretTypeDockerConfigJson {
		if err := json.Unmarshal(text, &map[string]any{}); err != nil {
			errs = append(errs, field.Invalid(data.Key(corev1.DockerConfigJsonKey), "<secret contents redacted>", err.Error()))
		}
	}
	_, user := s.Data[corev1.BasicAuthUsernameKey]
	_, password := s.Data[corev1.BasicAuthPasswordKey]
	if s.Type == corev1.SecretTypeBasicAuth && !user && !password {
		errs = append(errs,
			field.Required(data.Key(corev1.BasicAuthUsernameKey), ""),
			field.Required(data.Key(corev1.BasicAuthPasswordKey), ""))
	}
	return errs
}

func validateSecretUpdate(obj, old client.Object) field.ErrorList {
	s, ok := obj.(*corev1.Secret)
	was, ok2 := old.(*corev1.Secret)
	if !ok || !ok2 {
		return nil
	}
	var errs field.ErrorList
	if s.Type != was.Type {
		errs = append(errs, field.Invalid(field.NewPath("type"), s.Type, "field is immutable"))
	}
	if was.Immutable != nil && *was.Immutable {
		if s.Immutable == nil || !*s.Immutable {
			errs = append(errs, field.Forbidden(field.NewPath("immutable"), immutableData))
		}
		if !maps.EqualFunc(s.Data, was.Data, slices.Equal[[]byte]) {
			errs = append(errs, field.Forbidden(field.NewPath("data"), immutableData))
		}
	}
	return append(errs, validateSecret(obj)...)
}
