package kindcluster

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/kind/pkg/cluster/nodes"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"

	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/kindconfig/images"
)

//go:embed registry.yaml
var registryObjects []byte

// The registry in the cluster; registry.yaml says so too.
const (
	// Registry is its name in references: the address of its Service.
	Registry          = "10.96.0.50:5000"
	registryNamespace = "plumbline-registry"
	registryName      = "registry"
	registryPort      = 5000
)

// registryImage is what its own image is called, on the nodes alone.
const registryImage = "plumbline.dev/registry:"

// startRegistry has the registry's image on the nodes, and the registry run.
func (w *work) startRegistry(ctx context.Context, image images.Image) error {
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	image.Name = registryImage + digest.Hex[:12]
	if err := w.ontoNodes(ctx, image); err != nil {
		return err
	}
	objects, err := kindconfig.Parse(registryObjects)
	if err != nil {
		return fmt.Errorf("the registry's objects: %w", err)
	}
	for _, o := range objects {
		if o.GetKind() != "Deployment" {
			continue
		}
		containers, _, err := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
		if err != nil || len(containers) != 1 {
			return fmt.Errorf("the registry has %d containers: %w", len(containers), err)
		}
		containers[0].(map[string]any)["image"] = image.Name //nolint:forcetypeassert // of a file that comes with the program
		if err := unstructured.SetNestedSlice(o.Object, containers, "spec", "template", "spec", "containers"); err != nil {
			return err
		}
	}
	changed, err := w.apply(ctx, objects)
	if err != nil {
		return fmt.Errorf("the registry: %w", err)
	}
	if changed > 0 {
		w.Tell("registry: " + Registry + " is started")
	}
	if err := w.ready(ctx, registryNamespace, registryName, registryWithin); err != nil {
		return fmt.Errorf("the registry in the cluster: %w", err)
	}
	return nil
}

// ontoNodes puts images on every node that lacks them.
func (w *work) ontoNodes(ctx context.Context, list ...images.Image) error {
	there, err := w.provider.Nodes(w.Name)
	if err != nil {
		return fmt.Errorf("listing the nodes of the cluster %s: %w", w.Name, err)
	}
	for _, n := range there {
		var missing []images.Image
		have, err := onNode(ctx, n)
		if err != nil {
			return err
		}
		for _, i := range list {
			digest, err := i.Digest()
			if err != nil {
				return err
			}
			tag, err := name.NewTag(i.Name)
			if err != nil {
				return err
			}
			if have[tag.Name()] != digest.String() {
				missing = append(missing, i)
			}
		}
		if len(missing) == 0 {
			continue
		}
		archive, err := images.Archive(missing...)
		if err != nil {
			return err
		}
		for _, i := range missing {
			w.Tell("image " + i.Name + " is put on the node " + n.String())
		}
		if err := nodeutils.LoadImageArchive(n, bytes.NewReader(archive)); err != nil {
			return fmt.Errorf("putting images on the node %s: %w", n, detailed(err))
		}
	}
	return nil
}

// onNode are the digests of the images of a node, by name.
func onNode(ctx context.Context, n nodes.Node) (map[string]string, error) {
	var out bytes.Buffer
	if err := n.CommandContext(ctx, "ctr", "--namespace=k8s.io", "images", "list").SetStdout(&out).Run(); err != nil {
		return nil, fmt.Errorf("listing the images of the node %s: %w", n, detailed(err))
	}
	have := map[string]string{}
	for line := range strings.SplitSeq(out.String(), "\n") {
		// REF TYPE DIGEST SIZE PLATFORMS LABELS
		if columns := strings.Fields(line); len(columns) > 2 {
			have[columns[0]] = columns[2]
		}
	}
	return have, nil
}

// hosts is the file by which containerd finds a registry; the second one is asked if the first one does not have it.
func hosts(server string) string {
	return fmt.Sprintf("server = %q\n\n[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n", server, "http://"+Registry)
}

// introduce tells containerd on the nodes where the registry is. Without a registry of the world, images of Docker Hub are
// also looked for there.
func (w *work) introduce(ctx context.Context, offline bool) error {
	files := map[string]string{"/etc/containerd/certs.d/" + Registry + "/hosts.toml": hosts("http://" + Registry)}
	if offline {
		files["/etc/containerd/certs.d/docker.io/hosts.toml"] = hosts("https://registry-1.docker.io")
	}
	there, err := w.provider.Nodes(w.Name)
	if err != nil {
		return fmt.Errorf("listing the nodes of the cluster %s: %w", w.Name, err)
	}
	for _, n := range there {
		for path, content := range files {
			var out bytes.Buffer
			err := n.CommandContext(ctx, "cat", path).SetStdout(&out).SetStderr(io.Discard).Run()
			if err == nil && out.String() == content {
				continue
			}
			if err := nodeutils.WriteFile(n, path, content); err != nil {
				return fmt.Errorf("telling the node %s of the registry: %w", n, detailed(err))
			}
		}
	}
	return nil
}

// push puts images into the registry that it lacks, tagged, and notes what they are called there by digest.
func (w *work) push(ctx context.Context, list ...images.Image) error {
	return w.withRegistry(ctx, func(ctx context.Context, address string) error { return w.pushTo(ctx, address, list) })
}

// lacking are those of these names that the registry does not have.
func (w *work) lacking(ctx context.Context, names ...string) ([]string, error) {
	var out []string
	err := w.withRegistry(ctx, func(ctx context.Context, address string) error {
		out = nil
		for _, n := range names {
			has, err := head(ctx, address, n)
			if err != nil {
				return err
			}
			if has == "" {
				out = append(out, n)
			}
		}
		return nil
	})
	return out, err
}

// head is the digest of what a registry has by that name; empty if it has nothing.
func head(ctx context.Context, address, called string) (string, error) {
	tag, err := name.NewTag(address + "/" + called)
	if err != nil {
		return "", err
	}
	has, err := remote.Head(tag, remote.WithContext(ctx))
	var answer *transport.Error
	if errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("asking for %s: %w", called, err)
	}
	return has.Digest.String(), nil
}

// withRegistry does something with the registry. After a node was started, what is said about Pods is of before for a
// while, and connections to them break: it is tried again then.
func (w *work) withRegistry(ctx context.Context, do func(ctx context.Context, address string) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, again, registryWithin, true, func(ctx context.Context) (bool, error) {
		address, stop, err := w.reach(ctx)
		if last = err; err != nil {
			return false, nil
		}
		defer stop()
		last = do(ctx, address)
		var broken *net.OpError
		return !errors.As(last, &broken) && !errors.Is(last, io.ErrUnexpectedEOF) && !errors.Is(last, io.EOF), nil
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err = cmp.Or(last, err); err != nil {
		return fmt.Errorf("the registry in the cluster: %w", err)
	}
	return nil
}

// pushTo is push to an address by which the registry is reached.
func (w *work) pushTo(ctx context.Context, address string, list []images.Image) error {
	for _, i := range list {
		reference, err := images.ByDigest(Registry, i)
		if err != nil {
			return err
		}
		w.references[i.Name] = reference
		tag, err := name.NewTag(address + "/" + i.Name)
		if err != nil {
			return err
		}
		digest, err := i.Digest()
		if err != nil {
			return err
		}
		has, err := head(ctx, address, i.Name)
		if err != nil {
			return err
		}
		if has == digest.String() {
			continue
		}
		if err := remote.Write(tag, i, remote.WithContext(ctx)); err != nil {
			return fmt.Errorf("pushing image %s: %w", i.Name, err)
		}
		w.Tell("image " + i.Name + " is pushed")
	}
	return nil
}

// forward makes the registry reachable from this machine, at an address of its own.
func (w *work) forward(ctx context.Context) (address string, stop func(), err error) {
	var pods corev1.PodList
	if err := w.client.List(ctx, &pods, client.InNamespace(registryNamespace), client.MatchingLabels{"app.kubernetes.io/name": registryName}); err != nil {
		return "", nil, err
	}
	at := -1
	for i, p := range pods.Items {
		if p.DeletionTimestamp == nil && p.Status.Phase == corev1.PodRunning {
			at = i
		}
	}
	if at < 0 {
		return "", nil, fmt.Errorf("none of %d Pods of the registry runs", len(pods.Items))
	}
	host, err := url.Parse(w.config.Host)
	if err != nil {
		return "", nil, err
	}
	host.Path = fmt.Sprintf("/api/v1/namespaces/%s/pods/%s/portforward", registryNamespace, pods.Items[at].Name)
	through, upgrader, err := spdy.RoundTripperFor(w.config)
	if err != nil {
		return "", nil, err
	}
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: through}, http.MethodPost, host)
	ctx, cancel := context.WithCancel(ctx)
	ready, ended := make(chan struct{}), make(chan struct{})
	f, err := portforward.NewOnAddressesWithContext(ctx, dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("0:%d", registryPort)}, ready, io.Discard, io.Discard)
	if err != nil {
		cancel()
		return "", nil, err
	}
	var failed error
	go func() {
		defer close(ended)
		failed = f.ForwardPorts()
	}()
	select {
	case <-ready:
	case <-ended:
		cancel()
		return "", nil, cmp.Or(failed, context.Cause(ctx))
	}
	ports, err := f.GetPorts()
	if err != nil {
		cancel()
		return "", nil, err
	}
	return fmt.Sprintf("127.0.0.1:%d", ports[0].Local), func() { cancel(); <-ended }, nil
}

// ready waits until a Deployment runs as it is now meant to.
func (w *work) ready(ctx context.Context, namespace, name string, within time.Duration) error {
	var d appsv1.Deployment
	err := wait.PollUntilContextTimeout(ctx, again, within, true, func(ctx context.Context) (bool, error) {
		if err := w.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &d); err != nil {
			return false, nil //nolint:nilerr // the API server may be starting; in the end it is said
		}
		return rolledOut(&d), nil
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("it is not ready after %v: %s", within, w.why(ctx, namespace, &d))
	}
	return nil
}
