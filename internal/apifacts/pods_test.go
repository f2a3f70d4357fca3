package apifacts

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pod is a manifest with one container, and more fields of the spec.
func pod(name string, more ...string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: %s}, spec: {%s}}`, name, strings.Join(append(more, `containers: [{name: c, image: busybox}]`), ", "))
}

// containers is a Pod of the containers given.
func containers(list string, more ...string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {%s}}`, strings.Join(append(more, `containers: [`+list+`]`), ", "))
}

func podRows() []row {
	invalid := func(name, manifest string) row {
		return row{"pod/invalid: " + name, func(w *world) { w.create(manifest) }}
	}
	return []row{
		{"pod/defaults of the spec", func(w *world) {
			o := w.create(pod("p"))
			w.fields(o, "metadata.generation", "spec.restartPolicy", "spec.terminationGracePeriodSeconds", "spec.dnsPolicy", "spec.schedulerName",
				"spec.securityContext", "spec.serviceAccountName", "spec.serviceAccount", "spec.enableServiceLinks", "spec.preemptionPolicy",
				"spec.priority", "spec.tolerations", "status")
		}},
		{"pod/invalid label in an update", func(w *world) {
			w.patch(w.given(pod("p")), types.MergePatchType, `{"metadata":{"labels":{"x":"not good"}}}`)
		}},
		{"pod/defaults of a container", func(w *world) {
			w.fields(w.create(pod("p")), "spec.containers[0]", "spec.volumes")
		}},
		{"pod/imagePullPolicy follows the tag", func(w *world) {
			o := w.create(containers(`{name: a, image: x}, {name: b, image: "x:latest"}, {name: c, image: "x:1"}, {name: d, image: "x@sha256:` + strings.Repeat("0", 64) + `"}, {name: e, image: "x:latest@sha256:` + strings.Repeat("0", 64) + `"}`))
			for i := range 5 {
				w.fields(o, fmt.Sprintf("spec.containers[%d].imagePullPolicy", i))
			}
		}},
		{"pod/defaults of probes and ports", func(w *world) {
			w.fields(w.create(containers(`{name: c, image: x, ports: [{containerPort: 80}], readinessProbe: {httpGet: {port: 80}}, livenessProbe: {exec: {command: [a]}}}`)),
				"spec.containers[0].ports", "spec.containers[0].readinessProbe", "spec.containers[0].livenessProbe")
		}},
		{"pod/defaults of volumes", func(w *world) {
			w.fields(w.create(pod("p", `automountServiceAccountToken: false, volumes: [{name: e, emptyDir: {}}, {name: s, secret: {secretName: x}}, {name: c, configMap: {name: x}},
				{name: d, downwardAPI: {items: [{path: a, fieldRef: {fieldPath: metadata.name}}]}}, {name: p, projected: {sources: []}}, {name: n}, {name: h, hostPath: {path: /x}}]`)), "spec.volumes")
		}},
		{"pod/defaults of environment and lifecycle", func(w *world) {
			w.fields(w.create(containers(`{name: c, image: x, env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: B, value: ""}, {name: C}], lifecycle: {preStop: {httpGet: {port: 80}}}}`)),
				"spec.containers[0].env", "spec.containers[0].lifecycle")
		}},
		{"pod/requests are set from limits", func(w *world) {
			o := w.create(containers(`{name: c, image: x, resources: {limits: {cpu: "1000m", memory: 1024Mi}}}`))
			w.fields(o, "spec.containers[0].resources", "status.qosClass")
		}},
		{"pod/classes of quality", func(w *world) {
			w.fields(w.create(containers(`{name: c, image: x, resources: {requests: {cpu: 0.5}}}`)), "spec.containers[0].resources", "status.qosClass")
		}},
		{"pod/sidecar among init containers", func(w *world) {
			w.fields(w.create(pod("p", `initContainers: [{name: i, image: x, restartPolicy: Always}]`)), "spec.initContainers[0]")
		}},
		{"pod/token mount", func(w *world) {
			o := w.create(containers(`{name: c, image: x, volumeMounts: [{name: t, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}]}`, `volumes: [{name: t, emptyDir: {}}]`))
			w.fields(o, "spec.volumes", "spec.containers[0].volumeMounts")
		}},
		{"pod/token not wanted by the Pod", func(w *world) {
			w.fields(w.create(pod("p", `automountServiceAccountToken: false`)), "spec.volumes", "spec.containers[0].volumeMounts")
		}},
		{"pod/token not wanted by the account", func(w *world) {
			w.given(`{apiVersion: v1, kind: ServiceAccount, metadata: {name: quiet}, automountServiceAccountToken: false, imagePullSecrets: [{name: pull}]}`)
			w.fields(w.create(pod("p", `serviceAccountName: quiet`)), "spec.volumes", "spec.imagePullSecrets")
		}},
		{"pod/account that does not exist", func(w *world) { w.create(pod("p", `serviceAccountName: missing`)) }},
		{"pod/priority class that does not exist", func(w *world) { w.create(pod("p", `priorityClassName: nothing`)) }},
		{"pod/tolerations are added", func(w *world) {
			w.fields(w.create(pod("p", `tolerations: [{key: x, operator: Exists}]`)), "spec.tolerations")
		}},
		invalid("no containers", `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: []}}`),
		invalid("names", containers(`{name: A_b, image: x}, {name: "", image: x}, {name: c, image: ""}, {name: c, image: " x"}`)),
		invalid("name of the Pod", `{apiVersion: v1, kind: Pod, metadata: {name: "`+strings.Repeat("x", 254)+`"}, spec: {containers: [{name: c, image: x}]}}`),
		invalid("restart policy", pod("p", `restartPolicy: Sometimes`)),
		invalid("volume mounts", containers(`{name: c, image: x, volumeMounts: [{name: none, mountPath: /a}, {name: v, mountPath: ""}, {name: v, mountPath: /b}, {name: v, mountPath: /b}, {name: v, mountPath: /c, subPath: ../x}]}`, `volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]`)),
		invalid("environment", containers(`{name: c, image: x, env: [{name: "a=b", value: x}, {name: "", value: y}, {name: C, value: z, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: D, valueFrom: {fieldRef: {fieldPath: spec.nonsense}}}]}`)),
		invalid("resources", containers(`{name: c, image: x, resources: {requests: {cpu: 2}, limits: {cpu: 1}}}`)),
		// One at a time: of several, a real server has them in no order.
		invalid("negative resources", containers(`{name: c, image: x, resources: {requests: {memory: -1}}}`)),
		invalid("quantity", containers(`{name: c, image: x, resources: {requests: {cpu: many}}}`)),
		invalid("probes", containers(`{name: c, image: x, readinessProbe: {}, livenessProbe: {exec: {command: []}, successThreshold: 2}, ports: [{containerPort: 70000}]}`)),
		invalid("pull policy and message policy", containers(`{name: c, image: x, imagePullPolicy: Rarely, terminationMessagePolicy: Loudly}`)),
		invalid("active deadline", pod("p", `activeDeadlineSeconds: 0`)),
		{"pod/negative grace period", func(w *world) {
			w.fields(w.create(pod("p", `terminationGracePeriodSeconds: -1`)), "spec.terminationGracePeriodSeconds")
		}},
		invalid("service account name", pod("p", `serviceAccountName: "Not Good"`)),
		invalid("init containers", pod("p", `initContainers: [{name: c, image: x}, {name: i, image: x, restartPolicy: Never}, {name: j, image: x, readinessProbe: {exec: {command: [a]}}}]`)),
		invalid("host name", pod("p", `hostname: Not_Good, subdomain: "a b"`)),
		invalid("node selector", pod("p", `nodeSelector: {"a b": c}`)),
		invalid("tolerations", pod("p", `tolerations: [{operator: Equal, value: x}, {key: a, operator: Exists, value: b}, {key: a, effect: NoExecute, tolerationSeconds: 1, operator: Sideways}]`)),
		{"pod/status update leaves the spec", func(w *world) {
			o := w.given(pod("p"))
			o.Object["status"] = map[string]any{"phase": "Running", "conditions": []any{map[string]any{"type": "Ready", "status": "True", "lastTransitionTime": "2001-02-03T04:05:06.789Z"}}}
			o.SetLabels(map[string]string{"x": "y"})
			w.updateStatus(o)
			w.fields(o, "status.phase", "metadata.labels", "metadata.generation")
			w.note("fraction kept: %v", strings.Contains(value(o.Object, "status.conditions[0].lastTransitionTime"), "."))
		}},
		{"pod/update leaves the status", func(w *world) {
			o := w.given(pod("p"))
			o.Object["status"] = map[string]any{"phase": "Running"}
			o.SetLabels(map[string]string{"x": "y"})
			w.update(o)
			w.fields(o, "status.phase", "metadata.labels", "metadata.generation")
		}},
		{"pod/image may change", func(w *world) {
			o := w.given(pod("p"))
			w.patch(o, types.StrategicMergePatchType, `{"spec":{"containers":[{"name":"c","image":"other:1"}]}}`)
			w.fields(o, "spec.containers[0].image", "spec.containers[0].imagePullPolicy", "metadata.generation")
		}},
		{"pod/command may not change", func(w *world) {
			o := w.given(pod("p", `automountServiceAccountToken: false`))
			err := w.client.Patch(ctx, o, client.RawPatch(types.StrategicMergePatchType, []byte(`{"spec":{"containers":[{"name":"c","command":["x"]}]}}`)))
			text := describe(err)
			w.note("%s", text[:min(len(text), 250)]) // the rest is a Go diff of internal types
		}},
		{"pod/active deadline may come down", func(w *world) {
			o := w.given(pod("p", `activeDeadlineSeconds: 100`))
			w.patch(o, types.MergePatchType, `{"spec":{"activeDeadlineSeconds":50}}`)
			w.patch(o, types.MergePatchType, `{"spec":{"activeDeadlineSeconds":60}}`)
			w.patch(o, types.MergePatchType, `{"spec":{"activeDeadlineSeconds":null}}`)
		}},
		{"pod/binding", func(w *world) {
			o := w.given(pod("p"))
			bind := func(node string) {
				b := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: w.ns}, Target: corev1.ObjectReference{Kind: "Node", Name: node}}
				w.answer("bind to "+node, w.client.SubResource("binding").Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: w.ns}}, b))
			}
			bind("node-a")
			w.get(o)
			w.fields(o, "spec.nodeName", "status.conditions", "metadata.generation")
			bind("node-b")
		}},
		{"pod/binding of a missing Pod", func(w *world) {
			b := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: w.ns}, Target: corev1.ObjectReference{Kind: "Node", Name: "n"}}
			w.answer("bind", w.client.SubResource("binding").Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: w.ns}}, b))
		}},
		{"pod/deletion before it is bound", func(w *world) {
			o := w.given(pod("p"))
			w.delete(o)
			w.get(o)
		}},
		{"pod/deletion of a bound Pod waits for its node", func(w *world) {
			o := w.given(pod("p", `nodeName: somewhere`))
			w.delete(o)
			w.get(o)
			w.fields(o, "metadata.deletionTimestamp", "metadata.deletionGracePeriodSeconds", "metadata.generation")
			w.delete(o, client.GracePeriodSeconds(5))
			w.get(o)
			w.fields(o, "metadata.deletionGracePeriodSeconds", "metadata.generation")
			w.delete(o, client.GracePeriodSeconds(0))
			w.get(o)
		}},
		{"pod/deletion of a Pod that has ended", func(w *world) {
			o := w.given(pod("p", `nodeName: somewhere`))
			o.Object["status"] = map[string]any{"phase": "Succeeded"}
			w.updateStatus(o)
			w.delete(o)
			w.get(o)
		}},
		{"pod/quota", func(w *world) {
			quota := w.given(`{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: "0"}}}`)
			status := []byte(`{"status":{"hard":{"pods":"0"},"used":{"pods":"0"}}}`) // as its controller would
			if err := w.client.Status().Patch(ctx, quota, client.RawPatch(types.MergePatchType, status)); err != nil {
				w.t.Fatal(err)
			}
			w.create(pod("p"))
		}},
		{"pod/limit range sets defaults", func(w *world) {
			w.given(`{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, default: {cpu: 500m}, defaultRequest: {memory: 64Mi}, max: {cpu: 1}}]}}`)
			o := w.create(pod("p"))
			w.fields(o, "spec.containers[0].resources", "metadata.annotations")
			w.create(containers(`{name: c, image: x, resources: {limits: {cpu: 2}}}`))
		}},
		{"pod/security standards", func(w *world) {
			ns := &unstructured.Unstructured{}
			ns.SetAPIVersion("v1")
			ns.SetKind("Namespace")
			ns.SetName(w.ns)
			w.patch(ns, types.MergePatchType, `{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`)
			w.create(containers(`{name: c, image: x, securityContext: {privileged: true}}`, `hostNetwork: true`))
			w.create(pod("p"))
		}},
	}
}
