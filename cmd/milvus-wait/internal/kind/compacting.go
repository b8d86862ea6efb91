package kind

import (
	"errors"

	"github.com/milvuswait/milvuswait"
)

// compacting is the row of a compaction.
var compacting = &Kind{
	Word:     string(milvuswait.KindCompacting),
	Doing:    "compacting",
	Finished: "compacted",

	Typed:  typedJob,
	Fields: fields,
	Start:  noStart,

	Rows: noRows,
	Details: func(p milvuswait.Progress) string {
		if job, ok := p.(milvuswait.CompactionProgress); ok {
			return job.String()
		}
		return ""
	},
	Amount: func(p milvuswait.Progress) string {
		if job, ok := p.(milvuswait.CompactionProgress); ok {
			return count(int64(plans(job)), "plan")
		}
		return ""
	},

	Part: noPart,
	Doubt: func(p milvuswait.Progress) string {
		if job, ok := p.(milvuswait.CompactionProgress); ok && plans(job) == 0 {
			return "nothing to do, or is the id wrong?"
		}
		return ""
	},
	Hint: func(o milvuswait.Outcome, _ bool) string {
		switch {
		case errors.Is(o.Err, milvuswait.ErrJobNotFound):
			return "check the id of the compaction; a server forgets a compaction some time after its end"
		case errors.Is(o.Err, milvuswait.ErrJobFailed):
			return "the server's logs have the reason; was the collection dropped meanwhile?"
		}
		return ""
	},

	Mask:    noMask,
	Look:    noOptions,
	Recheck: noRecheck,
}

// plans returns the number of plans in a progress, without negative values. It is a float,
// so that out-of-range values do not overflow.
func plans(p milvuswait.CompactionProgress) float64 {
	sum := 0.0
	for _, n := range []int64{p.Executing, p.Completed, p.Failed, p.TimedOut} {
		sum += float64(max(0, n))
	}
	return sum
}
