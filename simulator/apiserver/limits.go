package apiserver

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/pods"
	corev1 "k8s.io/api/core/v1"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/api/validation"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// limitRangerAnnotation says what the plugin LimitRanger has set.
const limitRangerAnnotation = "kubernetes.io/limit-ranger"

func limitRangeStrategy() strategy {
	return strategy{name: validation.NameIsDNSSubdomain, apply: func(obj client.Object) {
		if lr, ok := obj.(*corev1.LimitRange); ok {
			for i := range lr.Spec.Limits {
				defaultLimits(&lr.Spec.Limits[i])
			}
		}
	}}
}

// defaultLimits derives what a LimitRange leaves out: a limit from the maximum, a
// request from the limit, else from the minimum.
func defaultLimits(item *corev1.LimitRangeItem) {
	if item.Type != corev1.LimitTypeContainer {
		return
	}
	fill := func(into *corev1.ResourceList, from corev1.ResourceList) {
		for _, name := range slices.Sorted(maps.Keys(from)) {
			if _, ok := (*into)[name]; !ok {
				if *into == nil {
					*into = corev1.ResourceList{}
				}
				(*into)[name] = from[name].DeepCopy()
			}
		}
	}
	fill(&item.Default, item.Max)
	fill(&item.DefaultRequest, item.Default)
	fill(&item.DefaultRequest, item.Min)
}

// limitRanger is the admission plugin LimitRanger: it gives containers the default
// requests and limits of their namespace, and refuses Pods beyond its bounds.
type limitRanger struct{ s *Server }

func (l limitRanger) ranges(ns string) []*corev1.LimitRange {
	var out []*corev1.LimitRange
	l.s.Each(corev1.SchemeGroupVersion.WithKind("LimitRange"), ns, func(o client.Object) bool {
		if lr, ok := o.(*corev1.LimitRange); ok {
			out = append(out, lr)
		}
		return true
	})
	return out
}

func (l limitRanger) Admit(req *Request) error {
	pod := newPod(req)
	if pod == nil {
		return nil
	}
	for _, lr := range l.ranges(pod.Namespace) {
		var notes []string
		defaults := func(list []corev1.Container, kind string) {
			for i := range list {
				notes = append(notes, applyLimitDefaults(&list[i], lr, kind)...)
			}
		}
		defaults(pod.Spec.Containers, "container")
		defaults(pod.Spec.InitContainers, "init container")
		if len(notes) > 0 {
			pod.Annotations = maps.Clone(pod.Annotations)
			if pod.Annotations == nil {
				pod.Annotations = map[string]string{}
			}
			pod.Annotations[limitRangerAnnotation] = "LimitRanger plugin set: " + strings.Join(notes, "; ")
		}
	}
	return nil
}

func applyLimitDefaults(c *corev1.Container, lr *corev1.LimitRange, kind string) []string {
	requests, limits := corev1.ResourceList{}, corev1.ResourceList{}
	for i := range lr.Spec.Limits {
		if item := &lr.Spec.Limits[i]; item.Type == corev1.LimitTypeContainer {
			maps.Copy(requests, item.DefaultRequest)
			maps.Copy(limits, item.Default)
		}
	}
	var notes []string
	merge := func(into *corev1.ResourceList, from corev1.ResourceList, what string) {
		var set []string
		for _, name := range slices.Sorted(maps.Keys(from)) {
			if _, ok := (*into)[name]; ok {
				continue
			}
			if *into == nil {
				*into = corev1.ResourceList{}
			}
			(*into)[name] = from[name].DeepCopy()
			set = append(set, string(name))
		}
		if len(set) > 0 {
			notes = append(notes, strings.Join(set, ", ")+" "+what+" for "+kind+" "+c.Name)
		}
	}
	merge(&c.Resources.Requests, requests, "request")
	merge(&c.Resources.Limits, limits, "limit")
	return notes
}

// Validate implements Validator.
func (l limitRanger) Validate(req *Request) error {
	pod := newPod(req)
	if pod == nil {
		return nil
	}
	var errs []error
	for _, lr := range l.ranges(pod.Namespace) {
		for i := range lr.Spec.Limits {
			item := &lr.Spec.Limits[i]
			switch item.Type {
			case corev1.LimitTypeContainer:
				for j := range pod.Spec.Containers {
					errs = append(errs, checkLimits(item, pod.Spec.Containers[j].Resources.Requests, pod.Spec.Containers[j].Resources.Limits)...)
				}
				for j := range pod.Spec.InitContainers {
					errs = append(errs, checkLimits(item, pod.Spec.InitContainers[j].Resources.Requests, pod.Spec.InitContainers[j].Resources.Limits)...)
				}
			case corev1.LimitTypePod:
				requests, limits := pods.Requests(&pod.Spec)
				errs = append(errs, checkLimits(item, requests, limits)...)
			}
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return asText(utilerrors.NewAggregate(errs))
}

func checkLimits(item *corev1.LimitRangeItem, requests, limits corev1.ResourceList) []error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(item.Min)) {
		bound := item.Min[name]
		request, requested := requests[name]
		limit, limited := limits[name]
		switch {
		case !requested:
			fail("minimum %s usage per %s is %s.  No request is specified", name, item.Type, bound.String())
		case request.Cmp(bound) < 0:
			fail("minimum %s usage per %s is %s, but request is %s", name, item.Type, bound.String(), request.String())
		}
		if limited && limit.Cmp(bound) < 0 {
			fail("minimum %s usage per %s is %s, but limit is %s", name, item.Type, bound.String(), limit.String())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(item.Max)) {
		bound := item.Max[name]
		request, requested := requests[name]
		limit, limited := limits[name]
		switch {
		case !limited:
			fail("maximum %s usage per %s is %s.  No limit is specified", name, item.Type, bound.String())
		case limit.Cmp(bound) > 0:
			fail("maximum %s usage per %s is %s, but limit is %s", name, item.Type, bound.String(), limit.String())
		}
		if requested && request.Cmp(bound) > 0 {
			fail("maximum %s usage per %s is %s, but request is %s", name, item.Type, bound.String(), request.String())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(item.MaxLimitRequestRatio)) {
		bound := item.MaxLimitRequestRatio[name]
		request, limit := requests[name], limits[name]
		switch {
		case request.IsZero():
			fail("%s max limit to request ratio per %s is %s, but no request is specified or request is 0", name, item.Type, bound.String())
		case limit.IsZero():
			fail("%s max limit to request ratio per %s is %s, but no limit is specified or limit is 0", name, item.Type, bound.String())
		default:
			if ratio := ratioOf(limit, request); ratio > bound.AsApproximateFloat64() {
				fail("%s max limit to request ratio per %s is %s, but provided ratio is %f", name, item.Type, bound.String(), ratio)
			}
		}
	}
	return errs
}

func ratioOf(limit, request quantity.Quantity) float64 {
	return limit.AsApproximateFloat64() / request.AsApproximateFloat64()
}
