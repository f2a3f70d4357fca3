package podspec

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// mountDebug gives all Steps the directories of a breakpoint. Every Step sees its own index in debugInfoDir, which is how
// the scripts know whom they are for.
func (b *builder) mountDebug() {
	for i := range b.steps {
		b.steps[i].VolumeMounts = append(b.steps[i].VolumeMounts,
			corev1.VolumeMount{Name: debugScriptsVolume, MountPath: debugScriptsDir},
			corev1.VolumeMount{Name: debugInfoVolume, MountPath: fmt.Sprintf("%s/%d", debugInfoDir, i)},
		)
	}
}

// verdict is what a user says about a Step that failed.
type verdict struct {
	script, postFile, exitCode, word string
}

// writeDebug appends the shell text that writes the scripts which end a breakpoint. They post the file that the following
// Step waits for, and tell the waiting launcher its exit code (POD-18, EP-40).
func (b *builder) writeDebug(body *strings.Builder) {
	for _, v := range []verdict{
		{"debug-continue", "out", "0", "a success"},
		{"debug-fail-continue", "out.err", "1", "a failure"},
	} {
		end := v.script + "-end-" + suffix(b.in.TaskRun.UID, v.script)
		fmt.Fprintf(body, "tmpfile=\"%s/%s\"\n", debugScriptsDir, v.script)
		body.WriteString("touch ${tmpfile} && chmod +x ${tmpfile}\n")
		fmt.Fprintf(body, "cat > ${tmpfile} << '%s'\n", end)
		fmt.Fprintf(body, `#!/bin/sh
# Marks the step that waits at its breakpoint as %[1]s.
set -e
steps=%[2]d
step=$(ls %[3]s | grep '^[0-9]*$' | tail -n 1)
if [ "$step" -ge "$steps" ]; then
	echo "Last step (no. $step) has already been executed, breakpoint exiting !"
	exit 0
fi
touch %[4]s/$step/%[5]s
echo "%[6]s" > %[4]s/$step/out.breakpointexit
echo "Executing step $step..."
`, v.word, len(b.steps), debugInfoDir, v1beta1.RunDir, v.postFile, v.exitCode)
		body.WriteString(end + "\n")
	}
}
