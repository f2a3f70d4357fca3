package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/plumbline-ci/plumbline/kindconfig"
)

// there is the cluster, as far as it is asked for something.
type there struct {
	clientset kubernetes.Interface
	dynamic   dynamic.Interface
	resource  schema.GroupVersionResource
	namespace string
	// logs is what a container has printed.
	logs func(ctx context.Context, pod, container string) (string, error)
}

// group is whose TaskRuns are measured, in the first of versions that is served.
const group = "tekton.dev"

var versions = []string{"v1", "v1beta1"}

// connect reaches a cluster that has TaskRuns.
func connect(config *rest.Config) (*there, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1 // what is measured is not this client
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	dyn, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	c := &there{clientset: clientset, dynamic: dyn}
	c.logs = func(ctx context.Context, pod, container string) (string, error) {
		data, err := clientset.CoreV1().Pods(c.namespace).GetLogs(pod, &corev1.PodLogOptions{Container: container}).DoRaw(ctx)
		return string(data), err
	}
	return c, c.discover()
}

// discover finds the version of TaskRuns that is served.
func (c *there) discover() error {
	for _, version := range versions {
		gv := schema.GroupVersion{Group: group, Version: version}
		list, err := c.clientset.Discovery().ServerResourcesForGroupVersion(gv.String())
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("asking for %s: %w", gv, err)
		}
		if slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == "taskruns" }) {
			c.resource = gv.WithResource("taskruns")
			return nil
		}
	}
	return fmt.Errorf("the cluster has no TaskRuns of %s in any of %s: nothing is installed", group, strings.Join(versions, ", "))
}

// about says what is measured.
func (c *there) about(ctx context.Context) ([]fact, error) {
	version, err := c.clientset.Discovery().ServerVersion()
	if err != nil {
		return nil, err
	}
	out := []fact{{"kubernetes", version.GitVersion}, {"api", c.resource.GroupVersion().String()}}
	nodes, err := c.clientset.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, n := range nodes.Items {
		out = append(out, fact{"node", fmt.Sprintf("%s processors, kubelet %s, %s", n.Status.Capacity.Cpu(), n.Status.NodeInfo.KubeletVersion, n.Status.NodeInfo.ContainerRuntimeVersion)})
	}
	// Where controllers customarily are; another one has no such line.
	if d, err := c.clientset.AppsV1().Deployments(kindconfig.Namespace).Get(ctx, kindconfig.Deployment, metav1.GetOptions{}); err == nil && len(d.Spec.Template.Spec.Containers) > 0 {
		out = append(out, fact{"controller", d.Spec.Template.Spec.Containers[0].Image})
	}
	return out, nil
}

// open makes a namespace, and a tenant of it where only tenants are served.
func (c *there) open(ctx context.Context) error {
	ns, err := c.clientset.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "bench-"}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	c.namespace = ns.Name
	_, err = c.clientset.RbacV1().ClusterRoles().Get(ctx, kindconfig.RoleTenantAccess, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return err
	}
	_, err = c.clientset.RbacV1().RoleBindings(c.namespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: kindconfig.RoleTenantAccess},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: kindconfig.RoleTenantAccess},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: kindconfig.Account, Namespace: kindconfig.Namespace}},
	}, metav1.CreateOptions{})
	return err
}

// gone is how often the namespace is asked whether it is.
const gone = 500 * time.Millisecond

// close deletes the namespace, and waits until it is gone: the next measurement is not to be disturbed by the end of this.
func (c *there) close(ctx context.Context) error {
	if err := c.clientset.CoreV1().Namespaces().Delete(ctx, c.namespace, metav1.DeleteOptions{}); err != nil {
		return err
	}
	err := wait.PollUntilContextCancel(ctx, gone, true, func(ctx context.Context) (bool, error) {
		_, err := c.clientset.CoreV1().Namespaces().Get(ctx, c.namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
	if err != nil {
		return fmt.Errorf("namespace %s is not gone: %w", c.namespace, err)
	}
	return nil
}

// create makes a TaskRun of so many steps, each of which prints its time.
func (c *there) create(ctx context.Context, name, image string, steps int) error {
	var list []any
	for i := range steps {
		list = append(list, map[string]any{"name": fmt.Sprintf("s%d", i+1), "image": image, "command": []any{"date", "+%s%N"}})
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"taskSpec": map[string]any{"steps": list}}}}
	u.SetAPIVersion(c.resource.GroupVersion().String())
	u.SetKind("TaskRun")
	u.SetName(name)
	_, err := c.dynamic.Resource(c.resource).Namespace(c.namespace).Create(ctx, u, metav1.CreateOptions{})
	return err
}
