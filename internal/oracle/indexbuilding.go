package oracle

import (
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait"
)

// indexBuilding states the rules of waits for index builds.
type indexBuilding struct{ plain }

var (
	built       = Rule{"index building: complete by the criterion and the expected rows", "indexbuilding.go", "internal/oracle/indexbuilding.go"}
	buildFailed = Rule{"index building: a failed build ends a wait at once", "indexbuilding.go", "internal/oracle/indexbuilding.go"}
)

func (indexBuilding) rule(*Options) Rule { return built }

func (k indexBuilding) complete(o *Options, seen []milvuswait.Progress) bool {
	first := seen[0].(milvuswait.IndexBuildingProgress).TotalRows
	p := seen[len(seen)-1].(milvuswait.IndexBuildingProgress)
	if n := o.Target.ExpectedRows(); n > 0 && (p.TotalRows < n || p.IndexedRows < n) {
		return false
	}

	switch o.Criterion {
	case milvuswait.AllRows:
		return k.whole(p)
	case milvuswait.RowsAtStart:
		known := first >= 0 && p.TotalRows >= 0
		return k.whole(p) || known && (p.IndexedRows >= first || p.IndexedRows >= p.TotalRows)
	case milvuswait.ServerState:
		return p.State == milvuswait.IndexStateFinished
	}
	panic(fmt.Sprintf("oracle: no rule for the criterion %v", o.Criterion))
}

func (indexBuilding) whole(p milvuswait.Progress) bool {
	index := p.(milvuswait.IndexBuildingProgress)
	finished := index.State == milvuswait.IndexStateFinished && index.PendingIndexRows == 0
	return finished && index.TotalRows >= 0 && index.IndexedRows >= index.TotalRows
}

func (indexBuilding) failure(p milvuswait.Progress) (Rule, error) {
	if p.(milvuswait.IndexBuildingProgress).State == milvuswait.IndexStateFailed {
		return buildFailed, milvuswait.ErrIndexFailed
	}
	return Rule{}, nil
}

func (indexBuilding) flushes() bool { return true }

func (indexBuilding) share(o *Options, seen []milvuswait.Progress) float64 {
	first, rows := seen[0].(milvuswait.IndexBuildingProgress).TotalRows, o.Target.ExpectedRows()
	p := seen[len(seen)-1].(milvuswait.IndexBuildingProgress)
	if o.Criterion == milvuswait.RowsAtStart && first > 0 {
		return within(float64(p.IndexedRows) / float64(max(first, rows)))
	}

	total := max(p.TotalRows, rows)
	if p.TotalRows < 0 || total <= 0 {
		return -1
	}
	// In floats: differences of out-of-range values overflow.
	notPending := float64(p.TotalRows) - float64(p.PendingIndexRows)
	return within(min(float64(p.IndexedRows), notPending) / float64(total))
}

func (indexBuilding) initial() time.Duration { return 100 * time.Millisecond }
