// Package certificate makes certificates for servers of tests, each with an authority of its own.
package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Certificate is one, as PEM.
type Certificate struct{ Authority, Certificate, Key []byte }

const (
	// lifetime is longer than any run.
	lifetime = 7 * 24 * time.Hour
	// clockDifference is how far the clocks of two machines are apart.
	clockDifference = time.Hour
)

// Make makes one for hosts, which are names or addresses. The key of its authority is forgotten.
func Make(hosts ...string) (Certificate, error) {
	now := time.Now()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "plumbline authority"}, NotBefore: now.Add(-clockDifference), NotAfter: now.Add(lifetime),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "plumbline"}, NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			server.IPAddresses = append(server.IPAddresses, ip)
		} else {
			server.DNSNames = append(server.DNSNames, host)
		}
	}
	by, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Certificate{}, fmt.Errorf("making a key: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Certificate{}, fmt.Errorf("making a key: %w", err)
	}
	trusted, err := x509.CreateCertificate(rand.Reader, authority, authority, by.Public(), by)
	if err != nil {
		return Certificate{}, fmt.Errorf("making an authority: %w", err)
	}
	served, err := x509.CreateCertificate(rand.Reader, server, authority, key.Public(), by)
	if err != nil {
		return Certificate{}, fmt.Errorf("making a certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Certificate{}, fmt.Errorf("encoding a key: %w", err)
	}
	text := func(kind string, data []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}) }
	return Certificate{Authority: text("CERTIFICATE", trusted), Certificate: text("CERTIFICATE", served), Key: text("PRIVATE KEY", secret)}, nil
}
