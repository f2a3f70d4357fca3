package scheduler

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/recorder"
)

// The annotations of a claim that has been bound.
const (
	annotationBound       = "pv.kubernetes.io/bind-completed"
	annotationProvisioner = "volume.kubernetes.io/storage-provisioner"
	provisioner           = "plumbline.dev/memory"
)

// NoStorage is the name of a storage class that never provides anything: claims
// that name it stay Pending.
const NoStorage = "none"

// WaitingStorage is the name of a storage class that waits for the first consumer
// (volumeBindingMode WaitForFirstConsumer), as the class of that name in a kind
// cluster does: its claims stay Pending until a Pod that uses them has a node.
const WaitingStorage = "standard"

// annotationNode is what the scheduler tells a binder that waits.
const annotationNode = "volume.kubernetes.io/selected-node"

// The event about a claim that waits.
const (
	reasonWaits  = "WaitForFirstConsumer"
	messageWaits = "waiting for first consumer to be created before binding"
)

// VolumeBinder binds PersistentVolumeClaims: those of WaitingStorage when a Pod
// needs them, those of NoStorage never, and all others as soon as they exist. The
// volumes themselves are the kubelet's; there are no PersistentVolume objects.
type VolumeBinder struct {
	kernel *kernel.Kernel
	client client.Client
	stream *kernel.Stream
	events *recorder.Recorder
	stop   func()
}

// NewVolumeBinder returns a VolumeBinder. Start makes it work.
func NewVolumeBinder(k *kernel.Kernel, c client.Client) *VolumeBinder {
	return &VolumeBinder{
		kernel: k, client: c, stream: k.Stream("volume-binder"),
		events: recorder.New(recorder.Options{Clock: k, Client: c, Component: "persistentvolume-controller"}),
	}
}

// Start begins to watch claims.
func (b *VolumeBinder) Start(source informer.Source) (err error) {
	b.stop, err = source.Watch(corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"), func(e informer.Event) {
		claim, ok := e.Object.(*corev1.PersistentVolumeClaim)
		if !ok || e.Type == watch.Deleted || claim.Status.Phase == corev1.ClaimBound {
			return
		}
		switch {
		case waits(claim):
			if claim.Annotations[annotationNode] != "" {
				b.later(claim)
			} else if e.Type == watch.Added {
				b.events.Event(claim, corev1.EventTypeNormal, reasonWaits, messageWaits)
			}
		case e.Type != watch.Added, classOf(claim) == NoStorage:
		default:
			b.later(claim)
		}
	})
	if err != nil {
		return fmt.Errorf("watching PersistentVolumeClaims: %w", err)
	}
	return nil
}

func classOf(claim *corev1.PersistentVolumeClaim) string {
	if class := claim.Spec.StorageClassName; class != nil {
		return *class
	}
	return ""
}

// waits reports whether a claim is bound only when a Pod needs it.
func waits(claim *corev1.PersistentVolumeClaim) bool { return classOf(claim) == WaitingStorage }

// Stop ends the watch, if Start has begun it.
func (b *VolumeBinder) Stop() {
	if b.stop != nil {
		b.stop()
	}
}

func (b *VolumeBinder) later(claim *corev1.PersistentVolumeClaim) {
	lag := b.stream.Between(50*time.Millisecond, 500*time.Millisecond)
	b.kernel.After(lag, "volume-binder", "bind", func() { b.bind(claim) })
}

func (b *VolumeBinder) bind(seen *corev1.PersistentVolumeClaim) {
	ctx := context.Background()
	claim := &corev1.PersistentVolumeClaim{}
	err := b.client.Get(ctx, client.ObjectKeyFromObject(seen), claim)
	if apierrors.IsNotFound(err) || err == nil && (claim.UID != seen.UID || claim.Status.Phase == corev1.ClaimBound) {
		return
	}
	if err == nil {
		claim.Spec.VolumeName = "pvc-" + string(claim.UID)
		if claim.Annotations == nil {
			claim.Annotations = map[string]string{}
		}
		claim.Annotations[annotationBound] = "yes"
		claim.Annotations[annotationProvisioner] = provisioner
		err = b.client.Update(ctx, claim)
	}
	if err == nil {
		claim.Status.Phase = corev1.ClaimBound
		claim.Status.AccessModes = claim.Spec.AccessModes
		claim.Status.Capacity = claim.Spec.Resources.Requests
		err = b.client.Status().Update(ctx, claim)
	}
	if err != nil {
		b.later(seen)
	}
}
