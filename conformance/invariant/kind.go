package invariant

import (
	"slices"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// kind is what the monitor knows about a kind of run. All of it comes from the table of kinds, except the statements that
// back the rules.
type kind struct {
	name, kind, group string
	fixture.RunInfo
	// pods says that its runs have Pods of their own.
	pods bool
}

// kindsOf are the kinds of runs in a table.
func kindsOf(table []fixture.KindInfo) []*kind {
	var list []*kind
	for _, k := range table {
		if k.Run != nil {
			list = append(list, &kind{name: k.Name, kind: k.Kind, group: k.Group, RunInfo: *k.Run, pods: slices.Contains(k.Makes, "pod")})
		}
	}
	return list
}

// is reports whether a kind of a version of the API is this one.
func (k *kind) is(name, apiVersion string) bool {
	group, _, _ := strings.Cut(apiVersion, "/")
	return k.kind == name && k.group == group
}

// timeout is how long an attempt may take by its spec, and false if it may take as long as it likes.
func (k *kind) timeout(spec map[string]any) (time.Duration, bool) {
	for _, path := range k.Timeouts {
		if value := textAt(spec, path); value != "" {
			d, err := time.ParseDuration(value)
			return d, err == nil && d > 0
		}
	}
	return k.DefaultTimeout, k.DefaultTimeout > 0
}

// parts counts what a status has of what grows with the work of a run.
func (k *kind) parts(status map[string]any) int {
	n := 0
	for _, path := range k.Parts {
		switch v := at(status, path).(type) {
		case []any:
			n += len(v)
		case map[string]any:
			n += len(v)
		}
	}
	return n
}

// Cases of a rule that are not the reason of an end.
const (
	anyCase   = ""
	early     = "early"
	succeeds  = "True"
	cancelled = "cancelled"
	timedOut  = "timed out"
	// whole is an end that is complete: with completionTime.
	whole = "whole"
)

// backed are the statements that back a rule by kind and, where they differ, by case or by the reason of the run's end. A
// rule that has none for a kind binds the reference alone.
var backed = map[string]map[string]map[string][]string{
	"taskrun": {
		OnePod:         {anyCase: {"S002-005"}},
		RetriesBounded: {anyCase: {"S004-129"}},
		CompletionTime: {
			early:    {"S004-166", "S004-167", "S004-168"},
			succeeds: {"S004-170"}, "Failed": {"S004-171"}, "TaskRunCancelled": {"S004-174"}, "TaskRunTimeout": {"S004-176"},
		},
		NothingRuns: {"TaskRunCancelled": {"S004-193"}, "TaskRunTimeout": {"S004-144"}, anyCase: {"S003-063"}},
		Progress:    {anyCase: {"S004-176"}},
		RightState:  {succeeds: {"S004-170"}, cancelled: {"S004-174"}, timedOut: {"S004-176"}},
		// An end without completionTime may be a transient error (S004-172).
		Final:       {whole: {"S000-017"}},
		Kept:        {anyCase: {"S000-017"}},
		StepEnds:    {anyCase: {"S000-017", "S004-152"}},
		StepsListed: {anyCase: {"S000-010", "S000-046"}},
		StepsEnded:  {anyCase: {"S000-010", "S004-153"}},
		EndsSoon:    {anyCase: {"S000-039", "S000-041"}},
		SameEnd:     {succeeds: {"S004-170"}, anyCase: {"S004-173"}},
		RefusedSoon: {anyCase: {"S004-173"}},
		LastResults: {anyCase: {"S000-013"}},
		PastStopped: {anyCase: {"S002-005"}},
		PodAccepted: {anyCase: {"S000-035"}},
	},
	"pipelinerun": {
		OneChild:      {anyCase: {"S002-010"}},
		ParentLast:    {anyCase: {"S002-010"}},
		NothingBegins: {anyCase: {"S002-016"}},
		OneOutcome:    {anyCase: {"S002-010", "S002-017"}},
		// What a run is asked for, and the time it is given, is part of what it executes.
		CompletionTime: {anyCase: {"S002-016"}},
		Final:          {whole: {"S002-016"}},
		Kept:           {anyCase: {"S002-016"}},
		NothingRuns:    {anyCase: {"S002-016"}},
		Progress:       {anyCase: {"S002-016"}},
		RefusedSoon:    {anyCase: {"S002-016"}},
		RightState:     {succeeds: {"S002-010"}, cancelled: {"S002-016"}, timedOut: {"S002-016"}},
		SameEnd:        {anyCase: {"S002-010"}},
	},
	"run":       ofCustomTasks,
	"customrun": ofCustomTasks,
}

// ofCustomTasks backs the rules for Runs and CustomRuns alike. That completionTime comes with the end is left to the fixtures of
// S001-079: as a rule it would fail every other fixture too.
var ofCustomTasks = map[string]map[string][]string{
	Final:    {whole: {"S001-084", "S001-085"}},
	Kept:     {anyCase: {"S001-077"}},
	Progress: {anyCase: {"S001-044"}},
}

// backing is what backs a rule in a case.
func (k *kind) backing(rule, which string) []string {
	cases := backed[k.name][rule]
	if ids, ok := cases[which]; ok {
		return ids
	}
	return cases[anyCase]
}

// Backing are the statements that back a rule for a kind in any case, for targets that watch over rules themselves. The kind
// is the canonical short name, as taskrun.
func Backing(kind, rule string) []string { return backed[kind][rule][anyCase] }

// allBacking are the statements that back a rule for any kind, in order.
func allBacking(rule string) []string {
	var ids []string
	for _, rules := range backed {
		for _, list := range rules[rule] {
			ids = append(ids, list...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
