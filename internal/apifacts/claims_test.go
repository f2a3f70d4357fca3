package apifacts

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// claim is a PersistentVolumeClaim with this spec.
func claim(name string, spec ...string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: %s}, spec: {%s}}`, name, strings.Join(spec, ", "))
}

const once = `accessModes: [ReadWriteOnce]`

func sized(storage string) string {
	return fmt.Sprintf(`resources: {requests: {storage: %s}}`, storage)
}

// quota creates one, and counts nothing in it, as its controller would.
func (w *world) quota(hard, used string, more ...string) {
	w.t.Helper()
	q := w.given(fmt.Sprintf(`{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {%s}%s}}`, hard, strings.Join(more, "")))
	if used == "" {
		return
	}
	status := fmt.Sprintf(`{"status":{"hard":{%s},"used":{%s}}}`, hard, used)
	if err := w.client.Status().Patch(ctx, q, client.RawPatch(types.MergePatchType, []byte(status))); err != nil {
		w.t.Fatal(err)
	}
}

func claimRows() []row {
	return []row{
		{"claim/what it needs", func(w *world) {
			w.create(claim("nothing", `resources: {}`))
			w.create(claim("no-size", once))
			w.create(claim("no-modes", sized("1Gi")))
			w.create(claim("no-room", once, sized("0")))
			w.create(claim("less-than-none", once, sized("-1Gi")))
			w.create(claim("other-resources", once, `resources: {requests: {storage: 1Gi, cpu: 1}}`))
			w.create(claim("limited", once, `resources: {requests: {storage: 2Gi}, limits: {storage: 1Gi}}`))
			w.create(claim("half-a-byte", once, sized("1500m")))
		}},
		{"claim/modes", func(w *world) {
			w.create(claim("unknown", `accessModes: [ReadSometimes]`, sized("1Gi")))
			w.create(claim("alone", `accessModes: [ReadWriteOncePod, ReadWriteOnce]`, sized("1Gi")))
			w.create(claim("twice", `accessModes: [ReadWriteOnce, ReadWriteOnce]`, sized("1Gi")))
			w.create(claim("several", `accessModes: [ReadWriteMany, ReadOnlyMany]`, sized("1Gi")))
			w.create(claim("volume-mode", once, sized("1Gi"), `volumeMode: Tape`))
			w.create(claim("block", once, sized("1Gi"), `volumeMode: Block`))
			w.create(claim("class", once, sized("1Gi"), `storageClassName: Not_A_Name`))
			w.create(claim("no-class", once, sized("1Gi"), `storageClassName: ""`))
			w.create(claim("selector", once, sized("1Gi"), `selector: {matchLabels: {"not a key": v}}`))
		}},
		{"claim/a spec stays as it is", func(w *world) {
			o := w.given(claim("c", once, sized("1Gi")))
			w.patch(o, types.MergePatchType, `{"spec":{"volumeName":"v"}}`)
			w.fields(o, "spec.volumeName")
		}},
		{"quota/claims", func(w *world) {
			w.quota(`"persistentvolumeclaims": "2", "requests.storage": "1Gi"`, `"persistentvolumeclaims": "0", "requests.storage": "0"`)
			w.create(claim("too-large", once, sized("1025Mi")))
			w.create(claim("a", once, sized("600Mi")))
			w.create(claim("too-much", once, sized("600Mi")))
			w.create(claim("b", once, sized("424Mi")))
			w.create(claim("both", once, sized("1")))
			w.create(claim("invalid", once))
			w.create(pod("not-a-claim"))
		}},
		{"quota/claims of a class", func(w *world) {
			const gold = "gold.storageclass.storage.k8s.io/"
			w.quota(`"`+gold+`persistentvolumeclaims": "1", "`+gold+`requests.storage": "1Gi"`, `"`+gold+`persistentvolumeclaims": "0", "`+gold+`requests.storage": "0"`)
			w.create(claim("silver", once, sized("2Gi"), `storageClassName: silver`))
			w.create(claim("none", once, sized("2Gi")))
			w.create(claim("large", once, sized("2Gi"), `storageClassName: gold`))
			w.create(claim("a", once, sized("1Gi"), `storageClassName: gold`))
			w.create(claim("b", once, sized("1"), `storageClassName: gold`))
		}},
		{"quota/claims by their generic name", func(w *world) {
			w.quota(`"count/persistentvolumeclaims": "1"`, `"count/persistentvolumeclaims": "0"`)
			w.create(claim("a", once, sized("1Gi")))
			w.create(claim("b", once, sized("1Gi")))
		}},
		{"quota/scopes are for Pods", func(w *world) {
			w.given(`{apiVersion: v1, kind: ResourceQuota, metadata: {name: p}, spec: {scopes: [BestEffort], hard: {pods: "0"}}}`)
			w.create(claim("a", once, sized("1Gi")))
			w.create(`{apiVersion: v1, kind: ResourceQuota, metadata: {name: r}, spec: {scopes: [BestEffort], hard: {persistentvolumeclaims: "0"}}}`)
		}},
	}
}
