package bundles

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// hostile is a registry with one bundle, and its host. Its one layer has the declared size and these bytes.
func hostile(t *testing.T, declared int64, blob []byte, layers int) string {
	t.Helper()
	digest := func(data []byte) v1.Hash {
		sum := sha256.Sum256(data)
		return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
	}
	config := []byte("{}")
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: v1.Descriptor{MediaType: types.OCIConfigJSON, Size: 2, Digest: digest(config)}}
	for range layers {
		m.Layers = append(m.Layers, v1.Descriptor{MediaType: types.OCILayer, Size: declared, Digest: digest(blob),
			Annotations: map[string]string{AnnotationKind: "task", AnnotationName: "lint", AnnotationAPIVersion: "v1"}})
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/v2/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("/v2/b/manifests/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", string(m.MediaType))
		_, _ = w.Write(manifest)
	})
	mux.HandleFunc("/v2/b/blobs/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(blob) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// hole is an archive with one file of 8 GB, which has no content in the archive.
func hole() []byte {
	h := make([]byte, 1536) // a header, and two empty blocks for the end
	for at, text := range map[int]string{
		0: "x", 100: "0000600\x00", 124: "00000000000\x00", 136: "00000000000\x00", 148: "        ", 156: "S", 257: "ustar  \x00",
		386: "77777777777\x0000000000000\x00", 483: "77777777777\x00",
	} {
		copy(h[at:], text)
	}
	sum := 0
	for _, b := range h[:512] {
		sum += int(b)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return h
}

// TestHostileBundles ends in failures without much memory, whatever a registry has.
func TestHostileBundles(t *testing.T) { //nolint:paralleltest // it measures memory
	var zeros bytes.Buffer
	w := gzip.NewWriter(&zeros)
	if _, err := w.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	gigabyte := bytes.Repeat(zeros.Bytes(), 1000)

	for _, tt := range []struct {
		reason   string
		declared int64
		blob     []byte
		layers   int
		want     string
	}{
		{"a layer of 1 GB, as declared", 1 << 30, gigabyte, 1, "it has 1073741824 bytes, where 1114112 are allowed"},
		{"a layer of 1 GB, packed small", int64(len(gigabyte)), gigabyte, 1, "more than the 1114112 bytes that are allowed"},
		{"a layer longer than it declares", 10, bytes.Repeat([]byte("x"), 1<<20), 1, "could not read image layers: "},
		{"an archive with a hole of 8 GB", int64(len(hole())), hole(), 1, "more than the 1048576 bytes that are allowed"},
		{"200,000 layers", 1, []byte("x"), 200_000, "cannot retrieve the oci image: "},
		{"5,000 layers", 1, []byte("x"), 5000, "contained more than the maximum 20 allow objects"},
	} {
		var before, after runtime.MemStats
		host := hostile(t, tt.declared, tt.blob, tt.layers)
		runtime.ReadMemStats(&before)
		_, err := remotely(host).Resolve(t.Context(), request(nil, "bundle="+host+"/b", "name=lint"))
		runtime.ReadMemStats(&after)
		if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %.300v, want %q", tt.reason, err, tt.want)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%s: %d bytes were allocated", tt.reason, used)
		}
	}
}

// TestARegistryThatRedirects is not followed to where clouds have their credentials, neither for an image nor for a token.
func TestARegistryThatRedirects(t *testing.T) {
	t.Parallel()
	for reason, answer := range map[string]http.HandlerFunc{
		"of images": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/" {
				return
			}
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusTemporaryRedirect)
		},
		"of tokens": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://169.254.169.254/token",service="s"`)
			w.WriteHeader(http.StatusUnauthorized)
		},
	} {
		s := httptest.NewServer(answer)
		_, err := remotely(s.URL).Resolve(t.Context(), request(nil, fmt.Sprintf("bundle=%s/b", strings.TrimPrefix(s.URL, "http://")), "name=lint"))
		if err == nil || !strings.Contains(err.Error(), "cannot retrieve the oci image: ") || !strings.Contains(err.Error(), "link-local") {
			t.Errorf("%s: %v", reason, err)
		}
		s.Close()
	}
}
