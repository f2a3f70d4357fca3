package substitution

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// visitor is shown every field in which variables are replaced.
type visitor interface {
	text(*string)
	list(*[]string)
}

// visit shows the fields of §8.4, and only those, to v.
func visit(spec *v1beta1.TaskSpec, v visitor) {
	for i := range spec.Steps {
		visitStep(&spec.Steps[i], v)
	}
	if t := spec.StepTemplate; t != nil {
		visitContainer(container{
			&t.Name, &t.Image, &t.WorkingDir, &t.ImagePullPolicy, &t.Command, &t.Args, t.Env, t.EnvFrom, t.VolumeMounts,
		}, v)
	}
	for i := range spec.Sidecars {
		visitSidecar(&spec.Sidecars[i], v)
	}
	for i := range spec.Volumes {
		visitVolume(&spec.Volumes[i], v)
	}
	for i := range spec.Workspaces {
		v.text(&spec.Workspaces[i].MountPath)
	}
}

func visitStep(s *v1beta1.Step, v visitor) {
	visitContainer(container{
		&s.Name, &s.Image, &s.WorkingDir, &s.ImagePullPolicy, &s.Command, &s.Args, s.Env, s.EnvFrom, s.VolumeMounts,
	}, v)
	v.text(&s.Script)
	visitString(&s.OnError, v)
	if s.StdoutConfig != nil {
		v.text(&s.StdoutConfig.Path)
	}
	if s.StderrConfig != nil {
		v.text(&s.StderrConfig.Path)
	}
}

func visitSidecar(s *v1beta1.Sidecar, v visitor) {
	visitContainer(container{
		&s.Name, &s.Image, &s.WorkingDir, &s.ImagePullPolicy, &s.Command, &s.Args, s.Env, s.EnvFrom, s.VolumeMounts,
	}, v)
	v.text(&s.Script)
}

// container is what Steps, their template and Sidecars have in common.
type container struct {
	name, image, workingDir *string
	pullPolicy              *corev1.PullPolicy
	command, args           *[]string
	env                     []corev1.EnvVar
	envFrom                 []corev1.EnvFromSource
	mounts                  []corev1.VolumeMount
}

func visitContainer(c container, v visitor) {
	v.text(c.name)
	v.text(c.image)
	visitString(c.pullPolicy, v)
	v.list(c.command)
	v.list(c.args)
	v.text(c.workingDir)
	for i := range c.env {
		v.text(&c.env[i].Value)
		from := c.env[i].ValueFrom
		if from == nil {
			continue
		}
		if ref := from.SecretKeyRef; ref != nil {
			v.text(&ref.Name)
			v.text(&ref.Key)
		}
		if ref := from.ConfigMapKeyRef; ref != nil {
			v.text(&ref.Name)
			v.text(&ref.Key)
		}
	}
	for i := range c.envFrom {
		v.text(&c.envFrom[i].Prefix)
		if ref := c.envFrom[i].ConfigMapRef; ref != nil {
			v.text(&ref.Name)
		}
		if ref := c.envFrom[i].SecretRef; ref != nil {
			v.text(&ref.Name)
		}
	}
	for i := range c.mounts {
		v.text(&c.mounts[i].Name)
		v.text(&c.mounts[i].MountPath)
		v.text(&c.mounts[i].SubPath)
	}
}

func visitVolume(vol *corev1.Volume, v visitor) {
	v.text(&vol.Name)
	if s := vol.ConfigMap; s != nil {
		v.text(&s.Name)
		visitItems(s.Items, v)
	}
	if s := vol.Secret; s != nil {
		v.text(&s.SecretName)
		visitItems(s.Items, v)
	}
	if s := vol.PersistentVolumeClaim; s != nil {
		v.text(&s.ClaimName)
	}
	if s := vol.Projected; s != nil {
		for i := range s.Sources {
			if c := s.Sources[i].ConfigMap; c != nil {
				v.text(&c.Name)
			}
			if c := s.Sources[i].Secret; c != nil {
				v.text(&c.Name)
			}
			if c := s.Sources[i].ServiceAccountToken; c != nil {
				v.text(&c.Audience)
			}
		}
	}
	if s := vol.CSI; s != nil {
		if s.NodePublishSecretRef != nil {
			v.text(&s.NodePublishSecretRef.Name)
		}
		for _, key := range slices.Sorted(maps.Keys(s.VolumeAttributes)) {
			value := s.VolumeAttributes[key]
			v.text(&value)
			s.VolumeAttributes[key] = value
		}
	}
}

func visitItems(items []corev1.KeyToPath, v visitor) {
	for i := range items {
		v.text(&items[i].Key)
		v.text(&items[i].Path)
	}
}

func visitString[S ~string](s *S, v visitor) {
	if *s == "" {
		return
	}
	text := string(*s)
	v.text(&text)
	*s = S(text)
}

// rewriter replaces.
type rewriter struct{ Replacements }

func (r rewriter) text(s *string)   { *s = r.Text(*s) }
func (r rewriter) list(l *[]string) { *l = r.List(*l) }

func rewrite(spec *v1beta1.TaskSpec, r Replacements) {
	if !r.empty() {
		visit(spec, rewriter{r})
	}
}

// rewriteIsolated gives containers that mount a workspace at a path of their own that path.
func rewriteIsolated(spec *v1beta1.TaskSpec) {
	for i := range spec.Steps {
		visitStep(&spec.Steps[i], rewriter{isolated(spec.Steps[i].Workspaces)})
	}
	for i := range spec.Sidecars {
		visitSidecar(&spec.Sidecars[i], rewriter{isolated(spec.Sidecars[i].Workspaces)})
	}
}
