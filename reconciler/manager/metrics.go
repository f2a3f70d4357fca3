//plumbline:adapter watches on the machine's goroutines, and answers whoever scrapes
package manager

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrl "sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// What can be scraped, under the names that dashboards for Tekton know. How long reconciles take, and how many wait, is
// controller-runtime's to tell: controller_runtime_reconcile_time_seconds and workqueue_depth, with the name taskrun.
const (
	metricsPrefix = "tekton_pipelines_controller_"
	// MetricCount counts runs that ended, by status.
	MetricCount = metricsPrefix + "taskrun_count"
	// MetricDuration has how long they took, by namespace, task and status.
	MetricDuration = metricsPrefix + "taskrun_duration_seconds"
	// MetricRunning is how many have not ended.
	MetricRunning = metricsPrefix + "running_taskruns_count"
	// MetricLatency has how long it took from a run's creation until its Pod was scheduled.
	MetricLatency = metricsPrefix + "taskruns_pod_latency_seconds"
)

// Values of the label status.
const (
	statusSuccess   = "success"
	statusFailed    = "failed"
	statusCancelled = "cancelled"
	// anonymous is the label task of runs with a Task of their own.
	anonymous = "anonymous"
)

// podsOfTaskRuns selects the Pods that are watched.
func podsOfTaskRuns() labels.Selector {
	has, err := labels.NewRequirement(v1beta1.LabelTaskRun, selection.Exists, nil)
	if err != nil {
		panic("manager: " + err.Error())
	}
	return labels.NewSelector().Add(*has)
}

// runs measures TaskRuns. Only who leads measures, or every run would count once for each replica.
type runs struct {
	leads    atomic.Bool
	reader   client.Reader
	count    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	latency  *prometheus.HistogramVec
	running  *prometheus.Desc
}

func newRuns(reader client.Reader) *runs {
	buckets := []float64{1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400}
	return &runs{
		reader:   reader,
		count:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: MetricCount, Help: "TaskRuns that ended."}, []string{"status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: MetricDuration, Help: "How long TaskRuns took.", Buckets: buckets}, []string{"namespace", "task", "status"}),
		latency:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: MetricLatency, Help: "From the creation of a TaskRun until its Pod was scheduled.", Buckets: buckets}, []string{"namespace"}),
		running:  prometheus.NewDesc(MetricRunning, "TaskRuns that have not ended.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (r *runs) Describe(to chan<- *prometheus.Desc) {
	r.count.Describe(to)
	r.duration.Describe(to)
	r.latency.Describe(to)
	to <- r.running
}

// Collect implements prometheus.Collector.
func (r *runs) Collect(to chan<- prometheus.Metric) {
	r.count.Collect(to)
	r.duration.Collect(to)
	r.latency.Collect(to)
	if !r.leads.Load() {
		return
	}
	var list v1beta1.TaskRunList
	if err := r.reader.List(context.Background(), &list); err != nil {
		to <- prometheus.NewInvalidMetric(r.running, err)
		return
	}
	n := 0
	for i := range list.Items {
		if !list.Items[i].Status.IsDone() {
			n++
		}
	}
	to <- prometheus.MustNewConstMetric(r.running, prometheus.GaugeValue, float64(n))
}

// changed measures a run that ended between two versions of it.
func (r *runs) changed(before, after *v1beta1.TaskRun) {
	if !r.leads.Load() || before.UID != after.UID || before.Status.IsDone() || !after.Status.IsDone() {
		return
	}
	status := outcome(after)
	r.count.WithLabelValues(status).Inc()
	if start, end := after.Status.StartTime, after.Status.CompletionTime; start != nil && end != nil {
		r.duration.WithLabelValues(after.Namespace, task(after), status).Observe(end.Sub(start.Time).Seconds())
	}
}

// placed measures a Pod that was scheduled between two versions of it.
func (r *runs) placed(before, after *corev1.Pod) {
	if !r.leads.Load() || before.UID != after.UID || before.Spec.NodeName != "" || after.Spec.NodeName == "" {
		return
	}
	for i := range after.Status.Conditions {
		c := &after.Status.Conditions[i]
		if c.Type != corev1.PodScheduled || c.Status != corev1.ConditionTrue {
			continue
		}
		var tr v1beta1.TaskRun
		key := client.ObjectKey{Namespace: after.Namespace, Name: after.Labels[v1beta1.LabelTaskRun]}
		if r.reader.Get(context.Background(), key, &tr) == nil {
			r.latency.WithLabelValues(after.Namespace).Observe(max(c.LastTransitionTime.Sub(tr.CreationTimestamp.Time).Seconds(), 0))
		}
	}
}

func outcome(tr *v1beta1.TaskRun) string {
	c := tr.Status.Succeeded()
	switch {
	case c.IsTrue():
		return statusSuccess
	case c.Reason == v1beta1.TaskRunReasonCancelled:
		return statusCancelled
	}
	return statusFailed
}

// task is a label with few values: names of runs would be one series each.
func task(tr *v1beta1.TaskRun) string {
	if ref := tr.Spec.TaskRef; ref != nil && ref.Name != "" {
		return ref.Name
	}
	return anonymous
}

// addMetrics has everything measured as long as the Manager runs.
func addMetrics(m ctrl.Manager, to prometheus.Registerer) error {
	r := newRuns(m.GetClient())
	if err := to.Register(r); err != nil {
		return err
	}
	// This is run by the leader alone.
	err := m.Add(ctrl.RunnableFunc(func(ctx context.Context) error {
		r.leads.Store(true)
		<-ctx.Done()
		return nil
	}))
	return errors.Join(err, watch(m.GetCache(), r.changed), watch(m.GetCache(), r.placed))
}

// watch has every change of objects of a kind told.
func watch[T any, O interface {
	*T
	client.Object
}](from cache.Cache, tell func(before, after O)) error {
	informer, err := from.GetInformer(context.Background(), O(new(T)), cache.BlockUntilSynced(false))
	if err != nil {
		return err
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{UpdateFunc: func(before, after any) {
		old, ok := before.(O)
		now, too := after.(O)
		if ok && too {
			tell(old, now)
		}
	}})
	return err
}
