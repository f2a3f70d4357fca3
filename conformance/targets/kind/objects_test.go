package kind

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/kindconfig"
)

func images() kindconfig.Images {
	i := kindconfig.PublishedAs("registry.example", "1")
	i.Shell = "registry.example/busybox"
	return i
}

// deployment is the controller's, as an installation with these options has it.
func deployment(t *testing.T, o kindconfig.Options) *unstructured.Unstructured {
	t.Helper()
	objects, err := kindconfig.Objects(o)
	if err != nil {
		t.Fatal(err)
	}
	return find(t, objects, "Deployment", kindconfig.Namespace, kindconfig.Deployment)
}

func find(t *testing.T, objects []*unstructured.Unstructured, kind, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	for _, u := range objects {
		if u.GetKind() == kind && u.GetNamespace() == namespace && u.GetName() == name {
			return u
		}
	}
	t.Fatalf("there is no %s %s/%s", kind, namespace, name)
	return nil
}

func TestOptionsAreReadFromTheInstallation(t *testing.T) {
	t.Parallel()
	want := kindconfig.Options{Images: images(), PullPolicy: "IfNotPresent", Replicas: 2, Arguments: []string{"-log-level=debug"}, Examples: true}
	got, err := installed(deployment(t, want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.options()); diff != "" {
		t.Errorf("an installation is read otherwise than it was made (-want +got):\n%s", diff)
	}
	// A run that was killed has left its own argument.
	first, err := got.first()
	if err != nil {
		t.Fatal(err)
	}
	again, err := installed(find(t, first, "Deployment", kindconfig.Namespace, kindconfig.Deployment))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, again.options()); diff != "" {
		t.Errorf("what a run has left stays for ever (-want +got):\n%s", diff)
	}
}

func TestFirstInstallationLeavesOtherNamespacesAlone(t *testing.T) {
	t.Parallel()
	objects, err := release{images: images(), replicas: 1}.first()
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range objects {
		if u.GetKind() == "ClusterRoleBinding" && u.GetName() == kindconfig.RoleTenantAccess {
			t.Error("the first controller may run TaskRuns everywhere")
		}
		if !isWebhook(u) {
			continue
		}
		err := eachWebhook(u, func(hook map[string]any) {
			selector, _, _ := unstructured.NestedSlice(hook, "namespaceSelector", "matchExpressions")
			want := []any{map[string]any{"key": labelInstallation, "operator": "DoesNotExist"}}
			if diff := cmp.Diff(want, selector); diff != "" {
				t.Errorf("%s is asked about namespaces of others (-want +got):\n%s", u.GetName(), diff)
			}
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestAnInstallationBindsTheTenantsRole(t *testing.T) {
	t.Parallel()
	r := release{images: images()}
	for tenancy, everywhere := range map[string]bool{"": true, fixture.TenancyEverywhere: true, fixture.TenancyTenant: false, fixture.TenancyStranger: false} {
		objects, err := r.under(3, nil, tenancy, []string{"one"})
		if err != nil {
			t.Fatal(err)
		}
		bound := slices.ContainsFunc(objects, func(u *unstructured.Unstructured) bool {
			return u.GetKind() == "ClusterRoleBinding" && u.GetName() == kindconfig.RoleTenantAccess+"-3"
		})
		if bound != everywhere {
			t.Errorf("tenancy %q: bound everywhere is %t", tenancy, bound)
		}
	}
}

func TestAnInstallationUnderAConfiguration(t *testing.T) {
	t.Parallel()
	r := release{images: images(), replicas: 2, certificate: map[string][]byte{"tls.crt": []byte("C")}, authority: []byte("A")}
	config := fixture.Config{fixture.ConfigFeatureFlags: {"enable-api-fields": "alpha"}}
	objects, err := r.under(3, config, "", []string{"one", "two"})
	if err != nil {
		t.Fatal(err)
	}
	const system = "tekton-pipelines-3"
	names := map[string]bool{}
	for _, u := range objects {
		id := kindconfig.Describe(u)
		if names[id] {
			t.Errorf("%s is there twice", id)
		}
		names[id] = true
		shared := u.GetNamespace() == "tekton-pipelines-resolvers" && u.GetKind() == "RoleBinding"
		if u.GetNamespace() != "" && u.GetNamespace() != system && !shared {
			t.Errorf("%s is in the namespace of another", id)
		}
		if (u.GetNamespace() == "" || shared) && u.GetName() != system && !strings.HasSuffix(u.GetName(), "-3") && !strings.HasSuffix(u.GetName(), ".3") {
			t.Errorf("%s has a name that another may have", id)
		}
		if u.GetLabels()[labelInstallation] != "3" {
			t.Errorf("%s would not be found after a run that was killed", id)
		}
		if text, err := u.MarshalJSON(); err != nil || strings.Contains(string(text), `"namespace":"tekton-pipelines"`) {
			t.Errorf("%s refers to the first installation (%v)", id, err)
		}
	}
	flags := find(t, objects, "ConfigMap", system, fixture.ConfigFeatureFlags)
	if data, _, _ := unstructured.NestedStringMap(flags.Object, "data"); data["enable-api-fields"] != "alpha" {
		t.Errorf("its configuration is %v", data)
	}
	secret := find(t, objects, "Secret", system, secretWebhooks)
	if data, _, _ := unstructured.NestedString(secret.Object, "data", "tls.crt"); data != "Qw==" {
		t.Errorf("its certificate is %q, not the one that all share", data)
	}
	mutating := find(t, objects, "MutatingWebhookConfiguration", "", webhookMutating+".3")
	err = eachWebhook(mutating, func(hook map[string]any) {
		scope := hook["rules"].([]any)[0].(map[string]any)["scope"]
		config := hook["clientConfig"].(map[string]any)
		got := []any{scope, config["caBundle"], config["service"].(map[string]any)["namespace"], hook["namespaceSelector"]}
		want := []any{"Namespaced", "QQ==", system, map[string]any{"matchLabels": map[string]any{labelInstallation: "3"}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	if err != nil {
		t.Error(err)
	}
	d := find(t, objects, "Deployment", system, kindconfig.Deployment)
	containers, _, _ := unstructured.NestedSlice(d.Object, "spec", "template", "spec", "containers")
	arguments, _, _ := unstructured.NestedStringSlice(containers[0].(map[string]any), "args")
	for _, want := range []string{"-namespaces=one,two", "-leader-elect=false", hosts()} {
		if !slices.Contains(arguments, want) {
			t.Errorf("the controller lacks %.40s", want)
		}
	}
	if n, _, _ := unstructured.NestedInt64(d.Object, "spec", "replicas"); n != 1 {
		t.Errorf("it has %d replicas, and no election", n)
	}
}

func TestCertificateCoversEveryInstallation(t *testing.T) {
	t.Parallel()
	names := strings.Split(strings.TrimPrefix(hosts(), flagHosts), ",")
	for n := 2; n <= mostInstallations; n++ {
		for _, suffix := range []string{"", ".svc", ".svc.cluster.local"} {
			if want := serviceWebhooks + "." + namespaceOf(n) + suffix; !slices.Contains(names, want) {
				t.Errorf("installation %d is not served as %s", n, want)
			}
		}
	}
	if namespaceOf(1) != kindconfig.Namespace {
		t.Errorf("the first installation is in %s", namespaceOf(1))
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	const text = `kubelet: pulling for ns/run-pod
containerd: started c0ffee
kubelet: about ns/other-pod
kubelet: reconciler_common.go volume of ns/run-pod
containerd: sandbox 1234
`
	want := "kubelet: pulling for ns/run-pod\ncontainerd: started c0ffee"
	if diff := cmp.Diff(want, about(text, []string{"ns/run-pod", id("containerd://c0ffee"), id("")})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	long := about(strings.Repeat("x "+strings.Repeat("y", 2*mostOfALine)+"\n", 2*mostLines), []string{"x"})
	if lines := strings.Split(long, "\n"); len(lines) != mostLines+1 || len(lines[1]) > mostOfALine+8 {
		t.Errorf("of a long journal there are %d lines, of %d bytes", len(lines), len(lines[1]))
	}
}

func TestRolledOut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		status map[string]any
		want   bool
	}{
		{"as it should be", map[string]any{"observedGeneration": int64(2), "updatedReplicas": int64(1), "readyReplicas": int64(1), "replicas": int64(1)}, true},
		{"the change has not been seen", map[string]any{"observedGeneration": int64(1), "updatedReplicas": int64(1), "readyReplicas": int64(1), "replicas": int64(1)}, false},
		{"the old one is still there", map[string]any{"observedGeneration": int64(2), "updatedReplicas": int64(1), "readyReplicas": int64(2), "replicas": int64(2)}, false},
		{"the new one is not ready", map[string]any{"observedGeneration": int64(2), "updatedReplicas": int64(1), "replicas": int64(1)}, false},
		{"nothing is known", nil, false},
	} {
		d := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"replicas": int64(1)}, "status": tt.status}}
		d.SetGeneration(2)
		if _, got := rolledOut(d); got != tt.want {
			t.Errorf("%s: %v", tt.reason, got)
		}
	}
	if _, got := rolledOut(nil); got {
		t.Error("a Deployment that was not seen is ready")
	}
}
