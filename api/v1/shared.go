package v1

import "github.com/plumbline-ci/plumbline/api/v1beta1"

// Params and results are the same in both versions.
type (
	Param        = v1beta1.Param
	ParamSpec    = v1beta1.ParamSpec
	ParamType    = v1beta1.ParamType
	ParamValue   = v1beta1.ParamValue
	PropertySpec = v1beta1.PropertySpec
	TaskResult   = v1beta1.TaskResult
	ResultsType  = v1beta1.ResultsType
)

// Workspaces are the same in both versions.
type (
	WorkspaceBinding     = v1beta1.WorkspaceBinding
	WorkspaceDeclaration = v1beta1.WorkspaceDeclaration
	WorkspaceUsage       = v1beta1.WorkspaceUsage
)

// What a run asks for besides its Task is the same in both versions.
type (
	PodTemplate              = v1beta1.PodTemplate
	TaskRunDebug             = v1beta1.TaskRunDebug
	TaskRunSpecStatus        = v1beta1.TaskRunSpecStatus
	TaskRunSpecStatusMessage = v1beta1.TaskRunSpecStatusMessage
	ResolverRef              = v1beta1.ResolverRef
	TaskKind                 = v1beta1.TaskKind
	OnErrorType              = v1beta1.OnErrorType
	StepOutputConfig         = v1beta1.StepOutputConfig
)

// What a status consists of is the same in both versions.
type (
	Status        = v1beta1.Status
	Condition     = v1beta1.Condition
	Conditions    = v1beta1.Conditions
	StepState     = v1beta1.StepState
	SidecarState  = v1beta1.SidecarState
	TaskRunResult = v1beta1.TaskRunResult
	Provenance    = v1beta1.Provenance
	ConfigSource  = v1beta1.ConfigSource
)

// What Pipelines and their runs consist of is the same in both versions.
type (
	Matrix                       = v1beta1.Matrix
	WhenExpression               = v1beta1.WhenExpression
	WhenExpressions              = v1beta1.WhenExpressions
	WhenOperator                 = v1beta1.WhenOperator
	PipelineTaskMetadata         = v1beta1.PipelineTaskMetadata
	PipelineWorkspaceDeclaration = v1beta1.PipelineWorkspaceDeclaration
	WorkspacePipelineTaskBinding = v1beta1.WorkspacePipelineTaskBinding
	PipelineResult               = v1beta1.PipelineResult
	PipelineRunResult            = v1beta1.PipelineRunResult
	PipelineRunSpecStatus        = v1beta1.PipelineRunSpecStatus
	TimeoutFields                = v1beta1.TimeoutFields
	SkippedTask                  = v1beta1.SkippedTask
	SkippingReason               = v1beta1.SkippingReason
	ChildStatusReference         = v1beta1.ChildStatusReference
)
