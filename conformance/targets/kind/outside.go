package kind

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/certificate"
	"github.com/plumbline-ci/plumbline/kindconfig"
)

//go:embed outside.yaml
var outsideManifest []byte

const (
	// authorityVolume is the name of the controller's volume with the authority of what lies outside, and of its ConfigMap.
	authorityVolume = "plumbline-outside"
	authorityFolder = "/plumbline-outside"
	// servedPort is that of the program in the cluster.
	servedPort = "443"
	// tektonHub is where the controller looks for a Tekton Hub; it has no default.
	tektonHub = "https://api.hub.tekton.dev"
)

// outside is what lies outside the cluster for one installation.
type outside struct {
	// namespace is its own.
	namespace string
	// servers are the names and ports under which it is asked.
	servers   []string
	authority []byte
	objects   []*unstructured.Unstructured
}

// outsideOf is the namespace of what lies outside for an installation.
func outsideOf(number int) string { return "plumbline-outside-" + strconv.Itoa(number) }

// newOutside makes the objects that serve it. image is that of the program.
func newOutside(number int, r *fixture.Remote, image string) (*outside, error) {
	o := &outside{namespace: outsideOf(number)}
	var err error
	if o.servers, err = r.Servers(); err != nil {
		return nil, err
	}
	for _, at := range o.servers {
		if _, port, err := net.SplitHostPort(at); err != nil || port != servedPort {
			return nil, fmt.Errorf("%s: on kind only port %s is served", at, servedPort)
		}
	}
	world, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	made, err := certificate.Make(fixture.Hosts(o.servers)...)
	if err != nil {
		return nil, err
	}
	o.authority = made.Authority
	if o.objects, err = kindconfig.Parse(outsideManifest); err != nil {
		return nil, err
	}
	for _, u := range o.objects {
		u.SetLabels(map[string]string{labelInstallation: strconv.Itoa(number)})
		if u.GetNamespace() != "" {
			u.SetNamespace(o.namespace)
		}
		switch u.GetKind() {
		case "Namespace":
			u.SetName(o.namespace)
		case "Secret":
			u.Object["data"] = map[string]any{
				corev1.TLSCertKey: base64.StdEncoding.EncodeToString(made.Certificate), corev1.TLSPrivateKeyKey: base64.StdEncoding.EncodeToString(made.Key),
			}
		case "ConfigMap":
			u.Object["data"] = map[string]any{"world.json": string(world)}
		case "Deployment":
			err = eachContainer(u, func(c map[string]any) { c["image"] = image })
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kindconfig.Describe(u), err)
		}
	}
	return o, nil
}

// surround serves what lies outside the cluster, and has the controller of an installation look there.
func (t *Target) surround(ctx context.Context, opened *opened, i *installation, r *fixture.Remote) error {
	o, err := newOutside(i.number, r, t.o.Outside)
	if err != nil {
		return err
	}
	system := slices.Clone(i.objects)
	i.objects = append(i.objects, o.objects...) // whatever happens, they are removed
	if err := t.apply(ctx, o.objects); err != nil {
		return err
	}
	// Its address is that of its Pod. A Service would be one more thing that the proxy of the node has to follow.
	if err := t.ready(ctx, opened.world, o.namespace); err != nil {
		return err
	}
	address, err := t.addressOf(ctx, o.namespace)
	if err != nil {
		return err
	}
	for _, u := range system {
		if u.GetKind() == "Deployment" {
			if err := o.lead(u, address); err != nil {
				return fmt.Errorf("%s: %w", kindconfig.Describe(u), err)
			}
		}
	}
	trust := &unstructured.Unstructured{Object: map[string]any{"data": map[string]any{"ca.crt": string(o.authority)}}}
	trust.SetAPIVersion("v1")
	trust.SetKind("ConfigMap")
	trust.SetName(authorityVolume)
	trust.SetNamespace(namespaceOf(i.number))
	// Pods take volumes as they are when they start, so it comes before the Deployment.
	at := slices.IndexFunc(i.objects, func(u *unstructured.Unstructured) bool { return u.GetKind() == "Deployment" })
	i.objects = slices.Insert(i.objects, max(at, 0), trust)
	return nil
}

// addressOf is the address of the one Pod of a namespace that runs.
func (t *Target) addressOf(ctx context.Context, namespace string) (string, error) {
	pods := &corev1.PodList{}
	if err := t.client.List(ctx, pods, client.InNamespace(namespace)); err != nil {
		return "", err
	}
	for i := range pods.Items {
		if p := &pods.Items[i]; p.DeletionTimestamp == nil && p.Status.PodIP != "" {
			return p.Status.PodIP, nil
		}
	}
	return "", fmt.Errorf("no Pod of namespace %s has an address", namespace)
}

// lead has a controller find the servers at an address, and trust them.
func (o *outside) lead(deployment *unstructured.Unstructured, address string) error {
	var names []any
	for _, n := range fixture.Hosts(o.servers) {
		names = append(names, n)
	}
	in := []string{"spec", "template", "spec"}
	spec, _, err := unstructured.NestedMap(deployment.Object, in...)
	if err != nil {
		return err
	}
	spec["hostAliases"] = []any{map[string]any{"ip": address, "hostnames": names}}
	volumes, _ := spec["volumes"].([]any)
	spec["volumes"] = append(volumes, map[string]any{"name": authorityVolume, "configMap": map[string]any{"name": authorityVolume}})
	if err := unstructured.SetNestedMap(deployment.Object, spec, in...); err != nil {
		return err
	}
	return eachContainer(deployment, func(c map[string]any) {
		mounts, _ := c["volumeMounts"].([]any)
		c["volumeMounts"] = append(mounts, map[string]any{"name": authorityVolume, "mountPath": authorityFolder, "readOnly": true})
		env, _ := c["env"].([]any)
		c["env"] = append(env, map[string]any{"name": "SSL_CERT_DIR", "value": authorityFolder}, map[string]any{"name": "TEKTON_HUB_API", "value": tektonHub})
	})
}

// eachContainer changes the containers of a Deployment.
func eachContainer(deployment *unstructured.Unstructured, do func(map[string]any)) error {
	at := []string{"spec", "template", "spec", "containers"}
	containers, _, err := unstructured.NestedSlice(deployment.Object, at...)
	if err != nil {
		return err
	}
	for _, c := range containers {
		if container, ok := c.(map[string]any); ok {
			do(container)
		}
	}
	return unstructured.SetNestedSlice(deployment.Object, containers, at...)
}
