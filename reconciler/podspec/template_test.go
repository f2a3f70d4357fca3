package podspec

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestMergeContainer goes through the fields of a container: the template's, the Step's, and the merged ones.
func TestMergeContainer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, template, step, want string }{
		{"what only the template has", "{tty: true, stdin: true, stdinOnce: true, livenessProbe: {periodSeconds: 1}, lifecycle: {preStop: {sleep: {seconds: 1}}}, terminationMessagePolicy: File}", "{}",
			"{tty: true, stdin: true, stdinOnce: true, livenessProbe: {periodSeconds: 1}, lifecycle: {preStop: {sleep: {seconds: 1}}}, terminationMessagePolicy: File}"},
		{"what only the step has", "{}", "{tty: true, stdin: true, stdinOnce: true, securityContext: {runAsUser: 1}, readinessProbe: {periodSeconds: 1}, startupProbe: {periodSeconds: 2}}",
			"{tty: true, stdin: true, stdinOnce: true, securityContext: {runAsUser: 1}, readinessProbe: {periodSeconds: 1}, startupProbe: {periodSeconds: 2}}"},
		{"structures are merged by field", "{startupProbe: {periodSeconds: 1, timeoutSeconds: 1}, securityContext: {seLinuxOptions: {user: t, role: t}}}",
			"{startupProbe: {periodSeconds: 2}, securityContext: {seLinuxOptions: {user: s}}}",
			"{startupProbe: {periodSeconds: 2, timeoutSeconds: 1}, securityContext: {seLinuxOptions: {user: s, role: t}}}"},
		{"a template's name means nothing", "{name: t}", "{name: s}", "{name: s}"},
		{"devices by path", "{volumeDevices: [{name: t, devicePath: /a}, {name: t, devicePath: /b}]}", "{volumeDevices: [{name: s, devicePath: /b}]}",
			"{volumeDevices: [{name: t, devicePath: /a}, {name: s, devicePath: /b}]}"},
		{"ports by number", "{ports: [{containerPort: 1, name: t, hostPort: 5, hostIP: a, protocol: TCP}, {containerPort: 2}]}", "{ports: [{containerPort: 1, name: s, protocol: UDP}]}",
			"{ports: [{containerPort: 1, name: s, hostPort: 5, hostIP: a, protocol: UDP}, {containerPort: 2}]}"},
		{"mounts by path", "{volumeMounts: [{mountPath: /a, name: t, subPath: t, mountPropagation: None, subPathExpr: t, recursiveReadOnly: Enabled}]}", "{volumeMounts: [{mountPath: /a, subPath: s, readOnly: true}]}",
			"{volumeMounts: [{mountPath: /a, name: t, subPath: s, mountPropagation: None, subPathExpr: t, readOnly: true, recursiveReadOnly: Enabled}]}"},
		{"a variable without a value takes the template's", "{env: [{name: A, value: t}]}", "{env: [{name: A}]}", "{env: [{name: A, value: t}]}"},
		{"a variable has one source", "{env: [{name: A, value: t}]}", "{env: [{name: A, valueFrom: {fieldRef: {fieldPath: s}}}]}", "{env: [{name: A, valueFrom: {fieldRef: {fieldPath: s}}}]}"},
		{"what the template has first stays first", "{env: [{name: A}, {name: B}, {name: C}]}", "{env: [{name: C, value: s}, {name: X}, {name: B, value: s}]}",
			"{env: [{name: A}, {name: C, value: s}, {name: X}, {name: B, value: s}]}"},
		{"claims of resources are a list", "{resources: {claims: [{name: t}]}}", "{resources: {claims: [{name: s}]}}", "{resources: {claims: [{name: s}]}}"},
		{"where the message goes", "{terminationMessagePath: t, terminationMessagePolicy: File}", "{terminationMessagePath: s}", "{terminationMessagePath: s, terminationMessagePolicy: File}"},
	} {
		template, step, want := containerOf(t, tt.template), containerOf(t, tt.step), containerOf(t, tt.want)
		got, err := mergeContainer(template, step)
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
		}
	}
}

func containerOf(t *testing.T, text string) corev1.Container {
	t.Helper()
	var c corev1.Container
	if err := yaml.UnmarshalStrict([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}
