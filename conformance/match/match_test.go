package match

import (
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance/source"
)

func compile(t *testing.T, text string) *Pattern {
	t.Helper()
	docs, errs := source.Parse("p.yaml", []byte(text))
	if errs.Err() != nil || len(docs) != 1 {
		t.Fatalf("%q: %v", text, errs)
	}
	p := &Pattern{}
	p.DecodeNode(&source.Decoder{Doc: docs[0], Errs: &errs}, docs[0].Root, "")
	if errs.Err() != nil {
		t.Fatalf("%q: %v", text, errs)
	}
	return p
}

func value(t *testing.T, text string) any {
	t.Helper()
	docs, errs := source.Parse("v.yaml", []byte(text))
	if errs.Err() != nil || len(docs) != 1 {
		t.Fatalf("%q: %v", text, errs)
	}
	v, errs := docs[0].Value(docs[0].Root)
	if errs.Err() != nil {
		t.Fatal(errs)
	}
	return v
}

// An empty want means that the pattern matches.
func TestPatterns(t *testing.T) {
	t.Parallel()
	const conditions = "{conditions: [{type: Ready, status: \"True\"}, {type: Succeeded, status: \"Unknown\", reason: Running}]}"
	for _, tt := range []struct{ reason, pattern, value, want string }{
		{"other fields do not matter", "{a: 1}", "{a: 1, b: 2}", ""},
		{"a field that differs", "{a: {b: 1}}", "{a: {b: 2}}", "a.b: want 1, got 2"},
		{"a missing field", "{a: {b: 1}}", "{a: {}}", "a.b: want 1, got (nothing)"},
		{"nothing at all below", "{a: {b: 1}}", "{c: 1}", "a.b: want 1, got (nothing)"},
		{"null is nothing", "{a: 1}", "{a: ~}", "a: want 1, got (nothing)"},
		{"the type counts", "{a: \"1\"}", "{a: 1}", `a: want "1" (string), got 1 (number)`},
		{"1 and 1.0 are one number", "{a: 1}", "{a: 1.0}", ""},
		{"a mapping is not a scalar", "{a: {b: 1}}", "{a: x}", `a: want (a mapping), got "x"`},
		{"a name with a dot is bracketed", "{a: {tekton.dev/x: y}}", "{a: {tekton.dev/x: z}}", `a[tekton.dev/x]: want "y", got "z"`},

		{"an item is found by its key", "{conditions: [{type: Succeeded, reason: Running}]}", conditions, ""},
		{"an item differs where it is", "{conditions: [{type: Succeeded, reason: Failed}]}", conditions, `conditions[type=Succeeded].reason: want "Failed", got "Running"`},
		{"no item of this key", "{conditions: [{type: Done, reason: x}]}", conditions, "conditions[type=Done]: want (an item with this type), got (items with type Ready, Succeeded)"},
		{"no list at all", "{conditions: [{type: Done}]}", "{}", "conditions: want (a list of {type: \"Done\"}), got (nothing)"},
		{"the order does not matter", "[b, a]", "[a, b]", ""},
		{"each wants an item of its own", "[a, a]", "[a, b]", `[1]: want "a", got "b"`},
		{"an item that fits two is given to the one that needs it", "[{x: 1}, {x: 1, y: 2}]", "[{x: 1, y: 2}, {x: 1}]", ""},
		{"a list of items without a key is reported once", "[c]", "[a, b]", `[0]: want "c", got (none such among ["a","b"])`},
		{"items of one key are tried in turn", "[{name: a, v: 2}]", "[{name: a, v: 1}, {name: a, v: 2}]", ""},
		{"the only item left is compared", "[{v: 2}]", "[{v: 1}]", "[0].v: want 2, got 1"},

		{"$regex", "{a: {$regex: ^x+$}}", "{a: xx}", ""},
		{"$regex fails", "{a: {$regex: ^x+$}}", "{a: xy}", `a: want (a string matching /^x+$/), got "xy"`},
		{"$regex of a number", "{a: {$regex: \"1\"}}", "{a: 1}", "a: want (a string matching /1/), got 1"},
		{"$contains", "{a: {$contains: [b, c]}}", "{a: abcd}", ""},
		{"$contains fails for one of its texts", "{a: {$contains: [b, x]}}", "{a: abcd}", `a: want (a string containing "x"), got "abcd"`},
		{"$oneOf", "{a: {$oneOf: [1, {$regex: b}]}}", "{a: abc}", ""},
		{"$oneOf fails", "{a: {$oneOf: [1, 2]}}", "{a: 3}", "a: want (one of 1, 2), got 3"},
		{"$not", "{a: {$not: 1}}", "{a: 2}", ""},
		{"$not of nothing", "{a: {$not: 1}}", "{}", ""},
		{"$not fails", "{a: {$not: {$regex: b}}}", "{a: abc}", `a: want (anything but /b/), got "abc"`},
		{"$absent", "{a: {$absent: true}}", "{b: 1}", ""},
		{"$absent below what is absent", "{a: {b: {$absent: true}}}", "{c: 1}", ""},
		{"$absent fails", "{a: {$absent: true}}", "{a: 1}", "a: want (nothing), got 1"},
		{"$present", "{a: {$present: true}}", "{a: \"\"}", ""},
		{"$present fails", "{a: {$present: true}}", "{}", "a: want (something), got (nothing)"},
		{"$equal wants no other fields", "{a: {$equal: {b: 1}}}", "{a: {b: 1, c: 2}}", `a: want (exactly) {"b":1}, got {"b":1,"c":2}`},
		{"$equal", "{a: {$equal: {b: [1, 2]}}}", "{a: {b: [1, 2]}}", ""},
		{"$equal keeps the order of lists", "{a: {$equal: [1, 2]}}", "{a: [2, 1]}", "a: want (exactly) [1,2], got [2,1]"},
		{"$exactly in any order", "{$exactly: [1, 2]}", "[2, 1]", ""},
		{"$exactly wants no others", "{$exactly: [1, 2]}", "[2, 1, 3]", "(the object): want (only 1, 2), got (3 items) [2,1,3]"},
		{"$exactly of nothing", "{a: {$exactly: []}}", "{}", ""},
		{"$exactly wants all", "{$exactly: [{name: a}]}", "[]", "[name=a]: want (an item with this name), got (items with name (none))"},
		{"$inOrder with others between", "{$inOrder: [1, 3]}", "[1, 2, 3]", ""},
		{"$inOrder fails", "{$inOrder: [3, 1]}", "[1, 2, 3]", "(the object): want (in this order: 3, 1), got (another order) [1,2,3]"},
		{"$inOrder of what is not there", "{$inOrder: [1, 4]}", "[1, 2, 3]", "[0]: want 4, got (none such among [1,2,3])"},
		{"$inOrder and $length", "{$inOrder: [1, 2], $length: 2}", "[1, 2]", ""},
		{"$each", "{$each: {a: 1}}", "[{a: 1}, {a: 1, b: 2}]", ""},
		{"$each fails at its place", "{$each: {a: 1}}", "[{a: 1}, {a: 2}]", "[1].a: want 1, got 2"},
		{"$length", "{a: {$length: 2}}", "{a: [1]}", "a: want (length 2), got (length 1) [1]"},
		{"$length 0 of nothing", "{a: {$length: 0}}", "{}", ""},
		{"several operators must all hold", "{a: {$regex: a, $length: 1}}", "{a: ab}", `a: want (length 1), got (length 2) "ab"`},
	} {
		var got []string
		for _, m := range compile(t, tt.pattern).Match(value(t, tt.value)) {
			got = append(got, m.String())
		}
		if fits := compile(t, tt.pattern).Fits(value(t, tt.value)); fits != (len(got) == 0) {
			t.Errorf("%s: %s fits %s: %t", tt.reason, tt.pattern, tt.value, fits)
		}
		if text := strings.Join(got, "\n"); text != tt.want {
			t.Errorf("%s: %s against %s:\n got %s\nwant %s", tt.reason, tt.pattern, tt.value, text, tt.want)
		}
	}
}

func TestMismatchHasItsPosition(t *testing.T) {
	t.Parallel()
	p := compile(t, "a:\n  b:\n  - {name: x, v: 1}\n  - {name: y, v: {$regex: z}}\n")
	var got []string
	for _, m := range p.Match(value(t, "{a: {b: [{name: x, v: 2}, {name: y, v: a}]}}")) {
		got = append(got, m.Pos.String())
	}
	if diff := cmp.Diff([]string{"p.yaml:3:18", "p.yaml:4:19"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTextMatchesASubstring(t *testing.T) {
	t.Parallel()
	docs, errs := source.Parse("t.yaml", []byte("hello"))
	var text Text
	text.DecodeNode(&source.Decoder{Doc: docs[0], Errs: &errs}, docs[0].Root, "")
	if diff := text.Match("well, hello there\n"); errs.Err() != nil || len(diff) != 0 {
		t.Errorf("%v %v", errs, diff)
	}
	if diff := text.Match("bye"); len(diff) != 1 {
		t.Errorf("bye matches hello: %v", diff)
	}
}

func TestExpressions(t *testing.T) {
	t.Parallel()
	self := value(t, "{a: 1, t: \"2000-01-01T00:00:00Z\", u: \"2000-01-01T01:00:00Z\", list: [1, 2]}")
	objects := map[string]any{"pod/p": map[string]any{"metadata": map[string]any{"name": "p"}}}
	for _, tt := range []struct{ reason, expression, want string }{
		{"true", "self.a == 1", ""},
		{"false tells what it read", "self.a == 2", "(false: self.a = 1)"},
		{"both sides are reported", "self.a == size(self.list)", "(false: self.a = 1, self.list = [1,2])"},
		{"times", "timestamp(self.u) - timestamp(self.t) == duration('1h')", ""},
		{"times that differ", "timestamp(self.u) - timestamp(self.t) == duration('2h')", `(false: self.u = "2000-01-01T01:00:00Z", self.t = "2000-01-01T00:00:00Z")`},
		{"a missing field", "self.b == 1", "(no such key: b)"},
		{"has asks first", "!has(self.b)", ""},
		{"other objects", "objects['pod/p'].metadata.name == 'p'", ""},
		{"strings", "self.t.startsWith('2000')", ""},
		{"an expression that takes too long is cut", "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, [1,2,3,4,5,6,7,8,9,10].all(f, a+b+c+d+e+f > 0))))))", "(operation cancelled: actual cost limit exceeded)"},
	} {
		e, err := Compile(tt.expression)
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		got := ""
		for _, m := range e.Match(self, objects) {
			got = m.Got
		}
		if got != tt.want || e.Fits(self, objects) != (got == "") {
			t.Errorf("%s: got %s, want %s; it fits: %t", tt.reason, got, tt.want, e.Fits(self, objects))
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("{a: [{name: x, v: {$oneOf: [1, {$not: 2}]}}]}", "{a: [{name: x, v: 1}]}")
	f.Add("{$inOrder: [1, 2], $each: {$present: true}}", "[1, 2]")
	f.Fuzz(func(t *testing.T, pattern, object string) {
		docs, errs := source.Parse("p", []byte(pattern))
		if len(errs) > 0 || len(docs) == 0 {
			return
		}
		p := &Pattern{}
		p.DecodeNode(&source.Decoder{Doc: docs[0], Errs: &errs}, docs[0].Root, "")
		if len(errs) > 0 {
			return
		}
		var v any
		if yaml.Unmarshal([]byte(object), &v) != nil {
			return
		}
		if got := p.Match(v); p.Fits(v) != (len(got) == 0) {
			t.Fatalf("it fits: %t, but the differences are %v", p.Fits(v), got)
		}
		for _, m := range p.Match(v) {
			if m.Want == "" || m.Got == "" || m.Pos.Line == 0 {
				t.Fatalf("a difference that tells nothing: %+v", m)
			}
		}
	})
}
