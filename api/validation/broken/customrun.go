package broken

import (
	"github.com/plumbline-ci/plumbline/api/config"
)

// customRunRules are those of Runs and CustomRuns. Only the first that is broken is reported.
func customRunRules() []Rule {
	const ok = `customRef: {apiVersion: example.dev/v1, kind: E}`
	return []Rule{
		{ID: "V-01", Reason: "not a DNS name", Kind: InNamedCustomRun, Input: `Not_A_Name`, Want: []string{`invalid resource name "Not_A_Name": must be a valid DNS label: metadata.name`}},
		{ID: "V-02", Reason: "64 characters", Kind: InNamedCustomRun, Input: long, Want: []string{`Invalid resource name: length must be no more than 63 characters: metadata.name`}},
		{ID: "R-02", Reason: "nothing, and no defaults", Kind: InCustomRun, Config: map[string]string{config.KeyServiceAccount: ""}, Input: `{}`, Want: []string{`missing field(s): spec`}},
		{ID: "R-03", Reason: "two things to run", Kind: InCustomRun, Input: `{` + ok + `, customSpec: {apiVersion: example.dev/v1, kind: E}}`, Want: []string{`expected exactly one, got both: spec.customRef, spec.customSpec`}},
		{ID: "R-04", Reason: "nothing to run", Kind: InCustomRun, Input: `{}`, Want: []string{`expected exactly one, got neither: spec.customRef, spec.customSpec`}},
		{ID: "R-05", Reason: "a reference without group", Kind: InCustomRun, Input: `{customRef: {kind: E}}`, Want: []string{`missing field(s): spec.customRef.apiVersion`}},
		{ID: "R-06", Reason: "a reference without kind", Kind: InCustomRun, Input: `{customRef: {apiVersion: example.dev/v1, name: e}}`, Want: []string{`missing field(s): spec.customRef.kind`}},
		{ID: "R-07", Reason: "an embedded spec without group", Kind: InCustomRun, Input: `{customSpec: {kind: E, spec: {any: thing}}}`, Want: []string{`missing field(s): spec.customSpec.apiVersion`}},
		{ID: "R-08", Reason: "an embedded spec without kind", Kind: InCustomRun, Input: `{customSpec: {apiVersion: example.dev/v1, spec: {any: thing}}}`, Want: []string{`missing field(s): spec.customSpec.kind`}},
		{ID: "R-09", Reason: "a message about nothing", Kind: InCustomRun, Input: `{` + ok + `, statusMessage: why}`, Want: []string{`invalid value: statusMessage should not be set if status is not set, but it is currently set to why: statusMessage`}},
		{ID: "R-10", Reason: "case does not tell params apart", Kind: InCustomRun, Input: `{` + ok + `, params: [{name: a, value: b}, {name: A, value: c}]}`, Want: []string{`expected exactly one, got both: spec.params[A].name`}},
		{ID: "R-11", Reason: "objects are alpha", Kind: InCustomRun, Input: `{` + ok + `, params: [{name: a, value: {k: v}}]}`, Want: []string{`object type parameter` + gateAlpha}},
		{ID: "V-17", Reason: "a workspace without source", Kind: InCustomRun, Input: `{` + ok + `, workspaces: [{name: w}]}`, Want: []string{`expected exactly one, got neither: ` + fiveWays}},
		{ID: "R-13", Reason: "bound twice", Kind: InCustomRun, Input: `{` + ok + `, workspaces: [{name: w, emptyDir: {}}, {name: W, emptyDir: {}}]}`, Want: []string{`expected exactly one, got both: spec.workspaces[1].name`}},
	}
}
