package v1beta1

import "time"

// Conditions of a TaskRun.
const (
	// ConditionSucceeded is True when the run succeeded, False when it failed, Unknown while it is under way.
	ConditionSucceeded ConditionType = "Succeeded"
)

// Reasons of ConditionSucceeded while it is Unknown.
const (
	TaskRunReasonStarted               = "Started"
	TaskRunReasonResolvingTaskRef      = "ResolvingTaskRef"
	TaskRunReasonPending               = "Pending"
	TaskRunReasonPullImageFailed       = "PullImageFailed"
	TaskRunReasonExceededNodeResources = "ExceededNodeResources"
	TaskRunReasonExceededResourceQuota = "ExceededResourceQuota"
	TaskRunReasonRunning               = "Running"
	TaskRunReasonToBeRetried           = "ToBeRetried"
)

// Reasons of ConditionSucceeded when it is True or False. TaskRunReasonFailedResolution and TaskRunReasonCancelled also occur while
// the condition is Unknown: a resolution that will be tried again, a Pod that could not be deleted yet.
const (
	TaskRunReasonSucceeded                    = "Succeeded"
	TaskRunReasonFailed                       = "Failed"
	TaskRunReasonCancelled                    = "TaskRunCancelled"
	TaskRunReasonTimedOut                     = "TaskRunTimeout"
	TaskRunReasonImagePullFailed              = "TaskRunImagePullFailed"
	TaskRunReasonCreateContainerConfigError   = "CreateContainerConfigError"
	TaskRunReasonFailedResolution             = "TaskRunResolutionFailed"
	TaskRunReasonFailedValidation             = "TaskRunValidationFailed"
	TaskRunReasonCouldntGetTask               = "CouldntGetTask"
	TaskRunReasonCouldntCreateWorkspacePVC    = "CouldntCreateWorkspacePVC"
	TaskRunReasonResourceVerificationFailed   = "ResourceVerificationFailed"
	TaskRunReasonResultLargerThanAllowedLimit = "TaskRunResultLargerThanAllowedLimit"
	TaskRunReasonStopSidecarFailed            = "TaskRunStopSidecarFailed"
	TaskRunReasonPodCreationFailed            = "PodCreationFailed"
	TaskRunReasonResultsVerified              = "TaskRunResultsVerified"
	TaskRunReasonResultsVerificationFailed    = "TaskRunResultsVerificationFailed"
	TaskRunReasonAwaitingResults              = "AwaitingTaskRunResults"
)

// Messages of ConditionSucceeded whose text the documents promise.
const (
	TaskRunMessageRunning               = "Not all Steps in the Task have finished executing"
	TaskRunMessageSucceeded             = "All Steps have completed executing"
	TaskRunMessageExceededNodeResources = "TaskRun Pod exceeded available resources"
)

// Reasons of events. An event about a condition that is Unknown has the condition's reason.
const (
	EventReasonStarted              = "Started"
	EventReasonSucceeded            = "Succeeded"
	EventReasonFailed               = "Failed"
	EventReasonInternalError        = "InternalError"
	EventReasonError                = "Error"
	EventReasonUpdateFailed         = "UpdateFailed"
	EventReasonPodAffinityOverwrite = "PodAffinityOverwrite"
	EventReasonMissingSecret        = "MissingSecret"
)

// Values of spec.status and spec.statusMessage.
const (
	TaskRunSpecStatusCancelled TaskRunSpecStatus = "TaskRunCancelled"
)

// Messages with which the PipelineRun controller asks its children to end.
const (
	TaskRunCancelledByPipeline   TaskRunSpecStatusMessage = "TaskRun cancelled as the PipelineRun it belongs to has been cancelled."
	TaskRunTimedOutByPipeline    TaskRunSpecStatusMessage = "TaskRun cancelled as the PipelineRun it belongs to has timed out."
	RunCancelledByPipeline       RunSpecStatusMessage     = "Run cancelled as the PipelineRun it belongs to has been cancelled."
	RunTimedOutByPipeline        RunSpecStatusMessage     = "Run cancelled as the PipelineRun it belongs to has timed out."
	CustomRunCancelledByPipeline RunSpecStatusMessage     = "CustomRun cancelled as the PipelineRun it belongs to has been cancelled."
	CustomRunTimedOutByPipeline  RunSpecStatusMessage     = "CustomRun cancelled as the PipelineRun it belongs to has timed out."
)

// RunSpecStatusCancelled asks a Run or CustomRun to end.
const RunSpecStatusCancelled RunSpecStatus = "RunCancelled"

// DefaultRunTimeout is the bound of a Run or CustomRun that has none.
const DefaultRunTimeout = 60 * time.Minute

// Values of spec.status of a PipelineRun.
const (
	PipelineRunSpecStatusCancelled           PipelineRunSpecStatus = "Cancelled"
	PipelineRunSpecStatusCancelledRunFinally PipelineRunSpecStatus = "CancelledRunFinally"
	PipelineRunSpecStatusStoppedRunFinally   PipelineRunSpecStatus = "StoppedRunFinally"
	PipelineRunSpecStatusPending             PipelineRunSpecStatus = "PipelineRunPending"
)

// Reasons of ConditionSucceeded of a PipelineRun while it is Unknown.
const (
	PipelineRunReasonStarted                 = "Started"
	PipelineRunReasonPending                 = "PipelineRunPending"
	PipelineRunReasonRunning                 = "Running"
	PipelineRunReasonStopping                = "PipelineRunStopping"
	PipelineRunReasonCancelledRunningFinally = "CancelledRunningFinally"
	PipelineRunReasonStoppedRunningFinally   = "StoppedRunningFinally"
	PipelineRunReasonResolvingPipelineRef    = "ResolvingPipelineRef"
	PipelineRunReasonResolvingTaskRef        = "ResolvingTaskRef"
	PipelineRunReasonCouldntCancel           = "PipelineRunCouldntCancel"
	PipelineRunReasonCouldntTimeOut          = "PipelineRunCouldntTimeOut"
)

// Reasons of ConditionSucceeded of a PipelineRun when it is True or False.
const (
	PipelineRunReasonSucceeded                       = "Succeeded"
	PipelineRunReasonCompleted                       = "Completed"
	PipelineRunReasonFailed                          = "Failed"
	PipelineRunReasonCancelled                       = "Cancelled"
	PipelineRunReasonTimedOut                        = "PipelineRunTimeout"
	PipelineRunReasonCouldntGetPipeline              = "CouldntGetPipeline"
	PipelineRunReasonResourceVerificationFailed      = "ResourceVerificationFailed"
	PipelineRunReasonInvalidGraph                    = "PipelineInvalidGraph"
	PipelineRunReasonFailedValidation                = "PipelineValidationFailed"
	PipelineRunReasonInvalidPipelineResourceBindings = "InvalidPipelineResourceBindings"
	PipelineRunReasonCouldntGetResource              = "CouldntGetResource"
	PipelineRunReasonParameterMissing                = "ParameterMissing"
	PipelineRunReasonParameterTypeMismatch           = "ParameterTypeMismatch"
	PipelineRunReasonObjectParameterMissKeys         = "ObjectParameterMissKeys"
	PipelineRunReasonInvalidWorkspaceBindings        = "InvalidWorkspaceBindings"
	PipelineRunReasonInvalidServiceAccountMappings   = "InvalidServiceAccountMappings"
	PipelineRunReasonCreateRunFailed                 = "CreateRunFailed"
	PipelineRunReasonCouldntGetTask                  = "CouldntGetTask"
	PipelineRunReasonInvalidTaskResultReference      = "InvalidTaskResultReference"
	PipelineRunReasonRequiredWorkspaceMarkedOptional = "RequiredWorkspaceMarkedOptional"
	PipelineRunReasonCouldntCreateWorkspacePVC       = "CouldntCreateWorkspacePVC"
	PipelineRunReasonCouldntCreateAffinityAssistant  = "CouldntCreateAffinityAssistantStatefulSet"
)

// Reasons for which a task did not run.
const (
	SkippedStopping            SkippingReason = "PipelineRun was stopping"
	SkippedGracefullyCancelled SkippingReason = "PipelineRun was gracefully cancelled"
	SkippedGracefullyStopped   SkippingReason = "PipelineRun was gracefully stopped"
	SkippedParent              SkippingReason = "Parent Tasks were skipped"
	SkippedMissingResults      SkippingReason = "Results were missing"
	SkippedWhen                SkippingReason = "When Expressions evaluated to false"
	SkippedPipelineTimeout     SkippingReason = "PipelineRun timeout has been reached"
	SkippedTasksTimeout        SkippingReason = "PipelineRun Tasks timeout has been reached"
	SkippedFinallyTimeout      SkippingReason = "PipelineRun Finally timeout has been reached"
	SkippedEmptyMatrix         SkippingReason = "Matrix Parameters have an empty array"
)

// Reasons of ConditionSucceeded that the documents ask of the controller of a Run or a CustomRun.
const (
	RunReasonCancelled       = "RunCancelled"
	RunReasonTimedOut        = "RunTimedOut"
	CustomRunReasonCancelled = "CustomRunCancelled"
	CustomRunReasonTimedOut  = "CustomRunTimedOut"
)

// Values of a child's label memberOf.
const (
	MemberOfTasks   = "tasks"
	MemberOfFinally = "finally"
)

// BreakpointOnFailure stops a Pod after a Step that failed.
const BreakpointOnFailure = "onFailure"

// Values of a Step's onError.
const (
	OnErrorContinue    OnErrorType = "continue"
	OnErrorStopAndFail OnErrorType = "stopAndFail"
)

// Kinds of a taskRef.
const (
	NamespacedTaskKind TaskKind = KindTask
	ClusterTaskKind    TaskKind = KindClusterTask
)

// Types of results.
const (
	ResultsTypeString ResultsType = "string"
	ResultsTypeArray  ResultsType = "array"
	ResultsTypeObject ResultsType = "object"
)

// Label keys.
const (
	LabelTask        = Group + "/task"
	LabelClusterTask = Group + "/clusterTask"
	LabelTaskRun     = Group + "/taskRun" // on Pods only
	// These tell the children of a PipelineRun whose they are.
	LabelPipeline     = Group + "/pipeline"
	LabelPipelineRun  = Group + "/pipelineRun"
	LabelPipelineTask = Group + "/pipelineTask"
	LabelMemberOf     = Group + "/memberOf"
	LabelManagedBy    = "app.kubernetes.io/managed-by"
	// LabelPartOf marks the ConfigMaps that the configuration webhook checks.
	LabelPartOf = "app.kubernetes.io/part-of"
)

// Annotation keys.
const (
	AnnotationRelease           = "pipeline.tekton.dev/release"
	AnnotationReady             = Group + "/ready"
	AnnotationAffinityAssistant = "pipeline.tekton.dev/affinity-assistant"
	AnnotationExecutionMode     = "experimental.tekton.dev/execution-mode"
	AnnotationLastApplied       = "kubectl.kubernetes.io/last-applied-configuration"

	// These prefix the keys that tie a Secret of a ServiceAccount to hosts: tekton.dev/git-0, tekton.dev/docker-0.
	AnnotationGitPrefix    = Group + "/git-"
	AnnotationDockerPrefix = Group + "/docker-"

	// These keep what v1 has no field for.
	AnnotationV1beta1Resources       = Group + "/v1beta1Resources"
	AnnotationV1beta1CloudEvents     = Group + "/v1beta1CloudEvents"
	AnnotationV1beta1ResourcesResult = Group + "/v1beta1ResourcesResult"
	AnnotationV1beta1TaskRuns        = Group + "/v1beta1TaskRuns"
	AnnotationV1beta1Runs            = Group + "/v1beta1Runs"
	// AnnotationV1beta1ChildReferences tells references to children that v1beta1 had from those that were made for v1.
	AnnotationV1beta1ChildReferences = Group + "/v1beta1ChildReferences"
	// AnnotationV1beta1PipelineResources keeps the PipelineResources that an embedded Pipeline declares. The reference loses them.
	AnnotationV1beta1PipelineResources = Group + "/v1beta1PipelineResources"
	// AnnotationV1beta1TaskResources keeps the PipelineResources of the tasks of a Pipeline. The reference loses them.
	AnnotationV1beta1TaskResources = Group + "/v1beta1TaskResources"
	// AnnotationV1beta1RetriesStatus keeps what v1 has no field for in past attempts. The reference loses it.
	AnnotationV1beta1RetriesStatus = Group + "/v1beta1RetriesStatus"
)

// Values of annotations.
const (
	AnnotationReadyValue  = "READY"
	ExecutionModeHermetic = "hermetic"
)

// Names of containers, volumes and Pods that a user must not take or can look for.
const (
	StepContainerPrefix    = "step-"
	StepContainerUnnamed   = StepContainerPrefix + "unnamed-" // followed by the index
	SidecarContainerPrefix = "sidecar-"
	InternalVolumePrefix   = "tekton-internal-"
	ReservedSidecarName    = "tekton-log-results"
	PodNameSuffix          = "-pod"
	PodNameRetrySuffix     = PodNameSuffix + "-retry" // followed by the attempt
)

// Directories that Steps can rely on.
const (
	TektonDir    = "/tekton"
	HomeDir      = TektonDir + "/home"
	ResultsDir   = TektonDir + "/results"
	StepsDir     = TektonDir + "/steps"
	ScriptsDir   = TektonDir + "/scripts"
	RunDir       = TektonDir + "/run"
	BinDir       = TektonDir + "/bin"
	DownwardDir  = TektonDir + "/downward"
	CredsDir     = TektonDir + "/creds"
	DebugDir     = TektonDir + "/debug"
	WorkspaceDir = "/workspace"
	// TerminationPath is the file to which a container writes its termination message.
	TerminationPath = TektonDir + "/termination"
	// ExitCodeFile is written into a Step's directory under StepsDir when the Step has ended.
	ExitCodeFile = "exitCode"
)
