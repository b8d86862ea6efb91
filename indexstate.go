package milvuswait

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

var indexStateNames = stateNames{"IndexState", "an index state", []string{"None", "Unissued", "InProgress", "Finished", "Failed", "Retry"}}

// String returns Milvus' name of the state, such as "InProgress", or its number if it has
// no name.
func (s IndexState) String() string { return indexStateNames.name(int32(s)) }

// MarshalText returns String, for the name in JSON as in pymilvus' dict.
func (s IndexState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the text of MarshalText.
func (s *IndexState) UnmarshalText(b []byte) error {
	n, err := indexStateNames.parse(string(b))
	if err == nil {
		*s = IndexState(n)
	}
	return err
}
