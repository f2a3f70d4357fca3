package envtest

import (
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
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// kubeletClient is who the API server is to nodes. kubeadm gives it the same group.
var kubeletClient = envtest.User{Name: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}}

// identify tells an API server that is to start where its certificate for nodes is. The authority that signs it exists only
// when the server runs, and the server wants files at its start: until introduce they hold a certificate of nobody.
func (c *ControlPlane) identify(server *envtest.APIServer) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: kubeletClient.Name}, NotBefore: now, NotAfter: now.Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	c.certificate, c.key = filepath.Join(server.CertDir, "kubelet-client.crt"), filepath.Join(server.CertDir, "kubelet-client.key")
	server.Configure().Set("kubelet-client-certificate", c.certificate).Set("kubelet-client-key", c.key)
	return c.write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}))
}

// introduce gives the running API server a certificate for nodes of the authority that it trusts itself. It reads the files
// again for each connection.
func (c *ControlPlane) introduce() error {
	user, err := c.env.AddUser(kubeletClient, nil)
	if err != nil {
		return fmt.Errorf("making the API server a client of nodes: %w", err)
	}
	return c.write(user.Config().CertData, user.Config().KeyData)
}

func (c *ControlPlane) write(certificate, key []byte) error {
	if err := errors.Join(os.WriteFile(c.certificate, certificate, 0o600), os.WriteFile(c.key, key, 0o600)); err != nil {
		return fmt.Errorf("writing the API server's certificate for nodes: %w", err)
	}
	return nil
}
