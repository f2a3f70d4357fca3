package cluster_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/conformance/targets/cluster"
	"github.com/plumbline-ci/plumbline/conformance/targets/node"
)

func TestNodesReportSubstitutedComponents(t *testing.T) {
	t.Parallel()
	with := func(list string) corev1.Node {
		return corev1.Node{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{node.AnnotationSubstituted: list}}}
	}
	for _, tt := range []struct {
		reason string
		nodes  []corev1.Node
		want   []string
	}{
		{"real nodes say nothing", []corev1.Node{{}}, nil},
		{"a simulated one says what it stands in for", []corev1.Node{{}, with("launcher")}, []string{"launcher"}},
		{"several say it once", []corev1.Node{with("launcher"), with("admission,launcher")}, []string{"admission", "launcher"}},
	} {
		if got := cluster.SubstitutedOn(tt.nodes); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
		}
	}
}
