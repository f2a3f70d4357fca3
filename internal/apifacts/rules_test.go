package apifacts

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ruled defines widgets whose spec has rules in CEL.
func (w *world) ruled(rules ...string) func(name, fields string) string {
	return w.widgets("            x-kubernetes-validations:\n            - " + strings.Join(rules, "\n            - "))
}

// define creates a definition of one kind with a schema for its spec, and notes the answer.
func (w *world) define(spec string) *unstructured.Unstructured {
	return w.create(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.$NS.example.com}
spec:
  group: $NS.example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: ` + spec + `}}}}
`)
}

func ruleRows() []row {
	return []row{
		{"rules/without a message", func(w *world) {
			widget := w.ruled(`{rule: "self.size < 5"}`)
			w.create(widget("a", `spec: {size: 7}`))
			w.create(widget("b", `spec: {size: 3}`))
		}},
		{"rules/message that is an expression", func(w *world) {
			widget := w.ruled(`{rule: "self.size < 5", messageExpression: "'size is ' + (self.size > 6 ? 'large' : 'small')"}`)
			w.create(widget("a", `spec: {size: 7}`))
		}},
		{"rules/reason and path", func(w *world) {
			widget := w.ruled(`{rule: "self.size < 5", reason: FieldValueForbidden, fieldPath: .size, message: too much}`)
			w.create(widget("a", `spec: {size: 7}`))
		}},
		{"rules/several", func(w *world) {
			widget := w.ruled(`{rule: "self.size < 5", message: first}`, `{rule: "self.color == 'red'", message: second}`)
			w.create(widget("a", `spec: {size: 7, color: green}`))
		}},
		{"rules/about a transition", func(w *world) {
			widget := w.ruled(`{rule: "self.size >= oldSelf.size", message: size only grows}`)
			o := w.create(widget("a", `spec: {size: 5}`))
			w.patch(o, types.MergePatchType, `{"spec":{"size":4}}`)
			w.patch(o, types.MergePatchType, `{"spec":{"size":6}}`)
			w.fields(o, "spec.size")
		}},
		{"rules/about a transition that may have no past", func(w *world) {
			widget := w.ruled(`{rule: "oldSelf.hasValue() || self.size == 1", optionalOldSelf: true, message: begin with one}`)
			w.create(widget("a", `spec: {size: 5}`))
			o := w.create(widget("b", `spec: {size: 1}`))
			w.patch(o, types.MergePatchType, `{"spec":{"size":6}}`)
		}},
		{"rules/immutable field", func(w *world) {
			widget := w.widgets(`              fixed: {type: string, x-kubernetes-validations: [{rule: self == oldSelf, message: may not change}]}`)
			o := w.create(widget("a", `spec: {size: 5, fixed: x}`))
			w.patch(o, types.MergePatchType, `{"spec":{"fixed":"y"}}`)
			w.patch(o, types.MergePatchType, `{"spec":{"fixed":null}}`)
		}},
		{"rules/of items", func(w *world) {
			widget := w.widgets(`              ports: {type: array, maxItems: 5, items: {type: object, properties: {count: {type: integer}}, x-kubernetes-validations: [{rule: self.count > 0, message: must be positive}]}}`)
			w.create(widget("a", `spec: {size: 5, ports: [{count: 1}, {count: 0}, {count: -1}]}`))
		}},
		{"rules/libraries", func(w *world) {
			widget := w.ruled(`{rule: "!has(self.words) || self.words.isSorted()", message: not sorted}`,
				`{rule: "!has(self.name) || quantity(self.name).isInteger()", message: no quantity}`, `{rule: "!has(self.nothing) || isURL(self.nothing)", message: no URL}`)
			w.create(widget("a", `spec: {size: 1, words: [b, a]}`))
			w.create(widget("b", `spec: {size: 1, nothing: x}`))
			w.create(widget("c", `spec: {size: 1, name: x}`))
		}},
		{"rules/are not asked about what is invalid anyway", func(w *world) {
			widget := w.ruled(`{rule: "self.size < 5", message: too much}`)
			w.create(widget("a", `spec: {size: text}`))
			w.create(widget("b", `spec: {size: 7, color: blue}`))
		}},
		{"rules/hold for updates of status", func(w *world) {
			widget := w.ruled(`{rule: "self.size < 5", message: too much}`)
			o := w.create(widget("a", `spec: {size: 3}`))
			o.Object["status"] = map[string]any{"phase": "x"}
			w.updateStatus(o)
		}},
		{"rules/hold for an apply", func(w *world) {
			widget := w.ruled(`{rule: "self.size < 5", message: too much}`)
			w.apply("one", widget("a", `spec: {size: 7}`))
			w.apply("one", widget("a", `spec: {size: 3}`))
			w.apply("one", widget("a", `spec: {size: 7}`))
		}},
		{"rules/in a dry run", func(w *world) {
			widget := w.ruled(`{rule: "self.size < 5", message: too much}`)
			w.create(widget("a", `spec: {size: 7}`), client.DryRunAll)
		}},
		{"rules/that do not compile", func(w *world) {
			w.define(`{type: object, properties: {size: {type: integer}}, x-kubernetes-validations: [{rule: "self.nope > 1"}]}`)
			w.define(`{type: object, properties: {size: {type: integer}}, x-kubernetes-validations: [{rule: "self.size"}]}`)
			w.define(`{type: object, properties: {size: {type: integer}}, x-kubernetes-validations: [{rule: "self.size > '1'"}]}`)
		}},
		{"rules/message that does not compile", func(w *world) {
			w.define(`{type: object, properties: {size: {type: integer}}, x-kubernetes-validations: [{rule: "self.size > 1", messageExpression: "self.size"}]}`)
		}},
		{"definition/not structural", func(w *world) {
			w.define(`{properties: {size: {type: integer}}}`)
			w.define(`{type: object, properties: {size: {}}}`)
			w.define(`{type: object, anyOf: [{type: string}]}`)
		}},
		{"definition/what was invalid before may stay", func(w *world) {
			widget := w.widgets()
			o := w.create(widget("a", `spec: {size: 5, words: [a, b]}`))
			d := w.object(fmt.Sprintf(`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.%s.example.com}}`, w.ns))
			w.patch(d, types.JSONPatchType, `[{"op":"replace","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/words/maxItems","value":1}]`)
			w.await(func() bool {
				return w.client.Create(ctx, w.object(widget("b", `spec: {size: 5, words: [a, b]}`)), client.DryRunAll) != nil
			})
			w.patch(o, types.MergePatchType, `{"spec":{"size":6}}`)
			w.patch(o, types.MergePatchType, `{"spec":{"words":["a","c"]}}`)
		}},
		{"definition/sets and maps", func(w *world) {
			widget := w.widgets(`
              parts: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name], items: {type: object, required: [name], properties: {name: {type: string}}}}
              marks: {type: array, x-kubernetes-list-type: set, items: {type: string}}`)
			w.create(widget("a", `spec: {size: 5, parts: [{name: x}, {name: x}]}`))
			w.create(widget("b", `spec: {size: 5, marks: [x, x]}`))
		}},
		{"definition/embedded object", func(w *world) {
			widget := w.widgets(`              inner: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}`)
			w.fields(w.create(widget("a", `spec: {size: 5, inner: {apiVersion: v1, kind: ConfigMap, metadata: {name: x, nonsense: 1}, data: {k: v}}}`)), "spec.inner")
			w.create(widget("b", `spec: {size: 5, inner: {kind: ConfigMap}}`))
			w.create(widget("c", `spec: {size: 5, inner: {apiVersion: v1, kind: ConfigMap, metadata: {name: Not_Good, labels: {x: "a b"}}}}`))
		}},
	}
}
