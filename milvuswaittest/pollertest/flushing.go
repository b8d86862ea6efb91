package pollertest

import (
	"context"
	"strconv"

	"github.com/milvuswait/milvuswait"
)

// flushing checks polls of flushes.
type flushing struct {
	*checker
	flushes milvuswait.FlushPoller
}

// newFlushing returns nil for a Poller without FlushDone, or whose server has no such call.
func newFlushing(c *checker) kind {
	flushes, ok := find[milvuswait.FlushPoller](c, func(f milvuswait.PollerFuncs) bool { return f.Flush != nil })
	if !ok {
		return nil
	}

	f := &flushing{c, flushes}
	if !c.answers(f.poll()) {
		return nil
	}
	return f
}

func (f *flushing) poll() question { return f.flush(f.world.Collection, f.world.Flush) }

func (f *flushing) optional() []question { return nil }

func (f *flushing) done() []question { return []question{f.poll()} }

// refusals returns none: Milvus 2.2 reports the flush of an unknown collection as done.
func (f *flushing) refusals() []refusal { return nil }

// flush returns a poll of a flush as a question.
func (f *flushing) flush(collection string, mark milvuswait.FlushMark) question {
	return newCall("FlushDone("+strconv.Quote(collection)+", mark)", func(ctx context.Context) (milvuswait.FlushProgress, error) {
		done, err := f.flushes.FlushDone(ctx, collection, mark)
		return milvuswait.FlushProgress{Flushed: done}, err
	})
}

func (f *flushing) checkAnswers() {
	answered(f.checker, f.poll(), func(q question, p milvuswait.FlushProgress) {
		if !p.Flushed {
			f.defect("%v returned false for a flush that is done (World.Flush): a wait would never end; "+
				"does the request have the segments, the timestamp and the collection?", q)
		}
	})
}

func (f *flushing) checkRefusals() {}

func (f *flushing) checkArguments() {
	f.ask(f.flush(f.world.Collection, milvuswait.FlushMark{}))
	f.ask(f.flush(missing, f.world.Flush))
	f.ask(f.flush("", milvuswait.FlushMark{}))
}

func (f *flushing) checkOptional() {}
