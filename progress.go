package milvuswait

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Progress is the progress from one poll, by value: a [LoadingProgress], an
// [IndexBuildingProgress], a [FlushProgress], an [ImportProgress], a [CompactionProgress]
// or a [ServingProgress].
type Progress interface {
	fmt.Stringer

	// Complete reports whether the work is finished, by the default rules and without
	// any option of a wait.
	Complete() bool

	// Fraction returns the completed share, from 0 to 1, also for out-of-range values.
	// It is 0 while unknown, and may be 1 before Complete is true.
	Fraction() float64

	// dict returns the JSON of all fields. Only the types of this package have it: a closed
	// set, since waits know how to judge each type.
	dict() any
}

// MarshalProgress returns the JSON of a Progress with all its fields: the dict of
// json.Marshal, which is that of pymilvus, with refresh_progress of a load unless it is 0,
// and index_name of an index if it is known. It returns null for nil.
func MarshalProgress(p Progress) ([]byte, error) {
	if p == nil {
		return []byte("null"), nil
	}
	return json.Marshal(p.dict())
}

// UnmarshalProgress reads the JSON of a Progress of any kind, as json.Marshal or
// MarshalProgress write it. It recognizes the type by the keys, and returns nil for null.
func UnmarshalProgress(b []byte) (Progress, error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(b, &keys); err != nil {
		return nil, fmt.Errorf("milvuswait: the JSON of a progress: %w", err)
	}
	if keys == nil {
		return nil, nil
	}

	for _, k := range waitKinds {
		if _, found := keys[k.jsonKey]; found {
			return k.unmarshal(b)
		}
	}
	return nil, fmt.Errorf("milvuswait: the JSON of a progress has no key of any kind, such as %q", loadingKind.jsonKey)
}

// unmarshal is waitKind.unmarshal for a progress of type P.
func unmarshal[P Progress](b []byte) (Progress, error) {
	var p P
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, err
	}
	return p, nil
}

// stateNames holds the names of the states of one type, by number.
type stateNames struct {
	typeName string
	noun     string   // for errors
	names    []string // "" for a number without a name
}

// name returns the name of a state, or its number, such as "ImportState(77)".
func (n stateNames) name(state int32) string {
	if state < 0 || int(state) >= len(n.names) || n.names[state] == "" {
		return n.typeName + "(" + strconv.Itoa(int(state)) + ")"
	}
	return n.names[state]
}

// parse returns the state for the result of name.
func (n stateNames) parse(name string) (int32, error) {
	for i, known := range n.names {
		if known == name && name != "" {
			return int32(i), nil
		}
	}

	digits := strings.TrimSuffix(strings.TrimPrefix(name, n.typeName+"("), ")")
	state, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || n.name(int32(state)) != name {
		return 0, fmt.Errorf("milvuswait: %q is not the name of %s", name, n.noun)
	}
	return int32(state), nil
}

// clamp returns f within 0 and 1; not-a-number is 0.
func clamp(f float64) float64 {
	if math.IsNaN(f) {
		return 0
	}
	return min(1, max(0, f))
}

// parsePercent returns the number in the text of a percentage, such as "40%", from the JSON
// of a field.
func parsePercent(field, text string) (int64, error) {
	digits, ok := strings.CutSuffix(text, "%")
	percent, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || digits[0] == '+' { // ParseInt accepts a plus sign
		return 0, fmt.Errorf("milvuswait: %s is %q, not a percentage such as %q", field, text, "40%")
	}
	return percent, nil
}
