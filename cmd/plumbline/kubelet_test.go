package main

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
	"github.com/plumbline-ci/plumbline/conformance/targets/node"
	"github.com/plumbline-ci/plumbline/internal/controlplane"
)

// kubeconfigOf writes a kubeconfig for a server.
func kubeconfigOf(t *testing.T, c *rest.Config) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	host := c.Host
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	config := clientcmdapi.Config{
		Clusters:  map[string]*clientcmdapi.Cluster{"c": {Server: host, CertificateAuthorityData: c.CAData}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{"u": {ClientCertificateData: c.CertData, ClientKeyData: c.KeyData, Token: c.BearerToken}},
		Contexts:  map[string]*clientcmdapi.Context{"x": {Cluster: "c", AuthInfo: "u"}}, CurrentContext: "x",
	}
	if err := clientcmd.WriteToFile(config, file); err != nil {
		t.Fatal(err)
	}
	return file
}

// plumbline runs the program to its end.
func plumbline(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command("plumbline", args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "KUBECONFIG=")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// TestKubeletSaysWhatIsWrong needs no cluster.
func TestKubeletSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews") {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(`{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","status":{"allowed":false}}`))
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(refuses.Close)
	images := filepath.Join(t.TempDir(), "images.yaml")
	if err := os.WriteFile(images, []byte("images: {registry.example.com/a: registry.example.com/b}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reason string
		args   []string
		code   int
		says   string
	}{
		{"there is no kubeconfig", nil, 2, "there is no kubeconfig"},
		{"the file is missing", []string{"--kubeconfig", "missing"}, 2, "missing: no such file"},
		{"a role that does not exist", []string{"--without", "cook"}, 3, "there is no such role"},
		{"a stand-in that does not exist", []string{"--image", "registry.example.com/a=golang"}, 3, "golang is not an image of the catalogue"},
		{"a pair without =", []string{"--image", "busybox"}, 3, "want name=program"},
		{"a stand-in for all that does not exist", []string{"--default-image", "golang"}, 3, "golang is not an image of the catalogue"},
		{"a file of unknown images", []string{"--images", images}, 3, "registry.example.com/b is not an image of the catalogue"},
		{"a file of images that is missing", []string{"--images", "missing"}, 2, "missing: no such file"},
		{"sleeping backwards", []string{"--sleep-scale", "-1"}, 3, "above 0"},
		{"both restricted and unrestricted clients", []string{"--insecure-logs", "--client-ca", images}, 3, "give only one of them"},
		{"unrestricted clients on a public address", []string{"--insecure-logs", "--address", "10.1.2.3"}, 3, "want a loopback address"},
		{"an argument too many", []string{"now"}, 3, "takes no argument"},
		{"no API server answers", []string{"--kubeconfig", kubeconfigOf(t, &rest.Config{Host: "http://127.0.0.1:1"})}, 10, "does not answer"},
		{"a user without permissions", []string{"--kubeconfig", kubeconfigOf(t, &rest.Config{Host: refuses.URL})}, 5, "create nodes"},
	} {
		_, stderr, code := plumbline(t, append([]string{"kubelet"}, tt.args...)...)
		if code != tt.code || !strings.Contains(stderr, tt.says) {
			t.Errorf("%s: exit code %d, want %d; it says %q", tt.reason, code, tt.code, stderr)
		}
	}
}

// TestKubeletAsAProcess has a real API server, and everything else of a cluster from one process.
func TestKubeletAsAProcess(t *testing.T) {
	t.Parallel()
	plane := controlplane.Start(t, envtest.StartControlPlane)
	clientset, err := kubernetes.NewForConfig(plane.Config)
	if err != nil {
		t.Fatal(err)
	}
	file := kubeconfigOf(t, plane.Config)
	cmd := exec.Command("plumbline", "kubelet", "--kubeconfig", file, "--name", "process",
		"--image", "registry.example.com/tools/shell=busybox", "--image", "registry.example.com/launcher=plumbline.dev/entrypoint:v0.1.0")
	var talk bytes.Buffer
	cmd.Stderr = &talk
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	ended := false
	t.Cleanup(func() {
		if !ended {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "node process is ready at ") {
		t.Fatalf("it says %q, %v", line, err)
	}
	ctx := t.Context()
	namespace := "default"
	made, err := clientset.CoreV1().Nodes().Get(ctx, "process", metav1.GetOptions{})
	if err != nil || made.Annotations[node.AnnotationSubstituted] != "launcher" {
		t.Errorf("the node has %v, %v", made.Annotations, err)
	}
	phase := func(name string, want corev1.PodPhase) {
		t.Helper()
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for late := time.After(time.Minute); ; {
			p, err := clientset.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
			if err == nil && p.Status.Phase == want {
				return
			}
			select {
			case <-tick.C:
			case <-late:
				t.Fatalf("Pod %s does not become %s: %v, %+v", name, want, err, p.Status)
			}
		}
	}
	create := func(name, script string) {
		t.Helper()
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for ; ; <-tick.C { // until the namespace has its account
			_, err := clientset.CoreV1().Pods(namespace).Create(ctx, &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Name: name},
				Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{
					Name: "main", Image: "registry.example.com/tools/shell:v1", Command: []string{"sh", "-c", script},
				}}},
			}, metav1.CreateOptions{})
			if err == nil {
				return
			}
			if !apierrors.IsForbidden(err) || ctx.Err() != nil {
				t.Fatal(err)
			}
		}
	}
	create("hello", "echo hello")
	create("stays", "sleep 3600")
	phase("hello", corev1.PodSucceeded)
	phase("stays", corev1.PodRunning)
	kubectl := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(filepath.Join(controlplane.Require(t), "kubectl"), append([]string{"--kubeconfig", file}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("kubectl %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if got := kubectl("logs", "hello"); got != "hello\n" {
		t.Errorf("the log is %q", got)
	}
	if got := kubectl("exec", "stays", "--", "echo", "inside"); got != "inside\n" {
		t.Errorf("the command says %q", got)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended = true
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted, it ends with %v", err)
	}
	if !strings.Contains(talk.String(), "image registry.example.com/launcher is run by Plumbline's own launcher") {
		t.Errorf("it does not say whose launcher it is: %q", talk.String())
	}
	phase("stays", corev1.PodFailed)
	if _, err := clientset.CoreV1().Nodes().Get(ctx, "process", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("its node is still there: %v", err)
	}
}
