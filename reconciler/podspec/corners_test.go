package podspec

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// A workspace that is asked for by name goes only to the Steps and Sidecars that ask for it.
func TestWorkspaceGoesOnlyToThoseThatAskForIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, steps, sidecars string
		want                    []string // the containers that mount it
	}{
		{"a step", "[{name: a, image: i, command: [c], workspaces: [{name: w}]}, {name: b, image: i, command: [c]}]", "[{name: s, image: i}]", []string{"step-a"}},
		{"a sidecar", "[{name: a, image: i, command: [c]}, {name: b, image: i, command: [c]}]", "[{name: s, image: i, workspaces: [{name: w}]}, {name: u, image: i}]", []string{"sidecar-s"}},
		{"no step or sidecar", "[{name: a, image: i, command: [c]}, {name: b, image: i, command: [c]}]", "[{name: s, image: i}]", []string{"step-a", "step-b", "sidecar-s"}},
		{"for another", "[{name: a, image: i, command: [c], workspaces: [{name: other}]}, {name: b, image: i, command: [c]}]", "[]", []string{"step-a", "step-b"}},
	} {
		in := from(t, "{workspaces: [{name: w, emptyDir: {}}, {name: other, emptyDir: {}}], taskSpec: {workspaces: [{name: w}, {name: other}], steps: "+tt.steps+", sidecars: "+tt.sidecars+"}}")
		in.Features.Alpha = true
		var got []string
		for _, c := range build(t, in).Spec.Containers {
			if mounted(c.VolumeMounts, "/workspace/w") {
				got = append(got, c.Name)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s asks (-want +got):\n%s", tt.reason, diff)
		}
	}
}

func TestEveryKindOfVolume(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, binding string }{
		{"a claim", "persistentVolumeClaim: {claimName: c}"},
		{"a directory", "emptyDir: {medium: Memory}"},
		{"a ConfigMap", "configMap: {name: c}"},
		{"a Secret", "secret: {secretName: s}"},
		{"several sources", "projected: {sources: [{secret: {name: s}}]}"},
		{"a driver", "csi: {driver: d}"},
	} {
		in := from(t, "{workspaces: [{name: w, "+tt.binding+"}], taskSpec: {workspaces: [{name: w}], steps: ["+step+"]}}")
		name := WorkspaceVolumes(in.TaskRun.UID, in.Bindings)["w"]
		volumes := build(t, in).Spec.Volumes
		i := slices.IndexFunc(volumes, func(v corev1.Volume) bool { return v.Name == name })
		if i < 0 {
			t.Errorf("%s: no volume %s", tt.reason, name)
			continue
		}
		b := in.Bindings[0]
		want := corev1.VolumeSource{PersistentVolumeClaim: b.PersistentVolumeClaim, EmptyDir: b.EmptyDir, ConfigMap: b.ConfigMap, Secret: b.Secret, Projected: b.Projected, CSI: b.CSI}
		if diff := cmp.Diff(want, volumes[i].VolumeSource); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
		}
	}
	in := from(t, "{workspaces: [{name: w}], taskSpec: {workspaces: [{name: w}], steps: ["+step+"]}}")
	if _, err := Build(in); err == nil || err.Error() != `workspace binding "w" has no volume` {
		t.Errorf("a binding to nothing: %v", err)
	}
}

// Names are cut behind the last letter or digit, whichever it is.
func TestNamesEndInLettersAndDigits(t *testing.T) {
	t.Parallel()
	for _, last := range strings.Split("azAZ09", "") {
		want := strings.Repeat("x", maxName-3) + last
		if got := restrict(want + "-.-"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestStepOverridesPortsAndMountsOfTheTemplate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, template, step string }{
		{"ports", "{ports: [{containerPort: 1, hostPort: 5, hostIP: a}]}", "{ports: [{containerPort: 1, hostPort: 6, hostIP: b}]}"},
		{"mounts", "{volumeMounts: [{mountPath: /a, name: t, mountPropagation: None, subPathExpr: t, recursiveReadOnly: Enabled}]}",
			"{volumeMounts: [{mountPath: /a, name: s, mountPropagation: Bidirectional, subPathExpr: s, recursiveReadOnly: Disabled}]}"},
		{"messages and ends", "{terminationMessagePolicy: File, lifecycle: {preStop: {sleep: {seconds: 1}}}}", "{terminationMessagePolicy: FallbackToLogsOnError, lifecycle: {preStop: {sleep: {seconds: 2}}}}"},
	} {
		step := containerOf(t, tt.step)
		got, err := mergeContainer(containerOf(t, tt.template), step)
		if diff := cmp.Diff(step, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", tt.reason, err, diff)
		}
	}
}

func TestCredentialsPath(t *testing.T) {
	t.Parallel()
	in := from(t, `{taskSpec: {steps: [{image: i, command: [c], args: ["$(credentials.path)"]}]}}`)
	if args := build(t, in).Spec.Containers[0].Args; args[len(args)-1] != "/tekton/creds" {
		t.Errorf("the step is told %q", args)
	}
}

// The Sidecar that reads results is there if there are results to read.
func TestResultsSidecar(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, results string
		fromSidecar     bool
		want            []string // containers
		option          string
		mounts          bool // the run directories, in Sidecars
	}{
		{"no results", "[]", true, []string{"step-unnamed-0", "sidecar-s"}, "", false},
		{"a result", "[{name: r}]", true, []string{"step-unnamed-0", "sidecar-s", "sidecar-tekton-log-results"}, "sidecar-logs", true},
		{"a result that goes into the message", "[{name: r}]", false, []string{"step-unnamed-0", "sidecar-s"}, "", false},
	} {
		in := from(t, "{taskSpec: {results: "+tt.results+", steps: ["+step+"], sidecars: [{name: s, image: i}]}}")
		in.Features.ResultsFromSidecar = tt.fromSidecar
		pod := build(t, in)
		var got []string
		for _, c := range pod.Spec.Containers {
			got = append(got, c.Name)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
		}
		if option := after(pod.Spec.Containers[0].Args, "-result_from"); option != tt.option {
			t.Errorf("%s: -result_from %q, want %q", tt.reason, option, tt.option)
		}
		for _, m := range pod.Spec.Containers[1].VolumeMounts {
			if strings.HasPrefix(m.MountPath, "/tekton/run/") && !m.ReadOnly {
				t.Errorf("%s: a sidecar can write %s", tt.reason, m.MountPath)
			}
		}
		if reads := mounted(pod.Spec.Containers[1].VolumeMounts, "/tekton/results"); reads != tt.mounts {
			t.Errorf("%s: a sidecar reads results: %v", tt.reason, reads)
		}
	}
}

// A claim has the name that its workspace gives it, and no other may be made up for it.
func TestGenerateNameOfClaimTemplateIsIgnored(t *testing.T) {
	t.Parallel()
	in := from(t, "{workspaces: [{name: w, volumeClaimTemplate: {metadata: {name: mine, generateName: other-}, spec: {accessModes: [ReadWriteOnce]}}}], taskSpec: {steps: ["+step+"]}}")
	_, claims := Claims(in.TaskRun, in.TaskRun.Spec.Workspaces)
	if len(claims) != 1 || claims[0].GenerateName != "" {
		t.Errorf("claims are %+v", claims)
	}
}

func TestLoginsAreInOrder(t *testing.T) {
	t.Parallel()
	secret := corev1.Secret{Type: corev1.SecretTypeSSHAuth}
	secret.Name = "s"
	secret.Annotations = map[string]string{}
	var want []string
	for _, host := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		secret.Annotations[v1beta1.AnnotationGitPrefix+host] = host + ".example.com"
		want = append(want, "-ssh-git=s="+host+".example.com")
	}
	if diff := cmp.Diff(want, credentialArgs(&secret)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The whole of what writes the scripts of a breakpoint: their ends are found, and nothing is behind them.
func TestDebugScriptsEnd(t *testing.T) {
	t.Parallel()
	in := from(t, "{debug: {breakpoint: [onFailure]}, taskSpec: {steps: ["+step+"]}}")
	in.Features.Alpha = true
	text := initContainer(build(t, in), "place-scripts").Args[1]
	for _, script := range []string{"debug-continue", "debug-fail-continue"} {
		end := script + "-end-" + suffix(in.TaskRun.UID, script)
		head := `tmpfile="/tekton/debug/scripts/` + script + "\"\ntouch ${tmpfile} && chmod +x ${tmpfile}\ncat > ${tmpfile} << '" + end + "'\n#!/bin/sh\n"
		_, rest, found := strings.Cut(text, head)
		if !found {
			t.Fatalf("%s does not begin with\n%s\nin\n%s", script, head, text)
		}
		body, _, found := strings.Cut(rest, "\n"+end+"\n")
		if !found || strings.Contains(body, end) || !strings.HasSuffix(body, `echo "Executing step $step..."`) || !strings.Contains(body, "ls /tekton/debug/info | grep") {
			t.Errorf("%s is not written to its end:\n%s", script, body)
		}
	}
}
