package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
	"github.com/plumbline-ci/plumbline/internal/controlplane"
	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/reconciler/manager"
)

// asController makes the test binary the controller, for tests that start, kill and restart it as a process. asPlumbline
// makes it the command.
const (
	asController = "PLUMBLINE_TEST_CONTROLLER"
	asPlumbline  = "PLUMBLINE_TEST_COMMAND"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(asController) != "":
		main()
	case os.Getenv(asPlumbline) != "":
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := command.Main(ctx, os.Args[1:], command.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
		stop()
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// patience is for a machine that is busy with other things.
const (
	patience = 3 * time.Minute
	glance   = 100 * time.Millisecond
)

// world is a control plane with a simulated node, into which the reference implementation is installed as by a user, and
// before which it runs as a process of its own, with the rights of its service account.
type world struct {
	*testing.T
	// whole is the test that all others are parts of: what is started in one part goes on in the next.
	whole *testing.T
	plane *envtest.ControlPlane
	admin client.WithWatch
	// adminFile and accountFile are kubeconfigs.
	adminFile, accountFile string
	// Each is host:port.
	webhooks, health, metrics string
	// scraper is the token of an account that may get metrics, noScraper of one that may not.
	scraper, noScraper string
	logs               *logs
	process            *process
	// env is what the controller's environment has besides that of the test.
	env []string
}

// process is the controller until it is killed.
type process struct {
	mu     sync.Mutex
	cmd    *exec.Cmd
	killed bool
	ended  chan struct{}
	// env is what the controller's environment has besides that of the test.
	env []string
}

// keep starts the controller, and starts it again whenever it ends by itself, as a kubelet would.
func (p *process) keep(args []string, logs *logs) {
	defer close(p.ended)
	for {
		p.mu.Lock()
		if p.killed {
			p.mu.Unlock()
			return
		}
		p.cmd = exec.Command(os.Args[0], args...)
		p.cmd.Env = append(slices.Concat(os.Environ(), p.env), asController+"=1")
		p.cmd.Stderr = logs
		err := p.cmd.Start()
		p.mu.Unlock()
		if err != nil {
			fmt.Fprintln(logs, err)
			return
		}
		_ = p.cmd.Wait()
	}
}

// kill kills the controller, if it runs.
func (p *process) kill() { p.end(os.Kill) }

// end has the controller ended by a signal, and returns its exit code.
func (p *process) end(by os.Signal) int {
	p.mu.Lock()
	p.killed = true
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Signal(by)
	}
	p.mu.Unlock()
	<-p.ended
	if p.cmd == nil || p.cmd.ProcessState == nil {
		return -1
	}
	return p.cmd.ProcessState.ExitCode()
}

// logs is a buffer for several processes.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, plane: controlplane.Start(t, envtest.StartEmpty), whole: t, logs: &logs{}, webhooks: freeAddress(t), health: freeAddress(t), metrics: freeAddress(t)}
	scheme, err := manager.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	if w.admin, err = client.NewWithWatch(w.plane.Config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	w.adminFile = w.kubeconfig("admin", clientcmdapi.AuthInfo{ClientCertificateData: w.plane.Config.CertData, ClientKeyData: w.plane.Config.KeyData})
	return w
}

// freeAddress returns an address that is free at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// kubeconfig writes a file for a user.
func (w *world) kubeconfig(user string, how clientcmdapi.AuthInfo) string {
	w.Helper()
	c := clientcmdapi.NewConfig()
	c.Clusters["c"] = &clientcmdapi.Cluster{Server: w.plane.Config.Host, CertificateAuthorityData: w.plane.Config.CAData}
	if !strings.HasPrefix(w.plane.Config.Host, "https://") {
		c.Clusters["c"].Server = "https://" + w.plane.Config.Host
	}
	c.AuthInfos[user] = &how
	c.Contexts["c"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: user}
	c.CurrentContext = "c"
	file := filepath.Join(w.TempDir(), user+".kubeconfig")
	if err := clientcmd.WriteToFile(*c, file); err != nil {
		w.Fatal(err)
	}
	return file
}

// install is plumbline install.
func (w *world) install(args ...string) {
	w.Helper()
	var out, errs bytes.Buffer
	args = append([]string{"install", "--kubeconfig", w.adminFile, "--webhook-url", "https://" + w.webhooks}, args...)
	if code := command.Main(w.Context(), args, command.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != 0 {
		w.Fatalf("plumbline %s: exit code %d\n%s%s", strings.Join(args, " "), code, out.String(), errs.String())
	}
}

// account makes the kubeconfig of the controller's service account.
func (w *world) account() {
	w.Helper()
	api, err := kubernetes.NewForConfig(w.plane.Config)
	if err != nil {
		w.Fatal(err)
	}
	token := func(account string) string {
		token, err := api.CoreV1().ServiceAccounts(kindconfig.Namespace).CreateToken(w.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
		if err != nil {
			w.Fatal(err)
		}
		return token.Status.Token
	}
	w.accountFile = w.kubeconfig(kindconfig.Account, clientcmdapi.AuthInfo{Token: token(kindconfig.Account)})
	const scraper = "scraper"
	w.create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: kindconfig.Namespace, Name: scraper}})
	w.create(&rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: scraper},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: kindconfig.RoleMetricsReader},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: kindconfig.Namespace, Name: scraper}},
	})
	w.scraper, w.noScraper = token(scraper), token(kindconfig.Account)
}

// scrape asks for the metrics with a token.
func (w *world) scrape(token string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(w.Context(), http.MethodGet, "https://"+w.metrics+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // it makes its certificate itself
	return c.Do(request)
}

// startNode runs Pods until the test ends.
func (w *world) startNode() {
	w.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.Context()))
	stopped, err := w.plane.StartNode(ctx)
	if err != nil {
		cancel()
		w.Fatal(err)
	}
	w.Cleanup(func() { cancel(); stopped() })
}

// start runs the controller until kill.
func (w *world) start(more ...string) {
	w.Helper()
	host, port, err := net.SplitHostPort(w.webhooks)
	if err != nil {
		w.Fatal(err)
	}
	images := reference.Images()
	w.process = &process{ended: make(chan struct{}), env: w.env}
	go w.process.keep(append([]string{
		"-kubeconfig=" + w.accountFile, "-metrics-address=" + w.metrics, "-health-address=" + w.health, "-lease-duration=6s",
		"-webhook-address=" + host, "-webhook-port=" + port, "-webhook-hosts=" + host, "-log-level=debug",
		"-entrypoint-image=" + images.Entrypoint, "-nop-image=" + images.Nop, "-workingdirinit-image=" + images.WorkingDirInit, "-shell-image=" + images.Shell,
		"-sidecarlogresults-image=" + images.SidecarLogResults,
	}, more...), w.logs)
	w.whole.Cleanup(w.process.kill)
	w.eventually("the controller is ready", func() error {
		select {
		case <-w.process.ended:
			return errors.New("it cannot be started")
		default:
		}
		answer, err := http.Get("http://" + w.health + "/readyz")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("it is not: %s", answer.Status)
		}
		return nil
	})
}

// metric is the line of what can be scraped that begins so.
func (w *world) metric(beginning string) (string, error) {
	answer, err := w.scrape(w.scraper)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the metrics answer %s", answer.Status)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, beginning) {
			return strings.TrimSpace(line), nil
		}
	}
	return "", fmt.Errorf("there is no metric %s", beginning)
}

// eventually waits until a condition holds.
func (w *world) eventually(what string, holds func() error) {
	w.Helper()
	var last error
	err := wait.PollUntilContextTimeout(w.Context(), glance, patience, true, func(context.Context) (bool, error) {
		last = holds()
		return last == nil, nil
	})
	if err != nil {
		w.Fatalf("waiting until %s: %v\nthe controller's log:\n%s", what, last, tail(w.logs.String()))
	}
}

// tail is what a reader wants to see of a log.
func tail(text string) string {
	const most = 40
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}

// namespace makes one in which Pods can be created.
func (w *world) namespace(name string) {
	w.Helper()
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default", Namespace: name}},
	} {
		if err := w.admin.Create(w.Context(), o); client.IgnoreAlreadyExists(err) != nil {
			w.Fatal(err)
		}
	}
}

// run makes a TaskRun with one step.
func run(namespace, name, script string) *v1beta1.TaskRun {
	return &v1beta1.TaskRun{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1beta1.TaskRunSpec{TaskSpec: &v1beta1.TaskSpec{
			Results: []v1beta1.TaskResult{{Name: "out"}},
			Steps: []v1beta1.Step{
				{Name: "first", Image: "busybox", Script: script},
				{Name: "second", Image: "busybox", Script: "echo -n done > $(results.out.path)"},
			},
		}},
	}
}

func (w *world) create(o client.Object) {
	w.Helper()
	if err := w.admin.Create(w.Context(), o); err != nil {
		w.Fatalf("creating %s: %v\nthe controller's log:\n%s", o.GetName(), err, tail(w.logs.String()))
	}
}

// succeeded waits for a run to end well.
func (w *world) succeeded(namespace, name string) *v1beta1.TaskRun {
	w.Helper()
	tr := &v1beta1.TaskRun{}
	w.eventually("TaskRun "+namespace+"/"+name+" has succeeded", func() error {
		if err := w.admin.Get(w.Context(), client.ObjectKey{Namespace: namespace, Name: name}, tr); err != nil {
			return err
		}
		if c := tr.Status.Succeeded(); !c.IsTrue() {
			return fmt.Errorf("its condition is %+v", c)
		}
		return nil
	})
	return tr
}

// served is the serial number of the certificate that the webhooks are served with.
func (w *world) served() (string, error) {
	c, err := tls.Dial("tcp", w.webhooks, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String(), nil
}

// asAccount is a client with the rights of the controller.
func (w *world) asAccount() *rest.Config {
	w.Helper()
	c, err := clientcmd.BuildConfigFromFlags("", w.accountFile)
	if err != nil {
		w.Fatal(err)
	}
	return c
}
