package v1beta1

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// ParamType is the type of a parameter.
type ParamType string

// The types that a parameter can have.
const (
	ParamTypeString ParamType = "string"
	ParamTypeArray  ParamType = "array"
	ParamTypeObject ParamType = "object"
)

// ParamSpec declares a parameter of a Task.
type ParamSpec struct {
	Name        string                  `json:"name"`
	Type        ParamType               `json:"type,omitempty"`
	Description string                  `json:"description,omitempty"`
	Properties  map[string]PropertySpec `json:"properties,omitempty"`
	Default     *ParamValue             `json:"default,omitempty"`
}

// PropertySpec declares one key of an object parameter or result.
type PropertySpec struct {
	Type ParamType `json:"type,omitempty"`
}

// Param gives a parameter its value.
type Param struct {
	Name  string     `json:"name"`
	Value ParamValue `json:"value"`
}

// ParamValue is a string, a list of strings or a map of strings, held with the type that its JSON form had.
//
// +kubebuilder:validation:Type=string
type ParamValue struct {
	Type      ParamType
	StringVal string
	ArrayVal  []string
	ObjectVal map[string]string
}

// StringValue is a string as a ParamValue.
func StringValue(s string) ParamValue {
	return ParamValue{Type: ParamTypeString, StringVal: s}
}

// ArrayValue is a list as a ParamValue.
func ArrayValue(items ...string) ParamValue {
	return ParamValue{Type: ParamTypeArray, ArrayVal: items}
}

// ObjectValue is a map as a ParamValue.
func ObjectValue(pairs map[string]string) ParamValue {
	return ParamValue{Type: ParamTypeObject, ObjectVal: pairs}
}

// UnmarshalJSON never fails on valid JSON: what is neither a list nor a map of strings is a string, and what is not even
// a JSON string is kept as its raw text, so that `value: 5` means "5".
func (v *ParamValue) UnmarshalJSON(raw []byte) error {
	*v = ParamValue{Type: ParamTypeString}
	data := bytes.TrimSpace(raw)
	if len(data) == 0 {
		return nil
	}
	switch data[0] {
	case '[':
		var items []string
		if json.Unmarshal(data, &items) == nil {
			*v = ParamValue{Type: ParamTypeArray, ArrayVal: items}
			return nil
		}
	case '{':
		var pairs map[string]string
		if json.Unmarshal(data, &pairs) == nil {
			*v = ParamValue{Type: ParamTypeObject, ObjectVal: pairs}
			return nil
		}
	}
	var text string
	if json.Unmarshal(data, &text) == nil {
		v.StringVal = text
		return nil
	}
	v.StringVal = string(data)
	return nil
}

// MarshalJSON writes the bare string, list or map. An empty list or map is never null, which would be read as a string.
func (v ParamValue) MarshalJSON() ([]byte, error) {
	switch v.Type {
	case ParamTypeString:
		return json.Marshal(v.StringVal)
	case ParamTypeArray:
		if v.ArrayVal == nil {
			return []byte("[]"), nil
		}
		return json.Marshal(v.ArrayVal)
	case ParamTypeObject:
		if v.ObjectVal == nil {
			return []byte("{}"), nil
		}
		return json.Marshal(v.ObjectVal)
	default:
		return nil, fmt.Errorf("impossible ParamValues.Type: %q", v.Type)
	}
}
