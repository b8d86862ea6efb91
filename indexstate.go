package milvuswait

import (
	"fmt"
	"strconv"
	"strings"
)

// IndexState is the state of an index. The numbers are those of enum IndexState in
// common.proto. Other numbers are kept as they are.
type IndexState int32

// The states of an index. A wait goes on in all states except Finished and Failed.
const (
	IndexStateNone       IndexState = 0 // no segment has an index yet
	IndexStateUnissued   IndexState = 1 // waiting for a worker
	IndexStateInProgress IndexState = 2 // being built
	IndexStateFinished   IndexState = 3 // built, as far as the server looked
	IndexStateFailed     IndexState = 4 // a segment's build failed for good
	IndexStateRetry      IndexState = 5 // a worker failed, to be built again
)

var indexStateNames = [...]string{"None", "Unissued", "InProgress", "Finished", "Failed", "Retry"}

// String returns Milvus' name of the state, such as "InProgress", or its number if it has
// no name.
func (s IndexState) String() string {
	if s < 0 || int(s) >= len(indexStateNames) {
		return "IndexState(" + strconv.Itoa(int(s)) + ")"
	}
	return indexStateNames[s]
}

// MarshalText returns String, for the name in JSON as in pymilvus' dict.
func (s IndexState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *IndexState) UnmarshalText(b []byte) error {
	for i, name := range indexStateNames {
		if name == string(b) {
			*s = IndexState(i)
			return nil
		}
	}
	digits := strings.TrimSuffix(strings.TrimPrefix(string(b), "IndexState("), ")")
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || IndexState(n).String() != string(b) {
		return fmt.Errorf("milvuswait: %q is not the name of an index state", b)
	}
	*s = IndexState(n)
	return nil
}
