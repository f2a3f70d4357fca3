package kindconfig_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/reconciler/manager"
	"github.com/plumbline-ci/plumbline/reconciler/webhook"
)

func objects(t *testing.T, o kindconfig.Options) []*unstructured.Unstructured {
	t.Helper()
	if o.Images.Controller == "" {
		o.Images = kindconfig.PublishedAs("example.com/ci/", "v1")
	}
	list, err := kindconfig.Objects(o)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// typed are the objects of a Go type, by name. A field that the type does not have is a mistake.
func typed[T any](t *testing.T, list []*unstructured.Unstructured, kind string) map[string]*T {
	t.Helper()
	out := map[string]*T{}
	for _, u := range list {
		if u.GetKind() != kind {
			continue
		}
		o := new(T)
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(u.Object, o, true); err != nil {
			t.Fatalf("%s: %v", kindconfig.Describe(u), err)
		}
		out[u.GetName()] = o
	}
	if len(out) == 0 {
		t.Fatalf("there is no %s", kind)
	}
	return out
}

func TestEveryFieldOfEveryObjectIsKnown(t *testing.T) {
	t.Parallel()
	scheme, err := manager.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, u := range objects(t, kindconfig.Options{}) {
		o, err := scheme.New(u.GroupVersionKind())
		if err != nil {
			t.Fatal(err)
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(u.Object, o, true); err != nil {
			t.Errorf("%s: %v", kindconfig.Describe(u), err)
		}
		if name := kindconfig.Describe(u); seen[name] {
			t.Errorf("%s is there twice", name)
		} else {
			seen[name] = true
		}
		if u.GetLabels()["app.kubernetes.io/part-of"] != "tekton-pipelines" {
			t.Errorf("%s is not marked as a part of the installation", kindconfig.Describe(u))
		}
	}
	if len(seen) < 20 {
		t.Errorf("there are %d objects", len(seen))
	}
}

// TestObjectsAreAppliedInOrderOfDependency: nothing is applied before what it needs, and nothing that asks a webhook after
// the webhooks.
func TestObjectsAreAppliedInOrderOfDependency(t *testing.T) {
	t.Parallel()
	var kinds []string
	for _, u := range objects(t, kindconfig.Options{}) {
		kinds = append(kinds, u.GetKind())
	}
	want := []string{
		"Namespace", "CustomResourceDefinition", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "ClusterRole", "ClusterRoleBinding",
		"Role", "RoleBinding", "Role", "RoleBinding", "ClusterRole", "Secret", "Service", "Deployment", "NetworkPolicy", "ConfigMap", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
	}
	if diff := cmp.Diff(want, slices.Compact(kinds)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRolesGiveNoMoreThanIsNeeded; that they give enough is seen where the controller runs with them.
func TestRolesGiveNoMoreThanIsNeeded(t *testing.T) {
	t.Parallel()
	roles := typed[rbacv1.ClusterRole](t, objects(t, kindconfig.Options{}), "ClusterRole")
	reading := []string{"get", "list", "watch"}
	for name, role := range roles {
		for _, rule := range role.Rules {
			for _, part := range slices.Concat(rule.APIGroups, rule.Resources, rule.Verbs) {
				if part == "*" || part == "impersonate" || part == "bind" || part == "escalate" {
					t.Errorf("%s gives %q: %v", name, part, rule)
				}
			}
			writes := slices.ContainsFunc(rule.Verbs, func(v string) bool { return !slices.Contains(reading, v) })
			asks := slices.Equal(rule.Verbs, []string{"create"}) && slices.Contains([]string{"tokenreviews", "subjectaccessreviews"}, rule.Resources[0])
			if name == kindconfig.RoleClusterAccess && writes && len(rule.ResourceNames) == 0 && !asks {
				t.Errorf("%s lets write any %v", name, rule.Resources)
			}
			if slices.Contains(rule.Resources, "secrets") && (name == kindconfig.RoleClusterAccess || !slices.Equal(rule.Verbs, []string{"get"})) {
				t.Errorf("%s lets %v secrets", name, rule.Verbs)
			}
		}
	}
	own := typed[rbacv1.Role](t, objects(t, kindconfig.Options{}), "Role")[kindconfig.Account]
	for _, rule := range own.Rules {
		if slices.Contains(rule.Resources, "secrets") && !slices.Equal(rule.ResourceNames, []string{manager.SecretOfWebhooks}) {
			t.Errorf("it may %v secrets %v", rule.Verbs, rule.ResourceNames)
		}
	}
}

func TestTenantsAreBoundOneByOne(t *testing.T) {
	t.Parallel()
	everywhere := typed[rbacv1.ClusterRoleBinding](t, objects(t, kindconfig.Options{}), "ClusterRoleBinding")
	if got := slices.Sorted(maps.Keys(everywhere)); !slices.Equal(got, []string{kindconfig.RoleClusterAccess, kindconfig.RoleTenantAccess}) {
		t.Errorf("bound everywhere: %v", got)
	}
	some := objects(t, kindconfig.Options{Tenants: []string{"b", "a"}})
	if got := slices.Sorted(maps.Keys(typed[rbacv1.ClusterRoleBinding](t, some, "ClusterRoleBinding"))); !slices.Equal(got, []string{kindconfig.RoleClusterAccess}) {
		t.Errorf("bound everywhere in spite of tenants: %v", got)
	}
	var bound []string
	for _, u := range some {
		if u.GetKind() == "RoleBinding" && u.GetName() == kindconfig.RoleTenantAccess {
			bound = append(bound, u.GetNamespace())
		}
	}
	if !slices.Equal(bound, []string{"a", "b"}) {
		t.Errorf("bound in %v", bound)
	}
	for name, b := range everywhere {
		if b.RoleRef.Name != name || len(b.Subjects) != 1 || b.Subjects[0].Name != kindconfig.Account || b.Subjects[0].Namespace != kindconfig.Namespace {
			t.Errorf("%s binds %v to %v", name, b.RoleRef, b.Subjects)
		}
	}
}

// TestDeploymentMeetsTheRestrictedStandard: its namespace enforces the Pod Security Standard of that name.
func TestDeploymentMeetsTheRestrictedStandard(t *testing.T) {
	t.Parallel()
	list := objects(t, kindconfig.Options{Replicas: 3, PullPolicy: "Never", Arguments: []string{"-log-level=debug"}})
	for _, ns := range typed[corev1.Namespace](t, list, "Namespace") {
		if got := ns.Labels["pod-security.kubernetes.io/enforce"]; got != "restricted" {
			t.Errorf("the namespace enforces %q", got)
		}
	}
	d := typed[appsv1.Deployment](t, list, "Deployment")[kindconfig.Deployment]
	if *d.Spec.Replicas != 3 {
		t.Errorf("%d replicas", *d.Spec.Replicas)
	}
	pod := d.Spec.Template.Spec
	if s := pod.SecurityContext; s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault || pod.HostNetwork || pod.HostPID || pod.HostIPC || len(pod.Volumes) > 0 {
		t.Errorf("the Pod is not restricted: %+v", pod)
	}
	c := pod.Containers[0]
	s := c.SecurityContext
	if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 || s.Privileged != nil {
		t.Errorf("the container is not restricted: %+v", s)
	}
	if c.Image != "example.com/ci/controller:v1" || c.ImagePullPolicy != corev1.PullNever {
		t.Errorf("image %s, pulled %s", c.Image, c.ImagePullPolicy)
	}
	// The program understands its arguments, and listens where it is asked.
	settings, err := manager.ParseFlags(c.Args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if settings.Images.Entrypoint != "example.com/ci/entrypoint:v1" || settings.Images.Shell == "" || settings.LogLevel != "debug" || !settings.LeaderElection {
		t.Errorf("it is told %+v", settings)
	}
	ports := map[string]int32{}
	for _, p := range c.Ports {
		ports[p.Name] = p.ContainerPort
	}
	if int(ports["https-webhook"]) != settings.Webhook.Port || !strings.HasSuffix(settings.HealthAddress, ":8080") || ports["http-health"] != 8080 ||
		!strings.HasSuffix(settings.MetricsAddress, ":9090") || ports["https-metrics"] != 9090 {
		t.Errorf("ports %v, and it listens on %d, %s and %s", ports, settings.Webhook.Port, settings.HealthAddress, settings.MetricsAddress)
	}
	for name, service := range typed[corev1.Service](t, list, "Service") {
		for k, v := range service.Spec.Selector {
			if d.Spec.Template.Labels[k] != v {
				t.Errorf("Service %s selects %s=%s", name, k, v)
			}
		}
	}
}

// TestWebhookConfigurationsMatchTheServedPaths compares the manifests with the program.
func TestWebhookConfigurationsMatchTheServedPaths(t *testing.T) {
	t.Parallel()
	list := objects(t, kindconfig.Options{})
	mutating := typed[admissionregistrationv1.MutatingWebhookConfiguration](t, list, "MutatingWebhookConfiguration")
	validating := typed[admissionregistrationv1.ValidatingWebhookConfiguration](t, list, "ValidatingWebhookConfiguration")
	definitions := typed[apiextensionsv1.CustomResourceDefinition](t, list, "CustomResourceDefinition")
	for _, diff := range []string{
		cmp.Diff(slices.Sorted(slices.Values(webhook.Mutating())), slices.Sorted(maps.Keys(mutating))),
		cmp.Diff(slices.Sorted(slices.Values(webhook.Validating())), slices.Sorted(maps.Keys(validating))),
	} {
		if diff != "" {
			t.Errorf("which objects get the authority (-program +manifests):\n%s", diff)
		}
	}
	paths := map[string]string{}
	note := func(name string, s *admissionregistrationv1.ServiceReference) {
		if s == nil || s.Name != manager.ServiceOfWebhooks || s.Namespace != kindconfig.Namespace {
			t.Errorf("%s is asked at %+v", name, s)
			return
		}
		paths[name] = *s.Path
	}
	for name, c := range mutating {
		note(name, c.Webhooks[0].ClientConfig.Service)
	}
	for name, c := range validating {
		note(name, c.Webhooks[0].ClientConfig.Service)
	}
	for name, d := range definitions {
		converted := d.Spec.Conversion != nil && d.Spec.Conversion.Strategy == apiextensionsv1.WebhookConverter
		if converted != slices.Contains(webhook.Converted(), name) {
			t.Errorf("%s: converted = %v", name, converted)
		}
		if converted {
			s := d.Spec.Conversion.Webhook.ClientConfig.Service
			note(name, &admissionregistrationv1.ServiceReference{Name: s.Name, Namespace: s.Namespace, Path: s.Path})
		}
	}
	want := map[string]string{
		webhook.Mutating()[0]: webhook.PathDefaulting, webhook.Validating()[0]: webhook.PathValidation, webhook.Validating()[1]: webhook.PathConfig,
	}
	for _, name := range webhook.Converted() {
		want[name] = webhook.PathConversion
	}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("paths (-program +manifests):\n%s", diff)
	}

	// Served elsewhere, each is asked there.
	urls := map[string]string{}
	elsewhere := objects(t, kindconfig.Options{WebhookURL: "https://127.0.0.1:1/"})
	for name, c := range typed[admissionregistrationv1.MutatingWebhookConfiguration](t, elsewhere, "MutatingWebhookConfiguration") {
		urls[name] = *c.Webhooks[0].ClientConfig.URL
	}
	for name, c := range typed[admissionregistrationv1.ValidatingWebhookConfiguration](t, elsewhere, "ValidatingWebhookConfiguration") {
		urls[name] = *c.Webhooks[0].ClientConfig.URL
	}
	for name, d := range typed[apiextensionsv1.CustomResourceDefinition](t, elsewhere, "CustomResourceDefinition") {
		if d.Spec.Conversion != nil && d.Spec.Conversion.Webhook != nil {
			urls[name] = *d.Spec.Conversion.Webhook.ClientConfig.URL
		}
	}
	for name, path := range want {
		want[name] = "https://127.0.0.1:1" + path
	}
	if diff := cmp.Diff(want, urls); diff != "" {
		t.Errorf("URLs (-want +got):\n%s", diff)
	}
}

// unfakeable objects are of kinds that controller-runtime's fake client does not know, or cannot merge.
func unfakeable(u *unstructured.Unstructured) bool {
	return u.GetKind() == "CustomResourceDefinition" || u.GetKind() == "NetworkPolicy"
}

// TestApplyGoesOnAfterAnError, and says which object it was about.
func TestApplyGoesOnAfterAnError(t *testing.T) {
	t.Parallel()
	scheme, err := manager.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	refusal := errors.New("no Services here")
	c := fake.NewClientBuilder().WithScheme(scheme).WithInterceptorFuncs(interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			if u, ok := o.(interface{ GetKind() string }); ok && u.GetKind() == "Service" {
				return refusal
			}
			return c.Apply(ctx, o, opts...)
		},
	}).Build()
	list := slices.DeleteFunc(objects(t, kindconfig.Options{}), unfakeable)
	var applied []string
	note := func(u *unstructured.Unstructured) { applied = append(applied, kindconfig.Describe(u)) }
	for range 2 { // a second time is as good
		err = kindconfig.Apply(t.Context(), c, list, note)
		if !errors.Is(err, refusal) || !strings.Contains(err.Error(), "applying Service tekton-pipelines/tekton-pipelines-webhook: ") {
			t.Errorf("it says %v", err)
		}
	}
	if want := 2 * (len(list) - 2); len(applied) != want {
		t.Errorf("%d of %d were applied", len(applied), want)
	}
	if err := c.Get(t.Context(), client.ObjectKey{Name: webhook.Validating()[0]}, &admissionregistrationv1.ValidatingWebhookConfiguration{}); err != nil {
		t.Errorf("what comes after the error was not applied: %v", err)
	}
}

// TestRemovedTenantLosesRoleBinding: only tenants that are no longer listed lose theirs.
func TestRemovedTenantLosesRoleBinding(t *testing.T) {
	t.Parallel()
	scheme, err := manager.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	c := fake.NewClientBuilder().WithScheme(scheme).Build()
	for _, row := range []struct {
		reason  string
		tenants []string
		want    []string // what is removed
	}{
		{"at first all namespaces", nil, nil},
		{"then some", []string{"a", "b"}, []string{"ClusterRoleBinding " + kindconfig.RoleTenantAccess}},
		{"then others", []string{"b", "c"}, []string{"RoleBinding a/" + kindconfig.RoleTenantAccess}},
		{"the same again", []string{"b", "c"}, nil},
		{"all namespaces again", nil, []string{"RoleBinding b/" + kindconfig.RoleTenantAccess, "RoleBinding c/" + kindconfig.RoleTenantAccess}},
	} {
		list := slices.DeleteFunc(objects(t, kindconfig.Options{Tenants: row.tenants}), unfakeable)
		if err := kindconfig.Apply(t.Context(), c, list, func(*unstructured.Unstructured) {}); err != nil {
			t.Fatal(err)
		}
		var removed []string
		if err := kindconfig.Unbind(t.Context(), c, list, func(u *unstructured.Unstructured) { removed = append(removed, kindconfig.Describe(u)) }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(removed, row.want) {
			t.Errorf("%s: removed %v, want %v", row.reason, removed, row.want)
		}
	}
}
