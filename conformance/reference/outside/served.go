package outside

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/certificate"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/reconciler/resolution"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/bundles"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/git"
	webpages "github.com/plumbline-ci/plumbline/reconciler/resolution/http"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/hub"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/outbound"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// Served is a world that is served on this machine, over HTTPS.
type Served struct {
	// Network leads to it by the names of its servers.
	Network outbound.Network
	// Authority is whom clients have to trust, as PEM, if the certificate was made.
	Authority []byte

	server *http.Server
	ended  chan error
}

// slow is how long a client may take to send a request's header.
const slow = 10 * time.Second

// Place is where a world is served. The zero value is a free port of the loopback interface.
type Place struct {
	// Address is host:port.
	Address string
	// Certificate and Key are PEM; without them they are made, by an authority of their own.
	Certificate, Key []byte
}

// Serve serves what fixtures have, until it is closed.
func Serve(ctx context.Context, r *fixture.Remote, p Place) (*Served, error) {
	handler, err := NewServers(r)
	if err != nil {
		return nil, err
	}
	at, err := r.Servers()
	if err != nil {
		return nil, err
	}
	made := certificate.Certificate{Certificate: p.Certificate, Key: p.Key}
	if len(p.Certificate) == 0 {
		if made, err = certificate.Make(fixture.Hosts(at)...); err != nil {
			return nil, err
		}
	}
	pair, err := tls.X509KeyPair(made.Certificate, made.Key)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cmp.Or(p.Address, "127.0.0.1:0"))
	if err != nil {
		return nil, err
	}
	s := &Served{
		Network:   outbound.Network{To: map[string]string{}, Roots: x509.NewCertPool()},
		Authority: made.Authority,
		server:    &http.Server{Handler: handler, ReadHeaderTimeout: slow, ErrorLog: log.New(io.Discard, "", 0)},
		ended:     make(chan error, 1),
	}
	s.Network.Roots.AppendCertsFromPEM(made.Authority)
	for _, host := range at {
		s.Network.To[host] = listener.Addr().String()
	}
	secure := tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	go func() { s.ended <- s.server.Serve(secure) }()
	return s, nil
}

// Wait waits until the servers end, or until ctx does, and then ends them.
func (s *Served) Wait(ctx context.Context) error {
	select {
	case err := <-s.ended:
		return err
	case <-ctx.Done():
		return s.Close()
	}
}

// Close ends the servers.
func (s *Served) Close() error {
	err := s.server.Close()
	if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// Remote returns resolvers that see this world alone, through the network.
func (s *Served) Remote() subject.Remote {
	registry := bundles.NewRemote(s.Network)
	return subject.Remote{
		Resolvers: []resolver.Resolver{
			&git.Resolver{Repositories: git.NewServers(s.Network), API: git.NewAPI(s.Network), Namespace: resolution.Namespace},
			bundles.Resolver{Registry: registry},
			hub.Resolver{API: hub.NewAPI(s.Network), ArtifactURL: hub.ArtifactHub, TektonURL: tektonHub},
			webpages.Resolver{API: webpages.NewAPI(s.Network)},
		},
		Bundles: bundles.Field{Registry: registry},
	}
}

// Over is Of with everything between: the servers of a fixture's world are served on this machine, and resolvers reach them
// through the network. What it returns ends them.
func Over(ctx context.Context, r fixture.Remote) (subject.Remote, func() error, error) {
	s, err := Serve(ctx, &r, Place{})
	if err != nil {
		return subject.Remote{}, nil, err
	}
	return s.Remote(), s.Close, nil
}
