//plumbline:adapter it talks to servers

// Package outbound is how resolvers reach servers. What a server is comes from a user's params, and what it answers from
// the server, so neither is trusted:
//
//   - no connection goes to an address that only means something on the machine itself: that of the loopback interface,
//     link-local addresses, under which clouds serve credentials, and unspecified and multicast ones; names are judged by
//     what they resolve to;
//   - a redirect does not lead from https to http, or to a scheme other than these two, and there are at most five;
//   - an answer is read up to a limit.
//
// Private addresses are allowed: registries and repositories are often in the cluster. Who runs the program can name servers
// that are elsewhere than their names say, also on the machine itself.
//
//	outbound.go  clients and their limits
//	network.go   what may be connected to
package outbound

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// MaxRedirects is how many redirects a request may go through.
const MaxRedirects = 5

// ErrTooLarge is the error of reading more of an answer than its limit.
var ErrTooLarge = errors.New("the answer is too large")

// Client returns a client whose answers have at most limit bytes.
func (n Network) Client(limit int64) *http.Client {
	return &http.Client{Transport: n.Transport(limit), CheckRedirect: CheckRedirect}
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
