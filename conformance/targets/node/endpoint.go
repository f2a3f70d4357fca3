package node

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Endpoint is where the node serves the kubelet's API over TLS, with a certificate that it makes itself.
type Endpoint struct {
	// Address is an IP address of this machine that the API server reaches; empty means the one that reaches the API server.
	Address string
	// Port is the port; 0 means one that is free.
	Port int
	// ClientCA, as PEM, signs the certificates that clients need. Empty means the authority that the API server trusts
	// itself, as the ConfigMap kube-system/extension-apiserver-authentication names it.
	ClientCA []byte
	// Insecure serves every client, without a certificate, on a loopback address.
	Insecure bool
}

// UnknownClientsError says that nothing tells which clients the endpoint may serve.
type UnknownClientsError struct{ Err error }

func (e *UnknownClientsError) Error() string {
	return fmt.Sprintf("nothing tells who may ask this node for logs and exec: %v; give the authority of such clients (--client-ca), "+
		"or serve every process of this machine on a loopback address (--insecure-logs)", e.Err)
}

// Unwrap returns why it is not known.
func (e *UnknownClientsError) Unwrap() error { return e.Err }

// authentication is where an API server publishes the authorities that it trusts; see "Kubernetes Extension API Server
// Authentication Flow".
var authentication = client.ObjectKey{Namespace: metav1.NamespaceSystem, Name: "extension-apiserver-authentication"}

const (
	keyClientCA = "client-ca-file"
	// authenticationWithin is how long an API server that has just started may take to publish it.
	authenticationWithin = 10 * time.Second
)

// certificateLife is how long the endpoint's certificate is valid; the process is not expected to live that long.
const certificateLife = 365 * 24 * time.Hour

// closeTimeout is how long requests may take to end when the node stops.
const closeTimeout = time.Second

// server serves the kubelet's API.
type server struct {
	node     *Node
	listener net.Listener
	http     http.Server
}

// listen opens the endpoint. Nothing is served yet.
func (n *Node) listen(ctx context.Context) (*server, error) {
	e := *n.o.Endpoint
	if e.Insecure {
		if len(e.ClientCA) > 0 {
			return nil, errors.New("an endpoint that serves every client needs no authority of clients")
		}
		e.Address = cmp.Or(e.Address, "127.0.0.1")
		if ip := net.ParseIP(e.Address); ip != nil && !ip.IsLoopback() {
			return nil, fmt.Errorf("the address %s is not a loopback address: an endpoint that serves every client is for this machine alone", e.Address)
		}
	}
	if e.Address == "" {
		var err error
		if e.Address, err = addressToward(n.o.Config.Host); err != nil {
			return nil, fmt.Errorf("finding the address by which the API server reaches this machine: %w; say it with an address", err)
		}
	}
	if net.ParseIP(e.Address) == nil {
		return nil, fmt.Errorf("the node's address %q is not an IP address", e.Address)
	}
	certificate, err := selfSigned(n.o.Name, e.Address)
	if err != nil {
		return nil, fmt.Errorf("making the node's certificate: %w", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if !e.Insecure {
		if len(e.ClientCA) == 0 {
			if e.ClientCA, err = n.clientAuthority(ctx); err != nil {
				return nil, err
			}
		}
		config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		if !config.ClientCAs.AppendCertsFromPEM(e.ClientCA) {
			return nil, errors.New("the authority of clients has no certificate in PEM")
		}
	}
	listener, err := tls.Listen("tcp", net.JoinHostPort(e.Address, strconv.Itoa(e.Port)), config)
	if err != nil {
		return nil, fmt.Errorf("opening the node's endpoint: %w", err)
	}
	s := &server{node: n, listener: listener}
	s.http = http.Server{
		Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10, IdleTimeout: 90 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		BaseContext: func(net.Listener) context.Context { return n.running },
	}
	return s, nil
}

// clientAuthority asks the API server for the authority of the clients that it trusts.
func (n *Node) clientAuthority(ctx context.Context) ([]byte, error) {
	var published corev1.ConfigMap
	var last error
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, authenticationWithin, true, func(ctx context.Context) (bool, error) {
		last = n.client.Get(ctx, authentication, &published)
		if last == nil && published.Data[keyClientCA] == "" {
			last = fmt.Errorf("the ConfigMap %s has no %s", authentication, keyClientCA)
		}
		return last == nil || apierrors.IsForbidden(last), nil
	})
	if last != nil || err != nil {
		return nil, &UnknownClientsError{Err: cmp.Or(last, err)}
	}
	return []byte(published.Data[keyClientCA]), nil
}

// addressToward is the address that this machine has on the way to the host of a URL.
func addressToward(host string) (string, error) {
	u, err := url.Parse(host)
	if err != nil || u.Host == "" {
		u = &url.URL{Host: host}
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	connection, err := net.Dial("udp", net.JoinHostPort(u.Hostname(), port)) // sends nothing
	if err != nil {
		return "", err
	}
	address, _, err := net.SplitHostPort(connection.LocalAddr().String())
	return address, errors.Join(err, connection.Close())
}

// selfSigned makes a certificate that no client has to trust: kube-apiserver accepts any by default.
func selfSigned(name, address string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{"system:nodes"}, CommonName: "system:node:" + name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{name}, IPAddresses: []net.IP{net.ParseIP(address)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

func (s *server) address() string { return s.listener.Addr().String() }

// Address is where the kubelet's API is served, or empty.
func (n *Node) Address() string {
	if n.server == nil {
		return ""
	}
	return n.server.address()
}

// run serves until ctx ends.
func (s *server) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		if s.http.Shutdown(ending) != nil { // a stream goes on
			_ = s.http.Close()
		}
	})
	defer stop()
	return s.http.Serve(s.listener)
}

// routes are the paths that kube-apiserver and people ask for.
func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, "ok") })
	mux.HandleFunc("GET /pods", s.pods)
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", s.logs)
	for _, method := range []string{"GET", "POST"} {
		mux.HandleFunc(method+" /exec/{namespace}/{pod}/{container}", s.exec)
		mux.HandleFunc(method+" /exec/{namespace}/{pod}/{uid}/{container}", s.exec)
		for _, path := range []string{"/attach/", "/portForward/"} {
			mux.HandleFunc(method+" "+path, func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, "a simulated node serves logs and exec only", http.StatusNotImplemented)
			})
		}
	}
	return mux
}

func answer(w http.ResponseWriter, text string) {
	// A client that has gone needs no answer.
	_, _ = io.WriteString(w, text)
}

// pods lists the node's Pods, as kubelets do.
func (s *server) pods(w http.ResponseWriter, _ *http.Request) {
	list := corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}, Items: s.node.journal.list()}
	data, err := json.Marshal(&list)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	answer(w, string(data))
}

// asked is the container that a request is about. It answers by itself if there is none.
func (s *server) asked(w http.ResponseWriter, r *http.Request) (key logKey, pod *corev1.Pod, ok bool) {
	key = logKey{client.ObjectKey{Namespace: r.PathValue("namespace"), Name: r.PathValue("pod")}, r.PathValue("container")}
	pod = s.node.journal.pod(key.pod)
	switch {
	case pod == nil:
		http.Error(w, fmt.Sprintf("pod %q not found", key.pod.Name), http.StatusNotFound)
	case !has(pod, key.container):
		http.Error(w, fmt.Sprintf("container %q not found in pod %q", key.container, key.pod.Name), http.StatusNotFound)
	default:
		return key, pod, true
	}
	return key, nil, false
}
