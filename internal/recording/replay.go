package recording

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance"
)

// What the driver of the recordings did where an input does not say.
const (
	defaultWait   = 120
	defaultSettle = 2
)

// kindRequest is the kind of what resolvers are asked with.
const kindRequest = "ResolutionRequest"

// kinds are those that are looked at. Of a custom task, an action names the kind as Custom.
var (
	kindPod = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	kinds   = map[string]schema.GroupVersionKind{
		"TaskRun":     {Group: "tekton.dev", Version: "v1beta1", Kind: "TaskRun"},
		"PipelineRun": {Group: "tekton.dev", Version: "v1beta1", Kind: "PipelineRun"},
		"Run":         {Group: "tekton.dev", Version: "v1alpha1", Kind: "Run"},
		"CustomRun":   {Group: "tekton.dev", Version: "v1beta1", Kind: "CustomRun"},

		kindRequest: {Group: "resolution.tekton.dev", Version: "v1beta1", Kind: kindRequest},
		"Pod":       kindPod,
	}
)

// Replay plays the input on a cluster, in a namespace of the recorded name, and returns what the cluster shows. The
// cluster must have the recording's configuration.
func (r *Recording) Replay(ctx context.Context, c conformance.Cluster) (Facts, error) {
	p := &player{Recording: r, cluster: c, namespace: r.namespace(), runs: map[string]*history{}}
	if err := p.prepare(ctx); err != nil {
		return nil, err
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		stop, err := c.Observe(kinds[kind], p.namespace, p.saw)
		if err != nil {
			return nil, err
		}
		defer stop()
	}
	var f Facts
	for _, document := range r.Documents {
		if err := p.apply(ctx, &f, document); err != nil {
			return nil, err
		}
	}
	end := c.Now().Add(seconds(or(r.Driver.Wait, defaultWait)))
	for i := range r.Driver.Actions {
		if err := p.act(ctx, &f, i, end); err != nil {
			return nil, fmt.Errorf("action %d: %w", i+1, err)
		}
	}
	if _, err := p.until(ctx, end, p.done); err != nil {
		return nil, err
	}
	if err := p.pass(ctx, seconds(or(r.Driver.Settle, defaultSettle))); err != nil {
		return nil, err
	}
	return f, p.tell(&f)
}

func or(value, otherwise float64) float64 {
	if value == 0 {
		return otherwise
	}
	return value
}

// namespace is the recorded one: it is part of some messages.
func (r *Recording) namespace() string {
	for _, name := range []string{"objects-final.yaml", "admitted.yaml"} {
		var namespace string
		data, err := r.file(name)
		if err == nil {
			err = documents(data, func(document []byte) error {
				var o found
				if err := unmarshal(document, &o); err != nil {
					return err
				}
				if namespace == "" {
					namespace = o.Metadata.Namespace
				}
				return nil
			})
		}
		if err == nil && namespace != "" {
			return namespace
		}
	}
	if strings.HasSuffix(r.Under, "-alpha") {
		return "rec-a-" + r.Name
	}
	return "rec-" + r.Name
}

// player is one replay.
type player struct {
	*Recording
	cluster   conformance.Cluster
	namespace string
	// runs are by kind and name, as TaskRun/slow; pods are in the order in which they appeared.
	runs  map[string]*history
	order []string
	pods  []*pod

	broken error
}

// history is what was seen of a run: when it first had each reason, and its last status.
type history struct {
	reasons map[string]time.Time
	found   found
	last    []byte
	ended   bool
	gone    bool
}

type pod struct {
	first, last *corev1.Pod
	gone        bool
}

func (p *player) prepare(ctx context.Context) error {
	if err := p.cluster.CreateNamespace(ctx, p.namespace); err != nil {
		return err
	}
	if len(p.Driver.NamespaceLabels) == 0 {
		return nil
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": p.Driver.NamespaceLabels}})
	if err != nil {
		return err
	}
	ns := &corev1.Namespace{}
	ns.Name = p.namespace
	return p.cluster.Client().Patch(ctx, ns, client.RawPatch(types.MergePatchType, body))
}

// saw takes note of a version of an object.
func (p *player) saw(event watch.EventType, o *unstructured.Unstructured) {
	if event == watch.Error {
		p.broken = fmt.Errorf("versions were lost: %v", o.Object["message"])
		return
	}
	data, err := json.Marshal(o.Object)
	if err == nil {
		if o.GetKind() == kindPod.Kind {
			p.since(o.GetKind()+"/"+o.GetName(), whenAny)
			err = p.sawPod(event, data)
		} else {
			err = p.sawRun(event, o.GetKind()+"/"+o.GetName(), data)
		}
	}
	if err != nil {
		p.broken = fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
	}
}

// What an action waits for, beside the reason of a condition.
const (
	whenAny       = "any"       // the object
	whenCancelled = "cancelled" // that it is asked to end
)

// since takes note of when an object first showed something.
func (p *player) since(object, what string) *history {
	h := p.runs[object]
	if h == nil {
		h = &history{reasons: map[string]time.Time{}}
		p.runs[object] = h
		p.order = append(p.order, object)
	}
	if _, known := h.reasons[what]; !known && what != "" {
		h.reasons[what] = p.cluster.Now()
	}
	return h
}

func (p *player) sawRun(event watch.EventType, object string, data []byte) error {
	h := p.since(object, whenAny)
	h.last, h.gone, h.ended = data, event == watch.Deleted, false
	if err := json.Unmarshal(data, &h.found); err != nil {
		return err
	}
	if h.found.Spec.Status != "" {
		p.since(object, whenCancelled)
	}
	var o struct {
		Status struct {
			Conditions []condition `json:"conditions"`
		} `json:"status"`
	}
	err := json.Unmarshal(data, &o)
	for _, c := range o.Status.Conditions {
		p.since(object, c.Reason)
		h.ended = h.ended || c.Type == "Succeeded" && c.Status != string(corev1.ConditionUnknown)
	}
	return err
}

func (p *player) sawPod(event watch.EventType, data []byte) error {
	version := &corev1.Pod{}
	if err := json.Unmarshal(data, version); err != nil {
		return err
	}
	var known *pod
	for _, q := range p.pods {
		if q.first.UID == version.UID {
			known = q
		}
	}
	if known == nil {
		known = &pod{first: version}
		p.pods = append(p.pods, known)
	}
	known.last, known.gone = version, event == watch.Deleted
	return nil
}

// done reports whether every run has ended.
func (p *player) done() bool {
	for _, object := range p.order {
		if h := p.runs[object]; h.last != nil && !h.ended && !h.gone {
			return false
		}
	}
	return true
}

// until waits for a condition and reports whether it came.
func (p *player) until(ctx context.Context, deadline time.Time, condition func() bool) (bool, error) {
	err := p.cluster.WaitUntil(ctx, deadline, func() bool { return p.broken != nil || condition() })
	if errors.Is(err, conformance.ErrDeadline) {
		return false, p.broken
	}
	return err == nil, errors.Join(err, p.broken)
}

func (p *player) pass(ctx context.Context, d time.Duration) error {
	_, err := p.until(ctx, p.cluster.Now().Add(d), func() bool { return false })
	return err
}

func (p *player) apply(ctx context.Context, f *Facts, document *unstructured.Unstructured) error {
	object := document.GetKind() + "/" + document.GetName()
	o := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(document.Object)}
	o.SetNamespace(p.namespace)
	err := p.cluster.Client().Create(ctx, o)
	answer, err := answered(err, 201)
	if err != nil {
		return fmt.Errorf("creating %s: %w", object, err)
	}
	f.add(object, "admission", answer)
	if strings.HasPrefix(answer, "HTTP 201") {
		f.admitted(o.GetKind(), o.GetName(), o.GetAPIVersion(), o.Object["spec"])
	}
	return nil
}

// answered says what the API server answered. What is no answer is an error.
func answered(err error, success int) (string, error) {
	if err == nil {
		return fmt.Sprintf("HTTP %d", success), nil
	}
	var status apierrors.APIStatus
	switch {
	case errors.As(err, &status):
		s := status.Status()
		var lines []string
		for line := range strings.Lines(s.Message) {
			if line = strings.TrimSuffix(line, "\n"); line != "" {
				lines = append(lines, line)
			}
		}
		return fmt.Sprintf("HTTP %d %s\n%s", s.Code, s.Reason, strings.Join(lines, "\n")), nil
	case meta.IsNoMatchError(err), runtime.IsNotRegisteredError(err):
		return "the cluster does not know the kind", nil
	}
	return "", err
}

func (p *player) act(ctx context.Context, f *Facts, i int, end time.Time) error {
	a := &p.Driver.Actions[i]
	var since time.Time
	came, err := p.until(ctx, end, func() bool {
		for _, kind := range a.kinds() {
			if h := p.runs[kind+"/"+p.called(kind, a.Name)]; h != nil {
				since = h.reasons[a.When]
			}
		}
		return !since.IsZero()
	})
	if err != nil || !came {
		return err
	}
	if _, err := p.until(ctx, since.Add(seconds(a.After)), func() bool { return false }); err != nil {
		return err
	}
	var answer string
	switch a.Do {
	case "patch":
		answer, err = answered(p.cluster.Client().Patch(ctx, p.target(a), client.RawPatch(types.MergePatchType, a.Body)), 200)
		// An action's answer is written without the reason, the text on the same line.
		answer = strings.Replace(answer, " BadRequest\n", " ", 1)
	case "status":
		body := p.moments(a.Body)
		answer, err = answered(p.cluster.Client().Status().Patch(ctx, p.target(a), client.RawPatch(types.MergePatchType, body)), 200)
		answer = strings.Replace(answer, " BadRequest\n", " ", 1)
	case "delete":
		var o client.Object = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: path.Base(a.Path)}}
		if a.Path == "" {
			o = p.target(a)
		}
		var options metav1.DeleteOptions
		if len(a.Body) > 0 {
			if err := json.Unmarshal(a.Body, &options); err != nil {
				return err
			}
		}
		answer, err = answered(p.cluster.Client().Delete(ctx, o, &client.DeleteOptions{PropagationPolicy: options.PropagationPolicy}), 200)
	case "exec":
		var stdout string
		var code int
		stdout, _, code, err = p.cluster.Exec(ctx, p.namespace, a.Pod, a.Container, a.Command)
		answer = fmt.Sprintf("rc=%d\n%s", code, stdout)
	default:
		err = fmt.Errorf("cannot do %q", a.Do)
	}
	f.add(a.name(), "answer", strings.TrimSpace(answer))
	return err
}

// kinds are the kinds that the object of an action may have.
func (a *Action) kinds() []string {
	switch a.Kind {
	case "":
		return []string{"TaskRun"}
	case "Custom":
		return []string{"Run", "CustomRun"}
	default:
		return []string{a.Kind}
	}
}

// called is the name of the object that an action is about, of which it may have only the beginning: byhand-*.
func (p *player) called(kind, name string) string {
	if prefix, open := strings.CutSuffix(name, "*"); open {
		for _, object := range p.order {
			if strings.HasPrefix(object, kind+"/"+prefix) {
				return strings.TrimPrefix(object, kind+"/")
			}
		}
	}
	return name
}

// target is the object that an action is done to.
func (p *player) target(a *Action) *unstructured.Unstructured {
	kind, name := a.TargetKind, a.Target
	if name == "" {
		for _, k := range a.kinds() {
			if called := p.called(k, a.Name); p.runs[k+"/"+called] != nil {
				kind, name = k, called
			}
		}
	}
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(kinds[kind])
	o.SetNamespace(p.namespace)
	o.SetName(name)
	return o
}

// now is a moment in the body of an action: the present one, or so many seconds before.
var now = regexp.MustCompile(`"@now(?:-(\d+))?"`)

// moments puts the times in the place of their words.
func (p *player) moments(body []byte) []byte {
	return now.ReplaceAllFunc(body, func(word []byte) []byte {
		before, err := strconv.Atoi(string(now.FindSubmatch(word)[1]))
		if err != nil {
			before = 0
		}
		return []byte(strconv.Quote(p.cluster.Now().Add(-time.Duration(before) * time.Second).UTC().Format(time.RFC3339)))
	})
}

// tell says what the runs and the Pods are at the end.
func (p *player) tell(f *Facts) error {
	for _, object := range p.order {
		h := p.runs[object]
		if h.last == nil || h.gone || strings.HasPrefix(object, kindRequest+"/") { // requests were not recorded
			continue
		}
		if err := f.end(&h.found, h.last); err != nil {
			return err
		}
	}
	seen := map[string]int{}
	for _, q := range p.pods {
		object := ordinal(seen, "Pod/"+q.first.Name)
		f.created(object, q.first)
		images := map[string]string{}
		for i := range q.last.Spec.Containers {
			images[q.last.Spec.Containers[i].Name] = q.last.Spec.Containers[i].Image
		}
		f.final(object, q.gone, q.first, images, q.last.Status.Phase)
	}
	return p.broken
}
