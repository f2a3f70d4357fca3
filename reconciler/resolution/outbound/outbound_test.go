package outbound

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestAllowed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, address string
		redirect        bool
		want            string
	}{
		{reason: "a server on the internet", address: "93.184.216.34"},
		{reason: "a server in the cluster", address: "10.96.0.7", redirect: true},
		{reason: "a server on the machine, asked for directly", address: "127.0.0.1"},
		{reason: "a server on the machine, by a redirect", address: "127.0.0.1", redirect: true, want: "loopback address 127.0.0.1"},
		{reason: "the same in IPv6", address: "::1", redirect: true, want: "loopback address ::1"},
		{reason: "the same in disguise", address: "::ffff:127.0.0.1", redirect: true, want: "loopback address 127.0.0.1"},
		{reason: "a cloud's credentials", address: "169.254.169.254", want: "link-local address 169.254.169.254"},
		{reason: "the same in disguise", address: "::ffff:169.254.169.254", want: "link-local address 169.254.169.254"},
		{reason: "a neighbour", address: "fe80::1%eth0", want: "link-local address fe80::1"},
		{reason: "every interface", address: "0.0.0.0", want: "connections to 0.0.0.0"},
		{reason: "a group", address: "224.0.0.1", want: "connections to 224.0.0.1"},
	} {
		err := allowed(netip.MustParseAddr(tt.address), tt.redirect)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.reason, err, tt.want)
		}
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	defer s.Close()
	mux.HandleFunc("/here", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "found") })
	for path, to := range map[string]string{
		"/once": "/here", "/round": "/round", "/metadata": "http://169.254.169.254/latest/", "/file": "file:///etc/passwd",
	} {
		mux.Handle(path, http.RedirectHandler(to, http.StatusFound))
	}
	// elsewhere is a server that is not on the loopback interface, as far as the client can see.
	elsewhere := httptest.NewServer(http.RedirectHandler(s.URL+"/here", http.StatusFound))
	defer elsewhere.Close()

	for _, tt := range []struct{ reason, url, want, body string }{
		{reason: "to the same server", url: s.URL + "/once", body: "found"},
		{reason: "without end", url: s.URL + "/round", want: "stopped after 5 redirects"},
		{reason: "to a cloud's credentials", url: s.URL + "/metadata", want: "link-local address 169.254.169.254"},
		{reason: "to a file", url: s.URL + "/file", want: "only http and https"},
		{reason: "from elsewhere to the machine itself", url: strings.Replace(elsewhere.URL, "127.0.0.1", "server.example", 1), want: "loopback address 127.0.0.1"},
	} {
		client := Client(100)
		client.Transport.(limited).inner.(*http.Transport).Proxy = nil
		if strings.Contains(tt.url, "server.example") {
			pretend(client, elsewhere.Listener.Addr())
		}
		answer, err := client.Get(tt.url)
		if tt.want != "" {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v, want %q", tt.reason, err, tt.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		got, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if string(got) != tt.body {
			t.Errorf("%s: %q, want %q", tt.reason, got, tt.body)
		}
	}
}

// pretend makes a client connect to an address for the host server.example.
func pretend(c *http.Client, at net.Addr) {
	t := c.Transport.(limited).inner.(*http.Transport)
	dial := t.DialContext
	var d net.Dialer
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, "server.example:") {
			return d.DialContext(ctx, network, at.String())
		}
		return dial(ctx, network, address)
	}
}

func TestHTTPSDoesNotLeadToHTTP(t *testing.T) {
	t.Parallel()
	from, _ := http.NewRequest(http.MethodGet, "https://u:secret@a.example/", nil)
	to, _ := http.NewRequest(http.MethodGet, "http://u:secret@a.example/", nil)
	err := CheckRedirect(to, []*http.Request{from})
	if err == nil || !strings.Contains(err.Error(), "https does not lead to http") || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	if err := CheckRedirect(from, []*http.Request{to}); err != nil {
		t.Errorf("from http to https: %v", err)
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason   string
		size     int
		declared bool
		fails    bool
	}{
		{"as much as is allowed", 100, true, false},
		{"as much as is allowed, of unknown length", 100, false, false},
		{"one more", 101, true, true},
		{"one more, of unknown length", 101, false, true},
		{"much more, of unknown length", 1 << 20, false, true},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if !tt.declared {
				w.(http.Flusher).Flush()
			}
			_, _ = w.Write(bytes.Repeat([]byte("x"), tt.size))
		}))
		answer, err := Client(100).Get(s.URL)
		var got []byte
		if err == nil {
			got, err = io.ReadAll(answer.Body)
			_ = answer.Body.Close()
		}
		if errors.Is(err, ErrTooLarge) != tt.fails || !tt.fails && len(got) != tt.size || len(got) > 100 {
			t.Errorf("%s: %d bytes, %v", tt.reason, len(got), err)
		}
		s.Close()
	}
	if got, err := ReadAll(strings.NewReader("12345"), 5); err != nil || string(got) != "12345" {
		t.Errorf("ReadAll: %q, %v", got, err)
	}
	if _, err := ReadAll(strings.NewReader("123456"), 5); !errors.Is(err, ErrTooLarge) {
		t.Errorf("ReadAll of too much: %v", err)
	}
}
