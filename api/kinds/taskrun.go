package kinds

import (
	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
)

func taskRun() Kind {
	return Kind{Name: v1beta1.KindTaskRun, Plural: "taskruns", Namespaced: true, Versions: []Version{
		version(v1beta1.Version, rules[*v1beta1.TaskRun]{
			create: createTaskRun,
			touch:  defaulting.Labels,
			spec:   func(tr *v1beta1.TaskRun) any { return &tr.Spec },
			update: updateTaskRun,
			fill:   defaulting.TaskRun,
		}),
		converted(version(v1.Version, rules[*v1.TaskRun]{
			create: createTaskRunV1,
			touch:  defaulting.LabelsV1,
			spec:   func(tr *v1.TaskRun) any { return &tr.Spec },
			update: updateTaskRunV1,
			fill:   defaulting.TaskRunV1,
		}), conversion.TaskRunFromV1, conversion.TaskRunToV1),
	}}
}

func createTaskRun(tr *v1beta1.TaskRun, cfg *config.Config) error {
	defaulting.TaskRun(tr, cfg)
	return validation.TaskRun(tr, cfg)
}

func updateTaskRun(tr, old *v1beta1.TaskRun, cfg *config.Config) error {
	defaulting.TaskRunSpec(&tr.Spec, cfg)
	// Defaults may have changed since the run was created; that difference is not the writer's.
	before := &v1beta1.TaskRun{Spec: *old.Spec.DeepCopy(), Status: old.Status}
	defaulting.TaskRunSpec(&before.Spec, cfg)
	if err := validation.TaskRunUpdate(before, tr); err != nil {
		return err
	}
	return validation.TaskRun(tr, cfg)
}

func createTaskRunV1(tr *v1.TaskRun, cfg *config.Config) error {
	defaulting.TaskRunV1(tr, cfg)
	return validation.TaskRunV1(tr, cfg)
}

func updateTaskRunV1(tr, old *v1.TaskRun, cfg *config.Config) error {
	defaulting.TaskRunSpecV1(&tr.Spec, cfg)
	before, err := conversion.TaskRunFromV1(old.DeepCopy())
	if err != nil {
		return &StoredError{err}
	}
	defaulting.TaskRunSpec(&before.Spec, cfg)
	before.Spec.Resources = nil // v1 has none; an annotation is the writer's to change
	if err := validation.TaskRunUpdate(before, &v1beta1.TaskRun{Spec: conversion.TaskRunSpecFromV1(&tr.Spec)}); err != nil {
		return err
	}
	return validation.TaskRunV1(tr, cfg)
}
