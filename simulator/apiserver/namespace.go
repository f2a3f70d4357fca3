package apiserver

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Names that exist in every namespace, made by controllers that are not part of
// this package; CreateNamespace makes them at once.
const (
	DefaultServiceAccount = "default"
	RootCAConfigMap       = "kube-root-ca.crt"
	rootCAKey             = "ca.crt"
)

// systemNamespaces exist from the beginning.
var systemNamespaces = []string{metav1.NamespaceDefault, corev1.NamespaceNodeLease, metav1.NamespacePublic, metav1.NamespaceSystem}

// labelNamespaceName is put on every namespace.
const labelNamespaceName = corev1.LabelMetadataName

// actorServer is who the server's own writes are by.
const actorServer = "apiserver"

func namespaceStrategy() strategy {
	return strategy{
		name: validation.ValidateNamespaceName,
		apply: func(obj client.Object) {
			ns, ok := obj.(*corev1.Namespace)
			if !ok || ns.Name == "" {
				return
			}
			if ns.Labels[labelNamespaceName] != ns.Name {
				labels := make(map[string]string, len(ns.Labels)+1)
				for k, v := range ns.Labels {
					labels[k] = v
				}
				labels[labelNamespaceName] = ns.Name
				ns.Labels = labels
			}
		},
		created: func(_ *Server, obj client.Object) {
			if ns, ok := obj.(*corev1.Namespace); ok {
				ns.Status = corev1.NamespaceStatus{Phase: corev1.NamespaceActive}
				if !slices.Contains(ns.Spec.Finalizers, corev1.FinalizerKubernetes) {
					ns.Spec.Finalizers = append(ns.Spec.Finalizers, corev1.FinalizerKubernetes)
				}
			}
		},
		updated: func(obj, old client.Object) {
			if ns, ok := obj.(*corev1.Namespace); ok {
				ns.Spec.Finalizers = old.(*corev1.Namespace).Spec.Finalizers
				ns.Status = old.(*corev1.Namespace).Status
			}
		},
		undeletable:     keepSystemNamespace,
		deleting:        deleteNamespace,
		putFinalizers:   finalizeNamespace,
		statusTakesMeta: true,
		oneByOne:        true,
		committed: func(s *Server, r *resource, ch Change) {
			if ns, ok := ch.New.(*corev1.Namespace); ok && ns.DeletionTimestamp != nil && len(ns.Spec.Finalizers) == 0 && len(ns.Finalizers) == 0 {
				s.later(func() {
					s.remove(&Call{Actor: ch.Actor, Verb: ch.Verb, GVK: r.GVK, Resource: r.gr}, r, client.ObjectKeyFromObject(ns))
				})
			}
		},
		fields: []string{"status.phase"},
		field: func(obj client.Object, _ string) string {
			if ns, ok := obj.(*corev1.Namespace); ok {
				return string(ns.Status.Phase)
			}
			return ""
		},
	}
}

func keepSystemNamespace(r *resource, obj client.Object) error {
	if slices.Contains([]string{metav1.NamespaceDefault, metav1.NamespaceSystem, metav1.NamespacePublic}, obj.GetName()) {
		return r.forbidden(obj.GetName(), fmt.Errorf("this namespace may not be deleted"))
	}
	return nil
}

// deleteNamespace begins the termination of a namespace. It goes once a namespace
// controller has emptied it and taken the finalizer out of its spec.
func deleteNamespace(s *Server, c *Call, r *resource, obj client.Object) (bool, error) {
	ns, ok := obj.(*corev1.Namespace)
	if !ok {
		return false, nil
	}
	key := client.ObjectKeyFromObject(ns)
	if ns.DeletionTimestamp == nil {
		ns = s.edit(c, r, key, func(o client.Object) {
			n := o.(*corev1.Namespace)
			n.DeletionTimestamp = timePointer(s.now())
			n.Status.Phase = corev1.NamespaceTerminating
		}).(*corev1.Namespace)
	}
	if len(ns.Spec.Finalizers) > 0 {
		return true, nil
	}
	return false, nil
}

func finalizeNamespace(s *Server, c *Call, r *resource, key client.ObjectKey, body client.Object) (client.Object, error) {
	e := r.table.get(key)
	if e == nil {
		return nil, r.notFound(key.Name)
	}
	in := &corev1.Namespace{}
	if err := bodyInto(body, in); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("%s takes a Namespace: %v", SubresourceFinalize, err))
	}
	if v := in.ResourceVersion; v != "" && v != e.object().GetResourceVersion() {
		return nil, r.stale(key.Name)
	}
	out := s.edit(c, r, key, func(o client.Object) {
		o.(*corev1.Namespace).Spec.Finalizers = slices.Clone(in.Spec.Finalizers)
		if len(in.Spec.Finalizers) == 0 {
			o.(*corev1.Namespace).Spec.Finalizers = nil
		}
	})
	return out, nil
}

// lifecycle is the admission plugin NamespaceLifecycle.
type lifecycle struct{ s *Server }

func (l lifecycle) Admit(req *Request) error {
	if req.Operation != OperationCreate || !req.resource.Namespaced {
		return nil
	}
	ns := l.s.namespace(req.Object.GetNamespace())
	if ns == nil {
		return apierrors.NewNotFound(corev1.Resource("namespaces"), req.Object.GetNamespace())
	}
	if ns.Status.Phase != corev1.NamespaceTerminating {
		return nil
	}
	err := apierrors.NewForbidden(req.resource.gr, req.subject(), fmt.Errorf("unable to create new content in namespace %s because it is being terminated", ns.Name))
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{
		Type:    corev1.NamespaceTerminatingCause,
		Message: fmt.Sprintf("namespace %s is being terminated", ns.Name),
		Field:   "metadata.namespace",
	})
	return err
}

// namespace returns the stored, shared namespace, or nil.
func (s *Server) namespace(name string) *corev1.Namespace {
	ns, _ := s.Shared(corev1.SchemeGroupVersion.WithKind("Namespace"), types.NamespacedName{Name: name}).(*corev1.Namespace)
	return ns
}

func (s *Server) createSystemNamespace(name string) {
	if err := s.createFor(actorServer, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
		panic(fmt.Sprintf("apiserver: namespace %s: %v", name, err))
	}
}

// CreateNamespace creates a namespace together with what the controllers of a
// cluster put into every one: the default ServiceAccount and the ConfigMap with
// the cluster's certificate. What exists already stays.
func (s *Server) CreateNamespace(name string, labels map[string]string) error {
	meta := metav1.ObjectMeta{Namespace: name, Name: DefaultServiceAccount}
	ca := metav1.ObjectMeta{Namespace: name, Name: RootCAConfigMap}
	for _, obj := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}},
		&corev1.ServiceAccount{ObjectMeta: meta},
		&corev1.ConfigMap{ObjectMeta: ca, Data: map[string]string{rootCAKey: simulatedCA}},
	} {
		if err := s.createFor(actorServer, obj); client.IgnoreAlreadyExists(err) != nil {
			return fmt.Errorf("creating namespace %s: %w", name, err)
		}
	}
	return nil
}

// simulatedCA stands where a cluster's certificate would.
const simulatedCA = "-----BEGIN CERTIFICATE-----\nc2ltdWxhdGVk\n-----END CERTIFICATE-----\n"
