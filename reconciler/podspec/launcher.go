package podspec

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/entrypoint/termination"
)

// Values of onError.
const (
	onErrorContinue    = "continue"
	onErrorStopAndFail = "stopAndFail"
)

const breakOnFailure = "onFailure"

// prepare is the init container that puts the launcher, and the links to the Steps' metadata, in place (POD-10).
func (b *builder) prepare() corev1.Container {
	command := []string{launcherInImage, "init", launcherInImage, launcher}
	for i := range b.steps {
		command = append(command, b.steps[i].ContainerName(i))
	}
	return corev1.Container{
		Name:       prepareName,
		Image:      b.in.Images.Entrypoint,
		Command:    command,
		WorkingDir: "/",
		VolumeMounts: []corev1.VolumeMount{
			{Name: binVolume, MountPath: v1beta1.BinDir},
			{Name: stepsVolume, MountPath: v1beta1.StepsDir},
		},
	}
}

// makeWorkingDirs resolves relative working directories against the workspace directory, and returns the init container
// that creates those below it; nil if there are none (POD-12).
func (b *builder) makeWorkingDirs() *corev1.Container {
	var dirs []string
	for i := range b.steps {
		s := &b.steps[i]
		if s.WorkingDir == "" {
			continue
		}
		dir := path.Clean(s.WorkingDir)
		if !path.IsAbs(dir) {
			dir = path.Join(v1beta1.WorkspaceDir, dir)
			s.WorkingDir = dir // no runtime takes a relative one
		}
		if strings.HasPrefix(dir, v1beta1.WorkspaceDir+"/") {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) == 0 {
		return nil
	}
	slices.Sort(dirs)
	return &corev1.Container{
		Name:         initWorkingDirs,
		Image:        b.in.Images.WorkingDirInit,
		Command:      []string{workingDirInitInImage},
		Args:         slices.Compact(dirs),
		WorkingDir:   v1beta1.WorkspaceDir,
		VolumeMounts: implicitMounts(),
	}
}

// addEnv adds the variables of the podTemplate, and that of hermetic execution, to all Steps (§4.15).
func (b *builder) addEnv() {
	var added []corev1.EnvVar
	if t := b.in.TaskRun.Spec.PodTemplate; t != nil {
		for _, e := range t.Env {
			if !slices.Contains(b.in.Features.ForbiddenEnv, e.Name) {
				added = append(added, *e.DeepCopy())
			}
		}
	}
	if b.in.Features.Alpha && b.in.TaskRun.Annotations[v1beta1.AnnotationExecutionMode] == v1beta1.ExecutionModeHermetic {
		added = append(added, corev1.EnvVar{Name: "TEKTON_HERMETIC", Value: "1"})
	}
	for i := range b.steps {
		b.steps[i].Env = append(b.steps[i].Env, added...)
	}
}

// stepContainer is the container of the Step at that index: the launcher, with the Step's command as its argument.
func (b *builder) stepContainer(i int) (corev1.Container, error) {
	s := &b.steps[i]
	args, err := b.launcherArgs(i)
	if err != nil {
		return corev1.Container{}, err
	}
	c := *s.ToContainer()
	c.Name = StepContainerName(s.Name, i)
	c.Command = []string{launcher}
	c.Args = args
	c.TerminationMessagePath = v1beta1.TerminationPath
	c.VolumeMounts = b.stepMounts(i)
	return c, nil
}

// launcherArgs are the arguments of the launcher of the Step at that index, in the order of §4.5.
func (b *builder) launcherArgs(i int) ([]string, error) {
	s := &b.steps[i]
	var args []string
	switch {
	case i > 0:
		args = append(args, "-wait_file", stepRunDir(i-1)+"/out")
	case b.waits:
		args = append(args, "-wait_file", v1beta1.DownwardDir+"/"+readyFile, "-wait_file_content")
	}
	args = append(args,
		"-post_file", stepRunDir(i)+"/out",
		"-termination_path", v1beta1.TerminationPath,
		"-step_metadata_dir", stepRunDir(i)+"/status",
	)
	args = append(args, b.credentials.args...)
	if b.in.Features.ResultsFromSidecar && len(b.spec.Results) > 0 {
		args = append(args, "-result_from", "sidecar-logs")
	}
	switch s.OnError {
	case "":
	case onErrorContinue, onErrorStopAndFail:
		args = append(args, "-on_error", string(s.OnError))
	default:
		return nil, fmt.Errorf("task step onError must be either %q or %q but it is set to an invalid value %q",
			onErrorContinue, onErrorStopAndFail, s.OnError)
	}
	if s.Timeout != nil {
		args = append(args, "-timeout", s.Timeout.Duration.String())
	}
	if s.StdoutConfig != nil {
		args = append(args, "-stdout_path", s.StdoutConfig.Path)
	}
	if s.StderrConfig != nil {
		args = append(args, "-stderr_path", s.StderrConfig.Path)
	}
	if len(b.spec.Results) > 0 {
		args = append(args, "-results", strings.Join(resultNames(b.spec.Results), ","))
	}
	if b.breakpoint() && slices.Contains(b.in.TaskRun.Spec.Debug.Breakpoint, breakOnFailure) {
		args = append(args, "-breakpoint_on_failure")
	}
	command := s.Command
	if len(command) > 0 {
		args = append(args, "-entrypoint", command[0])
		command = command[1:]
	}
	args = append(args, "--")
	args = append(args, command...)
	return append(args, s.Args...), nil
}

func resultNames(results []v1beta1.TaskResult) []string {
	names := make([]string, len(results))
	for i, r := range results {
		names[i] = r.Name
	}
	return names
}

// tellBudgets tells the launchers how long their termination messages may be, if that is less than they think: the kubelet
// shares what it keeps of them among all containers of the Pod, and cuts silently.
func (b *builder) tellBudgets() {
	budget := termination.Budget(len(b.init) + len(b.containers))
	if budget >= termination.MaxSize {
		return
	}
	for i := range b.steps {
		c := &b.containers[i]
		at := slices.Index(c.Args, "-step_metadata_dir")
		c.Args = slices.Insert(c.Args, at, "-termination_budget", strconv.Itoa(budget))
	}
}

// sidecarContainer is the container of the Sidecar at that index. Sidecars run without the launcher (POD-24).
func (b *builder) sidecarContainer(i int) corev1.Container {
	s := &b.spec.Sidecars[i]
	c := *s.ToContainer()
	c.Name = SidecarContainerName(s.Name)
	if b.in.Features.ResultsFromSidecar && len(b.spec.Results) > 0 {
		c.VolumeMounts = b.addImplicit(b.addRunMounts(c.VolumeMounts, -1))
	}
	return c
}

// resultsSidecar prints the results that the Steps leave, for who reads its log (SC-30).
func resultsSidecar(image string, results []v1beta1.TaskResult) v1beta1.Sidecar {
	return v1beta1.Sidecar{
		Name:  v1beta1.ReservedSidecarName,
		Image: image,
		Command: []string{
			resultsReaderInImage, "-results-dir", v1beta1.ResultsDir, "-result-names", strings.Join(resultNames(results), ","),
		},
	}
}
