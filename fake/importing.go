package fake

import (
	"context"
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait"
)

// ImportProgress implements milvuswait.ImportPoller. It returns ErrJobNotFound for a job
// without a script.
func (p *Poller) ImportProgress(ctx context.Context, job int64) (milvuswait.ImportProgress, error) {
	return poll(ctx, p, milvuswait.Importing(job), findImport, answerOr(milvuswait.ImportProgress{}))
}

// findImport returns the role of the job, or ErrJobNotFound.
func findImport(c collection, target milvuswait.Target) ([]*role, error) {
	if c[target] == nil {
		return nil, fmt.Errorf("%w: %v", milvuswait.ErrJobNotFound, target)
	}
	return findOneOrNone(c, target)
}

// ImportCurve is the script of an import over time, made by [ImportOver]. Like LoadCurve, it
// is an immutable value.
type ImportCurve struct {
	curve curve
	rows  int64
}

// ImportOver returns the script of an import of the given number of rows that rises linearly
// from 0 % to 100 % within d. Its state is Pending at 0 %, then Started, Persisted from 90 %
// on, and Completed at 100 %. The rows are known from 90 % on, as on real servers.
//
// It panics if rows or d is negative.
func ImportOver(rows int64, d time.Duration) ImportCurve {
	if rows < 0 {
		panic(fmt.Sprintf("fake: ImportOver: %d rows are negative", rows))
	}
	mustNotBeNegative("ImportOver", d)

	return ImportCurve{curve{whole: 100, moving: d}, rows}
}

// StallAt returns a copy of c that stalls for d at percent, and then continues. Milvus 2.4
// and newer stall at 80 % while they build the index. The details and panics are those of
// [LoadCurve.StallAt].
func (c ImportCurve) StallAt(percent int64, d time.Duration) ImportCurve {
	c.curve = c.curve.stallAt(percent, d)
	return c
}

// FailAt returns a copy of c that stops at percent, with the state Failed and the given
// reason.
//
// It panics as [LoadCurve.StallAt] does.
func (c ImportCurve) FailAt(percent int64, reason string) ImportCurve {
	c.curve = c.curve.add("FailAt", event{at: percent, reason: reason, fails: true})
	return c
}

// Step implements Script.
func (c ImportCurve) Step(_ int, elapsed time.Duration) Step {
	const persisted = 90
	percent, failed := c.curve.at(elapsed)
	p := milvuswait.ImportProgress{State: milvuswait.ImportStateStarted, Percent: percent}
	if percent >= persisted {
		p.Rows = c.rows
	}

	switch {
	case failed != nil:
		p.State, p.FailReason = milvuswait.ImportStateFailed, failed.reason
	case percent == 0:
		p.State = milvuswait.ImportStatePending
	case percent == 100:
		p.State = milvuswait.ImportStateCompleted
	case percent >= persisted:
		p.State = milvuswait.ImportStatePersisted
	}
	return Step{Progress: p}
}
