package milvuswait

import (
	"encoding/json"
	"fmt"
	"math"
)

// Progress is the progress from one poll: a [LoadingProgress] or an
// [IndexBuildingProgress], by value.
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

// clamp returns f within 0 and 1; not-a-number is 0.
func clamp(f float64) float64 {
	if math.IsNaN(f) {
		return 0
	}
	return min(1, max(0, f))
}
