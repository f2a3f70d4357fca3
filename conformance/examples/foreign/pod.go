package foreign

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// resultPath is where a step writes the result: what Kubernetes keeps of a container that has ended.
const resultPath = "/dev/termination-log"

// spec is what of a TaskRun's spec is known.
type spec struct {
	TaskSpec struct {
		Results []struct {
			Name string `json:"name"`
		} `json:"results"`
		Steps []step `json:"steps"`
	} `json:"taskSpec"`
	PodTemplate struct {
		NodeSelector map[string]string `json:"nodeSelector"`
	} `json:"podTemplate"`
}

type step struct {
	Name    string   `json:"name"`
	Image   string   `json:"image"`
	Command []string `json:"command"`
	Args    []string `json:"args"`
	Script  string   `json:"script"`
}

// podName names the Pod of a run.
func podName(run *unstructured.Unstructured) string { return run.GetName() + "-pod" }

// podFor builds the Pod of a run, or none if it has no steps.
func podFor(run *unstructured.Unstructured) (*corev1.Pod, error) {
	var s spec
	known, _, _ := unstructured.NestedMap(run.Object, "spec")
	for field := range known {
		if field != "taskSpec" && field != "podTemplate" {
			delete(known, field)
		}
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(known, &s); err != nil {
		return nil, fmt.Errorf("reading the spec: %w", err)
	}
	if len(s.TaskSpec.Steps) == 0 {
		return nil, nil
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: podName(run), Namespace: run.GetNamespace(), Labels: map[string]string{"tekton.dev/taskRun": run.GetName()},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(run, run.GroupVersionKind())},
		},
		Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, NodeSelector: s.PodTemplate.NodeSelector},
	}
	if limit, limited := timeout(run); limited { // the controller is to be earlier
		seconds := max(1, int64(limit.Seconds())*3/2)
		pod.Spec.ActiveDeadlineSeconds = &seconds
	}
	var paths []string
	for _, r := range s.TaskSpec.Results {
		paths = append(paths, "$(results."+r.Name+".path)", resultPath)
	}
	written := strings.NewReplacer(paths...)
	for i, step := range s.TaskSpec.Steps {
		c := corev1.Container{Name: "step-" + step.Name, Image: step.Image, Command: step.Command, Args: step.Args}
		if step.Name == "" {
			c.Name = fmt.Sprintf("step-unnamed-%d", i)
		}
		if step.Script != "" {
			// Kubernetes reads $(NAME) and $$ in arguments, which a script has for the shell.
			c.Command = append([]string{"sh", "-c", strings.ReplaceAll(written.Replace(step.Script), "$", "$$")}, step.Args...)
			c.Args = nil
		}
		if i < len(s.TaskSpec.Steps)-1 {
			pod.Spec.InitContainers = append(pod.Spec.InitContainers, c)
		} else {
			pod.Spec.Containers = append(pod.Spec.Containers, c)
		}
	}
	return pod, nil
}
