package temporalwait

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Outcome is how the wait for one target ended, or how far it is: a
// [milvuswait.Outcome] as Temporal keeps it. It is also what the details of an
// ApplicationError hold.
type Outcome struct {
	Target
	Progress Progress `json:"progress,omitzero"` // of the last good poll

	// Polls are those of the attempt that came to this outcome.
	Polls int `json:"polls"`

	// ElapsedSeconds is the time since the first attempt began.
	ElapsedSeconds float64 `json:"elapsed_seconds"`

	// Error is nil if the target is complete, or is still waited for.
	Error *Failure `json:"error,omitempty"`
}

// newOutcome returns o of the cluster; waited is the time before the attempt.
func newOutcome(cluster string, o milvuswait.Outcome, waited time.Duration) Outcome {
	return Outcome{
		Target: On(cluster, o.Target)[0], Progress: Progress{o.Progress}, Polls: o.Polls,
		ElapsedSeconds: (waited + o.Elapsed).Seconds(), Error: newFailure(o.Err),
	}
}

// Err returns nil if the target is complete, and otherwise a *milvuswait.Error
// in which errors.Is finds the sentinel of package milvuswait, or that of the
// context, and errors.As the *milvuswait.ServerError.
func (o Outcome) Err() error {
	if o.Error == nil {
		return nil
	}
	if o.Kind == "" { // of no target, but of the arguments or the whole
		return fmt.Errorf("milvuswait: %w", o.Error.restore())
	}
	err := &milvuswait.Error{
		Target: o.plain(), Last: o.Progress.Progress, Polls: o.Polls,
		Elapsed: time.Duration(o.ElapsedSeconds * float64(time.Second)), Cause: o.Error.restore(),
	}
	if o.Error.LastError != nil {
		err.LastErr = o.Error.LastError.restore()
	}
	return err
}

// Progress is a [milvuswait.Progress] in JSON: the dict of pymilvus'
// loading_progress, with refresh_progress unless that is 0, or of its
// index_building_progress, with index_name if it is known. The one of the zero Progress is nil: no poll has been
// answered.
type Progress struct{ milvuswait.Progress }

// MarshalJSON returns the dict, or null.
func (p Progress) MarshalJSON() ([]byte, error) {
	switch known := p.Progress.(type) {
	case milvuswait.LoadingProgress:
		return json.Marshal(loading{known.String(), known.RefreshPercent})
	case milvuswait.IndexBuildingProgress:
		return json.Marshal(index{
			known.TotalRows, known.IndexedRows, known.PendingIndexRows, known.State, known.FailReason, known.IndexName,
		})
	}
	return json.Marshal(p.Progress)
}

// loading is the dict of a load with the percentage of the refresh, which pymilvus leaves
// out.
type loading struct {
	Progress string `json:"loading_progress"`
	Refresh  int64  `json:"refresh_progress,omitempty"`
}

// index is the dict of an index with its name, which pymilvus leaves out: of all indexes, it
// is the one that is furthest behind.
type index struct {
	TotalRows        int64                 `json:"total_rows"`
	IndexedRows      int64                 `json:"indexed_rows"`
	PendingIndexRows int64                 `json:"pending_index_rows"`
	State            milvuswait.IndexState `json:"state"`
	FailReason       string                `json:"index_state_fail_reason,omitempty"`
	IndexName        string                `json:"index_name,omitempty"`
}

// UnmarshalJSON reads the JSON of MarshalJSON.
func (p *Progress) UnmarshalJSON(b []byte) (err error) {
	p.Progress, err = milvuswait.UnmarshalProgress(b)
	return err
}

// IsZero reports whether no poll has been answered.
func (p Progress) IsZero() bool { return p.Progress == nil }
