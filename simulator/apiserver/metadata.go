package apiserver

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// validateMeta returns what is wrong with the metadata of a new object. The
// library that says it in the server's words is slow, so it is asked only about
// metadata that a quick look does not find to be fine.
func (r *resource) validateMeta(obj client.Object) field.ErrorList {
	if r.plainName(obj) && r.plainMeta(obj) {
		return nil
	}
	name := r.strategy.name
	if name == nil {
		name = validation.NameIsDNSSubdomain
	}
	errs := validation.ValidateObjectMetaAccessor(obj, r.Namespaced, name, field.NewPath("metadata"))
	return append(errs, r.finalizerDomains(obj)...)
}

// finalizerDomains returns the finalizers that a built-in kind does not take: those that are neither Kubernetes' own nor
// have a domain.
func (r *resource) finalizerDomains(obj client.Object) field.ErrorList {
	if r.strategy.custom {
		return nil
	}
	var errs field.ErrorList
	for i, f := range obj.GetFinalizers() {
		switch f {
		case metav1.FinalizerOrphanDependents, metav1.FinalizerDeleteDependents, "kubernetes":
			continue
		}
		if !strings.Contains(f, "/") {
			errs = append(errs, field.Invalid(field.NewPath("metadata", "finalizers").Index(i), f,
				"name is neither a standard finalizer name nor is it fully qualified"))
		}
	}
	return errs
}

// validateMetaUpdate returns what is wrong with a change of metadata.
func (r *resource) validateMetaUpdate(obj, old client.Object) field.ErrorList {
	fixed := obj.GetName() == old.GetName() && obj.GetNamespace() == old.GetNamespace() && obj.GetUID() == old.GetUID() &&
		obj.GetResourceVersion() != "" && obj.GetGeneration() >= old.GetGeneration() && sameDeletion(obj, old) &&
		equalTimes(obj.GetCreationTimestamp(), old.GetCreationTimestamp())
	if fixed && r.plainMeta(obj) && (old.GetDeletionTimestamp() == nil || slices.Equal(obj.GetFinalizers(), old.GetFinalizers())) {
		return nil
	}
	// A server asks more than once, and says each time what it has found: as a change
	// before and within the kind's own validation, as metadata within that.
	at := field.NewPath("metadata")
	errs := validation.ValidateObjectMetaAccessorUpdate(obj, old, at)
	errs = append(errs, errs...)
	whole := validation.ValidateObjectMetaAccessor(obj, r.Namespaced, func(string, bool) []string { return nil }, at)
	if !r.strategy.custom {
		whole = append(whole, whole...)
	}
	return append(errs, whole...)
}

func sameDeletion(a, b metav1.Object) bool {
	x, y := a.GetDeletionTimestamp(), b.GetDeletionTimestamp()
	g, h := a.GetDeletionGracePeriodSeconds(), b.GetDeletionGracePeriodSeconds()
	return (x == nil) == (y == nil) && (x == nil || x.Time.Equal(y.Time)) && (g == nil) == (h == nil) && (g == nil || *g == *h)
}

func equalTimes(a, b metav1.Time) bool { return a.Time.Equal(b.Time) }

// plainName reports whether a name is a DNS label, which every kind accepts that
// does not demand less than 63 characters or a letter in front; of Events, whose
// names have a dot, whether it is a few of them.
func (r *resource) plainName(obj client.Object) bool {
	name := obj.GetName()
	if obj.GetGenerateName() != "" || r.strategy.dictatesName() {
		return false
	}
	if r.strategy.dotted && len(name) <= maxSubdomain {
		for part := range strings.SplitSeq(name, ".") {
			if !isLabel(part) {
				return false
			}
		}
		return true
	}
	return isLabel(name) && isLetter(name[0])
}

func (st *strategy) dictatesName() bool { return st.name == nil }

// plainMeta reports whether labels, annotations, owners and finalizers are
// certainly fine. It has false negatives.
func (r *resource) plainMeta(obj client.Object) bool {
	if r.Namespaced != (obj.GetNamespace() != "") || r.Namespaced && !isLabel(obj.GetNamespace()) || obj.GetGeneration() < 0 {
		return false
	}
	for k, v := range obj.GetLabels() {
		if !isQualified(k) || !isLabelValue(v) {
			return false
		}
	}
	size := 0
	for k, v := range obj.GetAnnotations() {
		size += len(k) + len(v)
		if !isQualified(k) && !isQualified(strings.ToLower(k)) {
			return false
		}
	}
	if size > validation.TotalAnnotationSizeLimitB {
		return false
	}
	controllers := 0
	for _, o := range obj.GetOwnerReferences() {
		if o.APIVersion == "" || o.Kind == "" || o.Name == "" || o.UID == "" || strings.Count(o.APIVersion, "/") > 1 ||
			strings.HasSuffix(o.APIVersion, "/") || o.Kind == "Event" {
			return false
		}
		if o.Controller != nil && *o.Controller {
			controllers++
		}
	}
	return controllers < 2 && len(obj.GetFinalizers()) == 0
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }

func isLower(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

func isAlnum(c byte) bool { return isLower(c) || c >= 'A' && c <= 'Z' }

// isLabel reports whether s is an RFC 1123 label.
func isLabel(s string) bool {
	if len(s) == 0 || len(s) > 63 || !isLower(s[0]) || !isLower(s[len(s)-1]) {
		return false
	}
	for i := range len(s) {
		if !isLower(s[i]) && s[i] != '-' {
			return false
		}
	}
	return true
}

// maxSubdomain is how long a DNS subdomain may be.
const maxSubdomain = 253

// isQualified reports whether s is a name of at most 63 characters with, maybe, a
// DNS subdomain and a slash before it.
func isQualified(s string) bool {
	if prefix, name, ok := strings.Cut(s, "/"); ok {
		if len(prefix) > maxSubdomain {
			return false
		}
		for part := range strings.SplitSeq(prefix, ".") {
			if !isLabel(part) {
				return false
			}
		}
		s = name
	}
	return s != "" && isLabelValue(s)
}

func isLabelValue(s string) bool {
	if s == "" {
		return true
	}
	if len(s) > 63 || !isAlnum(s[0]) || !isAlnum(s[len(s)-1]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
