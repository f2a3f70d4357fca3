package podspec

import (
	"encoding/base64"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

const (
	shebang        = "#!"
	windowsShebang = "#!win"
	// defaultHeader is what a script without a shebang begins with.
	defaultHeader = "#!/bin/sh\nset -e\n"
)

// placeScripts replaces the scripts of Steps and Sidecars by commands, and returns the init container that writes them to
// files; nil if there is nothing to write (POD-11).
//
// Scripts travel in base64, because Kubernetes would expand $(VAR) and $$ in the arguments of a container.
func (b *builder) placeScripts() *corev1.Container {
	var body strings.Builder
	windows := b.in.Features.Alpha && hasWindowsScript(b.spec, b.steps)
	if b.breakpoint() {
		b.mountDebug()
	}
	for i := range b.steps {
		s := &b.steps[i]
		if s.Script == "" {
			continue
		}
		file := b.scriptFile("script", i)
		s.Command, s.Args = b.write(&body, file, s.Script, s.Args)
		s.VolumeMounts = append(s.VolumeMounts, scriptsMount(true))
	}
	for i := range b.spec.Sidecars {
		s := &b.spec.Sidecars[i]
		if s.Script == "" {
			continue
		}
		file := b.scriptFile("sidecar-script", i)
		s.Command, s.Args = b.write(&body, file, s.Script, s.Args)
		s.VolumeMounts = append(s.VolumeMounts, scriptsMount(true))
	}
	if b.breakpoint() {
		b.writeDebug(&body)
	}
	if body.Len() == 0 {
		return nil
	}
	c := &corev1.Container{
		Name:         placeScripts,
		Image:        b.in.Images.Shell,
		Command:      []string{"sh"},
		Args:         inArguments(body.String()),
		VolumeMounts: []corev1.VolumeMount{scriptsMount(false), {Name: binVolume, MountPath: v1beta1.BinDir}},
	}
	if windows {
		c.Image = b.in.Images.ShellWindows
		c.Command = []string{"pwsh"}
		c.Args = []string{"-Command", body.String()}
	}
	if b.breakpoint() {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: debugScriptsVolume, MountPath: debugScriptsDir})
	}
	b.hasScripts = true
	return c
}

// Linux takes arguments of less than maxArgument bytes. A longer program comes in pieces of pieceSize.
const (
	maxArgument = 131072
	pieceSize   = 100_000
	// joinPieces puts the pieces together again: without IFS nothing comes between them.
	joinPieces = `IFS=; eval "$*"`
)

// inArguments returns the arguments that make a shell run a program. A program that is too long for one argument, which the
// reference implementation cannot run at all, is cut in pieces. No piece ends with a dollar sign, so that what Kubernetes
// would expand in the whole it finds in the pieces, too, and nothing else.
func inArguments(program string) []string {
	if len(program) < maxArgument {
		return []string{"-c", program}
	}
	args := []string{"-c", joinPieces, placeScripts}
	for len(program) > pieceSize {
		end := pieceSize
		for end > 1 && program[end-1] == '$' {
			end--
		}
		args = append(args, program[:end])
		program = program[end:]
	}
	return append(args, program)
}

func (b *builder) scriptFile(prefix string, index int) string {
	name := fmt.Sprintf("%s-%d", prefix, index)
	return v1beta1.ScriptsDir + "/" + name + "-" + suffix(b.in.TaskRun.UID, name)
}

func scriptsMount(readOnly bool) corev1.VolumeMount {
	return corev1.VolumeMount{Name: scriptsVolume, MountPath: v1beta1.ScriptsDir, ReadOnly: readOnly}
}

// write appends the shell text that writes one script, and returns the command and arguments that run it.
func (b *builder) write(body *strings.Builder, file, script string, args []string) (command, commandArgs []string) {
	if b.in.Features.Alpha && isWindows(script) {
		return writeWindows(body, file, script, args)
	}
	fmt.Fprintf(body, "scriptfile=\"%s\"\n", file)
	body.WriteString("touch ${scriptfile} && chmod +x ${scriptfile}\n")
	body.WriteString("cat > ${scriptfile} << '_EOF_'\n")
	body.WriteString(base64.StdEncoding.EncodeToString([]byte(withHeader(script))))
	fmt.Fprintf(body, "\n_EOF_\n%s decode-script \"${scriptfile}\"\n", launcher)
	return []string{file}, args
}

// withHeader makes the text one that a kernel can execute: a shebang counts wherever the text begins (POD-13), but works
// only at the very start.
func withHeader(script string) string {
	if trimmed := strings.TrimSpace(script); strings.HasPrefix(trimmed, shebang) {
		return strings.TrimLeft(script, " \t\r\n\v\f")
	}
	return defaultHeader + script
}

func isWindows(script string) bool {
	return strings.HasPrefix(strings.TrimSpace(script), windowsShebang)
}

func hasWindowsScript(spec *v1beta1.TaskSpec, steps []v1beta1.Step) bool {
	for i := range steps {
		if isWindows(steps[i].Script) {
			return true
		}
	}
	for i := range spec.Sidecars {
		if isWindows(spec.Sidecars[i].Script) {
			return true
		}
	}
	return false
}

// writeWindows is write for a script of Windows: its first line says what runs it, and whether that needs the file to have
// a certain ending (POD-17).
func writeWindows(body *strings.Builder, file, script string, args []string) (command, commandArgs []string) {
	script = strings.TrimSpace(script)
	first, rest, _ := strings.Cut(script, "\n")
	interpreter := strings.Fields(strings.TrimPrefix(first, windowsShebang))
	if len(interpreter) == 0 {
		file += ".cmd"
		command, commandArgs = []string{file}, args
	} else {
		if strings.HasPrefix(interpreter[0], "powershell") {
			file += ".ps1"
		}
		command = interpreter[:1]
		commandArgs = append(append(append(commandArgs, interpreter[1:]...), file), args...)
	}
	fmt.Fprintf(body, "@\"\n%s\n\"@ | Out-File -FilePath %s\n", rest, file)
	return command, commandArgs
}
