package kubelet

import (
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// config puts together what the runtime has to know of a container. The error is
// the message of CreateContainerConfigError.
func (w *worker) config(s *slot, image Image) (ContainerConfig, error) {
	env, err := w.environment(s)
	if err != nil {
		return ContainerConfig{}, err
	}
	c := ContainerConfig{
		Actor: w.actor + "/" + s.spec.Name, ID: w.containerID(), Namespace: w.pod.Namespace, Pod: w.pod.Name, Name: s.spec.Name,
		Hostname: w.hostname, Image: s.spec.Image,
		Command: expandAll(s.spec.Command, env.get), Args: expandAll(s.spec.Args, env.get),
		Env: env.list, WorkingDir: s.spec.WorkingDir, TerminationMessagePath: s.spec.TerminationMessagePath,
	}
	if limit, ok := s.spec.Resources.Limits[corev1.ResourceMemory]; ok {
		c.MemoryLimit = limit.Value()
	}
	if err := w.identity(s, image, &c); err != nil {
		return c, err
	}
	c.Mounts = make([]Mount, 0, len(s.spec.VolumeMounts))
	for _, m := range s.spec.VolumeMounts {
		v := w.volumes[m.Name]
		if v == nil {
			return c, fmt.Errorf("cannot find volume %q to mount into container %q", m.Name, s.spec.Name)
		}
		sub := m.SubPath
		if m.SubPathExpr != "" {
			sub = expand(m.SubPathExpr, env.get)
		}
		if path.IsAbs(sub) || strings.HasPrefix(path.Clean(sub), "..") {
			return c, fmt.Errorf("subPath %q must be a relative path within the volume", sub)
		}
		c.Mounts = append(c.Mounts, Mount{Volume: v, Path: m.MountPath, SubPath: sub, ReadOnly: m.ReadOnly || w.projected(v)})
	}
	return c, nil
}

// projected reports whether the volume's content comes from the API: then it is
// read-only.
func (w *worker) projected(v Volume) bool {
	for _, p := range w.projections {
		if p.volume == v {
			return true
		}
	}
	return false
}

// unknownUser is the user of an image whose user is not known, where the Pod demands one that is not root.
const unknownUser = 65532

// identity decides on the user the container runs as.
func (w *worker) identity(s *slot, image Image, c *ContainerConfig) error {
	nonRoot := false
	if p := w.pod.Spec.SecurityContext; p != nil {
		c.RunAsUser, c.RunAsGroup = p.RunAsUser, p.RunAsGroup
		nonRoot = optional(p.RunAsNonRoot)
		c.Groups = p.SupplementalGroups
		if p.FSGroup != nil {
			c.Groups = append(slices.Clip(c.Groups), *p.FSGroup)
		}
	}
	if p := s.spec.SecurityContext; p != nil {
		if p.RunAsUser != nil {
			c.RunAsUser = p.RunAsUser
		}
		if p.RunAsGroup != nil {
			c.RunAsGroup = p.RunAsGroup
		}
		if p.RunAsNonRoot != nil {
			nonRoot = *p.RunAsNonRoot
		}
		c.ReadOnlyRoot = optional(p.ReadOnlyRootFilesystem)
	}
	who := fmt.Sprintf("(pod: %q, container: %s)", w.pod.Name+"_"+w.pod.Namespace+"("+string(w.pod.UID)+")", s.spec.Name)
	switch {
	case !nonRoot:
	case c.RunAsUser != nil && *c.RunAsUser == 0:
		return fmt.Errorf("container's runAsUser breaks non-root policy %s", who)
	case c.RunAsUser == nil && image.User != "":
		return fmt.Errorf("container has runAsNonRoot and image has non-numeric user (%s), cannot verify user is non-root %s", image.User, who)
	case c.RunAsUser == nil && image.Any:
		user := int64(unknownUser)
		c.RunAsUser = &user
	case c.RunAsUser == nil && image.Root:
		return fmt.Errorf("container has runAsNonRoot and image will run as root %s", who)
	}
	return nil
}

// containerID draws an ID as container runtimes make them.
func (w *worker) containerID() string {
	var b [32]byte
	for i := 0; i < len(b); i += 8 {
		x := w.stream.Uint64()
		for j := range 8 {
			b[i+j] = byte(x >> (8 * j))
		}
	}
	return hex.EncodeToString(b[:])
}
