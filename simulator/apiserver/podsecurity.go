package apiserver

import (
	"fmt"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/podsecurity"
)

// podSecurity is the admission plugin PodSecurity.
type podSecurity struct{ s *Server }

func (podSecurity) Admit(*Request) error { return nil }

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
	policy := podsecurity.PolicyOf(ns.Labels)
	if text := podsecurity.Evaluate(policy.Enforce, &pod.ObjectMeta, &pod.Spec); text != "" {
		return fmt.Errorf("violates PodSecurity %q: %s", policy.Enforce, text)
	}
	if policy.Warn != policy.Enforce {
		if text := podsecurity.Evaluate(policy.Warn, &pod.ObjectMeta, &pod.Spec); text != "" {
			p.s.warn(req.Call, fmt.Sprintf("would violate PodSecurity %q: %s", policy.Warn, text))
		}
	}
	return nil
}

// builtinAdmission is the order of the plugins that every server has.
func (s *Server) builtinAdmission() []Admission {
	return []Admission{
		lifecycle{s}, limitRanger{s}, serviceAccounts{s}, podSecurity{s}, priorities{s}, nodeTroubles{},
	}
}
