package oracle

import (
	"time"

	"github.com/milvuswait/milvuswait"
)

// compacting states the rules of waits for compactions.
type compacting struct{ plain }

var (
	compacted     = Rule{"compacting: complete when no plan is executing", "compacting.go", "internal/oracle/compacting.go"}
	compactFailed = Rule{"compacting: a plan that once failed or timed out fails the compaction at its end", "compacting.go", "internal/oracle/compacting.go"}
)

func (compacting) rule(*Options) Rule { return compacted }

func (k compacting) complete(_ *Options, seen []milvuswait.Progress) bool {
	return k.whole(seen[len(seen)-1])
}

func (compacting) whole(progress milvuswait.Progress) bool {
	p := progress.(milvuswait.CompactionProgress)
	return p.State == milvuswait.CompactionStateCompleted && p.Executing <= 0
}

func (k compacting) failure(progress milvuswait.Progress) (Rule, error) {
	p := progress.(milvuswait.CompactionProgress)
	if k.whole(p) && (p.Failed > 0 || p.TimedOut > 0) {
		return compactFailed, milvuswait.ErrJobFailed
	}
	return Rule{}, nil
}

// merge: servers forget plans that did not succeed, a wait does not.
func (compacting) merge(a Answer, before milvuswait.Progress) milvuswait.Progress {
	p := a.Progress.(milvuswait.CompactionProgress)
	if earlier, ok := before.(milvuswait.CompactionProgress); ok {
		p.Failed, p.TimedOut = max(p.Failed, earlier.Failed), max(p.TimedOut, earlier.TimedOut)
	}
	return p
}

func (k compacting) share(_ *Options, seen []milvuswait.Progress) float64 {
	p := seen[len(seen)-1].(milvuswait.CompactionProgress)
	ended, plans := 0.0, 0.0
	for _, n := range []int64{p.Completed, p.Failed, p.TimedOut} {
		ended += max(0, float64(n))
	}
	plans = ended + max(0, float64(p.Executing))

	switch {
	case k.whole(p):
		return 1
	case plans == 0:
		return -1
	}
	return within(ended / plans)
}

func (compacting) initial() time.Duration { return 100 * time.Millisecond }
