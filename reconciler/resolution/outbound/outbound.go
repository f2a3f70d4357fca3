//plumbline:adapter it talks to servers

// Package outbound is how resolvers reach servers. What a server is comes from a user's params, and what it answers from
// the server, so neither is trusted:
//
//   - no connection goes to an address that only means something on the machine itself: link-local addresses, under which
//     clouds serve credentials, and unspecified and multicast ones; names are judged by what they resolve to;
//   - a redirect does not lead to the loopback interface, from https to http, or to a scheme other than these two, and
//     there are at most five;
//   - an answer is read up to a limit.
//
// Private addresses are allowed: registries and repositories are often in the cluster.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// MaxRedirects is how many redirects a request may go through.
const MaxRedirects = 5

// ErrTooLarge is the error of reading more of an answer than its limit.
var ErrTooLarge = errors.New("the answer is too large")

// Client returns a client whose answers have at most limit bytes.
func Client(limit int64) *http.Client {
	return &http.Client{Transport: Transport(limit), CheckRedirect: CheckRedirect}
}

// Transport returns a transport whose answers have at most limit bytes.
func Transport(limit int64) http.RoundTripper {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, ControlContext: control}
	return Limited(&http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           16,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}, limit)
}

// CheckRedirect is an http.Client's: it follows what the package allows.
func CheckRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > MaxRedirects {
		return fmt.Errorf("stopped after %d redirects", MaxRedirects)
	}
	return follows(via[len(via)-1].URL, r.URL)
}

// follows says whether a redirect may lead from one URL to another.
func follows(from, to *url.URL) error {
	switch {
	case to.Scheme != "http" && to.Scheme != "https":
		return fmt.Errorf("redirect to %s: only http and https are followed", to.Redacted())
	case from.Scheme == "https" && to.Scheme == "http":
		return fmt.Errorf("redirect to %s: https does not lead to http", to.Redacted())
	}
	return nil
}

// redirected marks the context of a request that a server outside the loopback interface has led to.
type redirected struct{}

// control refuses addresses. It sees them after names have been resolved, so that no name can lead past it.
func control(ctx context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %s: %w", address, err)
	}
	return allowed(at.Addr(), ctx.Value(redirected{}) != nil)
}

// allowed says whether an address may be connected to.
func allowed(a netip.Addr, byRedirect bool) error {
	a = a.Unmap().WithZone("")
	switch {
	case a.IsLinkLocalUnicast():
		return fmt.Errorf("connections to the link-local address %s are not allowed", a)
	case a.IsUnspecified(), a.IsMulticast():
		return fmt.Errorf("connections to %s are not allowed", a)
	case byRedirect && a.IsLoopback():
		return fmt.Errorf("a redirect may not lead to the loopback address %s", a)
	}
	return nil
}

// Limited is a transport whose answers have at most limit bytes.
func Limited(inner http.RoundTripper, limit int64) http.RoundTripper {
	return limited{inner: inner, limit: limit}
}

type limited struct {
	inner http.RoundTripper
	limit int64
}

// RoundTrip implements http.RoundTripper.
func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	// Clients with another CheckRedirect are held to the rules, too.
	if from := r.Response; from != nil && from.Request != nil {
		if err := follows(from.Request.URL, r.URL); err != nil {
			return nil, err
		}
		if !loopback(from.Request.URL.Hostname()) {
			r = r.WithContext(context.WithValue(r.Context(), redirected{}, true))
		}
	}
	answer, err := l.inner.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if answer.ContentLength > l.limit && r.Method != http.MethodHead {
		_ = answer.Body.Close()
		return nil, fmt.Errorf("%w: %d bytes, where %d are allowed", ErrTooLarge, answer.ContentLength, l.limit)
	}
	answer.Body = &body{ReadCloser: answer.Body, left: l.limit, limit: l.limit}
	return answer, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// body fails where more is read than the limit.
type body struct {
	io.ReadCloser
	left, limit int64
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, fmt.Errorf("%w: more than the %d bytes that are allowed", ErrTooLarge, b.limit)
	}
	return n, err
}

// ReadAll reads at most limit bytes, and fails where there are more.
func ReadAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%w: more than the %d bytes that are allowed", ErrTooLarge, limit)
	}
	return data, nil
}
