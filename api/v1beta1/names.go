package v1beta1

// ConditionSucceeded is the one condition of a run: Unknown while it is under way, then True or False for good.
const ConditionSucceeded = "Succeeded"

// Reasons of the condition Succeeded (taskruns.md, "Monitoring execution status"; spec §3.8).
const (
	ReasonStarted                      = "Started"
	ReasonResolvingTaskRef             = "ResolvingTaskRef"
	ReasonPending                      = "Pending"
	ReasonPullImageFailed              = "PullImageFailed"
	ReasonExceededNodeResources        = "ExceededNodeResources"
	ReasonExceededResourceQuota        = "ExceededResourceQuota"
	ReasonResolutionFailed             = "TaskRunResolutionFailed"
	ReasonRunning                      = "Running"
	ReasonToBeRetried                  = "ToBeRetried"
	ReasonSucceeded                    = "Succeeded"
	ReasonFailed                       = "Failed"
	ReasonCancelled                    = "TaskRunCancelled"
	ReasonTimedOut                     = "TaskRunTimeout"
	ReasonImagePullFailed              = "TaskRunImagePullFailed"
	ReasonCreateContainerConfigError   = "CreateContainerConfigError"
	ReasonValidationFailed             = "TaskRunValidationFailed"
	ReasonPodCreationFailed            = "PodCreationFailed"
	ReasonCouldntCreateWorkspacePVC    = "CouldntCreateWorkspacePVC"
	ReasonResourceVerificationFailed   = "ResourceVerificationFailed"
	ReasonResultLargerThanAllowedLimit = "TaskRunResultLargerThanAllowedLimit"
)

// TaskRunSpecStatusCancelled is the only value of spec.status.
const TaskRunSpecStatusCancelled TaskRunSpecStatus = "TaskRunCancelled"

// Texts of spec.statusMessage that the PipelineRun controller writes.
const (
	StatusMessageCancelledByPipeline TaskRunSpecStatusMessage = "TaskRun cancelled as the PipelineRun it belongs to has been cancelled."
	StatusMessageCancelledByTimeout  TaskRunSpecStatusMessage = "TaskRun cancelled as the PipelineRun it belongs to has timed out."
)

// Label keys (spec §3.13).
const (
	LabelTask         = "tekton.dev/task"
	LabelClusterTask  = "tekton.dev/clusterTask"
	LabelTaskRun      = "tekton.dev/taskRun"
	LabelPipeline     = "tekton.dev/pipeline"
	LabelPipelineRun  = "tekton.dev/pipelineRun"
	LabelPipelineTask = "tekton.dev/pipelineTask"
	LabelMemberOf     = "tekton.dev/memberOf"
	LabelRun          = "tekton.dev/run"
	LabelManagedBy    = "app.kubernetes.io/managed-by"
)

// Annotation keys (spec §3.13).
const (
	AnnotationRelease           = "pipeline.tekton.dev/release"
	AnnotationReady             = "tekton.dev/ready"
	AnnotationAffinityAssistant = "pipeline.tekton.dev/affinity-assistant"
	AnnotationExecutionMode     = "experimental.tekton.dev/execution-mode"
	AnnotationGitPrefix         = "tekton.dev/git-"
	AnnotationDockerPrefix      = "tekton.dev/docker-"
)

// ReadyValue is what AnnotationReady says when the Steps may start.
const ReadyValue = "READY"

// WorkspaceDir is where workspaces appear unless they say otherwise.
const WorkspaceDir = "/workspace"
