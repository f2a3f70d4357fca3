package roundtrip

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestPackedValuesComeBack packs random settled values. What comes back must be the same to every reader, nil and empty
// included; packing must not change what it reads.
func TestPackedValuesComeBack(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		typ := reflect.TypeOf(kind).Elem()
		t.Run(typ.Name(), func(t *testing.T) {
			t.Parallel()
			c := NewCompiler()
			plan, err := c.Compile(typ)
			if err != nil {
				t.Fatal(err)
			}
			packing, err := c.Packing(typ)
			if err != nil {
				t.Fatal(err)
			}
			f := filler(7)
			var p Packer
			for i := range 60 {
				in := reflect.New(typ)
				f.Fill(in.Interface())
				settled, err := plan.Copy(in)
				if err != nil {
					t.Fatal(err)
				}
				before, err := plan.Copy(settled)
				if err != nil {
					t.Fatal(err)
				}
				p.Bytes = p.Bytes[:0]
				packing.Pack(&p, settled.UnsafePointer())
				got := packing.Unpack(string(p.Bytes))
				if d := cmp.Diff(settled.Interface(), got.Interface(), sameMeaning); d != "" {
					t.Fatalf("value %d (-stored +unpacked):\n%s", i, d)
				}
				if !plan.Equal(settled.UnsafePointer(), got.UnsafePointer()) {
					t.Fatalf("value %d: Equal says that the unpacked value differs", i)
				}
				if !reflect.DeepEqual(before.Interface(), settled.Interface()) {
					t.Fatalf("value %d: packing changed it", i)
				}
			}
		})
	}
}

// TestUUIDsArePackedAsTheyAreSpelt packs what looks like a UUID.
func TestUUIDsArePackedAsTheyAreSpelt(t *testing.T) {
	t.Parallel()
	packing, err := NewCompiler().Packing(reflect.TypeFor[string]())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		text string
		size int
	}{
		{"", 1},
		{"one", 4},
		{"01234567-89ab-cdef-0123-456789abcdef", 17},
		{"01234567-89AB-cdef-0123-456789abcdef", 38},
		{"01234567-89ab-cdef-0123-456789abcdeg", 38},
		{"01234567-89ab-cdef-01234456789abcdef", 37},
		{"01234567-89ab-cdef-0123-456789abcdef0", 38},
		{"0123456789ab-cdef-0123-456789abcdef-", 37},
		{strings.Repeat("-", 36), 37},
	} {
		var p Packer
		packing.Pack(&p, reflect.ValueOf(&tt.text).UnsafePointer())
		if got := *packing.Unpack(string(p.Bytes)).Interface().(*string); got != tt.text {
			t.Errorf("%q came back as %q", tt.text, got)
		}
		if len(p.Bytes) > tt.size {
			t.Errorf("%q takes %d bytes, not %d", tt.text, len(p.Bytes), tt.size)
		}
	}
}

// TestPackingNeedsNoMemory packs an event, as a server does with thousands of them.
func TestPackingNeedsNoMemory(t *testing.T) {
	packing, err := NewCompiler().Packing(reflect.TypeFor[corev1.Event]())
	if err != nil {
		t.Fatal(err)
	}
	e := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "e", Labels: map[string]string{"a": "b", "c": "d"}}, Reason: "Pulled", Count: 3}
	var p Packer
	if n := testing.AllocsPerRun(100, func() {
		p.Bytes = p.Bytes[:0]
		packing.Pack(&p, reflect.ValueOf(e).UnsafePointer())
	}); n > 0 {
		t.Errorf("packing takes %v allocations", n)
	}
}
