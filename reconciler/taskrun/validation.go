package taskrun

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
	"github.com/plumbline-ci/plumbline/reconciler/fit"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/resolve"
	"github.com/plumbline-ci/plumbline/reconciler/substitution"
)

// validate reports whether a TaskRun and its Task fit together, as far as admission cannot know: it sees only one of them.
// The first problem counts (LC-29…LC-40).
func validate(tr *v1beta1.TaskRun, task resolve.Task, bindings []v1beta1.WorkspaceBinding, alpha bool) error {
	if err := validateRequests(task.Spec); err != nil {
		return err
	}
	if err := fit.Params(task, tr.Spec.Params); err != nil {
		return err
	}
	if err := fit.Resources(task, tr.Spec.Resources); err != nil {
		return err
	}
	if alpha {
		if missing := substitution.OutOfBounds(task.Spec, tr.Spec.Params); len(missing) > 0 {
			return fmt.Errorf("non-existent param references:%v", missing)
		}
	}
	if err := validateWorkspaces(task.Spec, bindings, alpha && tr.Spec.TaskRef == nil); err != nil {
		return err
	}
	if _, ok := tr.Annotations[v1beta1.AnnotationAffinityAssistant]; ok && countClaims(bindings) > 1 {
		return errors.New("more than one PersistentVolumeClaim is bound")
	}
	return validateOverrides(tr, task.Spec)
}

// validateRequests compares requests with limits of the Steps, or of their template (LC-29).
func validateRequests(spec *v1beta1.TaskSpec) error {
	for i := range spec.Steps {
		own := &spec.Steps[i].Resources
		if len(own.Requests) == 0 {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(own.Requests)) {
			limit, limited := own.Limits[name]
			if !limited && spec.StepTemplate != nil {
				limit, limited = spec.StepTemplate.Resources.Limits[name]
			}
			if request := own.Requests[name]; limited && request.Cmp(limit) > 0 {
				return fmt.Errorf("Invalid request resource value: %s must be less or equal to limit %s", &request, &limit)
			}
		}
	}
	return nil
}

// validateWorkspaces compares bindings with declarations; propagated says that bindings declare (LC-36…38).
func validateWorkspaces(spec *v1beta1.TaskSpec, bindings []v1beta1.WorkspaceBinding, propagated bool) error {
	bound := map[string]bool{}
	for i := range bindings {
		if err := validation.WorkspaceBinding("workspace", &bindings[i]).OrNil(); err != nil {
			return fmt.Errorf("binding %q is invalid: %w", bindings[i].Name, err)
		}
		bound[bindings[i].Name] = true
	}
	declared := map[string]bool{}
	for _, w := range spec.Workspaces {
		declared[w.Name] = true
		if !w.Optional && !bound[w.Name] {
			return fmt.Errorf("declared workspace %q is required but has not been bound", w.Name)
		}
	}
	for _, b := range bindings {
		if !declared[b.Name] && !propagated {
			return fmt.Errorf("workspace binding %q does not match any declared workspace", b.Name)
		}
	}
	return nil
}

// countClaims is the number of different claims; every template makes one of its own.
func countClaims(bindings []v1beta1.WorkspaceBinding) int {
	claims := map[string]bool{}
	templates := 0
	for _, b := range bindings {
		switch {
		case b.PersistentVolumeClaim != nil:
			claims[b.PersistentVolumeClaim.ClaimName] = true
		case b.VolumeClaimTemplate != nil:
			templates++
		}
	}
	return len(claims) + templates
}

// validateOverrides looks for overrides of what the Task does not have (LC-40).
func validateOverrides(tr *v1beta1.TaskRun, spec *v1beta1.TaskSpec) error {
	steps, sidecars := map[string]bool{}, map[string]bool{}
	for _, s := range spec.Steps {
		steps[s.Name] = true
	}
	for _, s := range spec.Sidecars {
		sidecars[s.Name] = true
	}
	var problems []error
	for _, o := range tr.Spec.StepOverrides {
		if !steps[o.Name] {
			problems = append(problems, fmt.Errorf("invalid StepOverride: No Step named %s", o.Name))
		}
	}
	for _, o := range tr.Spec.SidecarOverrides {
		if !sidecars[o.Name] {
			problems = append(problems, fmt.Errorf("invalid SidecarOverride: No Sidecar named %s", o.Name))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return errors.New(pass.List(problems...))
}
