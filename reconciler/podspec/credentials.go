package podspec

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// ErrKnownHosts refuses an SSH secret without known hosts, where they are required (LC-52).
var ErrKnownHosts = errors.New(`TaskRun validation failed. Git SSH Secret must have "known_hosts" included when feature flag "require-git-ssh-secret-known-hosts" is set to true`)

const knownHostsKey = "known_hosts"

// credentials is what the secrets of a service account add to the Steps: arguments of the launcher, which turns them into
// files, and the secrets as volumes for it to read.
type credentials struct {
	args    []string
	mounts  []corev1.VolumeMount
	volumes []corev1.Volume
}

func readSecrets(uid types.UID, secrets []corev1.Secret, requireKnownHosts bool) (credentials, error) {
	var all credentials
	for i := range secrets {
		secret := &secrets[i]
		if _, ok := secret.Data[knownHostsKey]; secret.Type == corev1.SecretTypeSSHAuth && requireKnownHosts && !ok {
			return credentials{}, ErrKnownHosts
		}
		args := credentialArgs(secret)
		if len(args) == 0 {
			continue
		}
		name := secretVolumeName(uid, secret.Name)
		all.args = append(all.args, args...)
		all.mounts = append(all.mounts, corev1.VolumeMount{Name: name, MountPath: secretsDir + "/" + secret.Name})
		all.volumes = append(all.volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
			Secret: &corev1.SecretVolumeSource{SecretName: secret.Name},
		}})
	}
	return all, nil
}

// credentialArgs are the arguments that a secret of that type and with those annotations is good for, docker before git
// (POD-83…85).
func credentialArgs(secret *corev1.Secret) []string {
	switch secret.Type {
	case corev1.SecretTypeBasicAuth:
		return append(urlArgs("-basic-docker=", secret, v1beta1.AnnotationDockerPrefix), urlArgs("-basic-git=", secret, v1beta1.AnnotationGitPrefix)...)
	case corev1.SecretTypeSSHAuth:
		return urlArgs("-ssh-git=", secret, v1beta1.AnnotationGitPrefix)
	case corev1.SecretTypeDockerConfigJson:
		return []string{"-docker-config=" + secret.Name}
	case corev1.SecretTypeDockercfg:
		return []string{"-docker-cfg=" + secret.Name}
	default:
		return nil
	}
}

func urlArgs(flag string, secret *corev1.Secret, prefix string) []string {
	var args []string
	for key, url := range secret.Annotations {
		if strings.HasPrefix(key, prefix) {
			args = append(args, flag+secret.Name+"="+url)
		}
	}
	slices.Sort(args) // by URL, as all else is the same
	return args
}

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9-]+`)

func secretVolumeName(uid types.UID, secret string) string {
	const maxBase = maxName - 1 - 5
	base := secretVolume + notInNames.ReplaceAllString(secret, "-")
	return base[:min(len(base), maxBase)] + "-" + suffix(uid, "secret/"+secret)
}
