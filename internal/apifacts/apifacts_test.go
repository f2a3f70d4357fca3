package apifacts

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
	"github.com/plumbline-ci/plumbline/internal/controlplane"
	"github.com/plumbline-ci/plumbline/internal/differential/listed"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

var update = flag.Bool("update", false, "record what both servers answer, and write the document of differences")

const (
	fileReal      = "testdata/real.txt"
	fileSimulated = "testdata/simulated.txt"
	fileDocument  = "../../docs/differences.md"
	leastRows     = 80
)

// rows is the table.
func rows() []row {
	return slices.Concat(metadataRows(), readRows(), podRows(), customRows(), versionRows(), applyRows(), pagingRows(), deletionRows(), ruleRows(), claimRows())
}

func TestTableOfFactsIsConsistent(t *testing.T) {
	names := map[string]bool{}
	for _, r := range rows() {
		if names[r.name] {
			t.Errorf("two rows are called %q", r.name)
		}
		names[r.name] = true
	}
	if len(names) < leastRows {
		t.Errorf("%d rows, want at least %d", len(names), leastRows)
	}
	for name := range differences() {
		if !names[name] {
			t.Errorf("the difference %q is about no row", name)
		}
	}
}

// TestRealServer asks a real server.
func TestRealServer(t *testing.T) {
	plane := controlplane.Start(t, envtest.StartControlPlane)
	config := rest.CopyConfig(plane.Config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return impatient{next} })
	c, err := client.NewWithWatch(config, client.Options{Scheme: apiserver.NewScheme()})
	if err != nil {
		t.Fatal(err)
	}
	want, got := read(t, fileReal), map[string][]string{}
	for i, r := range rows() {
		t.Run(r.name, func(t *testing.T) {
			lines := r.on(t, c, fmt.Sprintf("differential-%d", i), func(arrived func() bool) { awaitChannel(arrived, patience) })
			got[r.name] = lines
			if diff := cmp.Diff(want[r.name], lines); diff != "" && !*update {
				t.Errorf("(-recorded +now):\n%s", diff)
			}
		})
	}
	if *update && !t.Failed() {
		for _, r := range rows() {
			if _, asked := got[r.name]; !asked && want[r.name] != nil {
				got[r.name] = want[r.name] // -run left it out
			}
		}
		write(t, fileReal, got)
	}
}

// impatient has a client not ask again by itself when it is told to wait.
type impatient struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (i impatient) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := i.next.RoundTrip(req)
	if err == nil {
		resp.Header.Del("Retry-After")
	}
	return resp, err
}

// TestSimulatedServer compares the simulated server with what the real one has answered.
func TestSimulatedServer(t *testing.T) {
	real, other := read(t, fileReal), read(t, fileSimulated)
	known := differences()
	scheme := apiserver.NewScheme()
	if err := reference.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, r := range rows() {
		t.Run(r.name, func(t *testing.T) {
			k := kernel.New(kernel.Options{Seed: 1})
			options := apiserver.Options{Kernel: k, Scheme: scheme, Kinds: reference.Kinds(), ManageFields: true, WatchTimeouts: true}
			reference.Admit(&options, nil)
			server := apiserver.New(options)
			lines := r.on(t, server.Client("test"), "differential", func(arrived func() bool) {
				for until := k.Now().Add(2 * patience); k.Now().Before(until); {
					k.RunUntil(k.Now().Add(time.Second))
					if awaitChannel(arrived, moment) {
						return
					}
				}
			})
			got[r.name] = lines
			if *update {
				return
			}
			want, recorded := real[r.name]
			if !recorded {
				t.Fatal("the real server has not been asked; use -update")
			}
			if why, differs := known[r.name]; differs {
				if slices.Equal(lines, want) {
					t.Errorf("the simulated server answers as the real one; take the row out of the differences (%s)", why)
				}
				want = other[r.name]
			}
			if diff := cmp.Diff(want, lines); diff != "" {
				t.Errorf("(-want +simulated):\n%s", diff)
			}
		})
	}
	if *update && !t.Failed() {
		maps.DeleteFunc(got, func(name string, _ []string) bool { return known[name] == "" })
		write(t, fileSimulated, got)
	}
}

// TestDocument compares the document of differences with what is recorded.
func TestDocument(t *testing.T) {
	want := document(read(t, fileReal), read(t, fileSimulated))
	if *update {
		if err := os.WriteFile(filepath.FromSlash(fileDocument), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(filepath.FromSlash(fileDocument))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("the document is stale; run the test with -args -update (-want +stored):\n%s", diff)
	}
}

// document lists the differences for people.
func document(real, simulated map[string][]string) string {
	var b strings.Builder
	known := differences()
	fmt.Fprintf(&b, `# Where the simulated API server differs from a real one

This page is written by the test of internal/apifacts. It puts %d small questions about the Kubernetes API to the
simulated server and to kube-apiserver; %d are answered alike, down to the text of errors, and these %d are not.
`, len(rows()), len(rows())-len(known), len(known))
	for _, name := range slices.Sorted(maps.Keys(known)) {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n```diff\n", name, known[name])
		for i := range max(len(real[name]), len(simulated[name])) {
			before, after := at(real[name], i), at(simulated[name], i)
			if before == after {
				b.WriteString("  " + before + "\n")
				continue
			}
			for _, line := range []string{"- " + before, "+ " + after} {
				if len(line) > 2 {
					b.WriteString(line + "\n")
				}
			}
		}
		b.WriteString("```\n")
	}
	b.WriteString(listed.Document())
	return b.String()
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// awaitChannel gives other goroutines time to bring something, and reports whether they did.
func awaitChannel(arrived func() bool, atMost time.Duration) bool {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(atMost); ; {
		if arrived() {
			return true
		}
		if !time.Now().Before(deadline) {
			return false
		}
		<-tick.C
	}
}

// read reads a file of rows: a line "== name" and the row's lines.
func read(t *testing.T, file string) map[string][]string {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(file))
	if *update && errors.Is(err, os.ErrNotExist) {
		return map[string][]string{}
	}
	if err != nil {
		t.Fatal(err)
	}
	out, name := map[string][]string{}, ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if heading, ok := strings.CutPrefix(line, "== "); ok {
			name = heading
			continue
		}
		out[name] = append(out[name], line)
	}
	return out
}

func write(t *testing.T, file string, answers map[string][]string) {
	t.Helper()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		fmt.Fprintf(&b, "== %s\n", name)
		for _, line := range answers[name] {
			b.WriteString(line + "\n")
		}
	}
	if err := os.WriteFile(filepath.FromSlash(file), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
