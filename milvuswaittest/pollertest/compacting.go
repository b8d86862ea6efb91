package pollertest

import (
	"context"
	"errors"
	"fmt"

	"github.com/milvuswait/milvuswait"
)

// compacting checks polls of compactions.
type compacting struct {
	*checker
	compactions milvuswait.CompactionPoller
}

// newCompacting returns nil for a Poller without CompactionProgress, or whose server has no
// such call, and for a World without a compaction.
func newCompacting(c *checker) kind {
	compactions, ok := find[milvuswait.CompactionPoller](c, func(f milvuswait.PollerFuncs) bool { return f.Compaction != nil })
	if !ok {
		return nil
	}

	if c.world.Compaction == 0 {
		c.skip("a compaction (World.Compaction)")
		return nil
	}

	k := &compacting{c, compactions}
	if !c.answers(k.poll()) {
		return nil
	}
	return k
}

func (k *compacting) poll() question { return k.compaction(k.world.Compaction) }

func (k *compacting) optional() []question { return nil }

func (k *compacting) done() []question { return []question{k.poll()} }

// refusals returns none: servers report an unknown compaction as completed.
func (k *compacting) refusals() []refusal { return nil }

// compaction returns a poll of a compaction as a question.
func (k *compacting) compaction(id int64) question {
	return newCall(fmt.Sprintf("CompactionProgress(%d)", id), func(ctx context.Context) (milvuswait.CompactionProgress, error) {
		return k.compactions.CompactionProgress(ctx, id)
	})
}

func (k *compacting) checkAnswers() {
	answered(k.checker, k.poll(), func(q question, p milvuswait.CompactionProgress) {
		k.complete(q, p, "a compaction that is completed")
	})
}

// complete records a defect if p, the progress of the given compaction, is out of range or
// not complete.
func (k *compacting) complete(q question, p milvuswait.CompactionProgress, what string) {
	rule := ""
	switch {
	case p.Executing < 0 || p.Completed < 0 || p.Failed < 0 || p.TimedOut < 0:
		rule = "no number of plans is negative"
	case p.State < milvuswait.CompactionStateUndefied || p.State > milvuswait.CompactionStateCompleted:
		rule = "State has the numbers of common.proto"
	}

	if k.within(q, p, rule) && !p.Complete() {
		k.defect("%v returned %v for %s, which is not Complete: a wait would never end", q, p, what)
	}
}

// checkRefusals polls a compaction that does not exist. The answer of servers, completed
// with 0 plans, is as correct as the sentinel.
func (k *compacting) checkRefusals() {
	q := k.compaction(missingJob)
	a, ok := k.ask(q)

	switch {
	case !ok || errors.Is(a.err, milvuswait.ErrJobNotFound):
	case a.err != nil:
		k.defect("%v returned %v for a compaction that does not exist: return the progress, or an error that wraps milvuswait.ErrJobNotFound", q, a)
	default:
		k.complete(q, a.value.(milvuswait.CompactionProgress), "a compaction that does not exist")
	}
}

func (k *compacting) checkArguments() { k.ask(k.compaction(0)) }

func (k *compacting) checkOptional() {}
