//plumbline:adapter the machine's clock

package reconciler

import (
	"context"
	"time"
)

// WallClock is the machine's clock.
type WallClock struct{}

// Now implements Clock.
func (WallClock) Now() time.Time { return time.Now() }

// ImageLookupFunc is a function as an ImageLookup.
type ImageLookupFunc func(ctx context.Context, reference string, access ImageAccess) (Image, error)

// ImageConfig implements ImageLookup.
func (f ImageLookupFunc) ImageConfig(ctx context.Context, reference string, access ImageAccess) (Image, error) {
	return f(ctx, reference, access)
}

// PodLogsFunc is a function as PodLogs.
type PodLogsFunc func(ctx context.Context, namespace, pod, container string) ([]byte, error)

// Logs implements PodLogs.
func (f PodLogsFunc) Logs(ctx context.Context, namespace, pod, container string) ([]byte, error) {
	return f(ctx, namespace, pod, container)
}

var (
	_ Clock       = WallClock{}
	_ ImageLookup = ImageLookupFunc(nil)
	_ PodLogs     = PodLogsFunc(nil)
)
