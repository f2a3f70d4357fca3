package validation_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/kinds"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
	"github.com/plumbline-ci/plumbline/api/validation/broken"
)

const (
	first = v1alpha1.Version
	old   = v1beta1.Version
	now   = v1.Version
)

var long = strings.Repeat("a", 64)

// TestEveryRuleRefusesWithItsWords has a subtest for each rule of each version: v1/V-26 overrides are alpha.
func TestEveryRuleRefusesWithItsWords(t *testing.T) {
	t.Parallel()
	for _, version := range validation.Versions() {
		for _, r := range broken.Rules() {
			if !r.In(version) {
				continue
			}
			t.Run(r.Name(version), func(t *testing.T) {
				t.Parallel()
				errs := validate(t, r, version)
				if diff := cmp.Diff(strings.Join(r.Wanted(version), "\n"), text(errs)); diff != "" {
					t.Errorf("answer (-want +got):\n%s", diff)
				}
				if _, other := aboutOthers()[r.ID]; !other && !slices.ContainsFunc(errs, func(p validation.Problem) bool { return isCase(r.ID, p.Rule) }) {
					t.Errorf("it was not %s that refused: %v", r.ID, errs)
				}
			})
		}
	}
}

// isCase reports whether a row of the table is the rule, or one of its cases.
func isCase(id, row string) bool { return row == id || strings.HasPrefix(row, id+"/") }

// aboutOthers are rules without words of their own, and why.
func aboutOthers() map[string]string {
	return map[string]string{
		"V-38": "says what the variable rules and the type rules go by",
		"V-40": "says where they are reported",
		"V-41": "says that nothing is checked: see the accepted inputs",
		"V-48": "merging typed values cannot fail",
		"V-50": "not an id", "V-59": "not an id", "V-60": "not an id",
		"V-76": "not an id", "V-77": "not an id", "V-78": "not an id", "V-79": "not an id",
	}
}

// ofUpdates matches the rules that only an update can break: package admission tests those.
var ofUpdates = regexp.MustCompile(`^(L-|P-20/|P-42$)`)

// unreachable are rules that no input can break once defaults are in, and why.
func unreachable() map[string]string {
	return map[string]string{"P-06/refKind": "the default kind is Task"}
}

// TestEveryRuleHasATest counts the rows of the table against the ids of the specification, and those that an input breaks
// against the rows.
func TestEveryRuleHasATest(t *testing.T) {
	t.Parallel()
	table := validation.Rules()
	for n := 1; n <= 88; n++ {
		id := fmt.Sprintf("V-%02d", n)
		_, without := aboutOthers()[id]
		if has := slices.ContainsFunc(table, func(r validation.Rule) bool { return isCase(id, r.ID) }); has == without {
			t.Errorf("%s: has a row = %v, is listed as without = %v", id, has, without)
		}
	}
	had := func(version, id string) bool { // whether a kind of the version may have the rule
		if strings.HasPrefix(id, "R-") {
			return version != now
		}
		return version != first
	}
	for _, version := range validation.Versions() {
		tripped := map[string]bool{}
		for _, r := range broken.Rules() {
			if r.In(version) {
				for _, p := range validate(t, r, version) {
					tripped[p.Rule] = true
				}
			}
		}
		seen := map[string]bool{}
		for _, r := range table {
			if r.Only != "" && r.Only != version || !had(version, r.ID) || ofUpdates.MatchString(r.ID) {
				continue
			}
			if _, why := unreachable()[r.ID]; tripped[r.ID] == why {
				t.Errorf("%s %s: an input breaks it = %v", version, r.ID, tripped[r.ID])
			}
			if seen[r.ID] {
				t.Errorf("%s %s: has two rows", version, r.ID)
			}
			seen[r.ID] = true
			if (r.Gate == "") == (r.Message == "") {
				t.Errorf("%s: a row has a message or a gate, got %+v", r.ID, r)
			}
		}
	}
}

// TestAcceptedInputs are near misses: what the documents show or the rules leave alone.
func TestAcceptedInputs(t *testing.T) {
	t.Parallel()
	for _, r := range []broken.Rule{
		{Reason: "V-02: 63 characters", Kind: broken.InNamedRun, Input: long[:63]},
		{Reason: "V-12: a reference with tag and digest", Only: old, Kind: broken.InRun, Alpha: true, Input: `{taskRef: {name: t, bundle: "localhost:5000/a/b_c:v1@sha256:` + strings.Repeat("0", 64) + `"}}`},
		{Reason: "V-34: zero means no timeout", Kind: broken.InRun, Input: `{taskRef: {name: t}, timeout: "0"}`},
		{Reason: "V-41: what a referenced Task declares is not known yet", Kind: broken.InRun, Input: `{taskRef: {name: Not_A_Name}, params: [{name: any, value: [x]}], workspaces: [{name: any, emptyDir: {}}]}`},
		{Reason: "retries are not checked", Kind: broken.InRun, Input: `{taskRef: {name: t}, retries: -1}`},
		{Reason: "resolvers need no gate", Only: old, Kind: broken.InRun, Input: `{taskRef: {resolver: git, params: [{name: url, value: x}]}}`},
		{Reason: "projected and csi need no gate", Only: old, Kind: broken.InRun, Input: `{taskRef: {name: t}, workspaces: [{name: a, csi: {driver: d}}, {name: b, projected: {sources: [{secret: {name: s}}]}}]}`},
		{Reason: "2.6: with the gate for beta there are resolvers and every kind of volume", Only: now, Kind: broken.InRun, Beta: true, Input: `{taskRef: {resolver: git, params: [{name: url, value: x}]}, workspaces: [{name: a, csi: {driver: d}}, {name: b, projected: {sources: [{secret: {name: s}}]}}]}`},
		{Reason: "V-38: params propagate", Kind: broken.InRun, Input: `{params: [{name: p, value: x}], taskSpec: {steps: [{image: i, script: "$(params.p)"}]}}`},
		{Reason: "V-55: an embedded object need not list properties", Kind: broken.InRun, Alpha: true, Input: `{taskSpec: {params: [{name: o, type: object}], steps: [{image: i}]}}`},
		{Reason: "V-61: the image may be the template's", Kind: broken.InTask, Input: `{stepTemplate: {image: i}, steps: [{name: s}]}`},
		{Reason: "a script may have args", Kind: broken.InTaskSteps, Input: `[{image: i, script: x, args: [y]}]`},
		{Reason: "V-66: home is the user's", Kind: broken.InTaskSteps, Input: `[{image: i, volumeMounts: [{name: v, mountPath: /tekton/home}]}]`},
		{Reason: "V-66: out of /tekton again", Kind: broken.InTaskSteps, Input: `[{image: i, volumeMounts: [{name: v, mountPath: /tekton/../data}]}]`},
		{Reason: "V-66: only looks like it", Kind: broken.InTaskSteps, Input: `[{image: i, volumeMounts: [{name: v, mountPath: /tektonic}]}]`},
		{Reason: "V-68: a param may say it", Kind: broken.InTask, Input: `{params: [{name: p}], steps: [{image: i, onError: "$(params.p)"}]}`},
		{Reason: "V-75: results are not unique", Kind: broken.InTask, Input: `{results: [{name: r}, {name: r}], steps: [{image: i}]}`},
		{Reason: "V-80: brackets reach names with dots", Kind: broken.InTask, Input: `{params: [{name: a.b}], steps: [{image: i, script: "$(params[\"a.b\"]) $(params['a.b'])"}]}`},
		{Reason: "V-80: not every $( is a reference", Kind: broken.InTaskSteps, Input: `[{image: i, script: "$(date) $(workspaces.w.path) $(results.r.path) $(steps.step-b.exitCode.path)"}]`},
		{Reason: "V-82: a key", Kind: broken.InTask, Alpha: true, Input: `{params: [{name: o, properties: {k: {}}}], steps: [{image: i, script: "$(params.o.k)"}]}`},
		{Reason: "V-84: one element of an array is a string", Kind: broken.InTask, Input: `{params: [{name: a, type: array}], steps: [{image: i, script: "$(params.a[0])"}]}`},
		{Reason: "V-85: alone", Kind: broken.InTask, Input: `{params: [{name: a, type: array}], steps: [{image: i, command: ["$(params.a)"], args: ["$(params.a[*])", "$(params['a'][*])"]}]}`},
		{Reason: "V-86, V-87: the existing variables", Kind: broken.InTaskSteps, Input: `[{image: i, script: "$(context.taskRun.name) $(context.taskRun.namespace) $(context.taskRun.uid) $(context.task.name) $(context.task.retry-count)"}]`},
		{Reason: "V-88: without declared resources nothing is known", Kind: broken.InTaskSteps, Input: `[{image: i, script: "$(resources.inputs.nope.path)"}]`},
		{Reason: "sidecars are Kubernetes' to check", Kind: broken.InTask, Input: `{steps: [{image: i}], sidecars: [{name: s, image: i, script: x, command: [y]}, {name: s}]}`},
	} {
		for _, version := range validation.Versions() {
			if !r.In(version) {
				continue
			}
			t.Run(version+"/"+r.Reason, func(t *testing.T) {
				t.Parallel()
				if got := validate(t, r, version); got != nil {
					t.Errorf("refused: %s", got.Error())
				}
			})
		}
	}
}

func text(errs validation.Errors) string {
	if errs == nil {
		return ""
	}
	return errs.Error()
}

// validate returns what is wrong with the input after defaulting, or nothing.
func validate(t *testing.T, r broken.Rule, version string) validation.Errors {
	t.Helper()
	cfg, err := config.Parse(r.Config, r.Flags())
	if err != nil {
		t.Fatal(err)
	}
	kind, name, spec := r.Object(version)
	o := kinds.API().New(version, kind)
	document := fmt.Sprintf("apiVersion: tekton.dev/%s\nkind: %s\nmetadata: {name: %s}\nspec: %s\n", version, kind, name, spec)
	if err := yaml.UnmarshalStrict([]byte(document), o); err != nil {
		t.Fatalf("the row's input: %v", err)
	}
	k, v, _ := kinds.API().Of(o)
	if k == nil {
		t.Fatalf("there is no kind %s %s", version, kind)
	}
	err = v.Admit(o, nil, cfg)
	var errs validation.Errors
	if err != nil && !errors.As(err, &errs) {
		t.Fatal(err)
	}
	return errs
}
