package pass

import (
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestUnread(t *testing.T) {
	t.Parallel()
	secrets := schema.GroupResource{Resource: "secrets"}
	for _, tt := range []struct {
		reason string
		err    error
		want   bool
	}{
		{"it was read", nil, false},
		{"no connection", errors.New("dial tcp 10.96.0.1:443: connect: connection refused"), true},
		{"the server is busy", apierrors.NewTooManyRequests("later", 1), true},
		{"there is none", apierrors.NewNotFound(secrets, "s"), false},
		{"it is forbidden", apierrors.NewForbidden(secrets, "s", errors.New("no right")), false},
	} {
		got := Reading(func(client.ObjectKey, client.Object) error { return tt.err })(client.ObjectKey{}, nil)
		if got != nil {
			got = fmt.Errorf("reading a bundle: %w", got)
		}
		if Unread(got) != tt.want || tt.err != nil && !errors.Is(got, tt.err) {
			t.Errorf("%s: %v", tt.reason, got)
		}
	}
	if Unread(errors.New("a registry refused the connection")) {
		t.Error("an error of another server is one of the API server")
	}
}
