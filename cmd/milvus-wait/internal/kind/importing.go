package kind

import (
	"cmp"
	"errors"
	"strconv"

	"github.com/milvuswait/milvuswait"
)

// importing is the row of an import.
var importing = &Kind{
	Word:     string(milvuswait.KindImporting),
	Doing:    "importing",
	Finished: "imported",

	Typed:  typedJob,
	Fields: fields,
	Start:  noStart,

	Rows: noRows,
	Details: func(p milvuswait.Progress) string {
		job, ok := p.(milvuswait.ImportProgress)
		if !ok {
			return ""
		}
		text := cmp.Or(job.Phase, job.State.String())
		if job.Rows != 0 {
			text += ", " + count(job.Rows, "row")
		}
		return text
	},
	Amount: func(p milvuswait.Progress) string {
		if job, ok := p.(milvuswait.ImportProgress); ok {
			return count(job.Rows, "row")
		}
		return ""
	},

	Part:  noPart,
	Doubt: noText,
	Hint: func(o milvuswait.Outcome, _ bool) string {
		switch {
		case errors.Is(o.Err, milvuswait.ErrJobNotFound):
			return "check the number of the job; a server forgets a job some time after its end"
		case errors.Is(o.Err, milvuswait.ErrJobFailed):
			return "a failed import does not start again: remove the cause, and start another one"
		}
		return ""
	},

	Mask: func(p milvuswait.Progress, mask func(string) string) milvuswait.Progress {
		job, ok := p.(milvuswait.ImportProgress)
		if !ok {
			return p
		}
		job.Phase, job.FailReason = mask(job.Phase), mask(job.FailReason)
		return job
	},
	Look:    noOptions,
	Recheck: noRecheck,
}

// typedJob returns the number of a job.
func typedJob(t milvuswait.Target) string { return strconv.FormatInt(t.Job(), 10) }
