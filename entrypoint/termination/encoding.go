package termination

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// TooLargeError says that a message would be cut by the kubelet.
type TooLargeError struct {
	// Size is the encoded length in bytes, Limit the longest that was allowed.
	Size, Limit int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("Termination message is above max allowed size %d, caused by large task result.", e.Limit)
}

// Encode writes entries as a message of at most limit bytes; a longer one is a [*TooLargeError]. The characters <, >
// and & are written as six bytes each and invalid UTF-8 becomes the replacement character, which all counts (EP-52).
func Encode(entries []Entry, limit int) ([]byte, error) {
	if entries == nil {
		entries = []Entry{}
	}
	message, err := json.Marshal(entries)
	if err != nil {
		return nil, fmt.Errorf("encoding termination message: %w", err)
	}
	if len(message) > limit {
		return nil, &TooLargeError{Size: len(message), Limit: limit}
	}
	return message, nil
}

// Decode reads all entries of a message in their order. Objects that say nothing are left out.
func Decode(message []byte) ([]Entry, error) {
	var entries []Entry
	if err := json.Unmarshal(message, &entries); err != nil {
		return nil, fmt.Errorf("parsing message json: %w", err)
	}
	return slices.DeleteFunc(entries, func(e Entry) bool { return e == Entry{} }), nil
}

// Latest is one entry per key, the last of each, sorted by key (ST-10).
func Latest(entries []Entry) []Entry {
	sorted := slices.Clone(entries)
	slices.SortStableFunc(sorted, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	latest := sorted[:0]
	for i, e := range sorted {
		if i+1 == len(sorted) || sorted[i+1].Key != e.Key {
			latest = append(latest, e)
		}
	}
	return latest
}

// typeByName reads the names of types that older writers use.
func typeByName(name string) Type {
	switch name {
	case "TaskRunResult":
		return Result
	case "PipelineResourceResult":
		return PipelineResource
	case "InternalTektonResult":
		return Internal
	default:
		return Unknown
	}
}

var errType = errors.New("type of an entry must be a number or a name")

// UnmarshalJSON accepts a number or a name (EP-54).
func (t *Type) UnmarshalJSON(data []byte) error {
	var number int
	if err := json.Unmarshal(data, &number); err == nil {
		*t = Type(number)
		return nil
	}
	var name string
	if err := json.Unmarshal(data, &name); err != nil {
		return fmt.Errorf("%w, not %s", errType, data)
	}
	*t = typeByName(name)
	return nil
}
