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

// VolumeBinder binds PersistentVolumeClaims as soon as they exist, as an immediate
// storage class does, whatever class they name but NoStorage. The volumes
// themselves are the kubelet's; there are no PersistentVolume objects.
type VolumeBinder struct {
	kernel *kernel.Kernel
	client client.Client
	stream *kernel.Stream
	stop   func()
}

// NewVolumeBinder returns a VolumeBinder. Start makes it work.
func NewVolumeBinder(k *kernel.Kernel, c client.Client) *VolumeBinder {
	return &VolumeBinder{kernel: k, client: c, stream: k.Stream("volume-binder")}
}

// Start begins to watch claims.
func (b *VolumeBinder) Start(source informer.Source) (err error) {
	b.stop, err = source.Watch(corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"), func(e informer.Event) {
		claim, ok := e.Object.(*corev1.PersistentVolumeClaim)
		if !ok || e.Type != watch.Added || claim.Status.Phase == corev1.ClaimBound {
			return
		}
		if class := claim.Spec.StorageClassName; class != nil && *class == NoStorage {
			return
		}
		b.later(claim)
	})
	if err != nil {
		return fmt.Errorf("watching PersistentVolumeClaims: %w", err)
	}
	return nil
}

// Stop ends the watch.
func (b *VolumeBinder) Stop() { b.stop() }

func (b *VolumeBinder) later(claim *corev1.PersistentVolumeClaim) {
	lag := b.stream.Between(50*time.Millisecond, 500*time.Millisecond)
	b.kernel.After(lag, "volume-binder", "bind", func() { b.bind(claim) })
}

func (b *VolumeBinder) bind(seen *corev1.PersistentVolumeClaim) {
	ctx := context.Background()
	claim := &corev1.PersistentVolumeClaim{}
	err := b.client.Get(ctx, client.ObjectKeyFromObject(seen), claim)
	if apierrors.IsNotFound(err) || err == nil && claim.UID != seen.UID {
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
