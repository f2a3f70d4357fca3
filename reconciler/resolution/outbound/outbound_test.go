package outbound

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestAllowed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, address, want string
	}{
		{reason: "a server on the internet", address: "93.184.216.34"},
		{reason: "a server in the cluster", address: "10.96.0.7"},
		{reason: "a server on the machine", address: "127.0.0.1", want: "loopback address 127.0.0.1"},
		{reason: "the same in IPv6", address: "::1", want: "loopback address ::1"},
		{reason: "the same in disguise", address: "::ffff:127.0.0.1", want: "loopback address 127.0.0.1"},
		{reason: "a cloud's credentials", address: "169.254.169.254", want: "link-local address 169.254.169.254"},
		{reason: "the same in disguise", address: "::ffff:169.254.169.254", want: "link-local address 169.254.169.254"},
		{reason: "a neighbour", address: "fe80::1%eth0", want: "link-local address fe80::1"},
		{reason: "every interface", address: "0.0.0.0", want: "connections to 0.0.0.0"},
		{reason: "a group", address: "224.0.0.1", want: "connections to 224.0.0.1"},
	} {
		err := allowed(netip.MustParseAddr(tt.address))
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
	// elsewhere is a server that is not on this machine, as far as the client can see.
	elsewhere := httptest.NewServer(http.RedirectHandler("http://localhost:1/", http.StatusFound))
	defer elsewhere.Close()
	named := Network{To: map[string]string{s.Listener.Addr().String(): s.Listener.Addr().String(), "server.example:80": elsewhere.Listener.Addr().String()}}

	for _, tt := range []struct{ reason, url, want, body string }{
		{reason: "to the same server", url: s.URL + "/once", body: "found"},
		{reason: "without end", url: s.URL + "/round", want: "stopped after 5 redirects"},
		{reason: "to a cloud's credentials", url: s.URL + "/metadata", want: "link-local address 169.254.169.254"},
		{reason: "to a file", url: s.URL + "/file", want: "only http and https"},
		{reason: "from elsewhere to the machine itself", url: "http://server.example/", want: "loopback address"},
	} {
		answer, err := named.Client(100).Get(tt.url)
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

// TestNamedServers: a server is where the one who runs the program says, under its own name and with its own certificate.
func TestNamedServers(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }))
	defer secure.Close()
	at := secure.Listener.Addr().String()
	var n Network
	if err := n.Add("example.com:443=" + at); err != nil { // the name in httptest's certificate
		t.Fatal(err)
	}
	get := func(n Network, url string) string {
		answer, err := n.Client(100).Get(url)
		if err != nil {
			return err.Error()
		}
		defer answer.Body.Close()
		got, _ := io.ReadAll(answer.Body)
		return string(got)
	}
	if got := get(n, "https://example.com/"); !strings.Contains(got, "certificate") {
		t.Errorf("of an authority that is not trusted: %s", got)
	}
	n.Roots = secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	if got := get(n, "https://example.com/"); got != "example.com" {
		t.Errorf("under its name: %s", got)
	}
	for _, unnamed := range []string{"https://" + at + "/", "https://localhost:" + at[strings.LastIndexByte(at, ':')+1:] + "/"} {
		if got := get(n, unnamed); !strings.Contains(got, "loopback address") {
			t.Errorf("%s is not named: %s", unnamed, got)
		}
	}
	for _, wrong := range []string{"", "a:1", "a=b", "a:1=b", "a=b:1", ":1=b:2", "a:1=:2", "a:=b:1"} {
		if err := n.Add(wrong); err == nil || !strings.Contains(err.Error(), "HOST:PORT=ADDRESS:PORT") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// TestProxiesMayBeOnTheMachine: the environment says where a proxy is, which a user does not choose.
func TestProxiesMayBeOnTheMachine(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "for "+r.URL.String()) }))
	defer proxy.Close()
	client := Network{}.Client(100)
	inner := client.Transport.(limited).inner.(*http.Transport)
	d := &dialer{}
	at, _ := url.Parse(proxy.URL)
	d.environment = http.ProxyURL(at)
	inner.Proxy, inner.DialContext = d.proxy, d.dial
	answer, err := client.Get("http://server.example/x")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got, _ := io.ReadAll(answer.Body); string(got) != "for http://server.example/x" {
		t.Errorf("%s", got)
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
		at := s.Listener.Addr().String()
		answer, err := Network{To: map[string]string{at: at}}.Client(100).Get(s.URL)
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
