package roundtrip

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"unsafe"

	kjson "sigs.k8s.io/json"
)

// Value returns what decoding the encoded v gives: a tree of nil, bool, int64,
// float64, string, []any and map[string]any that shares nothing with v. A float
// that is written without a fraction comes back as an integer.
func Value(v any) (any, error) {
	switch x := v.(type) {
	case nil, bool, int64:
		return x, nil
	case string:
		settleString(unsafe.Pointer(&x))
		return x, nil
	case float64:
		return number(x)
	case int:
		return int64(x), nil
	case int32:
		return int64(x), nil
	case map[string]any:
		if x == nil {
			return nil, nil
		}
		out := make(map[string]any, len(x))
		//plumbline:unordered one map is made of another
		for k, e := range x {
			settleString(unsafe.Pointer(&k))
			s, err := Value(e)
			if err != nil {
				return nil, err
			}
			out[k] = s
		}
		return out, nil
	case []any:
		if x == nil {
			return nil, nil
		}
		out := make([]any, len(x))
		for i, e := range x {
			s, err := Value(e)
			if err != nil {
				return nil, err
			}
			out[i] = s
		}
		return out, nil
	default:
		data, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		var out any
		err = kjson.UnmarshalCaseSensitivePreserveInts(data, &out)
		return out, err
	}
}

// number returns a float as it comes back. JSON writes it with an exponent, and
// so keeps it a float, when it is very small or at least 1e21.
func number(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("json: unsupported value: %v", f)
	}
	if f == math.Trunc(f) && f >= math.MinInt64 && f < math.MaxInt64 {
		return int64(f), nil
	}
	return f, nil
}

// EqualValues reports whether two trees as Value returns them are the same.
func EqualValues(a, b any) bool { return reflect.DeepEqual(a, b) }
