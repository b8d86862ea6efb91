package oracle

import (
	"time"

	"github.com/milvuswait/milvuswait"
)

// flushing states the rules of waits for flushes.
type flushing struct{ plain }

var flushDone = Rule{"flushing: complete when the server reports the flush done", "flush.go", "internal/oracle/flushing.go"}

func (flushing) rule(*Options) Rule { return flushDone }

func (k flushing) complete(_ *Options, seen []milvuswait.Progress) bool {
	return k.whole(seen[len(seen)-1])
}

func (flushing) whole(p milvuswait.Progress) bool { return p.(milvuswait.FlushProgress).Flushed }

func (k flushing) share(o *Options, seen []milvuswait.Progress) float64 {
	if k.complete(o, seen) {
		return 1
	}
	return -1
}

func (flushing) initial() time.Duration { return 40 * time.Millisecond }
