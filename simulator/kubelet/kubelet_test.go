package kubelet

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

const (
	quick   = 20 * time.Millisecond
	second  = time.Second
	runcErr = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "sh": executable file not found in $PATH: unknown`
)

// TestSequences holds the states that a Pod goes through against the recordings
// of a kind cluster, in the notation of their pods-seq.tsv.
func TestSequences(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		reason     string
		pod        *corev1.Pod
		behaviours map[string]behaviour
		during     func(w *world)
		want       string
	}{
		"two init and two app containers": {
			reason:     "as recorded (01, with slow enough containers for every state to be seen)",
			pod:        pod("a:2s", "b:2s", "|", "x:2s", "y:5s"),
			behaviours: map[string]behaviour{"2s": {takes: 2 * second}, "5s": {takes: 5 * second}},
			want: `
Pending a=waiting:PodInitializing b=waiting:PodInitializing x=waiting:PodInitializing y=waiting:PodInitializing
Pending a=running b=waiting:PodInitializing x=waiting:PodInitializing y=waiting:PodInitializing
Pending a=terminated:Completed:0+ready b=waiting:PodInitializing x=waiting:PodInitializing y=waiting:PodInitializing
Pending a=terminated:Completed:0+ready b=running x=waiting:PodInitializing y=waiting:PodInitializing
Pending a=terminated:Completed:0+ready b=terminated:Completed:0+ready x=waiting:PodInitializing y=waiting:PodInitializing
Running a=terminated:Completed:0+ready b=terminated:Completed:0+ready x=running+ready y=running+ready
Running a=terminated:Completed:0+ready b=terminated:Completed:0+ready x=terminated:Completed:0 y=running+ready
Running a=terminated:Completed:0+ready b=terminated:Completed:0+ready x=terminated:Completed:0 y=terminated:Completed:0
Succeeded a=terminated:Completed:0+ready b=terminated:Completed:0+ready x=terminated:Completed:0 y=terminated:Completed:0`,
		},
		"statuses are sorted by name": {
			reason:     "47: step-after, step-before, step-rel, whatever the order of the spec",
			pod:        pod("zebra:2s", "ant:2s"),
			behaviours: map[string]behaviour{"2s": {takes: 5 * second}},
			want: `
Pending ant=waiting:ContainerCreating zebra=waiting:ContainerCreating
Running ant=running+ready zebra=running+ready
Running ant=terminated:Completed:0 zebra=terminated:Completed:0
Succeeded ant=terminated:Completed:0 zebra=terminated:Completed:0`,
		},
		"a failing init container ends the Pod": {
			reason:     "restartPolicy Never; the app containers keep waiting",
			pod:        pod("a:bad", "|", "x:2s"),
			behaviours: map[string]behaviour{"bad": {takes: 2 * second, exit: ExitStatus{Code: 3}}},
			want: `
Pending a=waiting:PodInitializing x=waiting:PodInitializing
Pending a=running x=waiting:PodInitializing
Pending a=terminated:Error:3 x=waiting:PodInitializing
Failed a=terminated:Error:3 x=waiting:PodInitializing`,
		},
		"one of several fails": {
			reason:     "the phase waits for all of them",
			pod:        pod("x:bad", "y:2s"),
			behaviours: map[string]behaviour{"bad": {takes: 2 * second, exit: ExitStatus{Code: 7}}, "2s": {takes: 6 * second}},
			want: `
Pending x=waiting:ContainerCreating y=waiting:ContainerCreating
Running x=running+ready y=running+ready
Running x=terminated:Error:7 y=running+ready
Running x=terminated:Error:7 y=terminated:Completed:0
Failed x=terminated:Error:7 y=terminated:Completed:0`,
		},
		"a command that cannot be started": {
			reason:     "47: the container ends with 128, its neighbours run",
			pod:        pod("x:none", "y:2s"),
			behaviours: map[string]behaviour{"none": {startError: runcErr}, "2s": {takes: 4 * second}},
			want: `
Pending x=waiting:ContainerCreating y=waiting:ContainerCreating
Running x=terminated:StartError:128 y=running+ready
Running x=terminated:StartError:128 y=terminated:Completed:0
Failed x=terminated:StartError:128 y=terminated:Completed:0`,
		},
		"sidecars are swapped for an image without their command": {
			reason:     "27: restarted whatever the restart policy; StartError with one restart; the Pod fails",
			pod:        pod("gate:side", "step:2s"),
			behaviours: map[string]behaviour{"side": {onTERM: quick}, "2s": {takes: 4 * second}, "nop": {startError: runcErr}},
			during: func(w *world) {
				w.until(func() bool { return w.shows("step=terminated") })
				w.edit(true, func(p *corev1.Pod) { p.Spec.Containers[0].Image = "nop" })
			},
			want: `
Pending gate=waiting:ContainerCreating step=waiting:ContainerCreating
Running gate=running+ready step=running+ready
Running gate=running+ready step=terminated:Completed:0
Running gate=terminated:StartError:128+restarts1 step=terminated:Completed:0
Failed gate=terminated:StartError:128+restarts1 step=terminated:Completed:0`,
		},
		"sidecars are swapped for an image that ends": {
			reason:     "69: the nop image runs and the Pod succeeds",
			pod:        pod("gate:side", "step:2s"),
			behaviours: map[string]behaviour{"side": {onTERM: quick}, "2s": {takes: 4 * second}, "nop": {takes: 3 * second}},
			during: func(w *world) {
				w.until(func() bool { return w.shows("step=terminated") })
				w.edit(true, func(p *corev1.Pod) { p.Spec.Containers[0].Image = "nop" })
			},
			want: `
Pending gate=waiting:ContainerCreating step=waiting:ContainerCreating
Running gate=running+ready step=running+ready
Running gate=running+ready step=terminated:Completed:0
Running gate=running+ready+restarts1 step=terminated:Completed:0
Running gate=terminated:Completed:0+restarts1 step=terminated:Completed:0
Succeeded gate=terminated:Completed:0+restarts1 step=terminated:Completed:0`,
		},
		"deleted while running": {
			reason:     "43: SIGTERM to all, one status with the phase Failed, then it leaves the API",
			pod:        pod("s:trap", "t:wait"),
			behaviours: map[string]behaviour{"trap": {onTERM: quick}, "wait": {onTERM: quick, termExit: 2}},
			during:     func(w *world) { w.run(5 * second); _ = w.api.Delete(context.Background(), w.api.pod("p")) },
			want: `
Pending s=waiting:ContainerCreating t=waiting:ContainerCreating
Running s=running+ready t=running+ready
Failed s=terminated:Completed:0 t=terminated:Error:2
deleted`,
		},
		"deaf to SIGTERM": {
			reason:     "killed when the grace period is over",
			pod:        pod("s:deaf"),
			behaviours: map[string]behaviour{"deaf": {onTERM: -1}},
			during: func(w *world) {
				w.run(5 * second)
				_ = w.api.Delete(context.Background(), w.api.pod("p"))
				w.run(29 * second)
				if w.over() {
					w.Error("killed before its grace period was over")
				}
				w.run(4 * second)
				if w.api.pod("p") != nil {
					w.Error("still there four seconds after its grace period")
				}
			},
			want: `
Pending s=waiting:ContainerCreating
Running s=running+ready
Failed s=terminated:Error:137
deleted`,
		},
		"the active deadline": {
			reason:     "47: phase, reason and message appear with the last container's end",
			pod:        func() *corev1.Pod { p := pod("s:wait"); d := int64(10); p.Spec.ActiveDeadlineSeconds = &d; return p }(),
			behaviours: map[string]behaviour{"wait": {onTERM: quick, termExit: 2}},
			want: `
Pending s=waiting:ContainerCreating
Running s=running+ready
Failed s=terminated:Error:2 DeadlineExceeded Pod was active on the node longer than the specified deadline`,
		},
		"evicted": {
			reason:     "83: the containers have been removed before their end was seen",
			pod:        pod("a:sleep"),
			behaviours: map[string]behaviour{"sleep": {onTERM: -1}},
			during: func(w *world) {
				w.run(5 * second)
				w.kl.Evict("ns", "p", `Usage of EmptyDir volume "v" exceeds the limit "1Mi". `)
			},
			want: `
Pending a=waiting:ContainerCreating
Running a=running+ready
Failed a=waiting:ContainerCreating+restarts1 Evicted Usage of EmptyDir volume "v" exceeds the limit "1Mi". 
Failed a=terminated:ContainerStatusUnknown:137+restarts1 Evicted Usage of EmptyDir volume "v" exceeds the limit "1Mi". `,
		},
		"an image that cannot be pulled": {
			reason:     "93: each reason shows one sync late; then a deletion finds nothing to stop",
			pod:        pod("i:2s", "|", "a:registry.invalid/none:1"),
			behaviours: map[string]behaviour{"2s": {takes: 2 * second}},
			during: func(w *world) {
				w.until(func() bool { return w.shows("ImagePullBackOff") })
				_ = w.api.Delete(context.Background(), w.api.pod("p"))
			},
			want: `
Pending i=waiting:PodInitializing a=waiting:PodInitializing
Pending i=running a=waiting:PodInitializing
Pending i=terminated:Completed:0+ready a=waiting:PodInitializing
Pending i=terminated:Completed:0+ready a=waiting:ErrImagePull
Pending i=terminated:Completed:0+ready a=waiting:ImagePullBackOff
Failed i=terminated:Completed:0+ready a=terminated:ContainerStatusUnknown:137
deleted`,
		},
		"out of memory": {
			reason:     "57, with the exit code that cgroup v2 gives",
			pod:        pod("a:sleep"),
			behaviours: map[string]behaviour{"sleep": {}},
			during:     func(w *world) { w.run(5 * second); w.kl.OOMKill("ns", "p", "a") },
			want: `
Pending a=waiting:ContainerCreating
Running a=running+ready
Running a=terminated:OOMKilled:137
Failed a=terminated:OOMKilled:137`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1, Faults{})
			w.e.behaviours = row.behaviours
			w.create(row.pod)
			if row.during != nil {
				row.during(w)
			}
			w.until(w.over)
			w.run(10 * second)
			got := strings.Join(w.api.states, "\n")
			if diff := cmp.Diff(strings.TrimPrefix(row.want, "\n"), got); diff != "" {
				t.Errorf("%s: states (-want +got):\n%s\nevents:\n%s", row.reason, diff, strings.Join(w.api.events, "\n"))
			}
			if n := len(w.kl.workers); n != 0 {
				t.Errorf("%d workers are left", n)
			}
		})
	}
}
