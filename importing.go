package milvuswait

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/milvuswait/milvuswait/internal/untrusted"
	"github.com/milvuswait/milvuswait/internal/unwrap"
)

// importingKind is the row of imports in the table of kinds.
var importingKind = &waitKind{
	kind: KindImporting, one: "an import", many: "imports",
	initial:  100 * time.Millisecond,
	describe: func(t Target) string { return "import " + strconv.FormatInt(t.job, 10) },
	validate: validateJob,
	checkPoller: func(p Poller, _ Target) error {
		return requires[ImportPoller](p, "ImportPoller", "Import", func(f PollerFuncs) bool { return f.Import != nil })
	},

	poll: func(ctx context.Context, p Poller, s *waitState) answer {
		imports, _ := unwrap.Find[ImportPoller](p)
		return answerOf(imports.ImportProgress(ctx, s.target.job))
	},
	list: listNone,

	note:       noteProgress,
	failure:    importFailure,
	isComplete: isProgressComplete,
	share: func(s *waitState) float64 {
		p := s.last.(ImportProgress)
		if p.Percent < 0 || p.Percent == 0 && !p.Complete() {
			return -1
		}
		return p.Fraction()
	},
	hint: commitHint,

	jsonKey: "row_count", unmarshal: unmarshal[ImportProgress],
}

// Importing returns the target for an import: the job that Import returned, or a REST
// import job of an open-source server.
//
// On Milvus 2.2 and 2.3 a completed import is neither indexed nor searchable yet. Wait for
// the index after it, and refresh a load.
func Importing(job int64) Target { return Target{kind: KindImporting, job: job} }

// Job returns the number of the job of an import or a compaction, or 0.
func (t Target) Job() int64 { return t.job }

// validateJob refuses job numbers that no server makes. 2.2 returns all automatic
// compactions for the number 0.
func validateJob(t Target) error {
	if t.job <= 0 {
		return fmt.Errorf("%w: the job of %v is not positive", ErrInvalid, t)
	}
	return nil
}

// ImportProgress is the progress of an import.
//
// Source: milvus.proto, message GetImportStateResponse.
type ImportProgress struct {
	// State of the job; field state. Only Completed means that it is finished.
	State ImportState

	// Percent from 0 to 100; progress_percent of infos. It may stand for minutes, and be
	// 100 before the job is Completed.
	Percent int64

	// Rows is the number of imported rows; field row_count. It is 0 until they are known.
	Rows int64

	// Phase is the server's name for a part of the state, such as ImportPhaseUncommitted,
	// or "".
	Phase string

	// FailReason is the server's reason when the job has failed; failed_reason of infos.
	FailReason string
}

// ImportPhaseUncommitted is the Phase of a job of Milvus 3.0 that is imported, but does not
// complete before a commit.
const ImportPhaseUncommitted = "Uncommitted"

// Complete reports whether State is Completed.
func (p ImportProgress) Complete() bool { return p.State == ImportStateCompleted }

// Fraction returns Percent as a fraction, from 0 to 1. It is 1 for a completed import.
func (p ImportProgress) Fraction() float64 {
	if p.Complete() {
		return 1
	}
	return clamp(float64(p.Percent) / 100)
}

// String returns the percentage, the state or phase, and the rows, such as
// "40%, ImportStarted" or "100%, ImportCompleted, 20000 rows".
func (p ImportProgress) String() string {
	s := fmt.Sprintf("%d%%, %v", p.Percent, p.State)
	if p.Phase != "" {
		s = fmt.Sprintf("%d%%, %s", p.Percent, untrusted.Text(p.Phase))
	}
	if p.Rows != 0 {
		s += ", " + plural(int(p.Rows), "row")
	}
	return s
}

func (p ImportProgress) dict() any {
	return importDict{p.State, strconv.FormatInt(p.Percent, 10) + "%", p.Rows, p.Phase, p.FailReason}
}

// MarshalJSON returns the fields, such as
// {"state":"ImportStarted","progress":"40%","row_count":0}, with phase and failed_reason
// if they are known. pymilvus has no dict for it; the names are those of the server.
func (p ImportProgress) MarshalJSON() ([]byte, error) { return json.Marshal(p.dict()) }

// UnmarshalJSON reads the JSON of MarshalJSON. A JSON null leaves p unchanged, as
// encoding/json does for other types.
func (p *ImportProgress) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var d importDict
	if err := json.Unmarshal(b, &d); err != nil {
		return err
	}

	percent, err := parsePercent("progress", d.Progress)
	if err != nil {
		return err
	}
	*p = ImportProgress{State: d.State, Percent: percent, Rows: d.Rows, Phase: d.Phase, FailReason: d.FailReason}
	return nil
}

type importDict struct {
	State      ImportState `json:"state"`
	Progress   string      `json:"progress"`
	Rows       int64       `json:"row_count"`
	Phase      string      `json:"phase,omitempty"`
	FailReason string      `json:"failed_reason,omitempty"`
}

// importFailure returns ErrJobFailed with the server's reason if the import has failed.
func importFailure(progress Progress) error {
	p := progress.(ImportProgress)
	if p.State != ImportStateFailed && p.State != ImportStateFailedAndCleaned {
		return nil
	}
	if p.FailReason == "" {
		return fmt.Errorf("%w: the server gave no reason", ErrJobFailed)
	}
	return fmt.Errorf("%w: %s", ErrJobFailed, untrusted.Text(p.FailReason))
}

// commitHint returns a hint for a wait whose time was up while the import waited for a
// commit, or "".
func commitHint(e *Error) string {
	last, ok := e.Last.(ImportProgress)
	outOfTime := errors.Is(e.Cause, context.DeadlineExceeded) || errors.Is(e.Cause, context.Canceled) || errors.Is(e.Cause, ErrStalled)
	if !ok || !outOfTime || last.Phase != ImportPhaseUncommitted {
		return ""
	}
	return "the import waits for a commit"
}

// ImportState is the state of an import. The numbers are those of enum ImportState in
// common.proto. Other numbers are kept as they are.
type ImportState int32

// The states of an import. A wait goes on in all states except Completed, Failed and
// FailedAndCleaned.
const (
	ImportStatePending          ImportState = 0 // waiting for its turn
	ImportStateFailed           ImportState = 1 // failed for good
	ImportStateStarted          ImportState = 2 // being read
	ImportStatePersisted        ImportState = 5 // on disk
	ImportStateCompleted        ImportState = 6 // finished
	ImportStateFailedAndCleaned ImportState = 7 // failed for good, and its segments are removed
	ImportStateFlushed          ImportState = 8 // sealed and flushed
)

var importStateNames = stateNames{"ImportState", "an import state", []string{
	0: "ImportPending", 1: "ImportFailed", 2: "ImportStarted", 5: "ImportPersisted", 6: "ImportCompleted", 7: "ImportFailedAndCleaned", 8: "ImportFlushed",
}}

// String returns Milvus' name of the state, such as "ImportStarted", or its number if it
// has no name.
func (s ImportState) String() string { return importStateNames.name(int32(s)) }

// MarshalText returns String, for the name in JSON.
func (s ImportState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the text of MarshalText.
func (s *ImportState) UnmarshalText(b []byte) error {
	n, err := importStateNames.parse(string(b))
	if err == nil {
		*s = ImportState(n)
	}
	return err
}
