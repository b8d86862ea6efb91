package milvuswait

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/milvuswait/milvuswait/internal/unwrap"
)

// compactingKind is the row of compactions in the table of kinds.
var compactingKind = &waitKind{
	kind: KindCompacting, one: "a compaction", many: "compactions",
	initial:  100 * time.Millisecond,
	describe: func(t Target) string { return "compaction " + strconv.FormatInt(t.job, 10) },
	validate: validateJob,
	checkPoller: func(p Poller, _ Target) error {
		return requires[CompactionPoller](p, "CompactionPoller", "Compaction", func(f PollerFuncs) bool { return f.Compaction != nil })
	},

	poll: func(ctx context.Context, p Poller, s *waitState) answer {
		compactions, _ := unwrap.Find[CompactionPoller](p)
		return answerOf(compactions.CompactionProgress(ctx, s.target.job))
	},
	list: listNone,

	note:       noteCompaction,
	failure:    compactionFailure,
	isComplete: isProgressComplete,
	share: func(s *waitState) float64 {
		p := s.last.(CompactionProgress)
		if p.plans() == 0 && !p.Complete() {
			return -1
		}
		return p.Fraction()
	},

	jsonKey: "executing", unmarshal: unmarshal[CompactionProgress],
}

// Compacting returns the target for a compaction: the number that ManualCompaction
// returned. It is complete when none of its plans is executing any more, and fails if one
// of them failed or timed out.
//
// A server also reports a number it does not know as completed, with 0 plans. milvus-lite
// returns the number 0, which is ErrInvalid here: it compacts nothing.
func Compacting(id int64) Target { return Target{kind: KindCompacting, job: id} }

// CompactionProgress is the progress of a compaction, in plans. A plan merges a few
// segments.
//
// Source: milvus.proto, message GetCompactionStateResponse.
type CompactionProgress struct {
	State     CompactionState // field state
	Executing int64           // plans in execution; field executingPlanNo
	Completed int64           // completed plans; field completedPlanNo

	// Failed and TimedOut are the numbers of plans that did not succeed; fields
	// failedPlanNo and timeoutPlanNo. Milvus 3.0 forgets these plans after about 10 s
	// (milvus-io/milvus#52708). A wait keeps the greatest numbers it has seen.
	Failed   int64
	TimedOut int64
}

// Complete reports whether State is Completed and no plan is executing, whether the plans
// succeeded or not.
func (p CompactionProgress) Complete() bool {
	return p.State == CompactionStateCompleted && p.Executing <= 0
}

// plans returns the number of plans, out-of-range values excluded.
func (p CompactionProgress) plans() float64 { return p.ended() + max(0, float64(p.Executing)) }

// ended returns the number of plans that are not executing any more.
func (p CompactionProgress) ended() float64 {
	return max(0, float64(p.Completed)) + max(0, float64(p.Failed)) + max(0, float64(p.TimedOut))
}

// Fraction returns the share of plans that have ended, from 0 to 1. Without plans it is 1
// if the compaction is complete, and 0 otherwise.
func (p CompactionProgress) Fraction() float64 {
	switch {
	case p.Complete():
		return 1
	case p.plans() == 0:
		return 0
	}
	return clamp(p.ended() / p.plans())
}

// String returns the plans and the state, such as "2/3 plans, Executing", and plans that
// did not succeed. A completed compaction of "0 plans" had nothing to do, or the server
// does not know it.
func (p CompactionProgress) String() string {
	s := fmt.Sprintf("%.0f/%.0f plans, %v", p.ended(), p.plans(), p.State)
	if p.plans() == 0 {
		s = fmt.Sprintf("0 plans, %v", p.State)
	}
	if p.Failed > 0 {
		s += fmt.Sprintf(", %d failed", p.Failed)
	}
	if p.TimedOut > 0 {
		s += fmt.Sprintf(", %d timed out", p.TimedOut)
	}
	return s
}

func (p CompactionProgress) dict() any { return compactionDict(p) }

// MarshalJSON returns the fields, such as
// {"state":"Executing","executing":1,"completed":2,"failed":0,"timed_out":0}.
func (p CompactionProgress) MarshalJSON() ([]byte, error) { return json.Marshal(p.dict()) }

// UnmarshalJSON reads the JSON of MarshalJSON.
func (p *CompactionProgress) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, (*compactionDict)(p))
}

type compactionDict struct {
	State     CompactionState `json:"state"`
	Executing int64           `json:"executing"`
	Completed int64           `json:"completed"`
	Failed    int64           `json:"failed"`
	TimedOut  int64           `json:"timed_out"`
}

// noteCompaction returns the progress with the greatest numbers of failed plans so far.
func noteCompaction(s *waitState, _ time.Duration, a answer) Progress {
	p := a.progress.(CompactionProgress)
	before, _ := s.last.(CompactionProgress)
	if before.Failed <= p.Failed && before.TimedOut <= p.TimedOut {
		return a.progress
	}

	p.Failed, p.TimedOut = max(p.Failed, before.Failed), max(p.TimedOut, before.TimedOut)
	return p
}

// compactionFailure returns ErrJobFailed if the compaction has ended with plans that did
// not succeed. Other plans may be executing before.
func compactionFailure(progress Progress) error {
	p := progress.(CompactionProgress)
	if !p.Complete() || p.Failed <= 0 && p.TimedOut <= 0 {
		return nil
	}

	of := fmt.Sprintf("of %.0f plans", p.plans())
	switch {
	case p.TimedOut <= 0:
		return fmt.Errorf("%w: %d %s failed", ErrJobFailed, p.Failed, of)
	case p.Failed <= 0:
		return fmt.Errorf("%w: %d %s timed out", ErrJobFailed, p.TimedOut, of)
	}
	return fmt.Errorf("%w: %d %s failed, %d timed out", ErrJobFailed, p.Failed, of, p.TimedOut)
}

// CompactionState is the state of a compaction. The numbers are those of enum
// CompactionState in common.proto. Other numbers are kept as they are.
type CompactionState int32

// The states of a compaction. A wait goes on in all states except Completed.
const (
	CompactionStateUndefied  CompactionState = 0 // Milvus' spelling
	CompactionStateExecuting CompactionState = 1
	CompactionStateCompleted CompactionState = 2
)

var compactionStateNames = stateNames{"CompactionState", "a compaction state", []string{"UndefiedState", "Executing", "Completed"}}

// String returns Milvus' name of the state, such as "Executing", or its number if it has no
// name.
func (s CompactionState) String() string { return compactionStateNames.name(int32(s)) }

// MarshalText returns String, for the name in JSON.
func (s CompactionState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the text of MarshalText.
func (s *CompactionState) UnmarshalText(b []byte) error {
	n, err := compactionStateNames.parse(string(b))
	if err == nil {
		*s = CompactionState(n)
	}
	return err
}
