package apiserver_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clientset "k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

// benchPod is a Pod as a build with steps has it: four containers, two init
// containers, their volumes.
func benchPod(ns, name string) *corev1.Pod {
	yes := true
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: ns, Name: name,
			Labels:      map[string]string{"app.kubernetes.io/managed-by": "bench", "example.com/run": name},
			Annotations: map[string]string{"example.com/release": "unknown"},
			OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "example.com/v1", Kind: "Run", Name: name, UID: types.UID("uid-" + name), Controller: &yes, BlockOwnerDeletion: &yes},
			},
		},
		Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever},
	}
	mounts := []corev1.VolumeMount{{Name: "bin", MountPath: "/bin2"}, {Name: "run", MountPath: "/run2"}, {Name: "home", MountPath: "/home2", ReadOnly: true}}
	for _, v := range mounts {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: v.Name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	}
	for i := range 6 {
		c := corev1.Container{
			Name: fmt.Sprintf("step-%d", i), Image: "busybox:1", Command: []string{"/bin2/launcher"},
			Args:         []string{"-wait", "/run2/0/out", "-post", "/run2/1/out", "-entrypoint", "sh", "--", "-c", "echo hello"},
			Env:          []corev1.EnvVar{{Name: "A", Value: "b"}},
			VolumeMounts: mounts,
			Resources:    corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")}},
		}
		if i < 2 {
			pod.Spec.InitContainers = append(pod.Spec.InitContainers, c)
		} else {
			pod.Spec.Containers = append(pod.Spec.Containers, c)
		}
	}
	return pod
}

// benchStatus is what a kubelet writes: n makes it differ from the write before.
func benchStatus(pod *corev1.Pod, n int) {
	at := metav1.NewTime(time.Date(2026, 1, 1, 0, 0, n%60, 123, time.UTC))
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, HostIP: "10.0.0.1", PodIP: "10.0.0.2", StartTime: &at, QOSClass: corev1.PodQOSBurstable,
		PodIPs: []corev1.PodIP{{IP: "10.0.0.2"}}, HostIPs: []corev1.HostIP{{IP: "10.0.0.1"}},
	}
	for _, t := range []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled} {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: t, Status: corev1.ConditionTrue, LastTransitionTime: at})
	}
	started := true
	for i := range 4 {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: fmt.Sprintf("step-%d", i+2), Image: "busybox:1", ImageID: "busybox@sha256:0", ContainerID: fmt.Sprint("containerd://", n, i), Ready: true, Started: &started,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}},
		})
	}
	for i := range 2 {
		pod.Status.InitContainerStatuses = append(pod.Status.InitContainerStatuses, corev1.ContainerStatus{
			Name: fmt.Sprintf("step-%d", i), Image: "busybox:1", ImageID: "busybox@sha256:0", ContainerID: fmt.Sprint("containerd://", n, i), Ready: true, Started: &started,
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: at, FinishedAt: at, Reason: "Completed"}},
		})
	}
}

func benchServer(tb testing.TB, pods int) (*kernel.Kernel, *apiserver.Server, client.WithWatch) {
	tb.Helper()
	k := kernel.New(kernel.Options{})
	s := apiserver.New(apiserver.Options{Kernel: k})
	if err := s.CreateNamespace("bench", nil); err != nil {
		tb.Fatal(err)
	}
	c := s.Client("bench")
	for i := range pods {
		if err := c.Create(context.Background(), benchPod("bench", fmt.Sprintf("pod-%06d", i))); err != nil {
			tb.Fatal(err)
		}
	}
	return k, s, c
}

// implementations are the API servers that the same operations run against.
func implementations(b *testing.B, run func(b *testing.B, c client.Client, drain func())) {
	b.Run("impl=ours", func(b *testing.B) {
		k, s, c := benchServer(b, 0)
		for range 2 {
			if _, err := s.Watch(corev1.SchemeGroupVersion.WithKind("Pod"), func(informer.Event) {}); err != nil {
				b.Fatal(err)
			}
		}
		run(b, c, func() {
			for k.Step() {
			}
		})
	})
	b.Run("impl=controller-runtime-fake", func(b *testing.B) {
		run(b, fake.NewClientBuilder().WithScheme(apiserver.NewScheme()).WithStatusSubresource(&corev1.Pod{}).Build(), func() {})
	})
}

// benchStatuses are two states to write in turn, so that every write changes
// something and none of them is being made while the clock runs.
func benchStatuses() [2]corev1.PodStatus {
	var a, b corev1.Pod
	benchStatus(&a, 0)
	benchStatus(&b, 1)
	return [2]corev1.PodStatus{a.Status, b.Status}
}

func BenchmarkAPIStatusUpdate(b *testing.B) {
	ctx := context.Background()
	statuses := benchStatuses()
	implementations(b, func(b *testing.B, c client.Client, drain func()) {
		pod := benchPod("bench", "p")
		if err := c.Create(ctx, pod); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			pod.Status = statuses[n%2]
			if err := c.Status().Update(ctx, pod); err != nil {
				b.Fatal(err)
			}
			drain()
		}
	})
	for name, cs := range map[string]*clientset.Clientset{"client-go-NewClientset": clientset.NewClientset(), "client-go-NewSimpleClientset": clientset.NewSimpleClientset()} {
		b.Run("impl="+name, func(b *testing.B) {
			pods := cs.CoreV1().Pods("bench")
			pod, err := pods.Create(ctx, benchPod("bench", "p"), metav1.CreateOptions{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				pod.Status = statuses[n%2]
				if pod, err = pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAPICreateGetStatusUpdate(b *testing.B) {
	ctx := context.Background()
	implementations(b, func(b *testing.B, c client.Client, drain func()) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			pod := benchPod("bench", fmt.Sprintf("p-%d", n))
			if err := c.Create(ctx, pod); err != nil {
				b.Fatal(err)
			}
			var got corev1.Pod
			if err := c.Get(ctx, client.ObjectKeyFromObject(pod), &got); err != nil {
				b.Fatal(err)
			}
			benchStatus(&got, n)
			if err := c.Status().Update(ctx, &got); err != nil {
				b.Fatal(err)
			}
			drain()
		}
	})
	for name, cs := range map[string]*clientset.Clientset{"client-go-NewClientset": clientset.NewClientset(), "client-go-NewSimpleClientset": clientset.NewSimpleClientset()} {
		b.Run("impl="+name, func(b *testing.B) {
			pods := cs.CoreV1().Pods("bench")
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				pod, err := pods.Create(ctx, benchPod("bench", fmt.Sprintf("p-%d", n)), metav1.CreateOptions{})
				if err != nil {
					b.Fatal(err)
				}
				if pod, err = pods.Get(ctx, pod.Name, metav1.GetOptions{}); err != nil {
					b.Fatal(err)
				}
				benchStatus(pod, n)
				if _, err = pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The parts of ours, to see where the time goes, and whether it grows.
func BenchmarkAPIOurs(b *testing.B) {
	ctx := context.Background()
	statuses := benchStatuses()
	for _, size := range []int{1000, 100_000} {
		k, s, c := benchServer(b, size)
		for k.Step() {
		}
		key := client.ObjectKey{Namespace: "bench", Name: fmt.Sprintf("pod-%06d", size/2)}
		var pod corev1.Pod
		if err := c.Get(ctx, key, &pod); err != nil {
			b.Fatal(err)
		}
		at := fmt.Sprintf("objects=%d", size)
		b.Run("op=Get/"+at, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Get(ctx, key, &pod); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("op=CreateDelete/"+at, func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				p := benchPod("bench", fmt.Sprintf("pod-%06d-x", n*7919%size))
				if err := c.Create(ctx, p); err != nil {
					b.Fatal(err)
				}
				if err := c.Delete(ctx, p); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("op=StatusUpdate/"+at, func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				pod.Status = statuses[n%2]
				if err := c.Status().Update(ctx, &pod); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("op=AnnotationPatch/"+at, func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				patch := client.RawPatch(types.JSONPatchType, fmt.Appendf(nil, `[{"op":"replace","path":"/metadata/annotations/example.com~1ready","value":"%d"}]`, n))
				if err := c.Patch(ctx, &pod, patch); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("op=ListOfOtherNamespace/"+at, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var list corev1.PodList
				if err := c.List(ctx, &list, client.InNamespace("default")); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("op=OwnedBy/"+at, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got := s.OwnedBy(types.UID("uid-" + key.Name)); len(got) != 1 {
					b.Fatal(len(got))
				}
			}
		})
	}
}

// BenchmarkAPINew is what a fresh world costs.
func BenchmarkAPINew(b *testing.B) {
	types := apiserver.NewTypes(nil)
	b.Run("shared=nothing", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			apiserver.New(apiserver.Options{Kernel: kernel.New(kernel.Options{})})
		}
	})
	b.Run("shared=types", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			apiserver.New(apiserver.Options{Kernel: kernel.New(kernel.Options{}), Types: types})
		}
	})
}

// BenchmarkAPIMemory reports what an ended Pod costs to keep, watchers and history
// included.
func BenchmarkAPIMemory(b *testing.B) {
	const pods = 20_000
	for b.Loop() {
		before := heap()
		k, s, c := benchServer(b, 0)
		i := informer.New(k, s, corev1.SchemeGroupVersion.WithKind("Pod"))
		for n := range pods {
			pod := benchPod("bench", fmt.Sprintf("pod-%06d", n))
			if err := c.Create(context.Background(), pod); err != nil {
				b.Fatal(err)
			}
			benchStatus(pod, n)
			pod.Status.Phase = corev1.PodSucceeded
			if err := c.Status().Update(context.Background(), pod); err != nil {
				b.Fatal(err)
			}
			for k.Step() {
			}
		}
		b.ReportMetric(float64(heap()-before)/pods, "B/pod")
		runtime.KeepAlive(i)
		runtime.KeepAlive(s)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
