package termination_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/entrypoint/termination"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	started := termination.StartedAt(time.Date(2022, 12, 22, 11, 0, 0, 123_999_999, time.FixedZone("", 3600)))
	for _, tt := range []struct {
		reason  string
		entries []termination.Entry
		want    string
	}{
		{"the example of the specification",
			[]termination.Entry{{Key: "digest", Value: "sha256:ab", Type: termination.Result}, started},
			`[{"key":"digest","value":"sha256:ab","type":1},{"key":"StartedAt","value":"2022-12-22T10:00:00.123Z","type":3}]`},
		{"resourceName and type are left out when empty",
			[]termination.Entry{{Key: "a"}, {Value: "b", ResourceName: "c"}},
			`[{"key":"a","value":""},{"key":"","value":"b","resourceName":"c"}]`},
		{"EP-52: escapes",
			[]termination.Entry{{Key: "k", Value: "<>&\"\\\n\t\x01\u2028\xffé", Type: 1}},
			`[{"key":"k","value":"\u003c\u003e\u0026\"\\\n\t\u0001\u2028\ufffdé","type":1}]`},
		{"nothing is an empty array", nil, `[]`},
	} {
		got, err := termination.Encode(tt.entries, termination.MaxSize)
		if diff := cmp.Diff(tt.want, string(got)); err != nil || diff != "" {
			t.Errorf("%s: %v\n-want +got:\n%s", tt.reason, err, diff)
		}
	}
}

func TestEncodeRefusesWhatTheKubeletWouldCut(t *testing.T) {
	t.Parallel()
	empty, err := termination.Encode([]termination.Entry{{Key: "k"}}, termination.MaxSize)
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{100, 614, termination.MaxSize} {
		for _, over := range []int{-1, 0, 1} {
			value := strings.Repeat("x", limit+over-len(empty))
			got, err := termination.Encode([]termination.Entry{{Key: "k", Value: value}}, limit)
			var tooLarge *termination.TooLargeError
			switch {
			case over <= 0 && (err != nil || len(got) != limit+over):
				t.Errorf("limit %d%+d: %d bytes, %v", limit, over, len(got), err)
			case over > 0 && !errors.As(err, &tooLarge):
				t.Errorf("limit %d%+d: no TooLargeError but %v", limit, over, err)
			case over > 0:
				want := fmt.Sprintf("Termination message is above max allowed size %d, caused by large task result.", limit)
				if tooLarge.Size != limit+over || tooLarge.Limit != limit || err.Error() != want {
					t.Errorf("limit %d%+d: %#v %q", limit, over, tooLarge, err)
				}
			}
		}
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, message string
		want            []termination.Entry
		err             string
	}{
		{"EP-54: a number", `[{"key":"a","type":1},{"key":"b","type":17}]`, []termination.Entry{{Key: "a", Type: 1}, {Key: "b", Type: 17}}, ""},
		{"EP-54: names", `[{"key":"a","type":"TaskRunResult"},{"key":"b","type":"PipelineResourceResult"},{"key":"c","type":"InternalTektonResult"}]`,
			[]termination.Entry{{Key: "a", Type: termination.Result}, {Key: "b", Type: termination.PipelineResource}, {Key: "c", Type: termination.Internal}}, ""},
		{"EP-54: other names", `[{"key":"a","type":"What"}]`, []termination.Entry{{Key: "a", Type: termination.Unknown}}, ""},
		{"EP-54: anything else", `[{"key":"a","type":{}}]`, nil, "parsing message json: type of an entry must be a number or a name, not {}"},
		{"ST-10: empty objects are discarded", `[{},{"x":"y"},{"key":"a"}]`, []termination.Entry{{Key: "a"}}, ""},
		{"§6.7: not JSON", `oops`, nil, "parsing message json: invalid character 'o' looking for beginning of value"},
		{"§6.7: cut by the kubelet", `[{"key":"a","val`, nil, "parsing message json: unexpected end of JSON input"},
		{"§6.7: not an array", `{"key":"a"}`, nil, "parsing message json: json: cannot unmarshal object into Go value of type []termination.Entry"},
		{"an empty array", `[]`, []termination.Entry{}, ""},
	} {
		got, err := termination.Decode([]byte(tt.message))
		text := ""
		if err != nil {
			text = err.Error()
		}
		if diff := cmp.Diff(tt.want, got) + cmp.Diff(tt.err, text); diff != "" {
			t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
		}
	}
}

func TestLatestOfEachKey(t *testing.T) {
	t.Parallel()
	entries := []termination.Entry{{Key: "b", Value: "1"}, {Key: "a", Value: "1"}, {Key: "b", Value: "2"}, {Key: "a", Value: "3"}}
	want := []termination.Entry{{Key: "a", Value: "3"}, {Key: "b", Value: "2"}}
	if diff := cmp.Diff(want, termination.Latest(entries)); diff != "" {
		t.Errorf("ST-10: the last wins, sorted by key\n%s", diff)
	}
	if entries[0].Key != "b" {
		t.Error("the argument was changed")
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"2022-12-22T10:00:00.123Z", "2022-12-22T10:00:00.000Z", "2022-12-22T11:00:00.120+01:00"} {
		at, err := termination.ParseTime(value)
		if err != nil {
			t.Errorf("%s: %v", value, err)
		}
		if again, err := termination.ParseTime(termination.FormatTime(at)); err != nil || !again.Equal(at) {
			t.Errorf("%s became %s (%v)", value, termination.FormatTime(at), err)
		}
	}
	for _, value := range []string{"", "now", "1671703200"} {
		if _, err := termination.ParseTime(value); err == nil {
			t.Errorf("%q is a time", value)
		}
	}
}

func TestBudgetIsTheContainersShare(t *testing.T) {
	t.Parallel()
	for containers, want := range map[int]int{0: 4096, 1: 4096, 3: 4096, 4: 3072, 8: 1536, 20: 614} {
		if got := termination.Budget(containers); got != want {
			t.Errorf("%d containers: %d, want %d", containers, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`[{"key":"a","value":"b","resourceName":"c","type":"TaskRunResult"},{"type":3}]`))
	f.Add([]byte(`[{}]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, message []byte) {
		entries, err := termination.Decode(message)
		if err != nil {
			return
		}
		again, err := termination.Encode(entries, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		got, err := termination.Decode(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(entries, got); diff != "" && len(entries)+len(got) > 0 {
			t.Errorf("%q\n%s", message, diff)
		}
		if latest := termination.Latest(entries); len(latest) > len(entries) {
			t.Errorf("%d latest of %d entries", len(latest), len(entries))
		}
	})
}

func FuzzEncode(f *testing.F) {
	f.Add("key", "value", "name", 1, 4096)
	f.Add("<", "\xff\u2028", "", 0, 40)
	f.Add("\xd3", "\xb7", "", 3, 100) // valid only together
	f.Fuzz(func(t *testing.T, key, value, name string, kind, limit int) {
		entry := termination.Entry{Key: key, Value: value, ResourceName: name, Type: termination.Type(kind)}
		message, err := termination.Encode([]termination.Entry{entry}, limit)
		if err != nil {
			if len(value)+len(key) == 0 && limit > 200+6*len(name) {
				t.Errorf("refused: %v", err)
			}
			return
		}
		if len(message) > limit || !json.Valid(message) {
			t.Errorf("%d bytes above %d, or no JSON: %s", len(message), limit, message)
		}
		for _, text := range []string{key, value, name} {
			if !utf8.ValidString(text) {
				return // it was replaced
			}
		}
		got, err := termination.Decode(message)
		want := []termination.Entry{entry}
		if entry == (termination.Entry{}) {
			want = []termination.Entry{}
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}
