package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/reconciler/manager"
)

var taskRunMetrics = manager.MetricsOf(v1beta1.GroupVersion.WithKind(v1beta1.KindTaskRun))

// TestControllerOnARealAPIServer goes through the life of an installation, one part after the other: starting a control
// plane takes longer than most of them.
func TestControllerOnARealAPIServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.namespace("team-a")
	w.namespace("team-b")
	w.install("--tenants", "team-a", "--example-tasks")
	w.account()
	w.startNode()
	w.start()
	for _, part := range []struct {
		name string
		test func(*world)
	}{
		{"the tenant role is bound in one namespace only", oneTenant},
		{"then everywhere", allTenants},
		{"documented commands work on an installation in use", documented},
		{"every rule refuses with its words", sameWords},
		{"and so do checks beyond the rules", sameWordsElsewhere},
		{"a configuration that cannot be parsed is not taken over", badConfiguration},
		{"both versions of the API", otherVersion},
		{"killed, with another certificate, and with the API server restarted, runs finish and nothing is done twice", trouble},
		{"of two replicas one goes on when the other ends", replicas},
	} {
		ok := t.Run(part.name, func(t *testing.T) {
			sub := *w
			sub.T = t
			part.test(&sub)
			w.process = sub.process
		})
		if !ok {
			t.Fatalf("the controller's log:\n%s", tail(w.logs.String()))
		}
	}
}

// oneTenant: elsewhere nothing is touched, and the right to do so is not there.
func oneTenant(w *world) {
	w.create(run("team-b", "foreign", "true"))
	w.create(run("team-a", "own", "true"))
	if got := w.succeeded("team-a", "own").Status.TaskRunResults; len(got) != 1 || got[0].Value.StringVal != "done" {
		w.Errorf("results of the tenant's run: %+v", got)
	}
	w.eventually("the run is counted", func() error {
		for _, want := range []string{taskRunMetrics.Count + `{status="success"} 1`, taskRunMetrics.Running + " 1", "controller_runtime_reconcile_time_seconds_count{controller=\"taskrun\"}"} {
			name, _, _ := strings.Cut(want, " ")
			if got, err := w.metric(name); err != nil || !strings.HasPrefix(got, want) {
				return fmt.Errorf("%s, want %s: %w", got, want, err)
			}
		}
		return nil
	})
	// controller-runtime answers an unknown token and a missing one differently.
	for token, want := range map[string]int{"": http.StatusUnauthorized, "made up": http.StatusInternalServerError, w.noScraper: http.StatusForbidden} {
		answer, err := w.scrape(token)
		if err != nil {
			w.Fatal(err)
		}
		if answer.Body.Close(); answer.StatusCode != want {
			w.Errorf("metrics for the token %.10q: %s, want %d", token, answer.Status, want)
		}
	}
	foreign := &v1beta1.TaskRun{}
	if err := w.admin.Get(w.Context(), client.ObjectKey{Namespace: "team-b", Name: "foreign"}, foreign); err != nil {
		w.Fatal(err)
	}
	if foreign.Generation != 1 || foreign.Status.StartTime != nil || len(foreign.Status.Conditions) > 0 {
		w.Errorf("the run of a namespace that is not a tenant was touched: %+v", foreign.Status)
	}
	for _, m := range foreign.ManagedFields {
		if m.Subresource != "" {
			w.Errorf("its status was written: %+v", m)
		}
	}
	var pods corev1.PodList
	if err := w.admin.List(w.Context(), &pods, client.InNamespace("team-b")); err != nil || len(pods.Items) > 0 {
		w.Errorf("Pods of a namespace that is not a tenant: %v, %v", pods.Items, err)
	}
	if text := w.logs.String(); strings.Contains(text, "is forbidden") {
		w.Errorf("the controller did what it may not do:\n%s", tail(text))
	}
	// Not only does it not want to.
	scheme, err := manager.Scheme()
	if err != nil {
		w.Fatal(err)
	}
	c, err := client.New(w.asAccount(), client.Options{Scheme: scheme})
	if err != nil {
		w.Fatal(err)
	}
	for _, o := range []client.Object{
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "team-b"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}},
		&corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "team-b"}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s", Namespace: kindconfig.Namespace}},
	} {
		if err := c.Create(w.Context(), o, client.DryRunAll); err == nil || !strings.Contains(err.Error(), "forbidden") {
			w.Errorf("creating a %T: %v", o, err)
		}
	}
	if err := c.Get(w.Context(), client.ObjectKey{Namespace: "team-b", Name: "s"}, &corev1.Secret{}); err == nil || !strings.Contains(err.Error(), "forbidden") {
		w.Errorf("reading a secret: %v", err)
	}
}

// allTenants: what waited is run as soon as the role is bound.
func allTenants(w *world) {
	w.install()
	w.succeeded("team-b", "foreign")
}

// documented: the commands that docs/install.md prints work, on an installation that is in use, and leave to others what
// is theirs.
func documented(w *world) {
	text, err := os.ReadFile("../../docs/install.md")
	if err != nil {
		w.Fatal(err)
	}
	w.configure(map[string]string{config.KeyTimeoutMinutes: "7"}, nil)
	before := &corev1.Secret{}
	key := client.ObjectKey{Namespace: kindconfig.Namespace, Name: manager.SecretOfWebhooks}
	if err := w.admin.Get(w.Context(), key, before); err != nil {
		w.Fatal(err)
	}
	commands := 0
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		args, ok := strings.CutPrefix(line, "plumbline install")
		if !ok {
			continue
		}
		commands++
		words := strings.Fields(args)
		if i := slices.Index(words, "--webhook-url"); i >= 0 {
			words = slices.Delete(words, i, i+2) // here they always are at a URL
		}
		w.install(words...)
	}
	if commands < 5 {
		w.Errorf("the document prints %d commands", commands)
	}
	// Those for some tenants were among them.
	w.install()
	var own rbacv1.RoleBindingList
	if err := w.admin.List(w.Context(), &own, client.InNamespace("team-a")); err != nil || len(own.Items) > 0 {
		w.Errorf("bindings of a tenant of long ago: %v, %v", own.Items, err)
	}
	after := &corev1.Secret{}
	if err := w.admin.Get(w.Context(), key, after); err != nil || !maps.EqualFunc(before.Data, after.Data, bytes.Equal) {
		w.Errorf("the certificate is another one, or cannot be read: %v", err)
	}
	m := &corev1.ConfigMap{}
	if err := w.admin.Get(w.Context(), client.ObjectKey{Namespace: kindconfig.Namespace, Name: config.DefaultsName}, m); err != nil || m.Data[config.KeyTimeoutMinutes] != "7" {
		w.Errorf("what was configured is gone: %v, %v", m.Data, err)
	}
	w.eventually("the webhooks are asked again", func() error {
		return w.admin.Create(w.Context(), run("team-a", "asked", "true"), client.DryRunAll)
	})
	w.configure(nil, nil)
}

// trouble comes while runs are under way.
func trouble(w *world) {
	const namespace = "team-a"
	seen := newWitness(w, namespace)
	names := []string{"quick", "middling", "slow", "slower"}
	for i, name := range names {
		w.create(run(namespace, name, fmt.Sprintf("sleep %d", 3+8*i)))
	}
	w.eventually("a step runs", func() error {
		var pods corev1.PodList
		if err := w.admin.List(w.Context(), &pods, client.InNamespace(namespace)); err != nil {
			return err
		}
		for i := range pods.Items {
			if p := &pods.Items[i]; p.Labels[v1beta1.LabelTaskRun] == "slower" && p.Status.Phase == corev1.PodRunning {
				return nil
			}
		}
		return errors.New("none does")
	})
	w.process.kill()
	w.start()

	// The certificate has to be replaced. While a new one is made and taken over, no request is refused.
	before, err := w.served()
	if err != nil {
		w.Fatal(err)
	}
	empty := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: kindconfig.Namespace, Name: manager.SecretOfWebhooks}}
	if err := w.admin.Patch(w.Context(), empty, client.RawPatch(types.MergePatchType, []byte(`{"data":null}`))); err != nil {
		w.Fatal(err)
	}
	w.eventually("another certificate is served", func() error {
		if err := w.admin.Create(w.Context(), run(namespace, "admitted", "true"), client.DryRunAll); err != nil {
			w.Errorf("while the certificate is changed: %v", err)
		}
		after, err := w.served()
		if err == nil && after == before {
			err = errors.New("it is the same one")
		}
		return err
	})
	w.create(run(namespace, "after-rotation", "sleep 5"))

	if err := w.plane.RestartServer(w.Context()); err != nil {
		w.Fatal(err)
	}
	for _, name := range append(names, "after-rotation") {
		tr := w.succeeded(namespace, name)
		if got := tr.Status.TaskRunResults; len(got) != 1 || got[0].Value.StringVal != "done" {
			w.Errorf("results of %s: %+v", name, got)
		}
	}
	w.create(run(namespace, "after-restart", "true"))
	w.succeeded(namespace, "after-restart")
	seen.check(append(names, "after-rotation", "after-restart"))
}

// replicas: both serve the webhooks, with one certificate; one reconciles, until it is asked to end.
func replicas(w *world) {
	second := *w
	second.webhooks, second.health, second.metrics = freeAddress(w.T), freeAddress(w.T), freeAddress(w.T)
	second.start()
	first, err := w.served()
	if err != nil {
		w.Fatal(err)
	}
	if other, err := second.served(); err != nil || other != first {
		w.Errorf("the second replica serves %s, the first one %s: %v", other, first, err)
	}
	if line, err := second.metric(taskRunMetrics.Running); err == nil {
		w.Errorf("who does not lead counts runs: %s", line)
	}
	second.install()
	second.eventually("the second one is asked", func() error {
		return second.admin.Create(second.Context(), run("team-a", "asked", "true"), client.DryRunAll)
	})
	second.create(run("team-a", "handed-over", "sleep 4"))
	if code := w.process.end(syscall.SIGTERM); code != 0 {
		w.Errorf("asked to end, it ends with exit code %d", code)
	}
	second.succeeded("team-a", "handed-over")
	if _, err := second.metric(taskRunMetrics.Running); err != nil {
		w.Errorf("the new leader: %v", err)
	}
}

// witness sees all Pods that ever existed, and how the runs end.
type witness struct {
	*world
	namespace string

	mu   sync.Mutex
	pods map[string]map[types.UID]bool // by run
	ends map[string]map[string]bool    // completion times, by run
}

func newWitness(w *world, namespace string) *witness {
	w.Helper()
	s := &witness{world: w, namespace: namespace, pods: map[string]map[types.UID]bool{}, ends: map[string]map[string]bool{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.Context()))
	var watching sync.WaitGroup
	watching.Go(func() {
		// Pods are not deleted here, so a list is as good as a watch, and survives the API server.
		for tick := time.NewTicker(glance); ctx.Err() == nil; <-tick.C {
			s.look(ctx)
		}
	})
	w.Cleanup(func() { cancel(); watching.Wait() })
	return s
}

func (s *witness) look(ctx context.Context) {
	var pods corev1.PodList
	var runs v1beta1.TaskRunList
	// While the API server is away there is nothing to see.
	if s.admin.List(ctx, &pods, client.InNamespace(s.namespace)) != nil || s.admin.List(ctx, &runs, client.InNamespace(s.namespace)) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range pods.Items {
		note(s.pods, pods.Items[i].Labels[v1beta1.LabelTaskRun], pods.Items[i].UID)
	}
	for i := range runs.Items {
		if end := runs.Items[i].Status.CompletionTime; end != nil {
			note(s.ends, runs.Items[i].Name, end.String())
		}
	}
}

func note[K comparable](in map[string]map[K]bool, name string, what K) {
	if in[name] == nil {
		in[name] = map[K]bool{}
	}
	in[name][what] = true
}

// check says what was done twice.
func (s *witness) check(names []string) {
	s.Helper()
	s.look(s.Context())
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if n := len(s.pods[name]); n != 1 {
			s.Errorf("%s had %d Pods", name, n)
		}
		if ends := slices.Collect(maps.Keys(s.ends[name])); len(ends) != 1 {
			s.Errorf("%s ended at %v", name, ends)
		}
		var tr v1beta1.TaskRun
		if err := s.admin.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, &tr); err != nil {
			s.Fatal(err)
		}
		if len(tr.Status.RetriesStatus) > 0 || len(tr.Status.Steps) != 2 {
			text, _ := json.Marshal(tr.Status)
			s.Errorf("%s: %s", name, text)
		}
		var events corev1.EventList
		if err := s.admin.List(s.Context(), &events, client.InNamespace(s.namespace), client.MatchingFields{"involvedObject.uid": string(tr.UID)}); err != nil {
			s.Fatal(err)
		}
		told := 0
		for i := range events.Items {
			if events.Items[i].Reason == v1beta1.TaskRunReasonSucceeded {
				told += max(int(events.Items[i].Count), 1)
			}
		}
		if told > 1 {
			s.Errorf("%s: its success was told %d times", name, told)
		}
	}
}
