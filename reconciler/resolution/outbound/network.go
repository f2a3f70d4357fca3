//plumbline:adapter it talks to servers

package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Network is what can be reached. The zero value is what names resolve to, as far as it is allowed.
type Network struct {
	// To is where connections to a host and its port go, as host:port, whatever the host's name resolves to. The one who runs
	// the program says so, and may name what is on the machine itself.
	To map[string]string
	// Roots are the authorities of servers' certificates; nil means those of the machine.
	Roots *x509.CertPool
}

// Add reads HOST:PORT=ADDRESS:PORT into To.
func (n *Network) Add(text string) error {
	from, to, ok := strings.Cut(text, "=")
	for _, at := range []string{from, to} {
		host, port, err := net.SplitHostPort(at)
		if !ok || err != nil || host == "" || port == "" {
			return fmt.Errorf("%q is not HOST:PORT=ADDRESS:PORT", text)
		}
	}
	if n.To == nil {
		n.To = map[string]string{}
	}
	n.To[from] = to
	return nil
}

const dialTimeout = 10 * time.Second

// Transport returns a transport whose answers have at most limit bytes.
func (n Network) Transport(limit int64) http.RoundTripper {
	d := &dialer{to: n.To, environment: http.ProxyFromEnvironment}
	t := &http.Transport{
		Proxy:                  d.proxy,
		DialContext:            d.dial,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           16,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
	if n.Roots != nil {
		t.TLSClientConfig = &tls.Config{RootCAs: n.Roots, MinVersion: tls.VersionTLS12}
	}
	return Limited(t, limit)
}

// dialer connects to what is allowed, and to what the one who runs the program has named.
type dialer struct {
	to map[string]string
	// environment says which proxy a request takes.
	environment func(*http.Request) (*url.URL, error)
	// proxies are those that it has named, as host:port.
	proxies sync.Map
}

// proxy is the proxy for a request. What has an address of its own needs none.
func (d *dialer) proxy(r *http.Request) (*url.URL, error) {
	if _, ok := d.to[addressOf(r.URL)]; ok {
		return nil, nil //nolint:nilnil // as http.Transport wants it
	}
	at, err := d.environment(r)
	if at != nil {
		d.proxies.Store(addressOf(at), true)
	}
	return at, err
}

// addressOf is where a URL leads, as host:port.
func addressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c := net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	if to, ok := d.to[address]; ok {
		return c.DialContext(ctx, network, to)
	}
	if _, ok := d.proxies.Load(address); !ok {
		c.ControlContext = control
	}
	return c.DialContext(ctx, network, address)
}

// control refuses addresses. It sees them after names have been resolved, so that no name can lead past it.
func control(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %s: %w", address, err)
	}
	return allowed(at.Addr())
}

// allowed says whether an address may be connected to.
func allowed(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	switch {
	case a.IsLinkLocalUnicast():
		return fmt.Errorf("connections to the link-local address %s are not allowed", a)
	case a.IsLoopback():
		return fmt.Errorf("connections to the loopback address %s are not allowed", a)
	case a.IsUnspecified(), a.IsMulticast():
		return fmt.Errorf("connections to %s are not allowed", a)
	}
	return nil
}
