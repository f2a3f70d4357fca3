package pods

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// downwardFieldPaths are the fields of its Pod that a file can be made of.
var downwardFieldPaths = []string{"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"}

// countSources returns how many kinds of source a volume names.
func countSources(s *corev1.VolumeSource) int {
	n := 0
	for _, set := range [...]bool{
		s.HostPath != nil, s.EmptyDir != nil, s.GCEPersistentDisk != nil, s.AWSElasticBlockStore != nil, s.GitRepo != nil, s.Secret != nil,
		s.NFS != nil, s.ISCSI != nil, s.Glusterfs != nil, s.PersistentVolumeClaim != nil, s.RBD != nil, s.FlexVolume != nil, s.Cinder != nil,
		s.CephFS != nil, s.Flocker != nil, s.DownwardAPI != nil, s.FC != nil, s.AzureFile != nil, s.ConfigMap != nil, s.VsphereVolume != nil,
		s.Quobyte != nil, s.AzureDisk != nil, s.PhotonPersistentDisk != nil, s.Projected != nil, s.PortworxVolume != nil, s.ScaleIO != nil,
		s.StorageOS != nil, s.CSI != nil, s.Ephemeral != nil, s.Image != nil,
	} {
		if set {
			n++
		}
	}
	return n
}

func (v *validator) volumeList(list []corev1.Volume, p *path) {
	v.volumes = make(map[string]*corev1.VolumeSource, len(list))
	for i := range list {
		vol, at := &list[i], p.at(i)
		if vol.Name == "" {
			v.required(at.child("name"), "")
		} else {
			v.label(at.child("name"), vol.Name)
			if _, twice := v.volumes[vol.Name]; twice {
				v.duplicate(at.child("name"), vol.Name)
				continue
			}
			v.volumes[vol.Name] = &vol.VolumeSource
		}
		v.volume(&vol.VolumeSource, &at)
	}
}

func (v *validator) volume(s *corev1.VolumeSource, p *path) {
	switch n := countSources(s); {
	case n == 0:
		v.required(*p, "must specify a volume type")
	case n > 1:
		v.forbidden(*p, "may not specify more than 1 volume type")
	}
	switch {
	case s.EmptyDir != nil:
		if l := s.EmptyDir.SizeLimit; l != nil && l.Sign() < 0 {
			at := p.child("emptyDir")
			v.forbidden(at.child("sizeLimit"), "SizeLimit field must be a valid resource quantity")
		}
	case s.Secret != nil:
		at := p.child("secret")
		if s.Secret.SecretName == "" {
			v.required(at.child("secretName"), "")
		}
		v.mode(s.Secret.DefaultMode, at.child("defaultMode"))
		v.items(s.Secret.Items, at.child("items"))
	case s.ConfigMap != nil:
		at := p.child("configMap")
		if s.ConfigMap.Name == "" {
			v.required(at.child("name"), "")
		}
		v.mode(s.ConfigMap.DefaultMode, at.child("defaultMode"))
		v.items(s.ConfigMap.Items, at.child("items"))
	case s.DownwardAPI != nil:
		at := p.child("downwardAPI")
		v.mode(s.DownwardAPI.DefaultMode, at.child("defaultMode"))
		for i := range s.DownwardAPI.Items {
			v.downwardFile(&s.DownwardAPI.Items[i], at)
		}
	case s.PersistentVolumeClaim != nil:
		if s.PersistentVolumeClaim.ClaimName == "" {
			at := p.child("persistentVolumeClaim")
			v.required(at.child("claimName"), "")
		}
	case s.HostPath != nil:
		at := p.child("hostPath")
		if s.HostPath.Path == "" {
			v.required(at.child("path"), "")
		} else {
			v.backsteps(s.HostPath.Path, at.child("path"))
		}
	case s.CSI != nil:
		if s.CSI.Driver == "" {
			at := p.child("csi")
			v.required(at.child("driver"), "")
		}
	case s.Projected != nil:
		v.projected(s.Projected, p.child("projected"))
	}
}

func (v *validator) projected(s *corev1.ProjectedVolumeSource, p path) {
	v.mode(s.DefaultMode, p.child("defaultMode"))
	sources := p.child("sources")
	for i := range s.Sources {
		src, at := &s.Sources[i], sources.at(i)
		n := 0
		if src.Secret != nil {
			n++
			sp := at.child("secret")
			if src.Secret.Name == "" {
				v.required(sp.child("name"), "")
			}
			v.items(src.Secret.Items, sp.child("items"))
		}
		if src.ConfigMap != nil {
			n++
			sp := at.child("configMap")
			if src.ConfigMap.Name == "" {
				v.required(sp.child("name"), "")
			}
			v.items(src.ConfigMap.Items, sp.child("items"))
		}
		if src.DownwardAPI != nil {
			n++
			sp := at.child("downwardAPI")
			for j := range src.DownwardAPI.Items {
				v.downwardFile(&src.DownwardAPI.Items[j], sp)
			}
		}
		if t := src.ServiceAccountToken; t != nil {
			n++
			sp := at.child("serviceAccountToken")
			switch {
			case t.ExpirationSeconds == nil:
				v.required(sp.child("expirationSeconds"), "")
			case *t.ExpirationSeconds < 10*60:
				v.invalid(sp.child("expirationSeconds"), *t.ExpirationSeconds, "may not specify a duration less than 10 minutes")
			}
			if t.Path == "" {
				v.required(sp.child("path"), "")
			}
		}
		if src.ClusterTrustBundle != nil || src.PodCertificate != nil {
			n++
		}
		switch {
		case n == 0:
			v.required(at, "must specify at least one source type")
		case n > 1:
			v.forbidden(at, "may not specify more than 1 volume type per source")
		}
	}
}

func (v *validator) mode(m *int32, p path) {
	if m != nil && (*m < 0 || *m > 0o777) {
		v.invalid(p, *m, "must be a number between 0 and 0777 (octal), both inclusive")
	}
}

func (v *validator) items(list []corev1.KeyToPath, p path) {
	for i := range list {
		at := p.at(i)
		if list[i].Key == "" {
			v.required(at.child("key"), "")
		}
		if list[i].Path == "" {
			v.required(at.child("path"), "")
		} else {
			v.localPath(list[i].Path, at.child("path"))
		}
		v.mode(list[i].Mode, at.child("mode"))
	}
}

func (v *validator) downwardFile(f *corev1.DownwardAPIVolumeFile, p path) {
	if f.Path == "" {
		v.required(p.child("path"), "")
	} else {
		v.localPath(f.Path, p.child("path"))
	}
	v.mode(f.Mode, p.child("mode"))
	switch {
	case f.FieldRef != nil && f.ResourceFieldRef != nil:
		v.invalid(p, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
	case f.FieldRef != nil:
		v.fieldRef(f.FieldRef, p.child("fieldRef"), downwardFieldPaths)
	case f.ResourceFieldRef != nil:
		at := p.child("resourceFieldRef")
		if f.ResourceFieldRef.ContainerName == "" {
			v.required(at.child("containerName"), "")
		}
	default:
		v.required(p, "one of fieldRef and resourceFieldRef is required")
	}
}

// localPath refuses paths that leave the volume or meet the names that a kubelet
// uses in it.
func (v *validator) localPath(s string, p path) {
	v.descending(s, p)
	if strings.HasPrefix(s, "..") && !strings.HasPrefix(s, "../") && s != ".." {
		v.invalid(p, s, "must not start with '..'")
	}
}
