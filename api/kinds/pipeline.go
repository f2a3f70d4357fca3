package kinds

import (
	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
)

func pipeline() Kind {
	create := func(p *v1beta1.Pipeline, cfg *config.Config) error {
		defaulting.PipelineSpec(&p.Spec)
		return validation.Pipeline(p.Name, &p.Spec, cfg)
	}
	createV1 := func(p *v1.Pipeline, cfg *config.Config) error {
		defaulting.PipelineV1(p)
		return validation.PipelineV1(p.Name, &p.Spec, cfg)
	}
	return Kind{Name: v1beta1.KindPipeline, Plural: "pipelines", Namespaced: true, Versions: []Version{
		version(v1beta1.Version, rules[*v1beta1.Pipeline]{
			create: create,
			spec:   func(p *v1beta1.Pipeline) any { return &p.Spec },
			update: func(p, _ *v1beta1.Pipeline, cfg *config.Config) error { return create(p, cfg) },
			fill:   func(p *v1beta1.Pipeline, _ *config.Config) { defaulting.PipelineSpec(&p.Spec) },
		}),
		converted(version(v1.Version, rules[*v1.Pipeline]{
			create: createV1,
			spec:   func(p *v1.Pipeline) any { return &p.Spec },
			update: func(p, _ *v1.Pipeline, cfg *config.Config) error { return createV1(p, cfg) },
			fill:   func(p *v1.Pipeline, _ *config.Config) { defaulting.PipelineV1(p) },
		}), conversion.PipelineFromV1, conversion.PipelineToV1),
	}}
}

func pipelineRun() Kind {
	return Kind{Name: v1beta1.KindPipelineRun, Plural: "pipelineruns", Namespaced: true, Versions: []Version{
		version(v1beta1.Version, rules[*v1beta1.PipelineRun]{
			create: func(pr *v1beta1.PipelineRun, cfg *config.Config) error {
				defaulting.PipelineRunSpec(&pr.Spec, cfg)
				return validation.PipelineRun(pr, cfg)
			},
			spec:   func(pr *v1beta1.PipelineRun) any { return &pr.Spec },
			update: updatePipelineRun,
			fill: func(pr *v1beta1.PipelineRun, cfg *config.Config) {
				defaulting.PipelineRunSpec(&pr.Spec, cfg)
			},
		}),
		converted(version(v1.Version, rules[*v1.PipelineRun]{
			create: func(pr *v1.PipelineRun, cfg *config.Config) error {
				defaulting.PipelineRunSpecV1(&pr.Spec, cfg)
				return validation.PipelineRunV1(pr, cfg)
			},
			spec:   func(pr *v1.PipelineRun) any { return &pr.Spec },
			update: updatePipelineRunV1,
			fill: func(pr *v1.PipelineRun, cfg *config.Config) {
				defaulting.PipelineRunSpecV1(&pr.Spec, cfg)
			},
		}), conversion.PipelineRunFromV1, conversion.PipelineRunToV1),
	}}
}

func updatePipelineRun(pr, old *v1beta1.PipelineRun, cfg *config.Config) error {
	defaulting.PipelineRunSpec(&pr.Spec, cfg)
	// Defaults may have changed since the run was created; that difference is not the writer's.
	before := &v1beta1.PipelineRun{Spec: *old.Spec.DeepCopy(), Status: old.Status}
	defaulting.PipelineRunSpec(&before.Spec, cfg)
	if err := validation.PipelineRunUpdate(before, pr); err != nil {
		return err
	}
	return validation.PipelineRun(pr, cfg)
}

func updatePipelineRunV1(pr, old *v1.PipelineRun, cfg *config.Config) error {
	defaulting.PipelineRunSpecV1(&pr.Spec, cfg)
	before := v1.PipelineRun{Spec: *old.Spec.DeepCopy(), Status: old.Status}
	defaulting.PipelineRunSpecV1(&before.Spec, cfg)
	was := &v1beta1.PipelineRun{Spec: conversion.PipelineRunSpecFromV1(&before.Spec)}
	was.Status.Status, was.Status.StartTime = old.Status.Status, old.Status.StartTime
	if err := validation.PipelineRunUpdate(was, &v1beta1.PipelineRun{Spec: conversion.PipelineRunSpecFromV1(&pr.Spec)}); err != nil {
		return err
	}
	return validation.PipelineRunV1(pr, cfg)
}
