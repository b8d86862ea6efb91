package milvuswait

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// AllIndexes, as the index of a wait or of a poll, means every index of the collection.
// The progress is that of the index furthest behind. No index can have this name: Milvus
// allows letters, digits and underscores.
const AllIndexes = "*"

// indexBuildingKind is the row of index builds in the table of kinds.
var indexBuildingKind = &waitKind{
	kind: KindIndexBuilding, one: "an index", many: "indexes",
	initial:  100 * time.Millisecond, // a poll costs the server more than one of a load
	options:  optIndex | optExpectedRows | optIndexCriterion | optFlush,
	describe: describeIndexBuilding, validate: validateIndexBuilding,
	checkPoller: func(p Poller, t Target) error {
		if f, ok := p.(PollerFuncs); ok && f.IndexBuilding == nil {
			return errNoIndexBuilding
		}
		return requireFlushPoller(p, t)
	},

	poll: pollIndex,
	list: func(Target) jobKind { return listIndexes },

	note:       noteIndex,
	failure:    indexFailure,
	isComplete: isIndexComplete,
	share:      shareOfIndexBuilding,
	part: func(t Target, p Progress) (noun, name string) {
		index, ok := p.(IndexBuildingProgress)
		if !ok || t.index != AllIndexes {
			return "", ""
		}
		return "index", index.IndexName
	},
	awaitsFlush: func(s *waitState) bool { return s.indexBuilding.flushing },
	isUnconfirmed: func(s *waitState) bool {
		return s.indexBuilding.segments.isUnlisted() && !s.target.marksTime() && s.target.rows == 0
	},
	hint: flushHint,

	jsonKey: "total_rows", unmarshal: unmarshal[IndexBuildingProgress],
}

// indexBuildingState is the part of a waitState for index builds.
type indexBuildingState struct {
	segments    *segmentCheck // nil before the first list
	rowsAtStart int64         // total rows at the first progress that counts
	hasBaseline bool          // rowsAtStart is set
	markDone    bool          // the flush of the target's mark is done
	flushing    bool          // the last poll found a flush to wait for
}

// IndexBuilding returns the target for the build of the named index of the collection.
// The empty name means the only index, and AllIndexes every index.
func IndexBuilding(collection, index string) Target {
	return Target{kind: KindIndexBuilding, collection: collection, index: index}
}

// describeIndexBuilding returns a target such as `index "vidx" of "docs"`.
func describeIndexBuilding(t Target) string {
	switch t.index {
	case AllIndexes:
		return fmt.Sprintf("all indexes of %q", t.collection)
	case "":
		return fmt.Sprintf("index of %q", t.collection)
	}
	return fmt.Sprintf("index %q of %q", t.index, t.collection)
}

func validateIndexBuilding(t Target) error {
	if err := validateName("collection", t.collection); err != nil {
		return err
	}
	if t.index == "" {
		return nil
	}
	return validateName("index", t.index)
}

// IndexBuildingProgress is the progress of building an index.
//
// Rows are rows of flushed segments. Inserted rows are in none of the numbers before their
// flush is done: on real servers (2.2.16 and 2.3.5) 2 to 4 s after Flush has returned, and
// 28 s after it if the server was killed meanwhile. Waits take care of these rows; a single
// poll does not. Deletes and compaction remove rows again.
//
// Source: milvus.proto, message IndexDescription.
type IndexBuildingProgress struct {
	// TotalRows is the number of rows to index; field total_rows. It grows by flushes and
	// shrinks by compaction.
	TotalRows int64

	// IndexedRows is the number of rows indexed so far; field indexed_rows. It includes
	// rows of segments replaced by compaction, and may exceed TotalRows.
	IndexedRows int64

	// PendingIndexRows is the number of rows in segments without a finished index; field
	// pending_index_rows. Compaction raises it again. It is always 0 on servers before
	// 2.2.9, which do not send it.
	PendingIndexRows int64

	// State of the index, as the server reports it; field state. Finished alone does not
	// mean that rows are indexed: see Complete.
	State IndexState

	// FailReason is the server's reason when State is IndexStateFailed;
	// index_state_fail_reason.
	FailReason string

	// IndexName is the server's name of the index; field index_name. For AllIndexes it
	// names the index furthest behind.
	IndexName string
}

// Complete reports whether every row known to the server is indexed: State is Finished,
// no rows are pending, and at least TotalRows are indexed.
//
// All three are needed. In a request with the index's own timestamp, a server reports
// Finished while 100 000 rows are pending (milvus-io/milvus#40580, and measured on
// 2.3.5). Without pending_index_rows, only the row counts can be compared. A collection
// without flushed rows is complete, also while its first rows are being flushed.
func (p IndexBuildingProgress) Complete() bool {
	return p.State == IndexStateFinished && p.TotalRows >= 0 && p.PendingIndexRows == 0 && p.IndexedRows >= p.TotalRows
}

// Fraction returns the share of indexed rows, from 0 to 1. It is 0 without rows, and at
// most the share of rows that are not pending.
func (p IndexBuildingProgress) Fraction() float64 {
	return max(0, p.share(p.TotalRows))
}

// share returns the share of total rows that are indexed and not pending, from 0 to 1, or
// -1 if it is unknown.
func (p IndexBuildingProgress) share(total int64) float64 {
	if total <= 0 || p.TotalRows < 0 {
		return -1
	}
	// In floats, so that differences of out-of-range values do not overflow.
	settled := float64(p.TotalRows) - float64(p.PendingIndexRows)
	return clamp(min(float64(p.IndexedRows), settled) / float64(total))
}

// String returns the rows and the state, such as "40/100 rows, InProgress", and the
// pending rows if they are not the difference.
func (p IndexBuildingProgress) String() string {
	s := fmt.Sprintf("%d/%d rows, %v", p.IndexedRows, p.TotalRows, p.State)
	if p.PendingIndexRows != 0 && p.PendingIndexRows != p.TotalRows-p.IndexedRows {
		s += fmt.Sprintf(", %d pending", p.PendingIndexRows)
	}
	return s
}

func (p IndexBuildingProgress) dict() any { return indexDict(p) }

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
	p.IndexName = ""
	return json.Marshal(p.dict())
}

// UnmarshalJSON reads the dict of MarshalJSON. It may also contain an index_name. A JSON
// null leaves p unchanged, as encoding/json does for other types.
func (p *IndexBuildingProgress) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}

	var d indexDict
	if err := json.Unmarshal(b, &d); err != nil {
		return err
	}

	*p = IndexBuildingProgress(d)
	return nil
}

type indexDict struct {
	TotalRows        int64      `json:"total_rows"`
	IndexedRows      int64      `json:"indexed_rows"`
	PendingIndexRows int64      `json:"pending_index_rows"`
	State            IndexState `json:"state"`
	FailReason       string     `json:"index_state_fail_reason,omitempty"`
	IndexName        string     `json:"index_name,omitempty"` // for MarshalProgress only
}

// WithIndex makes WaitForIndexBuildingComplete wait for the named index, or for all
// indexes of the collection if the name is AllIndexes. Without it, the collection must
// have one index. The empty name is the same as no option, as pymilvus' index_name="" is.
func WithIndex(name string) Option {
	return func(c *config) {
		if name == "" {
			return
		}
		c.index = name
		c.given |= optIndex
	}
}

// WithExpectedRows makes WaitForIndexBuildingComplete wait until the server reports at
// least n rows, all of them indexed. Zero disables the check.
//
// It shows whether all inserts have arrived, and also covers rows that another process has
// yet to flush. On Milvus 2.6 and newer, an index wait needs it or [WithFlush].
//
// The server counts the rows of its segments: an upsert counts twice, and compaction
// removes deleted rows from the count. If the number is never reached, the wait ends by
// its context or by WithStallTimeout.
func WithExpectedRows(n int64) Option {
	return func(c *config) {
		if n < 0 {
			c.invalid("WithExpectedRows: %d is negative", n)
		}
		c.rows = n
		c.given |= optExpectedRows
	}
}

// IndexCriterion selects the rows that must be indexed before an index is complete.
type IndexCriterion int

const (
	// AllRows is the default: every row counted by the server, see
	// IndexBuildingProgress.Complete.
	AllRows IndexCriterion = iota

	// RowsAtStart is for collections with continuous writes: the number of rows when the
	// wait began must be indexed, or the current number if compaction left fewer. Rows
	// that were being flushed then count, and rows inserted later do not.
	RowsAtStart

	// ServerState goes by the server's state alone, as other clients do: an index is
	// complete when it is Finished. It does not ask for segments that are being flushed.
	// Use it for servers without reliable row counts.
	ServerState
)

// WithIndexCriterion sets the rows that must be indexed. WithExpectedRows and WithFlush
// apply in addition, for every criterion.
func WithIndexCriterion(criterion IndexCriterion) Option {
	return func(c *config) {
		if criterion < AllRows || criterion > ServerState {
			c.invalid("WithIndexCriterion: there is no criterion %d", criterion)
		}
		c.criterion = criterion
		c.given |= optIndexCriterion
	}
}

// isIndexComplete reports whether the last progress is complete, and no row is being
// flushed that it depends on.
func isIndexComplete(s *waitState, _ time.Duration) bool {
	return !s.indexBuilding.flushing && s.looksComplete(s.last.(IndexBuildingProgress))
}

// looksComplete reports whether p is complete by the criterion and the expected rows, apart
// from rows that are being flushed.
func (s *waitState) looksComplete(p IndexBuildingProgress) bool {
	if s.target.rows > 0 && min(p.TotalRows, p.IndexedRows) < s.target.rows {
		return false
	}

	atStart := s.indexBuilding.rowsAtStart
	switch s.cfg.criterion {
	case RowsAtStart:
		return p.Complete() || atStart >= 0 && p.TotalRows >= 0 && p.IndexedRows >= min(atStart, p.TotalRows)
	case ServerState:
		return p.State == IndexStateFinished
	}
	return p.Complete()
}

// shareOfIndexBuilding returns the indexed share of the rows that the wait is for.
func shareOfIndexBuilding(s *waitState) float64 {
	p, atStart := s.last.(IndexBuildingProgress), s.indexBuilding.rowsAtStart
	if s.cfg.criterion == RowsAtStart && atStart > 0 {
		return clamp(float64(p.IndexedRows) / float64(max(atStart, s.target.rows)))
	}
	return p.share(max(p.TotalRows, s.target.rows))
}

// indexFailure returns ErrIndexFailed with the server's reason if the build has failed.
func indexFailure(progress Progress) error {
	p := progress.(IndexBuildingProgress)
	if p.State != IndexStateFailed {
		return nil
	}
	if p.FailReason == "" {
		return fmt.Errorf("%w: the server gave no reason", ErrIndexFailed)
	}
	return fmt.Errorf("%w: %s", ErrIndexFailed, untrusted.Text(p.FailReason))
}

// flushHint returns a hint for a wait that ended with fewer rows than expected, or "".
func flushHint(e *Error) string {
	last, ok := e.Last.(IndexBuildingProgress)
	want := e.Target.ExpectedRows()
	outOfTime := errors.Is(e.Cause, context.DeadlineExceeded) || errors.Is(e.Cause, context.Canceled) || errors.Is(e.Cause, ErrStalled)
	if !ok || !outOfTime || want == 0 || last.TotalRows >= want {
		return ""
	}

	hint := fmt.Sprintf("%d of %d rows are flushed: ", last.TotalRows, want)
	if last.TotalRows <= 0 {
		return hint + "was Flush called?"
	}
	return hint + "was Flush called after the last insert, or were rows deleted?"
}
