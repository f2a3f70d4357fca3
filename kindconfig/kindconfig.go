// Package kindconfig is the reference implementation as objects of a cluster: what it takes to install it.
//
// [Objects] are all of them, in the order in which they are applied: namespace, definitions, accounts and roles, the
// Secret of the webhooks, services, the Deployment, and last the configuration and the webhooks, which do not answer
// before the Deployment runs. They are files of the folder manifests, and the definitions of package crds; what an
// installation chooses is in [Options].
//
// # Rights
//
// There are two roles, so that who runs a cluster for several tenants can bind the second one namespace by namespace.
// tekton-pipelines-controller-cluster-access sees TaskRuns, Tasks and the names and states of Pods everywhere, and changes
// nothing but the authorities in the webhooks' objects. tekton-pipelines-controller-tenant-access makes Pods
// and reads secrets. A third one, for the namespace that all of this is in, is of little interest. Each has what the
// controller was seen to use, and a test on a real API server fails if it has too little.
//
// # Limits
//
// The namespace is tekton-pipelines. The images have to be somewhere where the cluster finds them.
package kindconfig

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	encoder "sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/crds"
)

//go:embed manifests/*.yaml
var manifests embed.FS

// examples are the further rights that the example custom tasks need, as roles by the names of those that get them.
//
//go:embed examples.yaml
var examples []byte

//go:embed cluster.yaml
var cluster []byte

// Cluster is the configuration of a cluster of kind, as kind reads it. Its nodes have no image yet.
func Cluster() []byte { return slices.Clone(cluster) }

// Names of what is installed.
const (
	Namespace  = "tekton-pipelines"
	Deployment = "tekton-pipelines-controller"
	// Account is the controller's service account; the Role of its own namespace has the same name.
	Account           = "tekton-pipelines-controller"
	RoleClusterAccess = "tekton-pipelines-controller-cluster-access"
	RoleTenantAccess  = "tekton-pipelines-controller-tenant-access"
	// RoleMetricsReader is for the account of whatever scrapes the controller's metrics.
	RoleMetricsReader = "tekton-pipelines-metrics-reader"
)

// Kinds that an installation has something to choose about.
const (
	kindDeployment  = "Deployment"
	kindDefinition  = "CustomResourceDefinition"
	kindMutating    = "MutatingWebhookConfiguration"
	kindValidating  = "ValidatingWebhookConfiguration"
	kindEverywhere  = "ClusterRoleBinding"
	kindInNamespace = "RoleBinding"
)

// definitionsAfter is the file behind which the definitions come.
const definitionsAfter = "manifests/10-namespace.yaml"

// labelPartOf marks everything.
const (
	labelPartOf = "app.kubernetes.io/part-of"
	partOf      = "tekton-pipelines"
)

// Options are what an installation chooses.
type Options struct {
	Images Images
	// PullPolicy of the controller's image; empty means the cluster's default.
	PullPolicy string
	// Replicas of the controller; zero means one.
	Replicas int
	// Tenants are the namespaces in which the controller runs TaskRuns; none means everywhere. They have to exist.
	Tenants []string
	// WebhookURL, if set, is where the webhooks are served instead of in the cluster: https://host:port.
	WebhookURL string
	// Examples installs the example custom tasks, too.
	Examples bool
	// Arguments are further ones of the controller.
	Arguments []string
}

// Images are references of container images.
type Images struct {
	Controller string
	// Entrypoint, Nop, WorkingDirInit, Shell are put into Pods of TaskRuns.
	Entrypoint, Nop, WorkingDirInit, Shell string
	// SidecarLogResults is, where results come from the log of a sidecar.
	SidecarLogResults string
}

// shell is the image that places scripts: the one image that is not of this repository, by digest (of Docker Hub's busybox
// 1.36.1, an index of all platforms), so that no other program can take its place.
const shell = "docker.io/library/busybox:1.36.1@sha256:73aaf090f3d85aa34ee199857f03fa3a95c8ede2ffd4cc2cdb5b94e566b11662"

// PublishedAs are the images of this repository as they are called in a registry.
func PublishedAs(registry, tag string) Images {
	called := func(name string) string { return strings.TrimSuffix(registry, "/") + "/" + name + ":" + tag }
	return Images{
		Controller: called("controller"), Entrypoint: called("entrypoint"), Nop: called("nop"), WorkingDirInit: called("workingdirinit"),
		SidecarLogResults: called("sidecarlogresults"), Shell: shell,
	}
}

// Objects are everything that is installed, in the order in which it is.
func Objects(o Options) ([]*unstructured.Unstructured, error) {
	read, err := stored(o.Examples)
	if err != nil {
		return nil, err
	}
	var out []*unstructured.Unstructured
	for _, u := range read {
		labels := u.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[labelPartOf] = partOf
		u.SetLabels(labels)
		made, err := o.apply(u)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", u.GetKind(), u.GetName(), err)
		}
		out = append(out, made...)
	}
	return out, nil
}

// withExamples gives roles the further rights that the example custom tasks need.
func withExamples(list []*unstructured.Unstructured) error {
	further, err := Parse(examples)
	if err != nil {
		return fmt.Errorf("the rights of the example custom tasks: %w", err)
	}
	for _, u := range list {
		for _, role := range further {
			if u.GetKind() != role.GetKind() || u.GetName() != role.GetName() {
				continue
			}
			rules, _, err := unstructured.NestedSlice(u.Object, "rules")
			more, _, wrong := unstructured.NestedSlice(role.Object, "rules")
			if err = errors.Join(err, wrong, unstructured.SetNestedSlice(u.Object, append(rules, more...), "rules")); err != nil {
				return fmt.Errorf("%s: %w", u.GetName(), err)
			}
		}
	}
	return nil
}

// stored are the objects as they are in the files.
func stored(withTasks bool) ([]*unstructured.Unstructured, error) {
	names, err := fs.Glob(manifests, "manifests/*.yaml")
	if err != nil {
		return nil, err
	}
	var out []*unstructured.Unstructured
	for _, name := range names {
		text, err := manifests.ReadFile(name)
		if err != nil {
			return nil, err
		}
		list, err := Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, list...)
		if name != definitionsAfter {
			continue
		}
		definitions, err := crds.All()
		if err == nil && withTasks {
			var tasks [][]byte
			tasks, err = crds.Examples()
			definitions = append(definitions, tasks...)
		}
		if err != nil {
			return nil, err
		}
		for _, text := range definitions {
			list, err := Parse(text)
			if err != nil {
				return nil, fmt.Errorf("a definition: %w", err)
			}
			out = append(out, list...)
		}
	}
	if withTasks {
		return out, withExamples(out)
	}
	return out, nil
}

// Parse reads objects of a YAML file.
func Parse(text []byte) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), len(text))
	for {
		u := &unstructured.Unstructured{}
		err := documents.Decode(&u.Object)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if len(u.Object) > 0 {
			out = append(out, u)
		}
	}
}

// apply makes of an object what the installation has in its place.
func (o Options) apply(u *unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	switch u.GetKind() {
	case kindDeployment:
		return []*unstructured.Unstructured{u}, o.applyToDeployment(u)
	case kindEverywhere:
		if u.GetName() == RoleTenantAccess && len(o.Tenants) > 0 {
			return o.perTenant(u), nil
		}
	case kindDefinition:
		if o.WebhookURL == "" {
			break
		}
		at := []string{"spec", "conversion", "webhook", "clientConfig"}
		if config, ok, err := unstructured.NestedMap(u.Object, at...); err != nil || !ok {
			return []*unstructured.Unstructured{u}, err
		} else if err := unstructured.SetNestedMap(u.Object, o.elsewhere(config), at...); err != nil {
			return nil, err
		}
	case kindMutating, kindValidating:
		if o.WebhookURL == "" {
			break
		}
		hooks, _, err := unstructured.NestedSlice(u.Object, "webhooks")
		if err != nil {
			return nil, err
		}
		for _, h := range hooks {
			hook, _ := h.(map[string]any)
			config, _, err := unstructured.NestedMap(hook, "clientConfig")
			if err != nil {
				return nil, err
			}
			hook["clientConfig"] = o.elsewhere(config)
		}
		return []*unstructured.Unstructured{u}, unstructured.SetNestedSlice(u.Object, hooks, "webhooks")
	}
	return []*unstructured.Unstructured{u}, nil
}

// elsewhere has a webhook asked by its URL.
func (o Options) elsewhere(config map[string]any) map[string]any {
	path, _, _ := unstructured.NestedString(config, "service", "path")
	return map[string]any{"url": strings.TrimSuffix(o.WebhookURL, "/") + path}
}

// perTenant binds in each namespace what would have been bound everywhere.
func (o Options) perTenant(everywhere *unstructured.Unstructured) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, namespace := range slices.Sorted(slices.Values(o.Tenants)) {
		u := everywhere.DeepCopy()
		u.SetKind(kindInNamespace)
		u.SetNamespace(namespace)
		out = append(out, u)
	}
	return out
}

// TenantBinding binds the tenants' role in a namespace to the controller of an installation in a system namespace.
func TenantBinding(namespace, system string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{
		"roleRef":  map[string]any{"apiGroup": rbacv1.GroupName, "kind": "ClusterRole", "name": RoleTenantAccess},
		"subjects": []any{map[string]any{"kind": rbacv1.ServiceAccountKind, "name": Account, "namespace": system}},
	}}
	u.SetGroupVersionKind(rbacv1.SchemeGroupVersion.WithKind(kindInNamespace))
	u.SetName(RoleTenantAccess)
	u.SetNamespace(namespace)
	return u
}

// AccountUser is the user that the controller of an installation in a system namespace is.
func AccountUser(system string) string { return "system:serviceaccount:" + system + ":" + Account }

// Rights are those of the objects of an installation that say who may do what: namespaces, service accounts, roles and bindings.
func Rights(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	kinds := []string{"Namespace", rbacv1.ServiceAccountKind, "ClusterRole", "Role", kindEverywhere, kindInNamespace}
	return slices.DeleteFunc(slices.Clone(objects), func(u *unstructured.Unstructured) bool { return !slices.Contains(kinds, u.GetKind()) })
}

func (o Options) applyToDeployment(u *unstructured.Unstructured) error {
	if err := unstructured.SetNestedField(u.Object, int64(max(o.Replicas, 1)), "spec", "replicas"); err != nil {
		return err
	}
	at := []string{"spec", "template", "spec", "containers"}
	containers, _, err := unstructured.NestedSlice(u.Object, at...)
	if err != nil || len(containers) != 1 {
		return fmt.Errorf("it has %d containers, not one: %w", len(containers), err)
	}
	container, ok := containers[0].(map[string]any)
	if !ok {
		return errors.New("its container is none")
	}
	container["image"] = o.Images.Controller
	if o.PullPolicy != "" {
		container["imagePullPolicy"] = o.PullPolicy
	}
	arguments := []any{
		"-entrypoint-image=" + o.Images.Entrypoint, "-nop-image=" + o.Images.Nop,
		"-workingdirinit-image=" + o.Images.WorkingDirInit, "-shell-image=" + o.Images.Shell,
	}
	if image := o.Images.SidecarLogResults; image != "" {
		arguments = append(arguments, "-sidecarlogresults-image="+image)
	}
	if o.Examples {
		arguments = append(arguments, "-example-tasks")
	}
	for _, a := range o.Arguments {
		arguments = append(arguments, a)
	}
	container["args"] = arguments
	return unstructured.SetNestedSlice(u.Object, containers, at...)
}

// YAML is a file of all objects.
func YAML(objects []*unstructured.Unstructured) ([]byte, error) {
	var out bytes.Buffer
	for i, u := range objects {
		if i > 0 {
			out.WriteString("---\n")
		}
		text, err := encoder.Marshal(u.Object)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", u.GetKind(), u.GetName(), err)
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}
