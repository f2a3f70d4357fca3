package kind

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/kindconfig"
)

// labelInstallation marks what belongs to an installation under a configuration, and the namespaces of its fixtures: its
// number.
const labelInstallation = "plumbline.dev/installation"

// mostInstallations is how many there can be beside the first: the certificate of the webhooks has a name for each.
const mostInstallations = 40

// Flags of the controller that an installation has of its own.
const (
	flagHosts       = "-webhook-hosts="
	flagNamespaces  = "-namespaces="
	flagElection    = "-leader-elect="
	flagExamples    = "-example-tasks"
	serviceWebhooks = "tekton-pipelines-webhook"
)

// namespaceOf is the system namespace of an installation; the first is number 1.
func namespaceOf(number int) string {
	if number <= 1 {
		return kindconfig.Namespace
	}
	return kindconfig.Namespace + "-" + strconv.Itoa(number)
}

// hosts are the names by which the webhooks of all installations are asked: they share a certificate, since there is one
// authority that the definitions' conversion trusts.
func hosts() string {
	var names []string
	for n := 2; n <= mostInstallations; n++ {
		service := serviceWebhooks + "." + namespaceOf(n)
		names = append(names, service+".svc", service+".svc.cluster.local", service)
	}
	return flagHosts + strings.Join(names, ",")
}

// release is what of the first installation the others take over.
type release struct {
	images     kindconfig.Images
	pullPolicy string
	replicas   int
	arguments  []string
	examples   bool
	// certificate is what the Secret of the webhooks has, and authority the one that the API server trusts.
	certificate map[string][]byte
	authority   []byte
}

// installed reads from the Deployment what was installed.
func installed(d *unstructured.Unstructured) (release, error) {
	var r release
	containers, _, _ := unstructured.NestedSlice(d.Object, "spec", "template", "spec", "containers")
	if len(containers) != 1 {
		return r, fmt.Errorf("it has %d containers, not one", len(containers))
	}
	container, _ := containers[0].(map[string]any)
	r.images.Controller, _, _ = unstructured.NestedString(container, "image")
	r.pullPolicy, _, _ = unstructured.NestedString(container, "imagePullPolicy")
	replicas, _, _ := unstructured.NestedInt64(d.Object, "spec", "replicas")
	r.replicas = int(replicas)
	arguments, _, _ := unstructured.NestedStringSlice(container, "args")
	of := map[string]*string{
		"-entrypoint-image": &r.images.Entrypoint, "-nop-image": &r.images.Nop,
		"-workingdirinit-image": &r.images.WorkingDirInit, "-shell-image": &r.images.Shell, "-sidecarlogresults-image": &r.images.SidecarLogResults,
	}
	for _, a := range arguments {
		name, value, _ := strings.Cut(a, "=")
		switch {
		case of[name] != nil:
			*of[name] = value
		case a == flagExamples:
			r.examples = true
		case !strings.HasPrefix(a, flagHosts):
			r.arguments = append(r.arguments, a)
		}
	}
	return r, nil
}

// options are those that the first installation was made with.
func (r release) options() kindconfig.Options {
	return kindconfig.Options{Images: r.images, PullPolicy: r.pullPolicy, Replicas: r.replicas, Arguments: r.arguments, Examples: r.examples}
}

// first is the first installation, while the target is open: the runs of no namespace are its own unless it is told so.
func (r release) first() ([]*unstructured.Unstructured, error) {
	o := r.options()
	o.Tenants = []string{kindconfig.Namespace}
	o.Arguments = append(slices.Clone(o.Arguments), hosts())
	objects, err := kindconfig.Objects(o)
	if err != nil {
		return nil, err
	}
	for _, u := range objects {
		if isWebhook(u) {
			none := map[string]any{"key": labelInstallation, "operator": "DoesNotExist"}
			selector := map[string]any{"matchExpressions": []any{none}}
			if err := eachWebhook(u, func(hook map[string]any) { hook["namespaceSelector"] = selector }); err != nil {
				return nil, err
			}
		}
	}
	return objects, nil
}

// under is an installation under a configuration, for namespaces of its own.
func (r release) under(number int, config fixture.Config, tenancy string, namespaces []string) ([]*unstructured.Unstructured, error) {
	o := r.options()
	if tenancy == fixture.TenancyTenant || tenancy == fixture.TenancyStranger {
		o.Tenants = []string{kindconfig.Namespace} // which becomes its own
	}
	o.Replicas = 1
	o.Arguments = append(slices.Clone(o.Arguments), hosts(), flagNamespaces+strings.Join(namespaces, ","), flagElection+"false")
	all, err := kindconfig.Objects(o)
	if err != nil {
		return nil, err
	}
	var out []*unstructured.Unstructured
	for _, u := range all {
		keep, err := r.own(u, number, config)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kindconfig.Describe(u), err)
		}
		if keep {
			out = append(out, u)
		}
	}
	return out, nil
}

// own makes of an object of the first installation one of another, or says that they share it.
func (r release) own(u *unstructured.Unstructured, number int, config fixture.Config) (bool, error) {
	system := namespaceOf(number)
	labels := u.GetLabels()
	labels[labelInstallation] = strconv.Itoa(number)
	u.SetLabels(labels)
	// What is elsewhere, as in the namespace of the resolvers, all share; but each has rights of its own there.
	own := u.GetNamespace() == kindconfig.Namespace
	if own {
		u.SetNamespace(system)
	}
	switch u.GetKind() {
	case "Namespace":
		if u.GetName() != kindconfig.Namespace {
			return false, nil
		}
		u.SetName(system)
	case "CustomResourceDefinition", "ClusterRole":
		return false, nil
	case "Role":
		return own, nil
	case "ClusterRoleBinding", "RoleBinding":
		if !own {
			u.SetName(fmt.Sprintf("%s-%d", u.GetName(), number))
		}
		subjects, _, err := unstructured.NestedSlice(u.Object, "subjects")
		if err != nil {
			return false, err
		}
		for _, s := range subjects {
			if subject, ok := s.(map[string]any); ok {
				subject["namespace"] = system
			}
		}
		return true, unstructured.SetNestedSlice(u.Object, subjects, "subjects")
	case "Secret":
		data := map[string]any{}
		for _, key := range slices.Sorted(maps.Keys(r.certificate)) {
			data[key] = base64.StdEncoding.EncodeToString(r.certificate[key])
		}
		u.Object["data"] = data
	case "ConfigMap":
		if keys := config[u.GetName()]; len(keys) > 0 {
			return true, unstructured.SetNestedStringMap(u.Object, keys, "data")
		}
	case "Deployment":
		return true, quick(u)
	case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
		if strings.HasPrefix(u.GetName(), "config.") {
			return false, nil // what a configuration may be is the same everywhere
		}
		u.SetName(fmt.Sprintf("%s.%d", u.GetName(), number))
		return true, eachWebhook(u, func(hook map[string]any) { r.serve(hook, number) })
	}
	return true, nil
}

// serve has an installation asked about its own namespaces, and of what is in no namespace nothing.
func (r release) serve(hook map[string]any, number int) {
	hook["namespaceSelector"] = map[string]any{"matchLabels": map[string]any{labelInstallation: strconv.Itoa(number)}}
	if to, ok := hook["clientConfig"].(map[string]any); ok {
		to["caBundle"] = base64.StdEncoding.EncodeToString(r.authority)
		if service, ok := to["service"].(map[string]any); ok {
			service["namespace"] = namespaceOf(number)
		}
	}
	rules, _ := hook["rules"].([]any)
	for _, rule := range rules {
		if m, ok := rule.(map[string]any); ok {
			m["scope"] = "Namespaced"
		}
	}
}

// quick has it noticed at once that a controller is ready, and lets it end at once: many wait for it.
func quick(deployment *unstructured.Unstructured) error {
	at := []string{"spec", "template", "spec", "containers"}
	containers, _, err := unstructured.NestedSlice(deployment.Object, at...)
	if err != nil || len(containers) != 1 {
		return fmt.Errorf("it has %d containers, not one: %w", len(containers), err)
	}
	container, _ := containers[0].(map[string]any)
	if err := unstructured.SetNestedField(container, int64(1), "readinessProbe", "periodSeconds"); err != nil {
		return err
	}
	// Resources and an unnoticed end are for a controller that stays.
	delete(container, "resources")
	delete(container, "lifecycle")
	return unstructured.SetNestedSlice(deployment.Object, containers, at...)
}

func isWebhook(u *unstructured.Unstructured) bool {
	return u.GetKind() == "MutatingWebhookConfiguration" || u.GetKind() == "ValidatingWebhookConfiguration" && !strings.HasPrefix(u.GetName(), "config.")
}

func eachWebhook(u *unstructured.Unstructured, do func(map[string]any)) error {
	hooks, _, err := unstructured.NestedSlice(u.Object, "webhooks")
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if hook, ok := h.(map[string]any); ok {
			do(hook)
		}
	}
	return unstructured.SetNestedSlice(u.Object, hooks, "webhooks")
}
