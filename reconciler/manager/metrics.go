//plumbline:adapter watches on the machine's goroutines, and answers scrapers

package manager

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrl "sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/plumbline-ci/plumbline/reconciler"
)

// MetricNames are the names under which runs of a kind can be scraped. They are those that dashboards for Tekton know. How long
// reconciles take, and how many wait, is controller-runtime's to tell: controller_runtime_reconcile_time_seconds and
// workqueue_depth, with the controller's name.
type MetricNames struct {
	// Count counts runs that ended, by status.
	Count string
	// Duration has how long they took, by namespace, what they ran, and status.
	Duration string
	// Running is how many have not ended.
	Running string
	// Latency has how long it took from a run's creation until its Pod was scheduled.
	Latency string
}

// MetricsOf returns the names of the metrics of a kind.
func MetricsOf(kind schema.GroupVersionKind) MetricNames {
	const prefix = "tekton_pipelines_controller_"
	one, plural := strings.ToLower(kind.Kind), plural(kind)
	return MetricNames{
		Count:    prefix + one + "_count",
		Duration: prefix + one + "_duration_seconds",
		Running:  prefix + "running_" + plural + "_count",
		Latency:  prefix + plural + "_pod_latency_seconds",
	}
}

func plural(kind schema.GroupVersionKind) string {
	resource, _ := meta.UnsafeGuessKindToResource(kind)
	return resource.Resource
}

// Values of the label status.
const (
	statusSuccess   = "success"
	statusFailed    = "failed"
	statusCancelled = "cancelled"
	// anonymous is the label of runs with a definition of their own.
	anonymous = "anonymous"
)

// runs measures the runs of one kind. Only the leader measures, or every run would count once for each replica.
type runs struct {
	kind     schema.GroupVersionKind
	of       *reconciler.Metrics
	podLabel string // on Pods, with the name of their run; empty if the runs own none
	scheme   *runtime.Scheme
	leads    atomic.Bool
	reader   client.Reader
	count    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	latency  *prometheus.HistogramVec
	running  *prometheus.Desc
}

func newRuns(c *reconciler.Controller, reader client.Reader, scheme *runtime.Scheme) *runs {
	buckets := []float64{1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400}
	names, kind := MetricsOf(c.For), c.For.Kind
	r := &runs{
		kind: c.For, of: c.Metrics, scheme: scheme, reader: reader,
		count:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: names.Count, Help: kind + "s that ended."}, []string{"status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: names.Duration, Help: "How long " + kind + "s took.", Buckets: buckets}, []string{"namespace", c.Metrics.Label, "status"}),
		running:  prometheus.NewDesc(names.Running, kind+"s that have not ended.", nil, nil),
	}
	pods := slices.IndexFunc(c.Owns, func(o reconciler.Owned) bool { return o.Kind == corev1.SchemeGroupVersion.WithKind("Pod") })
	if pods >= 0 && c.Owns[pods].Label != "" {
		r.podLabel = c.Owns[pods].Label
		r.latency = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: names.Latency, Help: "From the creation of a " + kind + " until its Pod was scheduled.", Buckets: buckets}, []string{"namespace"})
	}
	return r
}

// Describe implements prometheus.Collector.
func (r *runs) Describe(to chan<- *prometheus.Desc) {
	r.count.Describe(to)
	r.duration.Describe(to)
	if r.latency != nil {
		r.latency.Describe(to)
	}
	to <- r.running
}

// Collect implements prometheus.Collector.
func (r *runs) Collect(to chan<- prometheus.Metric) {
	r.count.Collect(to)
	r.duration.Collect(to)
	if r.latency != nil {
		r.latency.Collect(to)
	}
	if !r.leads.Load() {
		return
	}
	n, err := r.unfinished(context.Background())
	if err != nil {
		to <- prometheus.NewInvalidMetric(r.running, err)
		return
	}
	to <- prometheus.MustNewConstMetric(r.running, prometheus.GaugeValue, float64(n))
}

// unfinished counts the runs that have not ended.
func (r *runs) unfinished(ctx context.Context) (int, error) {
	o, err := r.scheme.New(r.kind.GroupVersion().WithKind(r.kind.Kind + "List"))
	if err != nil {
		return 0, err
	}
	list, ok := o.(client.ObjectList)
	if !ok {
		return 0, fmt.Errorf("%T is not a list", o)
	}
	if err := r.reader.List(ctx, list); err != nil {
		return 0, err
	}
	n := 0
	err = meta.EachListItem(list, func(o runtime.Object) error {
		if run, ok := o.(reconciler.Run); ok && !run.CommonStatus().IsDone() {
			n++
		}
		return nil
	})
	return n, err
}

// changed measures a run that ended between two versions of it.
func (r *runs) changed(before, after client.Object) {
	old, ok := before.(reconciler.Run)
	now, too := after.(reconciler.Run)
	if !ok || !too || !r.leads.Load() || old.GetUID() != now.GetUID() || old.CommonStatus().IsDone() || !now.CommonStatus().IsDone() {
		return
	}
	status := r.outcome(now)
	r.count.WithLabelValues(status).Inc()
	if start, end := now.StartedAt(), now.CompletedAt(); start != nil && end != nil {
		r.duration.WithLabelValues(now.GetNamespace(), r.what(now), status).Observe(end.Sub(start.Time).Seconds())
	}
}

// placed measures a Pod that was scheduled between two versions of it.
func (r *runs) placed(before, after client.Object) {
	old, ok := before.(*corev1.Pod)
	now, too := after.(*corev1.Pod)
	name := after.GetLabels()[r.podLabel]
	if !ok || !too || !r.leads.Load() || name == "" || old.UID != now.UID || old.Spec.NodeName != "" || now.Spec.NodeName == "" {
		return
	}
	for i := range now.Status.Conditions {
		c := &now.Status.Conditions[i]
		if c.Type != corev1.PodScheduled || c.Status != corev1.ConditionTrue {
			continue
		}
		run, err := object(r.scheme, r.kind)
		if err == nil && r.reader.Get(context.Background(), client.ObjectKey{Namespace: now.Namespace, Name: name}, run) == nil {
			r.latency.WithLabelValues(now.Namespace).Observe(max(c.LastTransitionTime.Sub(run.GetCreationTimestamp().Time).Seconds(), 0))
		}
	}
}

func (r *runs) outcome(run reconciler.Run) string {
	c := run.CommonStatus().Succeeded()
	switch {
	case c.IsTrue():
		return statusSuccess
	case c.Reason == r.of.Cancelled:
		return statusCancelled
	}
	return statusFailed
}

// what is a label with few values: names of runs would be one series each.
func (r *runs) what(run reconciler.Run) string {
	if name := r.of.Of(run); name != "" {
		return name
	}
	return anonymous
}

// addMetrics has the runs of a controller measured as long as the Manager runs.
func addMetrics(m ctrl.Manager, c *reconciler.Controller, to prometheus.Registerer) error {
	r := newRuns(c, m.GetClient(), m.GetScheme())
	if err := to.Register(r); err != nil {
		return err
	}
	// This is run by the leader alone.
	err := m.Add(ctrl.RunnableFunc(func(ctx context.Context) error {
		r.leads.Store(true)
		<-ctx.Done()
		return nil
	}))
	of, failed := object(m.GetScheme(), r.kind)
	if failed != nil {
		return errors.Join(err, failed)
	}
	err = errors.Join(err, watch(m.GetCache(), of, r.changed))
	if r.podLabel != "" {
		err = errors.Join(err, watch(m.GetCache(), &corev1.Pod{}, r.placed))
	}
	return err
}

// watch has every change of objects of a kind told.
func watch(from cache.Cache, of client.Object, tell func(before, after client.Object)) error {
	informer, err := from.GetInformer(context.Background(), of, cache.BlockUntilSynced(false))
	if err != nil {
		return err
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{UpdateFunc: func(before, after any) {
		old, ok := before.(client.Object)
		now, too := after.(client.Object)
		if ok && too {
			tell(old, now)
		}
	}})
	return err
}
