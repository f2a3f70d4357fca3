package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const day = 24 * time.Hour

var (
	secretKey = client.ObjectKey{Namespace: "system", Name: "certs"}
	hosts     = []string{"webhook.system.svc", "127.0.0.1"}
)

// cluster is an API server in which the webhooks are installed.
func cluster(t *testing.T, funcs interceptor.Funcs) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	objects := []client.Object{
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: secretKey.Namespace, Name: secretKey.Name}},
		// A definition of one version is not converted.
		&apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: Converted()[0]}},
	}
	for _, name := range Converted()[1:] {
		objects = append(objects, &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Conversion: &apiextensionsv1.CustomResourceConversion{Strategy: apiextensionsv1.WebhookConverter, Webhook: &apiextensionsv1.WebhookConversion{ClientConfig: &apiextensionsv1.WebhookClientConfig{}}},
		}})
	}
	for _, name := range Mutating() {
		objects = append(objects, &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: name}, Webhooks: []admissionregistrationv1.MutatingWebhook{{Name: "a"}, {Name: "b"}}})
	}
	for _, name := range Validating()[1:] { // the other one is not installed
		objects = append(objects, &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: name}, Webhooks: []admissionregistrationv1.ValidatingWebhook{{Name: "a"}}})
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithInterceptorFuncs(funcs).Build()
}

// bundles are the authorities that the API server trusts in each webhook.
func bundles(t *testing.T, c client.Client) [][]byte {
	t.Helper()
	var out [][]byte
	get := func(name string, o client.Object) {
		if err := c.Get(t.Context(), client.ObjectKey{Name: name}, o); err != nil {
			t.Fatal(err)
		}
	}
	var m admissionregistrationv1.MutatingWebhookConfiguration
	get(Mutating()[0], &m)
	for i := range m.Webhooks {
		out = append(out, m.Webhooks[i].ClientConfig.CABundle)
	}
	var v admissionregistrationv1.ValidatingWebhookConfiguration
	get(Validating()[1], &v)
	out = append(out, v.Webhooks[0].ClientConfig.CABundle)
	var d apiextensionsv1.CustomResourceDefinition
	get(Converted()[1], &d)
	return append(out, d.Spec.Conversion.Webhook.ClientConfig.CABundle)
}

// replica is a Rotator with a clock that the test moves.
type replica struct {
	*Rotator
	*testing.T
	clock time.Time
}

func newReplica(t *testing.T, c client.Client, clock time.Time) *replica {
	r := &replica{T: t, clock: clock}
	r.Rotator = &Rotator{Client: c, Secret: secretKey, Hosts: hosts, Now: func() time.Time { return r.clock }}
	return r
}

// look reconciles once and returns what is served then.
func (r *replica) look() *x509.Certificate {
	r.Helper()
	if _, err := r.Reconcile(r.Context(), reconcile.Request{NamespacedName: secretKey}); err != nil {
		r.Fatal(err)
	}
	c, err := r.GetCertificate(nil)
	if err != nil {
		r.Fatal(err)
	}
	return c.Leaf
}

// trusts fails unless all webhooks' certificates are trusted, and returns how many authorities are.
func trusts(t *testing.T, c client.Client, served *x509.Certificate, now time.Time) int {
	t.Helper()
	n := 0
	for i, bundle := range bundles(t, c) {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(bundle) {
			t.Fatalf("webhook %d trusts no authority: %q", i, bundle)
		}
		for _, h := range hosts {
			if _, err := served.Verify(x509.VerifyOptions{Roots: pool, DNSName: h, CurrentTime: now}); err != nil {
				t.Errorf("webhook %d: %v", i, err)
			}
		}
		n = bytes.Count(bundle, []byte("BEGIN CERTIFICATE"))
	}
	return n
}

func TestReplicasShareOneCertificateAndTheAPIServerTrustsIt(t *testing.T) {
	t.Parallel()
	c := cluster(t, interceptor.Funcs{})
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	one := newReplica(t, c, start)
	if err := one.Ready(nil); err == nil {
		t.Error("it is ready before there is a certificate")
	}
	first := one.look()
	if n := trusts(t, c, first, start); n != 1 {
		t.Errorf("%d authorities are trusted", n)
	}
	if err := one.Ready(nil); err != nil {
		t.Error(err)
	}
	two := newReplica(t, c, start.Add(time.Minute))
	if got := two.look(); !got.Equal(first) {
		t.Error("a second replica made a certificate of its own")
	}

	// The trust is taken away.
	var v admissionregistrationv1.ValidatingWebhookConfiguration
	if err := c.Get(t.Context(), client.ObjectKey{Name: Validating()[1]}, &v); err != nil {
		t.Fatal(err)
	}
	v.Webhooks[0].ClientConfig.CABundle = []byte("nonsense")
	if err := c.Update(t.Context(), &v); err != nil {
		t.Fatal(err)
	}
	two.look()
	trusts(t, c, first, start)
}

func TestCertificatesAreRenewedBeforeTheyExpire(t *testing.T) {
	t.Parallel()
	c := cluster(t, interceptor.Funcs{})
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	one, two := newReplica(t, c, start), newReplica(t, c, start)
	first := one.look()
	two.look()

	one.clock = start.Add(19 * day)
	if !one.look().Equal(first) {
		t.Error("a certificate with more than a third of its life left was replaced")
	}
	one.clock = start.Add(21 * day)
	if !one.look().Equal(first) {
		t.Error("a new certificate was served before API servers can know of it")
	}
	two.clock = one.clock.Add(time.Second)
	if !two.look().Equal(first) {
		t.Error("the other replica served it too early")
	}
	one.clock = one.clock.Add(heardAfter)
	second := one.look()
	if second.Equal(first) {
		t.Fatal("the new certificate is not served")
	}
	two.clock = one.clock.Add(time.Second)
	if !two.look().Equal(second) {
		t.Error("the other replica serves another one")
	}
	if n := trusts(t, c, second, one.clock); n != 1 {
		t.Errorf("a new certificate needs no new authority, there are %d", n)
	}

	// Then the authority: the old one is trusted until it expires.
	one.clock = start.Add(243 * day)
	last := one.look()
	one.clock = start.Add(244 * day)
	if !one.look().Equal(last) {
		t.Error("a certificate of the new authority was served too early")
	}
	if n := trusts(t, c, last, one.clock); n != 2 {
		t.Errorf("%d authorities are trusted, want the new and the old one", n)
	}
	one.clock = one.clock.Add(heardAfter)
	third := one.look()
	if third.Equal(last) || third.Issuer.CommonName == last.Issuer.CommonName {
		t.Error("the authority was not replaced")
	}
	if n := trusts(t, c, third, one.clock); n != 2 {
		t.Errorf("%d authorities are trusted, want the new and the old one", n)
	}
	two.clock = one.clock.Add(time.Second)
	if got := two.look(); !got.Equal(third) {
		t.Error("the other replica did not follow")
	}
	one.clock = start.Add(366 * day)
	one.look()
	one.clock = one.clock.Add(heardAfter)
	if n := trusts(t, c, one.look(), one.clock); n != 1 {
		t.Errorf("%d authorities are trusted after the old one has expired", n)
	}
}

func TestEmptyOrBrokenSecretsAreRepaired(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		reason string
		spoil  func(map[string][]byte)
	}{
		{"emptied", func(m map[string][]byte) { clear(m) }},
		{"without the authority's key", func(m map[string][]byte) { delete(m, KeyAuthorityKey) }},
		{"the keys are swapped", func(m map[string][]byte) {
			m[KeyAuthorityKey], m[KeyCertificatesKey] = m[KeyCertificatesKey], m[KeyAuthorityKey]
		}},
		{"the key is not the certificate's", func(m map[string][]byte) { m[KeyCertificatesKey] = m[KeyAuthorityKey] }},
		{"no PEM", func(m map[string][]byte) { m[KeyCertificate] = []byte("x") }},
		{"PEM of something else", func(m map[string][]byte) { m[KeyCertificate] = m[KeyCertificatesKey] }},
		{"the certificate is not the authority's", func(m map[string][]byte) {
			id, _, err := renewed(nil, nil, hosts, Lifetimes{}, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
			if err == nil {
				var other map[string][]byte
				if other, err = id.encode(); err == nil {
					m[KeyCertificate], m[KeyCertificatesKey] = other[KeyCertificate], other[KeyCertificatesKey]
				}
			}
			if err != nil {
				panic(err)
			}
		}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			c := cluster(t, interceptor.Funcs{})
			r := newReplica(t, c, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
			first := r.look()
			var s corev1.Secret
			if err := c.Get(t.Context(), secretKey, &s); err != nil {
				t.Fatal(err)
			}
			before := maps.Clone(s.Data)
			row.spoil(s.Data)
			if err := c.Update(t.Context(), &s); err != nil {
				t.Fatal(err)
			}
			if !r.look().Equal(first) {
				t.Error("what API servers trust was given up for what they do not know")
			}
			if n := trusts(t, c, first, r.clock); n != 2 {
				t.Errorf("%d authorities are trusted, want the new one and that of what is served", n)
			}
			r.clock = r.clock.Add(heardAfter)
			second := r.look()
			if second.Equal(first) {
				t.Error("the new certificate is not served")
			}
			trusts(t, c, second, r.clock)
			if err := c.Get(t.Context(), secretKey, &s); err != nil {
				t.Fatal(err)
			}
			if _, err := decode(s.Data); err != nil {
				t.Errorf("what is stored is still broken: %v", err)
			}
			if slices.Equal(s.Data[KeyAuthorityKey], before[KeyAuthorityKey]) {
				t.Error("the authority's key was kept")
			}
		})
	}
}

func TestAnotherHostNeedsAnotherCertificate(t *testing.T) {
	t.Parallel()
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	id, _, err := renewed(nil, nil, hosts, Lifetimes{}, now)
	if err != nil {
		t.Fatal(err)
	}
	data, err := id.encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, changed, err := renewed(data, nil, hosts, Lifetimes{}, now); changed || err != nil {
		t.Errorf("what is good was changed: %v", err)
	}
	more, changed, err := renewed(data, nil, append([]string{"10.0.0.1"}, hosts...), Lifetimes{}, now)
	if err != nil || !changed || !more.bundle[0].Equal(id.bundle[0]) || more.certificate.VerifyHostname("10.0.0.1") != nil {
		t.Errorf("changed = %v, for %v %v, %v", changed, more.certificate.DNSNames, more.certificate.IPAddresses, err)
	}
}

// TestReplicaThatLosesTheRaceTakesOver: two replicas renew at once; one write is refused, and nothing is served that is not
// stored.
func TestReplicaThatLosesTheRaceTakesOver(t *testing.T) {
	t.Parallel()
	var faster *replica
	c := cluster(t, interceptor.Funcs{Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
		if f := faster; f != nil {
			faster = nil
			f.look()
		}
		return c.Update(ctx, o, opts...)
	}})
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	slower := newReplica(t, c, start)
	winner := newReplica(t, c, start)
	faster = winner
	if _, err := slower.Reconcile(t.Context(), reconcile.Request{}); !apierrors.IsConflict(err) {
		t.Fatalf("the slower one was not refused: %v", err)
	}
	if slower.Ready(nil) == nil {
		t.Error("it serves what is not stored")
	}
	stored, err := winner.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slower.look().Equal(stored.Leaf) {
		t.Error("it did not take over what the other one has made")
	}
}

// TestUntrustedCertificateIsNotServed: if the API server cannot be updated, the replica goes on serving the certificate
// that it trusts, until that expires: then any certificate is better than none.
func TestUntrustedCertificateIsNotServed(t *testing.T) {
	t.Parallel()
	broken := true
	c := cluster(t, interceptor.Funcs{Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
		if broken {
			return errors.New("no")
		}
		return c.Patch(ctx, o, p, opts...)
	}})
	r := newReplica(t, c, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	if _, err := r.Reconcile(t.Context(), reconcile.Request{}); err == nil || !strings.Contains(err.Error(), "making webhook.pipeline.tekton.dev trust the certificate: no") {
		t.Errorf("it says %v", err)
	}
	if err := r.Ready(nil); err != nil {
		t.Error(err)
	}
	broken = false
	first := r.look()
	broken = true
	r.clock = r.clock.Add(250 * day) // another authority
	for range 3 {
		r.clock = r.clock.Add(heardAfter)
		if _, err := r.Reconcile(t.Context(), reconcile.Request{}); err == nil {
			t.Fatal("the update succeeded")
		}
	}
	// By then the first one has expired.
	if got, err := r.GetCertificate(nil); err != nil || got.Leaf.Equal(first) {
		t.Errorf("what has expired is served on: %v", err)
	}
	broken = false
	last := r.look()
	trusts(t, c, last, r.clock)
}

// TestHandshakes: what is served changes under a running server.
func TestHandshakes(t *testing.T) {
	t.Parallel()
	c := cluster(t, interceptor.Funcs{})
	r := newReplica(t, c, time.Now())
	first := r.look()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: r.GetCertificate})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = conn.(*tls.Conn).Handshake(); conn.Close() }()
		}
	}()
	shake := func() *x509.Certificate {
		t.Helper()
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(bundles(t, c)[0])
		conn, err := (&tls.Dialer{NetDialer: &net.Dialer{}, Config: &tls.Config{RootCAs: pool}}).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
	}
	if !shake().Equal(first) {
		t.Error("another certificate is served")
	}
	if err := c.Patch(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: secretKey.Namespace, Name: secretKey.Name}},
		client.RawPatch("application/merge-patch+json", []byte(`{"data":null}`))); err != nil {
		t.Fatal(err)
	}
	r.look()
	if !shake().Equal(first) {
		t.Error("the new certificate is served too early")
	}
	r.clock = r.clock.Add(heardAfter)
	second := r.look()
	if got := shake(); !got.Equal(second) || got.Equal(first) {
		t.Error("the new certificate is not served")
	}
}
