package defaulting

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// PipelineSpec fills in the types of params, the kinds of references, and what embedded Tasks leave open (spec §2.3).
func PipelineSpec(spec *v1beta1.PipelineSpec) {
	for i := range spec.Params {
		paramSpec(&spec.Params[i])
	}
	for _, tasks := range [][]v1beta1.PipelineTask{spec.Tasks, spec.Finally} {
		for i := range tasks {
			if ref := tasks[i].TaskRef; ref != nil && ref.Kind == "" {
				ref.Kind = v1beta1.NamespacedTaskKind
			}
			if embedded := tasks[i].TaskSpec; embedded != nil {
				TaskSpec(&embedded.TaskSpec)
			}
		}
	}
}

// PipelineV1 is PipelineSpec for v1.
func PipelineV1(p *v1.Pipeline) {
	same := conversion.PipelineSpecFromV1(&p.Spec)
	PipelineSpec(same)
	p.Spec = *conversion.PipelineSpecToV1(same)
}

// PipelineRunSpec fills in what the spec of a PipelineRun leaves open (spec §2.3). Applying it twice changes nothing more.
func PipelineRunSpec(spec *v1beta1.PipelineRunSpec, cfg *config.Config) {
	pipelineRunSpec(spec, cfg)
	if spec.Timeout == nil && spec.Timeouts == nil {
		spec.Timeout = timeout(cfg)
	}
}

// PipelineRunSpecV1 is PipelineRunSpec for v1, which has one field for the timeout.
func PipelineRunSpecV1(spec *v1.PipelineRunSpec, cfg *config.Config) {
	same := conversion.PipelineRunSpecFromV1(spec)
	pipelineRunSpec(&same, cfg)
	if same.Timeouts == nil {
		same.Timeouts = &v1beta1.TimeoutFields{Pipeline: timeout(cfg)}
	}
	*spec = conversion.PipelineRunSpecToV1(&same)
}

func timeout(cfg *config.Config) *metav1.Duration {
	return &metav1.Duration{Duration: cfg.Defaults.Timeout()}
}

func pipelineRunSpec(spec *v1beta1.PipelineRunSpec, cfg *config.Config) {
	if spec.Timeouts != nil && spec.Timeouts.Pipeline == nil && spec.Timeout == nil {
		spec.Timeouts.Pipeline = timeout(cfg)
	}
	if spec.ServiceAccountName == "" {
		spec.ServiceAccountName = cfg.Defaults.ServiceAccount
	}
	spec.PodTemplate = podTemplate(spec.PodTemplate, cfg.Defaults.PodTemplate)
	if spec.PipelineSpec != nil {
		PipelineSpec(spec.PipelineSpec)
	}
}

// defaultRefNamespace is the namespace of what a Run refers to where the reference names none.
const defaultRefNamespace = "default"

// Run fills in what a Run leaves open (spec §1.3). Its timeout stays open: what that means is the controller's to know.
func Run(spec *v1alpha1.RunSpec, cfg *config.Config) {
	if spec.ServiceAccountName == "" {
		spec.ServiceAccountName = cfg.Defaults.ServiceAccount
	}
	if spec.PodTemplate == nil {
		spec.PodTemplate = cfg.Defaults.PodTemplate.DeepCopy()
	}
	if spec.Ref != nil && spec.Ref.Name != "" && spec.Ref.Namespace == "" {
		spec.Ref.Namespace = defaultRefNamespace
	}
}

// CustomRun fills in what a CustomRun leaves open (spec §1.3).
func CustomRun(spec *v1beta1.CustomRunSpec, cfg *config.Config) {
	if spec.ServiceAccountName == "" {
		spec.ServiceAccountName = cfg.Defaults.ServiceAccount
	}
}
