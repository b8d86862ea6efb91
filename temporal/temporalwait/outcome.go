package temporalwait

import (
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Outcome is the final or current state of the wait for one target: the JSON form of
// [milvuswait.Outcome]. The details of an ApplicationError hold Outcomes.
type Outcome struct {
	Target
	Progress Progress `json:"progress,omitzero"` // from the last successful poll

	// Polls is the number of polls in the attempt with this outcome.
	Polls int `json:"polls"`

	// ElapsedSeconds is the time since the start of the first attempt.
	ElapsedSeconds float64 `json:"elapsed_seconds"`

	// Unconfirmed means that the server cannot report all rows that are still being flushed:
	// see milvuswait.Outcome.
	Unconfirmed bool `json:"unconfirmed,omitempty"`

	// Error is nil if the target is complete or the wait goes on.
	Error *Failure `json:"error,omitempty"`
}

// newOutcome converts o, of a target on the cluster. The time before this attempt is added
// to its elapsed time.
func newOutcome(cluster string, o milvuswait.Outcome, waited time.Duration) Outcome {
	return Outcome{
		Target: On(cluster, o.Target)[0], Progress: Progress{o.Progress}, Polls: o.Polls,
		ElapsedSeconds: (waited + o.Elapsed).Seconds(), Unconfirmed: o.Unconfirmed, Error: newFailure(o.Err),
	}
}

// Err returns nil if the target is complete. Otherwise it returns a *milvuswait.Error. In
// it, errors.Is finds the sentinel of package milvuswait or of package context, and
// errors.As finds the *milvuswait.ServerError.
func (o Outcome) Err() error {
	if o.Error == nil {
		return nil
	}
	if o.Kind == "" { // no target: invalid arguments, or an end of the whole wait
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

// Progress is the JSON form of [milvuswait.Progress], that of milvuswait.MarshalProgress. A
// load becomes the dict of pymilvus' loading_progress, plus refresh_progress if it is not 0.
// An index build becomes the dict of index_building_progress, plus index_name if it is known.
// The zero Progress holds nil: no poll has succeeded yet.
type Progress struct{ milvuswait.Progress }

// MarshalJSON returns the dict, or null.
func (p Progress) MarshalJSON() ([]byte, error) { return milvuswait.MarshalProgress(p.Progress) }

// UnmarshalJSON decodes the output of MarshalJSON.
func (p *Progress) UnmarshalJSON(b []byte) (err error) {
	p.Progress, err = milvuswait.UnmarshalProgress(b)
	return err
}

// IsZero reports whether no poll has succeeded yet.
func (p Progress) IsZero() bool { return p.Progress == nil }
