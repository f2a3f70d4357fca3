package node_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
	"github.com/plumbline-ci/plumbline/conformance/targets/node"
)

func (w *world) log(name string, o corev1.PodLogOptions) string {
	w.t.Helper()
	log, err := w.clientset.CoreV1().Pods(w.namespace).GetLogs(name, &o).DoRaw(w.t.Context())
	if err != nil {
		return "error: " + err.Error()
	}
	return string(log)
}

func TestAPodIsScheduledAndRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pod("hello", "busybox", "echo hello from $HOSTNAME; echo oops >&2; ls /var/run/secrets/kubernetes.io/serviceaccount; exit 3", func(p *corev1.Pod) {
		p.Spec.NodeSelector = map[string]string{corev1.LabelHostname: "all"}
	})
	p := w.phase("hello", corev1.PodFailed)
	if s := p.Status.ContainerStatuses[0].State.Terminated; s == nil || s.ExitCode != 3 {
		t.Errorf("it ended as %+v", s)
	}
	if got, want := w.log("hello", corev1.PodLogOptions{}), "hello from hello\noops\nca.crt\nnamespace\ntoken\n"; got != want {
		t.Errorf("its log is %q, want %q", got, want)
	}
	ca, err := w.clientset.CoreV1().ConfigMaps(w.namespace).Get(t.Context(), "kube-root-ca.crt", metav1.GetOptions{})
	if err != nil || ca.Data["ca.crt"] != string(server(t).CAData) {
		t.Errorf("the authority in the namespace is not the API server's: %v", err)
	}
}

func TestLogOptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pod("talks", "busybox", "echo one; echo two >&2; echo three; printf four", on("all"))
	w.phase("talks", corev1.PodSucceeded)
	for _, tt := range []struct {
		reason string
		o      corev1.PodLogOptions
		want   string
	}{
		{"everything", corev1.PodLogOptions{}, "one\ntwo\nthree\nfour"},
		{"the last lines", corev1.PodLogOptions{TailLines: new(int64(2))}, "three\nfour"},
		{"no lines", corev1.PodLogOptions{TailLines: new(int64(0))}, ""},
		{"some bytes", corev1.PodLogOptions{LimitBytes: new(int64(5))}, "one\nt"},
		{"lines of the last hour", corev1.PodLogOptions{SinceSeconds: new(int64(3600))}, "one\ntwo\nthree\nfour"},
		{"lines since a given time", corev1.PodLogOptions{SinceTime: &metav1.Time{Time: time.Now().Add(time.Hour)}}, ""},
		{"to the end of one that has ended", corev1.PodLogOptions{Follow: true}, "one\ntwo\nthree\nfour"},
	} {
		if got := w.log("talks", tt.o); got != tt.want {
			t.Errorf("%s: it is %q, want %q", tt.reason, got, tt.want)
		}
	}
	for line := range strings.Lines(w.log("talks", corev1.PodLogOptions{Timestamps: true})) {
		at, _, _ := strings.Cut(line, " ")
		if _, err := time.Parse(time.RFC3339Nano, at); err != nil {
			t.Errorf("a line begins with no time: %q", line)
		}
	}
}

func TestALogIsFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pod("counts", "busybox", "echo ready; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo went; sleep 0.3; echo end", on("all"))
	w.phase("counts", corev1.PodRunning)
	stream, err := w.clientset.CoreV1().Pods(w.namespace).GetLogs("counts", &corev1.PodLogOptions{Follow: true}).Stream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, len("ready\n"))
	if _, err := io.ReadFull(stream, first); err != nil || string(first) != "ready\n" {
		t.Fatalf("it begins with %q, %v", first, err)
	}
	if _, _, code, err := plane.all.Exec(t.Context(), w.namespace, "counts", "main", []string{"touch", "/tmp/go"}); err != nil || code != 0 {
		t.Fatalf("the command ends with %d, %v", code, err)
	}
	rest, err := io.ReadAll(stream)
	if err != nil || string(rest) != "went\nend\n" {
		t.Errorf("it goes on with %q, %v", rest, err)
	}
}

// TestOnlyClientsOfTheAuthorityAreServed asks for the Pods of a node without a certificate, with a stranger's, and of a
// node that serves every client.
func TestOnlyClientsOfTheAuthorityAreServed(t *testing.T) {
	t.Parallel()
	config := server(t)
	open, err := node.Start(t.Context(), node.Options{Config: config, Name: "open", Timing: quick(), Endpoint: &node.Endpoint{Insecure: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := open.Stop(); err != nil {
			t.Error(err)
		}
	})
	known, err := tls.X509KeyPair(config.CertData, config.KeyData)
	if err != nil {
		t.Fatal(err)
	}
	stranger := httptest.NewUnstartedServer(nil) // has a certificate of some authority
	stranger.StartTLS()
	defer stranger.Close()
	for _, tt := range []struct {
		reason  string
		address string
		with    []tls.Certificate
		served  bool
	}{
		{"without a certificate", plane.all.Address(), nil, false},
		{"with a stranger's", plane.all.Address(), stranger.TLS.Certificates, false},
		{"with one of the authority", plane.all.Address(), []tls.Certificate{known}, true},
		{"where every client is served", open.Address(), nil, true},
	} {
		c := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: tt.with}}}
		response, err := c.Get("https://" + tt.address + "/pods")
		if err == nil {
			err = response.Body.Close()
		}
		if served := err == nil && response.StatusCode == http.StatusOK; served != tt.served {
			t.Errorf("%s: served %v, want %v (%v)", tt.reason, served, tt.served, err)
		}
		c.CloseIdleConnections()
	}
	if host, _, err := net.SplitHostPort(open.Address()); err != nil || !net.ParseIP(host).IsLoopback() {
		t.Errorf("the node that serves every client is at %s", open.Address())
	}
}

// TestWithoutAnAuthorityNothingIsServed is about an API server that publishes none.
func TestWithoutAnAuthorityNothingIsServed(t *testing.T) {
	t.Parallel()
	config := rest.CopyConfig(server(t))
	config.Wrap(func(through http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/configmaps/extension-apiserver-authentication") {
				r = r.Clone(r.Context())
				r.URL.Path += "-missing"
			}
			return through.RoundTrip(r)
		})
	})
	var unknown *node.UnknownClientsError
	if n, err := node.Start(t.Context(), node.Options{Config: config, Name: "unknown", Timing: quick(), Endpoint: &node.Endpoint{}}); !errors.As(err, &unknown) {
		t.Errorf("it ended with %v", err)
		if n != nil {
			t.Error(n.Stop())
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// kubectl runs the built kubectl against the shared API server.
func kubectl(t *testing.T, w *world, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	assets, err := envtest.FindAssets()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(assets, "kubectl"), append([]string{"--kubeconfig", kubeconfig(t, server(t)), "-n", w.namespace}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	if stdin != "" {
		cmd.Stdin = strings.NewReader(stdin)
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// kubeconfig writes the administrator's kubeconfig.
func kubeconfig(t *testing.T, c *rest.Config) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	config := clientcmdapi.Config{
		Clusters:  map[string]*clientcmdapi.Cluster{"c": {Server: "https://" + strings.TrimPrefix(c.Host, "https://"), CertificateAuthorityData: c.CAData}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{"u": {ClientCertificateData: c.CertData, ClientKeyData: c.KeyData, Token: c.BearerToken}},
		Contexts:  map[string]*clientcmdapi.Context{"x": {Cluster: "c", AuthInfo: "u"}}, CurrentContext: "x",
	}
	if err := clientcmd.WriteToFile(config, file); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestKubectl(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pod("shell", "busybox", "echo up; sleep 3600", on("all"))
	w.pod("never", "registry.example.com/never", "true", on("all"))
	w.phase("shell", corev1.PodRunning)
	w.until("the other Pod waits", func() bool { return len(w.get("never").Status.ContainerStatuses) > 0 })
	for _, tt := range []struct {
		reason, stdin  string
		args           []string
		stdout, stderr string
		code           int
	}{
		{"a log", "", []string{"logs", "shell"}, "up\n", "", 0},
		{"a command", "", []string{"exec", "shell", "--", "sh", "-c", "echo out; echo err >&2"}, "out\n", "err\n", 0},
		{"its exit code", "", []string{"exec", "shell", "--", "sh", "-c", "exit 7"}, "", "command terminated with exit code 7", 7},
		{"its input", "one\ntwo\n", []string{"exec", "-i", "shell", "--", "sh", "-c", "read first; cat; echo $first"}, "two\none\n", "", 0},
		{"much input", strings.Repeat("0123456789abcde\n", 20000), []string{"exec", "-i", "shell", "--", "wc", "-c"}, "320000\n", "", 0},
		{"a command that is missing", "", []string{"exec", "shell", "--", "golang"}, "", `exec: "golang": executable file not found in $PATH`, 1},
		{"a container that is missing", "", []string{"exec", "shell", "-c", "other", "--", "true"}, "", "container other is not valid for pod shell", 1},
		{"the log of an instance before the first", "", []string{"logs", "-p", "shell"}, "", `previous terminated container "main" in pod "shell" not found`, 1},
		{"the log of a container that has not begun", "", []string{"logs", "never"}, "", `container "main" in pod "never" is waiting to start`, 1},
	} {
		stdout, stderr, code := kubectl(t, w, tt.stdin, tt.args...)
		if stdout != tt.stdout || !strings.Contains(stderr, tt.stderr) || code != tt.code {
			t.Errorf("%s: %q, %q, %d", tt.reason, stdout, stderr, code)
		}
	}
}

func TestImages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	digest := "sha256:" + strings.Repeat("ab", 32)
	for name, image := range map[string]string{
		"any-tag": "registry.example.com/tools/shell:v7", "digest": "registry.example.com/tools/shell:v7@" + digest, "one-tag": "registry.example.com/one:v1",
	} {
		w.pod(name, image, "echo ran", on("all"))
		if s := w.phase(name, corev1.PodSucceeded).Status.ContainerStatuses[0]; name == "digest" && s.ImageID != "registry.example.com/tools/shell@"+digest {
			t.Errorf("%s: its image is %s", name, s.ImageID)
		}
	}
	w.pod("unmapped", "registry.example.com/one:v2", "true", on("all"))
	w.until("the Pod says what is wrong", func() bool {
		list := w.get("unmapped").Status.ContainerStatuses
		return len(list) > 0 && list[0].State.Waiting != nil && strings.HasPrefix(list[0].State.Waiting.Reason, "ErrImagePull") &&
			strings.Contains(list[0].State.Waiting.Message, "--image registry.example.com/one=busybox")
	})
	n := start(t, node.Options{Name: "lenient", Images: node.Images{Default: "busybox"}})
	w.pod("anything", "registry.example.com/two:v2", "true", on(n.Name()))
	w.phase("anything", corev1.PodSucceeded)
}

func TestSleepScaleShortensOnlySleeps(t *testing.T) {
	t.Parallel()
	n := start(t, node.Options{Name: "fast", SleepScale: 1000})
	w := newWorld(t)
	w.pod("sleeps", "busybox", "sleep 10m && sleep 1.5h", on(n.Name()))
	w.phase("sleeps", corev1.PodSucceeded)
	w.pod("late", "busybox", "sleep 10h; sleep 10h", on(n.Name()), func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = new(int64(1)) })
	if p := w.phase("late", corev1.PodFailed); p.Status.Reason != "DeadlineExceeded" {
		t.Errorf("it failed for %s", p.Status.Reason)
	}
}

func TestExecWithATerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pod("shell", "busybox", "sleep 3600", on("all"))
	w.phase("shell", corev1.PodRunning)
	request := w.clientset.CoreV1().RESTClient().Post().Resource("pods").Namespace(w.namespace).Name("shell").SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Command: []string{"cat"}, Stdin: true, Stdout: true, TTY: true}, scheme.ParameterCodec)
	for name, made := range map[string]func() (remotecommand.Executor, error){
		"SPDY": func() (remotecommand.Executor, error) {
			return remotecommand.NewSPDYExecutor(server(t), "POST", request.URL())
		},
		"WebSocket": func() (remotecommand.Executor, error) {
			return remotecommand.NewWebSocketExecutor(server(t), "GET", request.URL().String())
		},
	} {
		executor, err := made()
		if err != nil {
			t.Fatal(err)
		}
		// A client that hears at once of data and of the connection's end may drop the data: a stream of spdystream chooses
		// between the two at random. Any kubelet's output can be lost so, and a second try tells it from a server's fault.
		var screen bytes.Buffer
		for range 3 {
			screen.Reset()
			err = executor.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdin: strings.NewReader("typed\r\x04"), Stdout: &screen, Tty: true})
			if err != nil || screen.Len() > 0 {
				break
			}
		}
		if err != nil || screen.String() != "typed\r\ntyped\r\n" {
			t.Errorf("%s: it shows %q, %v", name, screen.String(), err)
		}
	}
}
