package v1beta1_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// TestParamValueDecoding goes through the rules of spec §1.7 in their order.
func TestParamValueDecoding(t *testing.T) {
	t.Parallel()
	text := v1beta1.StringValue
	for _, row := range []struct {
		reason, in string
		want       v1beta1.ParamValue
	}{
		{"a list of strings", `["a","b"]`, v1beta1.ArrayValue("a", "b")},
		{"an empty list is a list", `[]`, v1beta1.ArrayValue([]string{}...)},
		{"space around it does not matter", "\n [ \"a\" ] ", v1beta1.ArrayValue("a")},
		{"a list of anything else is its text", `[1,2]`, text(`[1,2]`)},
		{"one number spoils the list", `["a",1]`, text(`["a",1]`)},
		{"a list of lists", `[["a"]]`, text(`[["a"]]`)},
		{"a map of strings", `{"k":"v"}`, v1beta1.ObjectValue(map[string]string{"k": "v"})},
		{"an empty map is a map", `{}`, v1beta1.ObjectValue(map[string]string{})},
		{"a map of anything else is its text", `{"a":1}`, text(`{"a":1}`)},
		{"a nested map", `{"a":{"b":"c"}}`, text(`{"a":{"b":"c"}}`)},
		{"a string", `"v"`, text("v")},
		{"a string that looks like a list is a string", `"[1]"`, text("[1]")},
		{"escapes are resolved", `"a\n\u00e9\"b"`, text("a\né\"b")},
		{"the empty string", `""`, text("")},
		{"a number is its text", `5`, text("5")},
		{"however it is written", `1.50e3`, text("1.50e3")},
		{"a boolean is its text", `true`, text("true")},
		{"null is nothing", `null`, text("")},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			var got v1beta1.ParamValue
			if err := json.Unmarshal([]byte(row.in), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("no input at all", func(t *testing.T) {
		t.Parallel()
		got := v1beta1.ArrayValue("left over")
		if err := got.UnmarshalJSON(nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text(""), got); diff != "" {
			t.Errorf("value (-want +got):\n%s", diff)
		}
	})
}

func TestParamValueEncoding(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		reason string
		in     v1beta1.ParamValue
		want   string
	}{
		{"a bare string", v1beta1.StringValue(`a"b`), `"a\"b"`},
		{"a list", v1beta1.ArrayValue("a", "b"), `["a","b"]`},
		{"a list of nothing", v1beta1.ParamValue{Type: v1beta1.ParamTypeArray}, `[]`},
		{"a map, sorted", v1beta1.ObjectValue(map[string]string{"b": "2", "a": "1"}), `{"a":"1","b":"2"}`},
		{"a map of nothing", v1beta1.ParamValue{Type: v1beta1.ParamTypeObject}, `{}`},
		{"other fields than the type's do not count", v1beta1.ParamValue{Type: v1beta1.ParamTypeString, ArrayVal: []string{"x"}}, `""`},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(row.in)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
	if _, err := (v1beta1.ParamValue{}).MarshalJSON(); err == nil || err.Error() != `impossible ParamValues.Type: ""` {
		t.Errorf("a value without type: %v", err)
	}
}

// FuzzParamValue: any JSON decodes, and what is written is read back as the same value.
func FuzzParamValue(f *testing.F) {
	for _, seed := range []string{`"a"`, `["a"]`, `{"a":"b"}`, `[1]`, `{"a":null}`, `[null]`, `null`, `5`, "\"\\ud800\"", ``, `[`, `{"a":"b"`, ` ["a"] `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var direct v1beta1.ParamValue
		if err := direct.UnmarshalJSON(data); err != nil {
			t.Fatalf("decoding failed: %v", err)
		}
		if !json.Valid(data) {
			return
		}
		var value v1beta1.ParamValue
		if err := json.Unmarshal(data, &value); err != nil {
			t.Fatalf("valid JSON was refused: %v", err)
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatalf("encoding failed: %v", err)
		}
		var again v1beta1.ParamValue
		if err := json.Unmarshal(encoded, &again); err != nil {
			t.Fatalf("what was written is refused: %v", err)
		}
		if !json.Valid(encoded) {
			t.Fatalf("not JSON: %s", encoded)
		}
		second, err := json.Marshal(again)
		if err != nil {
			t.Fatalf("encoding again failed: %v", err)
		}
		if string(second) != string(encoded) || again.Type != value.Type {
			t.Errorf("not stable: %s (%s), then %s (%s)", encoded, value.Type, second, again.Type)
		}
	})
}
