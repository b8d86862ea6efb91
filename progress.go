package milvuswait

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Progress is what one poll saw: a [LoadingProgress] or an
// [IndexBuildingProgress], by value.
type Progress interface {
	fmt.Stringer

	// Complete reports whether the server is done, by the default rules and
	// without any option of a wait.
	Complete() bool

	// Fraction returns how much is done, from 0 to 1, whatever the server
	// answered. It is 0 while that is unknown, and may be 1 before Complete is
	// true.
	Fraction() float64

	// A closed set: what a wait decides by is known here.
	progress()
}

// LoadingProgress is one answer to the question how far the loading of a
// collection, or of some of its partitions, is.
//
// Source: milvus.proto, message GetLoadingProgressResponse.
type LoadingProgress struct {
	// Percent of segments and channels that are loaded, on all replicas, from 0
	// to 100; progress. The mean of the partitions, rounded down, so that it may
	// fall when a partition is added. It moves in big steps (0, 50, 100 for a
	// collection of one segment) and falls when a query node is lost.
	Percent int64

	// RefreshPercent is 0 while a refresh (LoadCollection with refresh = true)
	// is under way and 100 when it is done, or when none was ever asked for;
	// refresh_progress. Milvus 2.2 and milvus-lite do not send it: always 0.
	RefreshPercent int64
}

// Complete reports whether everything is loaded: Percent is 100 or more.
func (p LoadingProgress) Complete() bool { return p.Percent >= 100 }

// Fraction returns Percent as a fraction, from 0 to 1.
func (p LoadingProgress) Fraction() float64 { return clamp(float64(p.Percent) / 100) }

// String returns the percentage, such as "40%".
func (p LoadingProgress) String() string { return strconv.FormatInt(p.Percent, 10) + "%" }

func (p LoadingProgress) progress() {}

// MarshalJSON returns the dict of pymilvus' utility.loading_progress, such as
// {"loading_progress":"40%"}. RefreshPercent is not part of it.
func (p LoadingProgress) MarshalJSON() ([]byte, error) {
	return json.Marshal(loadingDict{p.String()})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *LoadingProgress) UnmarshalJSON(b []byte) error {
	var d loadingDict
	if err := json.Unmarshal(b, &d); err != nil {
		return err
	}
	digits, ok := strings.CutSuffix(d.LoadingProgress, "%")
	percent, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil {
		return fmt.Errorf("milvuswait: loading_progress is %q, not a percentage such as %q", d.LoadingProgress, "40%")
	}
	*p = LoadingProgress{Percent: percent}
	return nil
}

type loadingDict struct {
	LoadingProgress string `json:"loading_progress"`
}

// IndexBuildingProgress is one answer to the question how far the building of
// an index is.
//
// Rows are rows of flushed segments: what was inserted but not flushed is in
// none of the numbers, and on real servers (2.2.16 and 2.3.5 were measured) not
// even what was flushed less than 3 s ago. Deletes and compaction take rows
// away again.
//
// Source: milvus.proto, message IndexDescription.
type IndexBuildingProgress struct {
	// TotalRows is the number of rows there are to index; total_rows. It grows
	// by flushes and shrinks by compaction.
	TotalRows int64

	// IndexedRows is the number of rows indexed so far; indexed_rows. It counts
	// rows of segments that were compacted away since, so that it may exceed
	// TotalRows.
	IndexedRows int64

	// PendingIndexRows is the number of rows in segments that have no finished
	// index; pending_index_rows. Compaction raises it again. Servers before
	// 2.2.9 do not send it: always 0.
	PendingIndexRows int64

	// State of the index as the server says it; state. Finished alone does not
	// mean that rows are indexed: see Complete.
	State IndexState

	// FailReason is the server's reason when State is IndexStateFailed;
	// index_state_fail_reason.
	FailReason string

	// IndexName is the name under which the server knows the index; index_name.
	// It tells which one was furthest behind when AllIndexes were asked for.
	IndexName string
}

// Complete reports whether every row that the server knows of is indexed: State
// is Finished, no rows are pending, and at least TotalRows are indexed.
//
// All of them are needed. A server that was asked with the index's own time
// says Finished while 100 000 rows are pending (milvus-io/milvus#40580, and
// measured on 2.3.5), and a server without pending_index_rows has only the
// comparison of rows. A collection without flushed rows is complete: see
// WithExpectedRows.
func (p IndexBuildingProgress) Complete() bool {
	return p.State == IndexStateFinished && p.TotalRows >= 0 && p.PendingIndexRows == 0 && p.IndexedRows >= p.TotalRows
}

// Fraction returns the share of rows that are indexed, from 0 to 1: 0 while
// there are no rows, and never more than the pending rows leave.
func (p IndexBuildingProgress) Fraction() float64 {
	return max(0, p.share(p.TotalRows))
}

// share returns how much of total rows is indexed and not pending, from 0 to 1,
// or -1 if that is unknown.
func (p IndexBuildingProgress) share(total int64) float64 {
	if total <= 0 || p.TotalRows < 0 {
		return -1
	}
	// In floats, where no difference of rubbish overflows.
	settled := float64(p.TotalRows) - float64(p.PendingIndexRows)
	return clamp(min(float64(p.IndexedRows), settled) / float64(total))
}

// String returns the rows and the state, such as "40/100 rows, InProgress", and
// the pending rows where they say something new.
func (p IndexBuildingProgress) String() string {
	s := fmt.Sprintf("%d/%d rows, %v", p.IndexedRows, p.TotalRows, p.State)
	if p.PendingIndexRows != 0 && p.PendingIndexRows != p.TotalRows-p.IndexedRows {
		s += fmt.Sprintf(", %d pending", p.PendingIndexRows)
	}
	return s
}

func (p IndexBuildingProgress) progress() {}

// FurthestBehind returns the progress of the index that is furthest behind, for a Poller
// that serves AllIndexes: a failed index before one that is not finished, then one that
// is not complete, then the one with the smallest share of rows done. Of equals it is
// the first by name. It panics if all is empty.
func FurthestBehind(all []IndexBuildingProgress) IndexBuildingProgress {
	return slices.MinFunc(all, func(a, b IndexBuildingProgress) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Fraction(), b.Fraction()), cmp.Compare(a.IndexName, b.IndexName))
	})
}

// rank is lower for an index that is further behind. The state comes before the rows, so
// that a wait by the state alone also sees that every index is finished.
func (p IndexBuildingProgress) rank() int {
	switch {
	case p.State == IndexStateFailed:
		return 0
	case p.State != IndexStateFinished:
		return 1
	case !p.Complete():
		return 2
	}
	return 3
}

// MarshalJSON returns the dict of pymilvus' utility.index_building_progress, such
// as {"total_rows":100,"indexed_rows":40,"pending_index_rows":60,"state":"InProgress"}.
// A failed index has its index_state_fail_reason too, which pymilvus leaves out.
func (p IndexBuildingProgress) MarshalJSON() ([]byte, error) {
	return json.Marshal(indexDict{p.TotalRows, p.IndexedRows, p.PendingIndexRows, p.State, p.FailReason})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *IndexBuildingProgress) UnmarshalJSON(b []byte) error {
	var d indexDict
	if err := json.Unmarshal(b, &d); err != nil {
		return err
	}
	*p = IndexBuildingProgress{
		TotalRows: d.TotalRows, IndexedRows: d.IndexedRows, PendingIndexRows: d.PendingIndexRows,
		State: d.State, FailReason: d.FailReason,
	}
	return nil
}

type indexDict struct {
	TotalRows        int64      `json:"total_rows"`
	IndexedRows      int64      `json:"indexed_rows"`
	PendingIndexRows int64      `json:"pending_index_rows"`
	State            IndexState `json:"state"`
	FailReason       string     `json:"index_state_fail_reason,omitempty"`
}

// IndexState is the state of an index. The numbers are those of common.proto,
// enum IndexState; a number that is not listed here is kept as it is.
type IndexState int32

// The states of an index. A wait goes on in all but Finished and Failed.
const (
	IndexStateNone       IndexState = 0 // no segment has an index yet
	IndexStateUnissued   IndexState = 1 // waiting for a worker
	IndexStateInProgress IndexState = 2 // being built
	IndexStateFinished   IndexState = 3 // built, as far as the server looked
	IndexStateFailed     IndexState = 4 // a segment's build failed for good
	IndexStateRetry      IndexState = 5 // a worker failed, to be built again
)

var indexStateNames = [...]string{"None", "Unissued", "InProgress", "Finished", "Failed", "Retry"}

// String returns Milvus' name of the state, such as "InProgress", or the number
// of a state that has none.
func (s IndexState) String() string {
	if s < 0 || int(s) >= len(indexStateNames) {
		return "IndexState(" + strconv.Itoa(int(s)) + ")"
	}
	return indexStateNames[s]
}

// MarshalText returns String, so that JSON has the name as pymilvus' dict has.
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

// clamp returns f within 0 and 1; not-a-number is 0.
func clamp(f float64) float64 {
	if math.IsNaN(f) {
		return 0
	}
	return min(1, max(0, f))
}
