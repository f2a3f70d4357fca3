package shelf

import (
	"fmt"
	"math/rand"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/roundtrip"
)

func newShelf(t *testing.T) *Shelf {
	t.Helper()
	packing, err := roundtrip.NewCompiler().Packing(reflect.TypeFor[corev1.Event]())
	if err != nil {
		t.Fatal(err)
	}
	return New(packing)
}

func event(n int) *corev1.Event {
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: "bench", Name: fmt.Sprintf("run-%06d-pod.%x", n, n*7919), UID: "01234567-89ab-cdef-0123-456789abcdef"},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "bench", Name: fmt.Sprintf("run-%06d-pod", n)},
		Reason:         "Pulled", Message: fmt.Sprintf("Successfully pulled image \"busybox\" in %dms", n), Count: int32(n % 3),
	}
}

// TestObjectsComeBack keeps many objects and reads them in several orders.
func TestObjectsComeBack(t *testing.T) {
	t.Parallel()
	const many = 20 * openLimit
	s := newShelf(t)
	var items []*Item
	for n := range many {
		items = append(items, s.Put(event(n)))
	}
	open := func() (n int) {
		for _, i := range items {
			if i.object != nil {
				n++
			}
		}
		return n
	}
	if n := open(); n != openLimit {
		t.Errorf("%d of %d objects are not packed, want %d", n, many, openLimit)
	}
	random := rand.New(rand.NewSource(1))
	for n := range 3 * many {
		if n >= many {
			n = random.Intn(many)
		}
		got := items[n].Object()
		if want := event(n); !reflect.DeepEqual(got, want) {
			t.Fatalf("object %d came back as %+v", n, got)
		}
		if again := items[n].Object(); again != got {
			t.Fatalf("object %d was unpacked twice in a row", n)
		}
	}
	if n := open(); n != openLimit {
		t.Errorf("after reading, %d objects are not packed, want %d", n, openLimit)
	}
}

// TestUsedObjectsStayOpen reads one object again and again while others come.
func TestUsedObjectsStayOpen(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	favourite := s.Put(event(0))
	first := favourite.Object()
	for n := range 10 * openLimit {
		s.Put(event(n))
		if favourite.Object() != first {
			t.Fatalf("it was packed after %d others, although it is in use", n)
		}
	}
}

// TestPackedObjectsAreSmall holds what an event like those of a Pod takes.
func TestPackedObjectsAreSmall(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	var items []*Item
	for n := range 10 * openLimit {
		items = append(items, s.Put(event(n)))
	}
	last := items[len(items)-2*openLimit]
	if last.object != nil || len(last.text) > 60 {
		t.Errorf("it takes %d bytes: %q", len(last.text), last.text)
	}
}

func TestSqueezedTextComesBack(t *testing.T) {
	t.Parallel()
	var z squeezer
	long := strings.Repeat("0123456789", memoryLimit/10+1)
	texts := []string{"", "a", "abc", "abcd", "abcdabcd", strings.Repeat("x", 1000), long[:memoryLimit-1], long[:memoryLimit], long + long, "abcdefgh"}
	random := rand.New(rand.NewSource(2))
	for range 300 {
		text := make([]byte, random.Intn(2000))
		for i := range text {
			text[i] = "abcdef"[random.Intn(2+random.Intn(5))]
		}
		texts = append(texts, string(text), string(text[len(text)/2:]))
	}
	short := make([]string, len(texts))
	for i, text := range texts {
		short[i] = z.squeeze([]byte(text))
	}
	for i, text := range texts {
		if got := string(z.expand(nil, short[i])); got != text {
			t.Fatalf("text %d of %d bytes came back as %d bytes", i, len(text), len(got))
		}
	}
}

func FuzzSqueeze(f *testing.F) {
	f.Add("abcdabcd", "xabcdabcdabcdy")
	f.Fuzz(func(t *testing.T, first, second string) {
		var z squeezer
		a, b := z.squeeze([]byte(first)), z.squeeze([]byte(second))
		if got := string(z.expand(nil, a)); got != first {
			t.Errorf("%q came back as %q", first, got)
		}
		if got := string(z.expand(nil, b)); got != second {
			t.Errorf("%q came back as %q", second, got)
		}
	})
}

func BenchmarkPack(b *testing.B) {
	packing, err := roundtrip.NewCompiler().Packing(reflect.TypeFor[corev1.Event]())
	if err != nil {
		b.Fatal(err)
	}
	s := New(packing)
	for n := range 1000 {
		s.Put(event(n))
	}
	e := event(12345)
	b.ReportAllocs()
	for b.Loop() {
		(&Item{shelf: s, object: e}).pack()
	}
}
