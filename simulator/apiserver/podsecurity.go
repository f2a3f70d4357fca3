package apiserver

import (
	"fmt"
	"sync"

	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// podSecurity is the admission plugin PodSecurity: it holds Pods against the Pod Security Standards that the labels of
// their namespace choose. The checks are those of Kubernetes itself, each in the version that a label names.
type podSecurity struct{ s *Server }

func (podSecurity) Admit(*Request) error { return nil }

// standards are the checks as of the version of Kubernetes that the simulated server has.
var standards = sync.OnceValue(func() policy.Evaluator {
	version := api.MajorMinorVersion(Major, Minor)
	e, err := policy.NewEvaluator(policy.DefaultChecks(), &version)
	if err != nil {
		panic(fmt.Sprintf("the checks of the Pod Security Standards: %v", err)) // they are the library's own
	}
	return e
})

// unlabelled is the policy of a namespace without labels: everything is allowed.
var unlabelled = api.Policy{Enforce: privileged, Audit: privileged, Warn: privileged}

var privileged = api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()}

// Validate implements Validator.
func (p podSecurity) Validate(req *Request) error {
	pod := newPod(req)
	if pod == nil {
		return nil
	}
	ns := p.s.namespace(pod.Namespace)
	if ns == nil {
		return nil
	}
	// A label that cannot be read counts as restricted, or as latest. A real server notes that in its audit log alone.
	levels, errs := api.PolicyToEvaluate(ns.Labels, unlabelled)
	if len(errs) == 0 && levels.FullyPrivileged() {
		return nil
	}
	check := func(level api.LevelVersion) policy.AggregateCheckResult {
		return policy.AggregateCheckResults(standards().EvaluatePod(level, &pod.ObjectMeta, &pod.Spec))
	}
	if result := check(levels.Enforce); !result.Allowed {
		return fmt.Errorf("violates PodSecurity %q: %s", levels.Enforce.String(), result.ForbiddenDetail())
	}
	if result := check(levels.Warn); !result.Allowed {
		p.s.warn(req.Call, fmt.Sprintf("would violate PodSecurity %q: %s", levels.Warn.String(), result.ForbiddenDetail()))
	}
	return nil
}

// builtinAdmission is the order of the plugins that every server has.
func (s *Server) builtinAdmission() []Admission {
	return []Admission{
		lifecycle{s}, limitRanger{s}, serviceAccounts{s}, podSecurity{s}, priorities{s}, nodeTroubles{},
	}
}
