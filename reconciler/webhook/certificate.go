//plumbline:adapter keys are drawn from the machine's entropy
package webhook

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Keys of the Secret. Those of the certificate are Kubernetes' own.
const (
	// KeyAuthority holds the certificates that vouch for what is served: the authority's, then those of its predecessors
	// that have not expired.
	KeyAuthority        = "ca.crt"
	KeyAuthorityKey     = "ca.key"
	KeyCertificate      = corev1.TLSCertKey
	KeyCertificatesKey  = corev1.TLSPrivateKeyKey
	organization        = "plumbline"
	blockCertificate    = "CERTIFICATE"
	blockKey            = "PRIVATE KEY"
	serialBits          = 120
	clockDifference     = 5 * time.Minute
	renewalPart         = 3
	certificateLifetime = 30 * 24 * time.Hour
	authorityLifetime   = 365 * 24 * time.Hour
)

// Lifetimes of what is made. Each is renewed when a third of it is left; zero means a month and a year.
type Lifetimes struct{ Certificate, Authority time.Duration }

func (l Lifetimes) orDefaults() Lifetimes {
	if l.Certificate == 0 {
		l.Certificate = certificateLifetime
	}
	if l.Authority == 0 {
		l.Authority = authorityLifetime
	}
	return l
}

// identity is the content of the Secret, decoded.
type identity struct {
	bundle      []*x509.Certificate // the authority first
	authority   crypto.Signer
	certificate *x509.Certificate
	key         crypto.Signer
}

// renewAt is when something made has to be renewed.
func renewAt(c *x509.Certificate) time.Time {
	return c.NotAfter.Add(-c.NotAfter.Sub(c.NotBefore) / renewalPart)
}

// renewed returns an identity that is good now, and whether it is another than was given. What is stored may be empty or
// broken; trusted are certificates that have to stay in the bundle whatever is stored.
func renewed(stored map[string][]byte, trusted []*x509.Certificate, hosts []string, lives Lifetimes, now time.Time) (*identity, bool, error) {
	lives = lives.orDefaults()
	id, err := decode(stored)
	if err != nil {
		id = &identity{}
	}
	known := len(id.bundle)
	for _, c := range trusted {
		if !slices.ContainsFunc(id.bundle, c.Equal) {
			id.bundle = append(id.bundle, c)
		}
	}
	changed := len(id.bundle) != known
	if id.authority == nil || !now.Before(renewAt(id.bundle[0])) {
		if err := id.newAuthority(lives.Authority, now); err != nil {
			return nil, false, err
		}
		id.certificate, changed = nil, true
	}
	if id.certificate == nil || !now.Before(renewAt(id.certificate)) || !covers(id.certificate, hosts) {
		if err := id.newCertificate(hosts, lives.Certificate, now); err != nil {
			return nil, false, err
		}
		changed = true
	}
	id.bundle = slices.DeleteFunc(id.bundle, func(c *x509.Certificate) bool {
		gone := now.After(c.NotAfter)
		changed = changed || gone
		return gone
	})
	return id, changed, nil
}

func covers(c *x509.Certificate, hosts []string) bool {
	return !slices.ContainsFunc(hosts, func(h string) bool { return c.VerifyHostname(h) != nil })
}

func serial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
}

func (id *identity) newAuthority(life time.Duration, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	number, err := serial()
	if err != nil {
		return err
	}
	made, err := sign(&x509.Certificate{
		SerialNumber: number,
		// Of two authorities with one name a verifier might ask the wrong one alone.
		Subject:               pkix.Name{Organization: []string{organization}, CommonName: "webhook authority " + number.Text(36)},
		NotBefore:             now.Add(-clockDifference),
		NotAfter:              now.Add(life),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}, nil, key.Public(), key)
	if err != nil {
		return fmt.Errorf("making an authority: %w", err)
	}
	id.bundle, id.authority = append([]*x509.Certificate{made}, id.bundle...), key
	return nil
}

func (id *identity) newCertificate(hosts []string, life time.Duration, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	number, err := serial()
	if err != nil {
		return err
	}
	end := now.Add(life)
	if last := id.bundle[0].NotAfter; end.After(last) {
		end = last
	}
	template := &x509.Certificate{
		SerialNumber: number,
		Subject:      pkix.Name{Organization: []string{organization}, CommonName: "webhook"},
		NotBefore:    now.Add(-clockDifference),
		NotAfter:     end,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	if id.certificate, err = sign(template, id.bundle[0], key.Public(), id.authority); err != nil {
		return fmt.Errorf("making a certificate: %w", err)
	}
	id.key = key
	return nil
}

// sign makes a certificate; without a parent it signs itself.
func sign(template, parent *x509.Certificate, public crypto.PublicKey, by crypto.Signer) (*x509.Certificate, error) {
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// madeAt is when the certificate was made.
func (id *identity) madeAt() time.Time { return id.certificate.NotBefore.Add(clockDifference) }

// next is when the identity has to be looked at again.
func (id *identity) next() time.Time {
	next := renewAt(id.certificate)
	if a := renewAt(id.bundle[0]); a.Before(next) {
		next = a
	}
	return next
}

// serving is the certificate as a TLS server wants it.
func (id *identity) serving() *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{id.certificate.Raw}, PrivateKey: id.key, Leaf: id.certificate}
}

// trust is the bundle in PEM.
func (id *identity) trust() []byte {
	var out bytes.Buffer
	for _, c := range id.bundle {
		// A buffer takes everything.
		_ = pem.Encode(&out, &pem.Block{Type: blockCertificate, Bytes: c.Raw})
	}
	return out.Bytes()
}

// encode is the data of the Secret.
func (id *identity) encode() (map[string][]byte, error) {
	authority, err := x509.MarshalPKCS8PrivateKey(id.authority)
	if err != nil {
		return nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(id.key)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		KeyAuthority:       id.trust(),
		KeyAuthorityKey:    pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: authority}),
		KeyCertificate:     pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: id.certificate.Raw}),
		KeyCertificatesKey: pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: key}),
	}, nil
}

// decode reads the data of the Secret. It is an error if it does not fit together.
func decode(data map[string][]byte) (*identity, error) {
	id := &identity{}
	var err error
	if id.bundle, err = certificates(data[KeyAuthority]); err != nil {
		return nil, err
	}
	if id.authority, err = signer(data[KeyAuthorityKey]); err != nil {
		return nil, err
	}
	list, err := certificates(data[KeyCertificate])
	if err != nil {
		return nil, err
	}
	id.certificate = list[0]
	if id.key, err = signer(data[KeyCertificatesKey]); err != nil {
		return nil, err
	}
	switch {
	case !belongs(id.authority, id.bundle[0]):
		return nil, errors.New("the authority's key is not that of its certificate")
	case !belongs(id.key, id.certificate):
		return nil, errors.New("the key is not the certificate's")
	}
	if err := id.certificate.CheckSignatureFrom(id.bundle[0]); err != nil {
		return nil, fmt.Errorf("the certificate is not the authority's: %w", err)
	}
	return id, nil
}

func belongs(key crypto.Signer, to *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(to.PublicKey)
}

// certificates are at least one.
func certificates(text []byte) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, errors.New("there is no certificate")
	}
	return list, nil
}

func signer(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("there is no key")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	s, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T cannot sign", key)
	}
	return s, nil
}
