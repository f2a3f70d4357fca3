package git

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1" //nolint:gosec // the format of packs has it
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/plumbline-ci/plumbline/reconciler/resolution/outbound"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver/resolvertest"
)

// entry is an object of a pack: what it says that it is, and what it is.
type entry struct {
	kind plumbing.ObjectType
	size int
	base plumbing.Hash
	data []byte
}

// packOf is a pack of objects, which says that it has count of them.
func packOf(count uint32, entries ...entry) []byte {
	b := bytes.NewBufferString("PACK")
	_ = binary.Write(b, binary.BigEndian, []uint32{2, count})
	for _, e := range entries {
		first, rest := byte(e.kind)<<4|byte(e.size&15), e.size>>4
		for rest > 0 {
			b.WriteByte(first | 0x80)
			first, rest = byte(rest&0x7f), rest>>7
		}
		b.WriteByte(first)
		if e.kind == plumbing.REFDeltaObject {
			b.Write(e.base[:])
		}
		w := zlib.NewWriter(b)
		_, _ = w.Write(e.data)
		_ = w.Close()
	}
	sum := sha1.Sum(b.Bytes()) //nolint:gosec // as above
	b.Write(sum[:])
	return b.Bytes()
}

// number writes a size as deltas do.
func number(n int) []byte {
	var out []byte
	for ; n > 0x7f; n >>= 7 {
		out = append(out, byte(n&0x7f)|0x80)
	}
	return append(out, byte(n))
}

// copies is a delta that copies the first 64 KB of its base n times.
func copies(base, n int) entry {
	d := append(number(base), number(n*0x10000)...)
	d = append(d, bytes.Repeat([]byte{0x80}, n)...)
	return entry{kind: plumbing.REFDeltaObject, size: len(d), data: d}
}

func TestHostilePacks(t *testing.T) { //nolint:paralleltest // it measures memory
	const base = 1 << 20
	blob := entry{kind: plumbing.BlobObject, size: base, data: make([]byte, base)}
	of := plumbing.ComputeHash(plumbing.BlobObject, blob.data)
	bombs := []entry{blob}
	for range 200 {
		d := copies(base, 1024) // 64 MB each
		d.base = of
		bombs = append(bombs, d)
	}
	large := entry{kind: plumbing.BlobObject, size: 48 << 20, data: make([]byte, 48<<20)}
	ofLarge := plumbing.ComputeHash(plumbing.BlobObject, large.data)
	readers := []entry{large}
	for range 100 {
		d := append(number(48<<20), 1)
		d = append(d, 1, 'x')
		readers = append(readers, entry{kind: plumbing.REFDeltaObject, size: len(d), data: d, base: ofLarge})
	}
	for _, tt := range []struct {
		reason string
		pack   []byte
		want   string
	}{
		{"an object of 1 GB, as declared", packOf(1, entry{kind: plumbing.BlobObject, size: 1 << 30, data: []byte("x")}), "the repository is too large"},
		{"an object longer than it says", packOf(1, entry{kind: plumbing.BlobObject, size: 10, data: make([]byte, 100<<20)}), ""},
		{"objects copied from one", packOf(uint32(len(bombs)), bombs...), "the repository is too large"},
		{"one large object, looked at again and again", packOf(uint32(len(readers)), readers...), "the repository is too large"},
		{"a delta without sizes", packOf(2, blob, entry{kind: plumbing.REFDeltaObject, size: 0, base: of}), "a delta without its sizes"},
		{"a delta with a size that never ends", packOf(2, blob, entry{kind: plumbing.REFDeltaObject, size: 30, base: of, data: bytes.Repeat([]byte{0xff}, 30)}), "the repository is too large"},
		{"four billion objects", packOf(1<<32-1, blob), "the repository is too large: it has 4294967295 objects"},
		{"objects that are missing", packOf(2, blob), ""},
		{"not a pack", []byte("<html>"), ""},
		{"nothing", nil, ""},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := unpack(tt.pack, memory.NewStorage())
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.reason, err, tt.want)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%s: %d bytes were allocated", tt.reason, used)
		}
	}
}

// TestDamagedPacks: whatever is wrong with a pack, it is an error or an object less, and never a panic.
func TestDamagedPacks(t *testing.T) {
	t.Parallel()
	good := append(number(5), number(10)...)
	good = append(good, 0x90, 5, 5, 'w', 'o', 'r', 'l', 'd')
	hello := entry{kind: plumbing.BlobObject, size: 5, data: []byte("hello")}
	pack := packOf(2, hello, entry{kind: plumbing.REFDeltaObject, size: len(good), base: plumbing.ComputeHash(plumbing.BlobObject, hello.data), data: good})
	s := memory.NewStorage()
	if err := unpack(pack, s); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EncodedObject(plumbing.BlobObject, plumbing.ComputeHash(plumbing.BlobObject, []byte("helloworld"))); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		damaged := bytes.Clone(pack)
		for range 1 + random.IntN(3) {
			damaged[random.IntN(len(damaged))] = byte(random.IntN(256))
		}
		_ = unpack(damaged[:len(damaged)-random.IntN(4)*random.IntN(10)], memory.NewStorage())
	}
}

func TestHostileServers(t *testing.T) {
	t.Parallel()
	refs := "001e# service=git-upload-pack\n0000" + line("1234567890123456789012345678901234567890 refs/heads/main\x00side-band-64k\n") + "0000"
	advertise := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		_, _ = io.WriteString(w, refs)
	}
	stop := make(chan struct{})
	for _, tt := range []struct {
		reason  string
		handler http.HandlerFunc
		want    []string
	}{
		{"it redirects to where clouds have their credentials", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/r.git/info/refs?service=git-upload-pack", http.StatusFound)
		}, []string{"clone error: ", "link-local address 169.254.169.254"}},
		{"it redirects to a file", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, []string{"clone error: "}},
		{"it redirects the pack", func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				advertise(w)
				return
			}
			http.Redirect(w, r, "http://169.254.169.254/r.git/git-upload-pack", http.StatusTemporaryRedirect)
		}, []string{"unexpected fetch error: "}},
		{"it sends references that are not", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, []string{"clone error: "}},
		{"it needs a password", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, []string{"clone error: authentication required"}},
		{"it sends something else than a pack", func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				advertise(w)
				return
			}
			_, _ = io.WriteString(w, "0008NAK\n"+line("\x01<html>")+"0000")
		}, []string{"unexpected fetch error: "}},
		{"it talks without end", func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				advertise(w)
				return
			}
			_, _ = io.WriteString(w, "0008NAK\n")
			text := line("\x02" + strings.Repeat("x", 60_000))
			for {
				if _, err := io.WriteString(w, text); err != nil {
					return
				}
			}
		}, []string{"unexpected fetch error: ", "the answer is too large"}},
		{"it never answers", func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-stop:
			case <-r.Context().Done():
			}
		}, []string{"context deadline exceeded"}},
	} {
		s := httptest.NewServer(tt.handler)
		wait := 30 * time.Second
		if strings.Contains(tt.reason, "never") {
			wait = 50 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		_, err := (&Resolver{Repositories: NewServers(resolvertest.Local(s.URL))}).Resolve(ctx, request(nil, "url="+s.URL+"/r.git", "pathInRepo=x"))
		cancel()
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", tt.reason, err, want)
			}
		}
		s.Close()
	}
	close(stop)
}

// line is a line of git's protocol.
func line(text string) string {
	const digits = "0123456789abcdef"
	n := len(text) + 4
	return string([]byte{digits[n>>12&15], digits[n>>8&15], digits[n>>4&15], digits[n&15]}) + text
}

func TestOtherProtocolsAreRefused(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"file:///etc":                     `clone error: unsupported scheme "file"`,
		"/etc":                            `clone error: unsupported scheme "file"`,
		"--upload-pack=touch /tmp/x":      `clone error: unsupported scheme "file"`,
		"ssh://git@git.example/r.git":     `clone error: unsupported scheme "ssh"`,
		"git@git.example:r.git":           `clone error: unsupported scheme "ssh"`,
		"git://git.example/r.git":         `clone error: unsupported scheme "git"`,
		"ext::sh -c 'touch /tmp/x' r.git": `clone error: `,
		"http://127.0.0.1:1/r.git":        `loopback address 127.0.0.1`,
		"http://localhost:1/r.git":        `loopback address`,
		"http://169.254.169.254/r.git":    `link-local address 169.254.169.254`,
		"http://[::ffff:169.254.1.1]/r":   `link-local address 169.254.1.1`,
	} {
		_, err := (&Resolver{Repositories: NewServers(outbound.Network{})}).Resolve(t.Context(), request(nil, "url="+url, "pathInRepo=x"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

func TestFilesThatAreTooLarge(t *testing.T) {
	t.Parallel()
	r, err := New(map[string]map[string]string{"main": {"fits": strings.Repeat("x", resolver.MaxData), "more": strings.Repeat("x", resolver.MaxData+1)}})
	if err != nil {
		t.Fatal(err)
	}
	g := &Resolver{Repositories: one{r}}
	got, err := g.Resolve(t.Context(), request(nil, "pathInRepo=fits"))
	if err != nil || len(got.Data) != resolver.MaxData {
		t.Errorf("a file that fits: %d bytes, %v", len(got.Data), err)
	}
	_, err = g.Resolve(t.Context(), request(nil, "pathInRepo=more"))
	resolvertest.WantError(t, "a file that does not", err, `error reading file "more": it has 1048577 bytes, where 1048576 are allowed`)
}

// TestTagsWithoutEnd: a tag may be of a tag, and there is no cycle, but a long chain.
func TestTagsWithoutEnd(t *testing.T) {
	t.Parallel()
	s := memory.NewStorage()
	at, err := Commit(s, map[string]string{"a": "text"}, "m")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		kind := plumbing.TagObject
		if i == 0 {
			kind = plumbing.CommitObject
		}
		if at, err = put(s, &object.Tag{Name: "t", TargetType: kind, Target: at}); err != nil {
			t.Fatal(err)
		}
		want := ""
		if i >= 10 {
			want = "revision error: a tag of a tag of a tag"
		}
		_, err := peel(s, at)
		if i != 9 {
			resolvertest.WantError(t, "a chain", err, want)
		}
	}
	if _, err := (Stored{Store: s}).Commit(t.Context(), strings.Repeat("0", 40)); err == nil || errors.Is(err, packfile.ErrMalformedPackFile) {
		t.Errorf("no such commit: %v", err)
	}
}
