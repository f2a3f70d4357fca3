package kubelet

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The modes of files in volumes of the API, unless the Pod says otherwise.
const (
	defaultMode = 0o644
	tokenMode   = 0o600
)

// projection is a volume whose content follows objects of the API.
type projection struct {
	w       *worker
	name    string
	volume  Volume
	build   func() ([]File, error)
	meta    bool // shows the Pod's own metadata
	objects []contentKey
	refresh refresh
}

// mount sets up the Pod's volumes. It reports false, with an event, when one of
// them cannot be: the others are there by then, and it is tried again.
func (w *worker) mount() bool {
	if w.volumes == nil {
		w.volumes = make(map[string]Volume, len(w.pod.Spec.Volumes))
	}
	ok := true
	for i := range w.pod.Spec.Volumes {
		v := &w.pod.Spec.Volumes[i]
		if w.volumes[v.Name] != nil {
			continue
		}
		volume, err := w.volume(v)
		if err != nil {
			w.event("", corev1.EventTypeWarning, reasonFailedMount, fmt.Sprintf("MountVolume.SetUp failed for volume %q : %s", v.Name, err))
			ok = false
			continue
		}
		w.volumes[v.Name] = volume
	}
	return ok
}

func (w *worker) volume(v *corev1.Volume) (Volume, error) {
	var group *int64
	if w.pod.Spec.SecurityContext != nil {
		group = w.pod.Spec.SecurityContext.FSGroup
	}
	runtime := w.k.o.Runtime
	switch {
	case v.EmptyDir != nil:
		o := VolumeOptions{Memory: v.EmptyDir.Medium == corev1.StorageMediumMemory, Group: group}
		if v.EmptyDir.SizeLimit != nil {
			o.SizeLimit = v.EmptyDir.SizeLimit.Value()
		}
		return runtime.NewVolume(o), nil
	case v.HostPath != nil:
		return w.k.stored(v.HostPath.Path), nil
	case v.PersistentVolumeClaim != nil:
		return w.claim(v.PersistentVolumeClaim.ClaimName, group)
	}
	p := &projection{w: w, name: v.Name}
	switch {
	case v.ConfigMap != nil:
		p.objects = []contentKey{{"ConfigMap", w.pod.Namespace, v.ConfigMap.Name}}
		p.build = func() ([]File, error) {
			return w.configMapFiles(v.ConfigMap.Name, v.ConfigMap.Items, optional(v.ConfigMap.Optional), mode(v.ConfigMap.DefaultMode))
		}
	case v.Secret != nil:
		p.objects = []contentKey{{"Secret", w.pod.Namespace, v.Secret.SecretName}}
		p.build = func() ([]File, error) {
			return w.secretFiles(v.Secret.SecretName, v.Secret.Items, optional(v.Secret.Optional), mode(v.Secret.DefaultMode))
		}
	case v.DownwardAPI != nil:
		p.meta = true
		p.build = func() ([]File, error) { return w.downwardFiles(v.DownwardAPI.Items, mode(v.DownwardAPI.DefaultMode)) }
	case v.Projected != nil:
		for _, s := range v.Projected.Sources {
			p.meta = p.meta || s.DownwardAPI != nil
			if s.ConfigMap != nil {
				p.objects = append(p.objects, contentKey{"ConfigMap", w.pod.Namespace, s.ConfigMap.Name})
			}
			if s.Secret != nil {
				p.objects = append(p.objects, contentKey{"Secret", w.pod.Namespace, s.Secret.Name})
			}
		}
		p.build = func() ([]File, error) { return w.projectedFiles(v.Projected) }
	default:
		return nil, errors.New("this node has no driver for its kind of volume")
	}
	files, err := p.build()
	if err != nil {
		return nil, err
	}
	p.volume = runtime.NewVolume(VolumeOptions{Content: true, Group: group})
	if err := p.volume.Replace(files); err != nil {
		return nil, err
	}
	w.projections = append(w.projections, p)
	w.k.follow(p)
	return p.volume, nil
}

// stored returns a volume that the node keeps when Pods go.
func (k *Kubelet) stored(path string) Volume { return keep(k, k.storage, path, nil) }

// keep finds a volume that outlives Pods, or makes it.
func keep[K comparable](k *Kubelet, kept map[K]Volume, key K, group *int64) Volume {
	v := kept[key]
	if v == nil {
		v = k.o.Runtime.NewVolume(VolumeOptions{Group: group})
		kept[key] = v
	}
	return v
}

// claim finds the volume of a PersistentVolumeClaim.
func (w *worker) claim(name string, group *int64) (Volume, error) {
	c := &corev1.PersistentVolumeClaim{}
	key := types.NamespacedName{Namespace: w.pod.Namespace, Name: name}
	if err := w.k.o.Client.Get(context.Background(), key, c); err != nil {
		return nil, fmt.Errorf("error processing PVC %s: %w", key, err)
	}
	if c.Status.Phase != corev1.ClaimBound {
		return nil, fmt.Errorf("PVC %s is not bound", key)
	}
	return keep(w.k, w.k.o.Claims, c.UID, group), nil
}

func mode(m *int32) uint32 {
	if m == nil {
		return defaultMode
	}
	return uint32(*m)
}

// pick chooses the keys of a configMap or secret that become files. kind is how
// a missing key is called.
func pick(data map[string][]byte, items []corev1.KeyToPath, optional bool, mode uint32, kind string) ([]File, error) {
	var out []File
	if len(items) == 0 {
		for _, key := range slices.Sorted(maps.Keys(data)) {
			out = append(out, File{Path: key, Data: data[key], Mode: mode})
		}
		return out, nil
	}
	for _, item := range items {
		content, ok := data[item.Key]
		if !ok {
			if optional {
				continue
			}
			return nil, fmt.Errorf("references non-existent %s key: %s", kind, item.Key)
		}
		f := File{Path: item.Path, Data: content, Mode: mode}
		if item.Mode != nil {
			f.Mode = uint32(*item.Mode)
		}
		out = append(out, f)
	}
	return out, nil
}

func (w *worker) configMapFiles(name string, items []corev1.KeyToPath, optional bool, mode uint32) ([]File, error) {
	m, err := w.configMap(name, optional)
	if m == nil {
		return nil, err
	}
	data := make(map[string][]byte, len(m.Data)+len(m.BinaryData))
	for k, v := range m.Data {
		data[k] = []byte(v)
	}
	maps.Copy(data, m.BinaryData)
	return pick(data, items, optional, mode, "config")
}

func (w *worker) secretFiles(name string, items []corev1.KeyToPath, optional bool, mode uint32) ([]File, error) {
	m, err := w.secret(name, optional)
	if m == nil {
		return nil, err
	}
	return pick(m.Data, items, optional, mode, "secret")
}

func (w *worker) downwardFiles(items []corev1.DownwardAPIVolumeFile, mode uint32) ([]File, error) {
	out := make([]File, 0, len(items))
	for _, item := range items {
		f := File{Path: item.Path, Mode: mode}
		if item.Mode != nil {
			f.Mode = uint32(*item.Mode)
		}
		var text string
		var err error
		switch {
		case item.FieldRef != nil:
			text, err = w.field(item.FieldRef.FieldPath)
		case item.ResourceFieldRef != nil:
			text, err = w.resourceField(w.apps[0], item.ResourceFieldRef)
		}
		if err != nil {
			return nil, err
		}
		f.Data = []byte(text)
		out = append(out, f)
	}
	return out, nil
}

func (w *worker) projectedFiles(p *corev1.ProjectedVolumeSource) ([]File, error) {
	var out []File
	m := mode(p.DefaultMode)
	for _, s := range p.Sources {
		var files []File
		var err error
		switch {
		case s.ServiceAccountToken != nil:
			files = []File{{Path: s.ServiceAccountToken.Path, Data: w.token(s.ServiceAccountToken), Mode: tokenMode}}
			if sc := w.pod.Spec.SecurityContext; sc != nil && (sc.FSGroup != nil || sc.RunAsUser != nil) || m != defaultMode {
				files[0].Mode = m
			}
		case s.ConfigMap != nil:
			files, err = w.configMapFiles(s.ConfigMap.Name, s.ConfigMap.Items, optional(s.ConfigMap.Optional), m)
		case s.Secret != nil:
			files, err = w.secretFiles(s.Secret.Name, s.Secret.Items, optional(s.Secret.Optional), m)
		case s.DownwardAPI != nil:
			files, err = w.downwardFiles(s.DownwardAPI.Items, m)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, files...)
	}
	return out, nil
}

// token makes a service account token: its claims are true, its signature is
// not one.
func (w *worker) token(t *corev1.ServiceAccountTokenProjection) []byte {
	life := int64(3600)
	if t.ExpirationSeconds != nil {
		life = *t.ExpirationSeconds
	}
	audience := t.Audience
	if audience == "" {
		audience = issuer
	}
	now := w.now().Truncate(time.Second).Unix()
	claims, _ := json.Marshal(tokenClaims{ // strings and numbers only: it cannot fail
		Audience: []string{audience}, Issuer: issuer, Issued: now, Expires: now + life,
		Subject: "system:serviceaccount:" + w.pod.Namespace + ":" + w.pod.Spec.ServiceAccountName,
		Kubernetes: tokenBinding{
			Namespace: w.pod.Namespace, Pod: named{w.pod.Name, string(w.pod.UID)}, ServiceAccount: named{Name: w.pod.Spec.ServiceAccountName},
		},
	})
	signature, _ := hex.DecodeString(w.containerID())
	const header = `{"alg":"RS256","kid":"simulated"}`
	e := base64.RawURLEncoding
	return []byte(e.EncodeToString([]byte(header)) + "." + e.EncodeToString(claims) + "." + e.EncodeToString(signature))
}

// issuer is the issuer of the tokens of a cluster, and their audience.
const issuer = "https://kubernetes.default.svc.cluster.local"

type tokenClaims struct {
	Audience   []string     `json:"aud"`
	Expires    int64        `json:"exp"`
	Issued     int64        `json:"iat"`
	Issuer     string       `json:"iss"`
	Kubernetes tokenBinding `json:"kubernetes.io"`
	Subject    string       `json:"sub"`
}

type tokenBinding struct {
	Namespace      string `json:"namespace"`
	Pod            named  `json:"pod"`
	ServiceAccount named  `json:"serviceaccount"`
}

type named struct {
	Name string `json:"name"`
	UID  string `json:"uid,omitempty"`
}
