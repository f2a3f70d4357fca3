package webhook_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/reconciler/webhook"
)

const reviewHead = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"ConversionReview","request":{"uid":"u","desiredAPIVersion":"tekton.dev/v1","objects":[`

// task is a Task of some bytes.
func task(name string, bytes int) string {
	return fmt.Sprintf(`{"apiVersion":"tekton.dev/v1beta1","kind":"Task","metadata":{"name":%q},"spec":{"description":%q,"steps":[{"image":"i"}]}}`, name, strings.Repeat("x", bytes))
}

// server serves the webhooks over HTTP/2, as the controller does, or over HTTP/1.1.
func server(t *testing.T, http2 bool) *httptest.Server {
	t.Helper()
	m := mux{http.NewServeMux()}
	webhook.Register(m, func(string) *config.Config { return config.Default() })
	s := httptest.NewUnstartedServer(m)
	s.EnableHTTP2 = http2
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// TestConversionIsAStream sends an object of a list only when the one before it has been answered.
func TestConversionIsAStream(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{true, false} {
		s := server(t, http2)
		body, write := io.Pipe()
		begin := make(chan bool)
		go func() { // what a client sends before it hears anything
			_, _ = io.WriteString(write, reviewHead+task("t0", 1<<20))
			close(begin)
		}()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+webhook.PathConversion, body)
		if err != nil {
			t.Fatal(err)
		}
		response, err := s.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		<-begin
		answer := bufio.NewReader(response.Body)
		for i := range 5 {
			if i > 0 {
				if _, err := io.WriteString(write, ","+task(fmt.Sprintf("t%d", i), 1<<20)); err != nil {
					t.Fatal(err)
				}
			}
			for {
				part, err := answer.ReadString('{')
				if err != nil {
					t.Fatalf("HTTP/2 %v: object %d is not answered: %v", http2, i, err)
				}
				if strings.Contains(part, fmt.Sprintf(`"name":"t%d"`, i)) {
					break
				}
			}
		}
		if _, err := io.WriteString(write, "]}}"); err != nil {
			t.Fatal(err)
		}
		write.Close()
		if rest, err := io.ReadAll(answer); err != nil || !bytes.HasSuffix(rest, []byte("\"status\":\"Success\"}}}\n")) {
			t.Errorf("HTTP/2 %v: it ends with %.100q, %v", http2, rest, err)
		}
		response.Body.Close()
	}
}

// TestBadConversionReviewsAreRefused is about bodies that no well-meaning client would send.
func TestBadConversionReviewsAreRefused(t *testing.T) {
	t.Parallel()
	s := server(t, true)
	endless := func(text string) io.Reader { return io.LimitReader(repeated(text), 64<<20) }
	for _, row := range []struct {
		reason, path string
		body         io.Reader
		code         int
		says         string
	}{
		{"an object beyond the limit", webhook.PathConversion, strings.NewReader(reviewHead + task("t", 3<<20) + "]}}"), 413, "may have 3145728 bytes"},
		{"blanks without end", webhook.PathConversion, endless(" "), 413, "may have 3145728 bytes"},
		{"a text without end", webhook.PathConversion, io.MultiReader(strings.NewReader(`{"kind":"`), endless("x")), 413, "may have 3145728 bytes"},
		{"lists in lists", webhook.PathConversion, strings.NewReader(`{"x":` + strings.Repeat("[", 1<<20)), 400, "exceeded max depth"},
		{"no JSON", webhook.PathConversion, strings.NewReader("hello"), 400, "decoding a ConversionReview"},
		{"a list", webhook.PathConversion, strings.NewReader("[]"), 400, "want an object"},
		{"an end in the middle", webhook.PathConversion, strings.NewReader(reviewHead), 400, "EOF"},
		{"no request", webhook.PathConversion, strings.NewReader("{}"), 400, "a ConversionReview with a request is wanted"},
		{"the version after the objects", webhook.PathConversion, strings.NewReader(`{"apiVersion":"a","kind":"k","request":{"uid":"u","objects":[],"desiredAPIVersion":"v"}}`), 400, "come before the objects"},
		{"objects that are not a list", webhook.PathConversion, strings.NewReader(strings.TrimSuffix(reviewHead, "[") + `"o"}}`), 400, "objects: want a list"},
		{"an admission review beyond its limit", webhook.PathValidation, strings.NewReader(strings.Repeat(" ", 4<<20)), 413, "too large"},
	} {
		response, err := s.Client().Post(s.URL+row.path, "application/json", row.body)
		if err != nil {
			t.Errorf("%s: %v", row.reason, err)
			continue
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != row.code || !strings.Contains(string(text), row.says) {
			t.Errorf("%s: %d %.200q (%v), want %d %q", row.reason, response.StatusCode, text, err, row.code, row.says)
		}
	}
}

// TestAdmissionTakesTheLargestObjects: an update of an object of 1.5 MiB has the old one beside it.
func TestAdmissionTakesTheLargestObjects(t *testing.T) {
	t.Parallel()
	object := task("t", 1.5*(1<<20)-200)
	body := `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","kind":{"group":"tekton.dev","version":"v1beta1","kind":"Task"},` +
		`"namespace":"n","operation":"UPDATE","object":` + object + `,"oldObject":` + object + `}}`
	s := server(t, true)
	response, err := s.Client().Post(s.URL+webhook.PathValidation, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(text), `"allowed":true`) {
		t.Errorf("%d bytes: %d %.300q, %v", len(body), response.StatusCode, text, err)
	}
}

// repeated is a text again and again, for ever.
type repeated string

func (r repeated) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		n += copy(p[n:], r)
	}
	return len(p), nil
}
