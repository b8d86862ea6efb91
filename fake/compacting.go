package fake

import (
	"context"
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait"
)

// CompactionProgress implements milvuswait.CompactionPoller. A compaction without a script
// is completed, with 0 plans.
func (p *Poller) CompactionProgress(ctx context.Context, id int64) (milvuswait.CompactionProgress, error) {
	return poll(ctx, p, milvuswait.Compacting(id), findOneOrNone,
		answerOr(milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted}))
}

// CompactCurve is the script of a compaction over time, made by [CompactOver]. Like
// LoadCurve, it is an immutable value.
type CompactCurve struct {
	curve      curve
	failing    int64
	forgetting time.Duration
}

// CompactOver returns the script of a compaction of the given number of plans, which end one
// after the other, the last of them after d. The state is Executing until then.
//
// It panics if plans is not positive or d is negative.
func CompactOver(plans int64, d time.Duration) CompactCurve {
	if plans <= 0 {
		panic(fmt.Sprintf("fake: CompactOver: %d plans are not positive", plans))
	}
	mustNotBeNegative("CompactOver", d)

	return CompactCurve{curve: curve{whole: plans, moving: d}, forgetting: Forever}
}

// FailPlans returns a copy of c in which the first n plans fail.
//
// It panics if n is negative or greater than the number of plans.
func (c CompactCurve) FailPlans(n int64) CompactCurve {
	if n < 0 || n > c.curve.whole {
		panic(fmt.Sprintf("fake: FailPlans: %d is not within 0 and %d", n, c.curve.whole))
	}
	c.failing = n
	return c
}

// ForgetAfter returns a copy of c that does not count a failed plan any more when d has
// passed since it failed. Milvus 3.0 forgets these plans after about 10 s.
//
// It panics if d is negative.
func (c CompactCurve) ForgetAfter(d time.Duration) CompactCurve {
	mustNotBeNegative("ForgetAfter", d)
	c.forgetting = d
	return c
}

// Step implements Script.
func (c CompactCurve) Step(_ int, elapsed time.Duration) Step {
	ended, _ := c.curve.at(elapsed)
	failed := min(ended, c.failing)
	p := milvuswait.CompactionProgress{
		State: milvuswait.CompactionStateExecuting, Executing: c.curve.whole - ended, Completed: ended - failed, Failed: failed,
	}

	if elapsed >= c.forgetting {
		before, _ := c.curve.at(elapsed - c.forgetting)
		p.Failed -= min(before, c.failing)
	}
	if p.Executing == 0 {
		p.State = milvuswait.CompactionStateCompleted
	}
	return Step{Progress: p}
}
