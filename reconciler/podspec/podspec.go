// Package podspec builds the Pod of a TaskRun (spec §4). It is a function: the same input gives the same Pod, down to the
// parts of names that look random, so that a controller which builds a Pod a second time builds the same one.
//
// The Pod's containers are the Steps, in order, and behind them the Sidecars. The kubelet starts them all at once; what
// makes a sequence of the Steps is the launcher, which takes the place of every Step's command and waits for the file that
// the launcher of the Step before posts in a directory shared through an emptyDir. Init containers put the launcher, the
// scripts and the working directories in place.
//
// [Build] goes through these stages, one file each:
//
//	workspaces.go   bindings become volumes, declarations become mounts
//	template.go     the stepTemplate is laid under every Step
//	resources.go    overrides and the run's computeResources
//	scripts.go      scripts become files, placed by an init container (debug.go: those of breakpoints)
//	images.go       Steps without a command get that of their image
//	launcher.go     every Step's command becomes an argument of the launcher
//	mounts.go       the directories below /tekton, and their volumes
//	limitrange.go   default requests, and
//	affinity.go     the node of an affinity assistant
//
// What Build needs of the cluster (secrets, limit ranges, image configurations) it is given; claims.go tells which
// PersistentVolumeClaims have to exist.
package podspec

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/childname"
	"github.com/plumbline-ci/plumbline/reconciler/substitution"
)

// Features are the settings of the installation that shape Pods.
type Features struct {
	// Alpha opens the gate of everything experimental.
	Alpha bool
	// DisableCredentials leaves out everything about the service account's secrets.
	DisableCredentials bool
	// RequireKnownHosts refuses SSH secrets without known hosts.
	RequireKnownHosts bool
	// AwaitSidecars makes the first Step wait until all Sidecars are ready; InjectedSidecars makes it wait even if the
	// Task has none, since others may add some.
	AwaitSidecars, InjectedSidecars bool
	// ResultsFromSidecar has a Sidecar read the results, instead of the launcher; MaxResultSize is for its reader.
	ResultsFromSidecar bool
	// ForbiddenEnv are the environment variables that a podTemplate may not set.
	ForbiddenEnv []string
}

// Images are the references of the images that the Pod uses beside the Task's own.
type Images struct {
	Entrypoint, Nop, Shell, ShellWindows, WorkingDirInit, SidecarLogResults string
}

// Input is what a Pod is made of.
type Input struct {
	TaskRun *v1beta1.TaskRun
	// Spec is the Task, with variables substituted.
	Spec *v1beta1.TaskSpec
	// Bindings are the workspaces of the run, none of them a template of a claim (see Claims).
	Bindings []v1beta1.WorkspaceBinding
	// Timeout of the attempt; zero means none.
	Timeout time.Duration
	// Revision names the build of the controller.
	Revision string
	Features Features
	Images   Images
	// Secrets are those that the service account lists, in its order, each once.
	Secrets []corev1.Secret
	// LimitRanges are those of the run's namespace.
	LimitRanges []corev1.LimitRange
	// Image looks up the command of an image; it is asked only about images of Steps that have no command.
	Image func(reference string) (Image, error)
}

// Name is the name of the Pod of the current attempt.
func Name(tr *v1beta1.TaskRun) string {
	suffix := v1beta1.PodNameSuffix
	if n := tr.Attempt(); n > 0 {
		suffix = v1beta1.PodNameRetrySuffix + strconv.Itoa(n)
	}
	return childname.Of(tr.Name, suffix)
}

// OwnerReference makes the TaskRun the controller of an object.
func OwnerReference(tr *v1beta1.TaskRun) metav1.OwnerReference {
	return *metav1.NewControllerRef(tr, v1beta1.GroupVersion.WithKind(v1beta1.KindTaskRun))
}

// Build makes the Pod of the current attempt. An error is about the input: it will not go away by itself.
func Build(in Input) (*corev1.Pod, error) {
	if len(in.Spec.Steps) == 0 {
		return nil, fmt.Errorf("No Steps specified")
	}
	spec := in.Spec.DeepCopy()
	if err := mountWorkspaces(spec, in.TaskRun.UID, in.Bindings, in.Features.Alpha); err != nil {
		return nil, err
	}
	substitution.Credentials(spec, v1beta1.CredsDir)
	steps, err := mergeTemplate(spec)
	if err != nil {
		return nil, err
	}
	overrideSteps(steps, in.TaskRun.Spec.StepOverrides)
	overrideSidecars(spec.Sidecars, in.TaskRun.Spec.SidecarOverrides)
	if in.Features.Alpha {
		shareResources(steps, in.TaskRun.Spec.ComputeResources)
	}
	if in.Features.ResultsFromSidecar && len(spec.Results) > 0 {
		spec.Sidecars = append(spec.Sidecars, resultsSidecar(in.Images.SidecarLogResults, spec.Results))
	}

	b := &builder{in: in, spec: spec, steps: steps, waits: waits(in.Features, len(spec.Sidecars))}
	if err := b.assemble(); err != nil {
		return nil, err
	}
	if err := uniqueVolumes(b.volumes); err != nil {
		return nil, err
	}
	pod := b.pod()
	limitRequests(pod, len(steps), in.LimitRanges)
	followAssistant(pod, in.TaskRun.Annotations[v1beta1.AnnotationAffinityAssistant])
	return pod, nil
}

// waits reports whether the first Step waits for an annotation of the Pod (§7.1).
func waits(f Features, sidecars int) bool {
	return f.AwaitSidecars && (sidecars > 0 || f.InjectedSidecars)
}

// builder collects the parts of one Pod.
type builder struct {
	in    Input
	spec  *v1beta1.TaskSpec
	steps []v1beta1.Step
	waits bool // for the ready annotation, before the first Step

	hasScripts  bool
	credentials credentials
	init        []corev1.Container
	containers  []corev1.Container
	volumes     []corev1.Volume
}

// breakpoint reports whether a failing Step stops for its user.
func (b *builder) breakpoint() bool {
	return b.in.Features.Alpha && b.in.TaskRun.Spec.Debug.NeedsDebug()
}

func (b *builder) assemble() error {
	var err error
	if !b.in.Features.DisableCredentials {
		if b.credentials, err = readSecrets(b.in.TaskRun.UID, b.in.Secrets, b.in.Features.RequireKnownHosts); err != nil {
			return err
		}
	}
	b.init = append(b.init, b.prepare())
	if c := b.placeScripts(); c != nil {
		b.init = append(b.init, *c)
	}
	if c := b.makeWorkingDirs(); c != nil {
		b.init = append(b.init, *c)
	}
	if err := b.lookUpCommands(); err != nil {
		return err
	}
	b.addEnv()
	for i := range b.steps {
		c, err := b.stepContainer(i)
		if err != nil {
			return err
		}
		b.containers = append(b.containers, c)
	}
	for i := range b.spec.Sidecars {
		b.containers = append(b.containers, b.sidecarContainer(i))
	}
	b.tellBudgets()
	b.volumes = b.allVolumes()
	return nil
}

func (b *builder) pod() *corev1.Pod {
	tr := b.in.TaskRun
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:            Name(tr),
			Namespace:       tr.Namespace,
			OwnerReferences: []metav1.OwnerReference{OwnerReference(tr)},
			Labels:          withEntry(tr.Labels, v1beta1.LabelTaskRun, tr.Name),
			Annotations:     withEntry(tr.Annotations, v1beta1.AnnotationRelease, b.in.Revision),
		},
		Spec: corev1.PodSpec{
			RestartPolicy:         corev1.RestartPolicyNever,
			InitContainers:        b.init,
			Containers:            b.containers,
			ServiceAccountName:    tr.Spec.ServiceAccountName,
			ActiveDeadlineSeconds: activeDeadline(b.in.Timeout),
			Volumes:               b.volumes,
		},
	}
	if b.waits {
		delete(pod.Annotations, v1beta1.AnnotationReady) // a user's own would start the first Step too early
	} else {
		pod.Annotations[v1beta1.AnnotationReady] = v1beta1.AnnotationReadyValue
	}
	if t := tr.Spec.PodTemplate; t != nil {
		applyTemplate(&pod.Spec, t.DeepCopy())
	}
	return pod
}

func applyTemplate(spec *corev1.PodSpec, t *v1beta1.PodTemplate) {
	spec.NodeSelector = t.NodeSelector
	spec.Tolerations = t.Tolerations
	spec.Affinity = t.Affinity
	spec.SecurityContext = t.SecurityContext
	spec.RuntimeClassName = t.RuntimeClassName
	spec.AutomountServiceAccountToken = t.AutomountServiceAccountToken
	spec.SchedulerName = t.SchedulerName
	spec.HostNetwork = t.HostNetwork
	if t.DNSPolicy != nil {
		spec.DNSPolicy = *t.DNSPolicy
	}
	spec.DNSConfig = t.DNSConfig
	spec.EnableServiceLinks = t.EnableServiceLinks
	if t.PriorityClassName != nil {
		spec.PriorityClassName = *t.PriorityClassName
	}
	spec.ImagePullSecrets = t.ImagePullSecrets
	spec.HostAliases = t.HostAliases
	spec.TopologySpreadConstraints = t.TopologySpreadConstraints
}

// activeDeadline is the kubelet's backstop for a controller that does not enforce the timeout: half as long again
// (LC-74). It is at least the one second that Kubernetes allows.
func activeDeadline(timeout time.Duration) *int64 {
	seconds := int64(math.MaxInt32)
	if timeout > 0 {
		seconds = min(seconds, max(1, int64(timeout.Seconds()*1.5)))
	}
	return &seconds
}

// withEntry is a copy of m with one more entry.
func withEntry(m map[string]string, key, value string) map[string]string {
	c := maps.Clone(m)
	if c == nil {
		c = map[string]string{}
	}
	c[key] = value
	return c
}
