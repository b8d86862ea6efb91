package oracle

import (
	"time"

	"github.com/milvuswait/milvuswait"
)

// importing states the rules of waits for imports.
type importing struct{ plain }

var (
	imported     = Rule{"importing: complete when the job is Completed, whatever its percentage", "importing.go", "internal/oracle/importing.go"}
	importFailed = Rule{"importing: a failed job ends a wait at once", "importing.go", "internal/oracle/importing.go"}
)

func (importing) rule(*Options) Rule { return imported }

func (k importing) complete(_ *Options, seen []milvuswait.Progress) bool {
	return k.whole(seen[len(seen)-1])
}

func (importing) whole(p milvuswait.Progress) bool {
	return p.(milvuswait.ImportProgress).State == milvuswait.ImportStateCompleted
}

func (importing) failure(p milvuswait.Progress) (Rule, error) {
	switch p.(milvuswait.ImportProgress).State {
	case milvuswait.ImportStateFailed, milvuswait.ImportStateFailedAndCleaned:
		return importFailed, milvuswait.ErrJobFailed
	}
	return Rule{}, nil
}

// share: 0 % may mean that the server does not know yet.
func (k importing) share(_ *Options, seen []milvuswait.Progress) float64 {
	p := seen[len(seen)-1].(milvuswait.ImportProgress)
	switch {
	case p.Percent < 0:
		return -1
	case k.whole(p):
		return 1
	case p.Percent == 0:
		return -1
	}
	return within(float64(p.Percent) / 100)
}

func (importing) initial() time.Duration { return 100 * time.Millisecond }
