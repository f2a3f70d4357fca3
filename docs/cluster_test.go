package docs_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/examples/foreign"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
	"github.com/plumbline-ci/plumbline/internal/controlplane"
	"github.com/plumbline-ci/plumbline/reports"
)

// onCluster are the document whose commands need a cluster, and what marks them: they are in blocks of this language.
const (
	onCluster       = "docs/your-cluster.md"
	languageCluster = "console"
)

// clusterCommands are what that document prints, with the exit codes that it says they have.
func clusterCommands(t *testing.T) (commands [][]string) {
	t.Helper()
	text := blocks(read(t, onCluster), languageCluster)
	var starts []int
	for start := range text {
		starts = append(starts, start)
	}
	slices.Sort(starts)
	for _, start := range starts {
		for line := range strings.SplitSeq(text[start], "\n") {
			if args, ok := plumbline(line); ok {
				commands = append(commands, args)
			}
		}
	}
	if len(commands) < 3 {
		t.Fatalf("%s prints %d commands", onCluster, len(commands))
	}
	return commands
}

// TestCommandsOnAClusterAreAccepted runs them without a cluster: then nothing but that is wrong with them.
func TestCommandsOnAClusterAreAccepted(t *testing.T) {
	t.Chdir("..")
	commands := clusterCommands(t)
	subject(t)
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	for _, args := range commands {
		code, _, stderr := run(t, args...)
		want := 2
		if args[0] == "subject" {
			want = 0
		}
		if code != want {
			t.Errorf("plumbline %s exits with %d, want %d: %s", strings.Join(args, " "), code, want, stderr)
		}
	}
}

// subject puts the example's subject file where the document says that one is.
func subject(t *testing.T) {
	t.Helper()
	data, err := os.ReadFile("conformance/examples/foreign/testdata/subject.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("subject.yaml", data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCommandsOnAClusterWork runs them on a cluster in which the example is installed.
func TestCommandsOnAClusterWork(t *testing.T) {
	t.Chdir("..")
	commands := clusterCommands(t)
	subject(t)
	kubeconfig(t, cluster(t))
	for _, args := range commands {
		code, stdout, stderr := run(t, args...)
		if args[0] != "run" {
			if code != 0 {
				t.Errorf("plumbline %s exits with %d: %s", strings.Join(args, " "), code, stderr)
			}
			continue
		}
		// The example says that it lacks most of what is mandatory: so it does not pass, and the report says why.
		want := 0
		if slices.Contains(args, "--subject") {
			want = 1
		}
		if code != want {
			t.Errorf("plumbline %s exits with %d, want %d\n%s%s", strings.Join(args, " "), code, want, stdout, stderr)
		}
		if slices.Contains(args, "json") {
			report, err := reports.Decode([]byte(stdout))
			if err != nil {
				t.Fatal(err)
			}
			if report.Result != reports.Partial || !strings.Contains(strings.Join(report.Reasons, "\n"), "mandatory features are not claimed") {
				t.Errorf("plumbline %s: %s: %q", strings.Join(args, " "), report.Result, report.Reasons)
			}
		}
	}
}

// cluster is an API server before a simulated node, with the example running.
func cluster(t *testing.T) *rest.Config {
	t.Helper()
	plane := controlplane.Start(t, envtest.StartControlPlane)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(cancel)
	stopped, err := plane.StartNode(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c := &foreign.Controller{}
	if c.Clientset, err = kubernetes.NewForConfig(plane.Config); err != nil {
		t.Fatal(err)
	}
	if c.Dynamic, err = dynamic.NewForConfig(plane.Config); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Errorf("the controller ended: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait(); stopped() })
	return plane.Config
}

// kubeconfig makes the cluster the one that kubectl would go to.
func kubeconfig(t *testing.T, config *rest.Config) {
	t.Helper()
	host := config.Host
	if !strings.HasPrefix(host, "https://") {
		host = "https://" + host
	}
	c := clientcmdapi.NewConfig()
	c.Clusters["there"] = &clientcmdapi.Cluster{Server: host, CertificateAuthorityData: config.CAData}
	c.AuthInfos["admin"] = &clientcmdapi.AuthInfo{ClientCertificateData: config.CertData, ClientKeyData: config.KeyData}
	c.Contexts["there"] = &clientcmdapi.Context{Cluster: "there", AuthInfo: "admin"}
	c.CurrentContext = "there"
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*c, file); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", file)
}

// TestSubjectFilesAreValid reads the ready-made files, and the one that a document shows.
func TestSubjectFilesAreValid(t *testing.T) {
	for _, text := range blocks(read(t, filepath.Base(onCluster)), "yaml") {
		s, err := conformance.LoadSubject(onCluster, []byte(text))
		if err == nil {
			err = s.Check(nil)
		}
		if err != nil {
			t.Error(err)
		}
	}
	files, err := filepath.Glob("subjects/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("found %q: %v", files, err)
	}
	for _, file := range append(files, "../conformance/examples/foreign/testdata/subject.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := conformance.LoadSubject(file, data)
		if err == nil {
			err = s.Check(nil)
		}
		if err != nil {
			t.Errorf("%v", err)
		}
	}
}

// TestReferenceClaimsTheSameEverywhere compares the reference's subject file with what it claims where it is built in.
func TestReferenceClaimsTheSameEverywhere(t *testing.T) {
	const file = "subjects/plumbline.yaml"
	s, err := conformance.LoadSubject(file, []byte(read(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	got, want := s.Claims(), reference.Claims()
	want.Served = got.Served // which are probed
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreTypes(source.Position{})); diff != "" {
		t.Errorf("claims (-built in +file):\n%s", diff)
	}
	if diff := cmp.Diff(reference.Implementation(), s.Identity()); diff != "" {
		t.Errorf("identity (-built in +file):\n%s", diff)
	}
}
