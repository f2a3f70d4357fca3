package apiserver

import (
	"cmp"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// NewScheme returns a scheme with the kinds that every server serves.
func NewScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, authorizationv1.AddToScheme, coordinationv1.AddToScheme, policyv1.AddToScheme, rbacv1.AddToScheme, schedulingv1.AddToScheme, apiextensionsv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			panic(err) // the registration functions fail on conflicting types alone
		}
	}
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	return scheme
}

// builtin is a kind that every server serves.
type builtin struct {
	Kind
	strategy strategy
}

func builtins() []builtin {
	core := corev1.SchemeGroupVersion
	apps := appsv1.SchemeGroupVersion
	rbac := rbacv1.SchemeGroupVersion
	subdomain := strategy{name: validation.NameIsDNSSubdomain}
	deployment := strategy{name: validation.NameIsDNSSubdomain, generation: generationOfSpec}
	return []builtin{
		{Kind{GVK: core.WithKind("Namespace"), Plural: "namespaces", Status: true}, namespaceStrategy()},
		{Kind{GVK: core.WithKind("Pod"), Plural: "pods", Namespaced: true, Status: true, AtRest: podAtRest}, podStrategy()},
		{Kind{GVK: core.WithKind("ConfigMap"), Plural: "configmaps", Namespaced: true}, configMapStrategy()},
		{Kind{GVK: core.WithKind("Secret"), Plural: "secrets", Namespaced: true}, secretStrategy()},
		{Kind{GVK: core.WithKind("ServiceAccount"), Plural: "serviceaccounts", Namespaced: true}, subdomain},
		{Kind{GVK: core.WithKind("Event"), Plural: "events", Namespaced: true, AtRest: eventAtRest}, eventStrategy()},
		{Kind{GVK: core.WithKind("PersistentVolumeClaim"), Plural: "persistentvolumeclaims", Namespaced: true, Status: true}, claimStrategy()},
		{Kind{GVK: core.WithKind("PersistentVolume"), Plural: "persistentvolumes", Status: true}, volumeStrategy()},
		{Kind{GVK: core.WithKind("Node"), Plural: "nodes", Status: true}, nodeStrategy()},
		{Kind{GVK: core.WithKind("LimitRange"), Plural: "limitranges", Namespaced: true}, limitRangeStrategy()},
		{Kind{GVK: core.WithKind("ResourceQuota"), Plural: "resourcequotas", Namespaced: true, Status: true}, quotaStrategy()},
		{Kind{GVK: core.WithKind("Service"), Plural: "services", Namespaced: true, Status: true}, strategy{name: validation.NameIsDNS1035Label}},
		{Kind{GVK: apps.WithKind("StatefulSet"), Plural: "statefulsets", Namespaced: true, Status: true}, statefulSetStrategy()},
		{Kind{GVK: apps.WithKind("Deployment"), Plural: "deployments", Namespaced: true, Status: true}, deployment},
		{Kind{GVK: policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"), Plural: "poddisruptionbudgets", Namespaced: true, Status: true}, budgetStrategy()},
		{Kind{GVK: coordinationv1.SchemeGroupVersion.WithKind("Lease"), Plural: "leases", Namespaced: true}, subdomain},
		{Kind{GVK: schedulingv1.SchemeGroupVersion.WithKind("PriorityClass"), Plural: "priorityclasses"}, subdomain},
		{Kind{GVK: rbac.WithKind("Role"), Plural: "roles", Namespaced: true}, roleStrategy()},
		{Kind{GVK: rbac.WithKind("RoleBinding"), Plural: "rolebindings", Namespaced: true}, bindingStrategy(true)},
		{Kind{GVK: rbac.WithKind("ClusterRole"), Plural: "clusterroles"}, roleStrategy()},
		{Kind{GVK: rbac.WithKind("ClusterRoleBinding"), Plural: "clusterrolebindings"}, bindingStrategy(false)},
		{Kind{GVK: apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition"), Plural: "customresourcedefinitions", Status: true}, definitionStrategy()},
	}
}

func eventStrategy() strategy {
	return strategy{
		name:     validation.NameIsDNSSubdomain,
		dotted:   true,
		ttl:      EventTTL,
		validate: validateEvent,
		fields: []string{
			"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
			"involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type",
		},
		field: func(obj client.Object, name string) string {
			e, ok := obj.(*corev1.Event)
			if !ok {
				return ""
			}
			switch name {
			case "involvedObject.kind":
				return e.InvolvedObject.Kind
			case "involvedObject.namespace":
				return e.InvolvedObject.Namespace
			case "involvedObject.name":
				return e.InvolvedObject.Name
			case "involvedObject.uid":
				return string(e.InvolvedObject.UID)
			case "involvedObject.apiVersion":
				return e.InvolvedObject.APIVersion
			case "involvedObject.resourceVersion":
				return e.InvolvedObject.ResourceVersion
			case "involvedObject.fieldPath":
				return e.InvolvedObject.FieldPath
			case "reason":
				return e.Reason
			case "reportingComponent":
				return e.ReportingController
			case "source":
				return cmp.Or(e.Source.Component, e.ReportingController)
			case "type":
				return e.Type
			}
			return ""
		},
	}
}

// eventAtRest holds for events from the beginning: many are written, few are read.
func eventAtRest(client.Object) bool { return true }

// validateEvent has an event live beside its object.
func validateEvent(obj client.Object) field.ErrorList {
	e, ok := obj.(*corev1.Event)
	if !ok {
		return nil
	}
	of := e.InvolvedObject.Namespace
	if of == e.Namespace || of == "" && e.Namespace == metav1.NamespaceDefault {
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath("involvedObject", "namespace"), of, "does not match event.namespace")}
}

func volumeStrategy() strategy {
	return strategy{
		name: validation.NameIsDNSSubdomain,
		created: func(_ *Server, obj client.Object) {
			if v, ok := obj.(*corev1.PersistentVolume); ok {
				v.Status = corev1.PersistentVolumeStatus{Phase: corev1.VolumePending}
			}
		},
		statusTakesMeta: true,
	}
}

func nodeStrategy() strategy {
	return strategy{
		name:       validation.NameIsDNSSubdomain,
		keepStatus: true, statusTakesMeta: true,
		fields: []string{"spec.unschedulable"},
		field: func(obj client.Object, _ string) string {
			if n, ok := obj.(*corev1.Node); ok && n.Spec.Unschedulable {
				return "true"
			}
			return "false"
		},
	}
}

func configMapStrategy() strategy {
	return strategy{name: validation.NameIsDNSSubdomain, validate: validateConfigMap, validateUpdate: validateConfigMapUpdate}
}

func secretStrategy() strategy {
	return strategy{
		name: validation.NameIsDNSSubdomain, validate: validateSecret, validateUpdate: validateSecretUpdate,
		apply: func(obj client.Object) {
			s, ok := obj.(*corev1.Secret)
			if !ok {
				return
			}
			if s.Type == "" {
				s.Type = corev1.SecretTypeOpaque
			}
			// stringData is a way of writing data: it is never stored.
			for k, v := range s.StringData {
				if s.Data == nil {
					s.Data = map[string][]byte{}
				}
				s.Data[k] = []byte(v)
			}
			s.StringData = nil
		},
		fields: []string{"type"},
		field: func(obj client.Object, _ string) string {
			if s, ok := obj.(*corev1.Secret); ok {
				return string(s.Type)
			}
			return ""
		},
	}
}
