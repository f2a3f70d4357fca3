package envtest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// flagClientCA names the authority of the clients that the API server trusts.
const flagClientCA = "client-ca-file"

// identify makes a certificate by which nodes know the API server, as kubeadm does, and tells the server where it is. The
// server wants it at its start, when the authority of its other clients is not there yet, so it has one of its own.
func (c *ControlPlane) identify(server *envtest.APIServer) error {
	now := time.Now()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kubelet-client-ca"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	client := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "kube-apiserver-kubelet-client", Organization: []string{"system:masters"}},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	own, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
	if err != nil {
		return err
	}
	signed, err := x509.CreateCertificate(rand.Reader, client, authority, &key.PublicKey, authorityKey)
	if err != nil {
		return err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	const certificate = "CERTIFICATE"
	c.kubeletClientCA = pem.EncodeToMemory(&pem.Block{Type: certificate, Bytes: own})
	certificateFile, keyFile := filepath.Join(server.CertDir, "kubelet-client.crt"), filepath.Join(server.CertDir, "kubelet-client.key")
	server.Configure().Set("kubelet-client-certificate", certificateFile).Set("kubelet-client-key", keyFile)
	return errors.Join(
		os.WriteFile(certificateFile, pem.EncodeToMemory(&pem.Block{Type: certificate, Bytes: signed}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600),
	)
}

// introduce has the running API server trust that authority, too, and waits until it says so where nodes look.
func (c *ControlPlane) introduce(config *rest.Config) error {
	files := c.env.ControlPlane.GetAPIServer().Configure().Get(flagClientCA).Get(nil)
	if len(files) != 1 {
		return fmt.Errorf("the API server has %d files of authorities of clients", len(files))
	}
	known, err := os.ReadFile(files[0])
	if err == nil {
		err = os.WriteFile(files[0], append(append(bytes.TrimRight(known, "\n"), '\n'), c.kubeletClientCA...), 0o600)
	}
	if err != nil {
		return fmt.Errorf("adding an authority of clients: %w", err)
	}
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	err = wait.PollUntilContextTimeout(context.Background(), pollInterval, startTimeout, true, func(ctx context.Context) (bool, error) {
		m, err := api.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, "extension-apiserver-authentication", metav1.GetOptions{})
		return err == nil && strings.Contains(m.Data[flagClientCA], strings.TrimSpace(string(c.kubeletClientCA))), nil
	})
	if err != nil {
		return fmt.Errorf("waiting until the API server trusts its own certificate for nodes: %w", err)
	}
	return nil
}
