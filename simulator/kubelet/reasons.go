package kubelet

// Reasons of events, container states and Pods, as kubelets give them.
const (
	reasonPulling           = "Pulling"
	reasonPulled            = "Pulled"
	reasonCreated           = "Created"
	reasonStarted           = "Started"
	reasonKilling           = "Killing"
	reasonFailed            = "Failed"
	reasonBackOff           = "BackOff"
	reasonUnhealthy         = "Unhealthy"
	reasonFailedMount       = "FailedMount"
	reasonInspectFailed     = "InspectFailed"
	reasonFailedPreStopHook = "FailedPreStopHook"
	reasonNeverPull         = "ErrImageNeverPull"
	reasonErrImagePull      = "ErrImagePull"
	reasonImagePullBackOff  = "ImagePullBackOff"
	reasonInvalidImageName  = "InvalidImageName"
	reasonConfigError       = "CreateContainerConfigError"
	reasonCreateError       = "CreateContainerError"
	reasonRunError          = "RunContainerError"
	reasonCrashLoopBackOff  = "CrashLoopBackOff"
	reasonPodInitializing   = "PodInitializing"
	reasonCreating          = "ContainerCreating"
	reasonCompleted         = "Completed"
	reasonError             = "Error"
	reasonOOMKilled         = "OOMKilled"
	reasonStartError        = "StartError"
	reasonStatusUnknown     = "ContainerStatusUnknown"
	reasonDeadlineExceeded  = "DeadlineExceeded"
	reasonEvicted           = "Evicted"
	reasonSimulationLimit   = "SimulationLimit" // ours: no cluster ends a container for running too much
)

// Reasons of Pod conditions.
const (
	reasonNotInitialized = "ContainersNotInitialized"
	reasonNotReady       = "ContainersNotReady"
	reasonGatesNotReady  = "ReadinessGatesNotReady"
	reasonPodCompleted   = "PodCompleted"
	reasonPodFailed      = "PodFailed"
)

// Messages without a variable part.
const (
	messageDeadlineExceeded = "Pod was active on the node longer than the specified deadline"
	messageCreated          = "Container created"
	messageStarted          = "Container started"
	messageLocatedTerm      = "The container could not be located when the pod was terminated"
	messageLocatedDelete    = "The container could not be located when the pod was deleted.  The container used to be Running"
)

// Exit codes that the kubelet and the runtime make up.
const (
	exitStartError = 128 // the command could not be started
	exitUnknown    = 137 // the end of the container was not seen
)
