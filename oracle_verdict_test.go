package milvuswait_test

import (
	"context"
	"errors"
	"time"

	"github.com/milvuswait/milvuswait"
)

// judge says, of all polls so far, whether the last of them ends the wait and
// with which error. It keeps no state: it is the rules once more, as
// docs/semantics.md has them and not as the library goes about them.
func (h history) judge(polls []polled) (over bool, want error) {
	last := polls[len(polls)-1]
	over, want = h.judgeAnswer(polls)
	if last.end >= h.deadline && (!over || want != nil) {
		return true, context.DeadlineExceeded
	}
	return over, want
}

func (h history) judgeAnswer(polls []polled) (over bool, want error) {
	last := polls[len(polls)-1]
	if last.err != nil {
		return h.judgeFailure(polls)
	}
	if p, ok := last.progress.(milvuswait.IndexBuildingProgress); ok && p.State == milvuswait.IndexStateFailed {
		return true, milvuswait.ErrIndexFailed
	}
	if h.complete(polls) {
		return h.held(polls, func(i int) bool { return h.complete(polls[:i+1]) }) >= h.settle, nil
	}
	if h.stall > 0 && !h.unasked(polls) && h.stoodStill(polls) >= h.stall {
		return true, milvuswait.ErrStalled
	}
	return false, nil
}

func (h history) judgeFailure(polls []polled) (over bool, want error) {
	last, before := polls[len(polls)-1], polls[:len(polls)-1]
	if permanent(last.err) && !h.inGrace(polls) {
		good := lastGood(before)
		if !errors.Is(last.err, milvuswait.ErrNotLoaded) || good < 0 {
			return true, last.err
		}
		// Up to the failure nobody looked, if polls had failed before it.
		still := h.stoodStill(before[:good+1]) + last.end - before[good].end
		if good+1 < len(before) {
			still = h.stoodStill(before[:good+1]) + h.down(before) - before[good].end
		}
		if still >= 600*time.Second && !before[good].progress.Complete() {
			return true, milvuswait.ErrLoadFailed
		}
		return true, milvuswait.ErrReleased
	}
	if h.unreachable > 0 && last.end-h.down(polls) >= h.unreachable {
		return true, milvuswait.ErrUnreachable
	}
	return false, nil
}

// held returns for how long a condition has held up to the last poll, which is a
// good one, less the time in which polls failed.
func (h history) held(polls []polled, condition func(i int) bool) time.Duration {
	last := len(polls) - 1
	sum, next := time.Duration(0), last
	for i := last - 1; i >= 0; i-- {
		if polls[i].err != nil {
			continue
		}
		if !condition(i) {
			break
		}
		sum += h.until(polls, i, next) - polls[i].end
		next = i
	}
	return sum
}

// until returns when polls began to fail after the i-th one, or when the next one
// ended if none did.
func (h history) until(polls []polled, i, next int) time.Duration {
	if next == i+1 {
		return polls[next].end
	}
	return h.down(polls[:next])
}

func (h history) stoodStill(polls []polled) time.Duration {
	last := len(polls) - 1
	return h.held(polls, func(i int) bool { return polls[i].progress == polls[last].progress })
}

// down returns since when the polls that failed last have shown no server.
func (h history) down(polls []polled) time.Duration {
	first := lastGood(polls) + 1
	since := polls[first].begin
	for i := first; i < len(polls); i++ {
		if h.inGrace(polls[:i+1]) {
			since = polls[i].end
		}
	}
	return since
}

func lastGood(polls []polled) int {
	for i := len(polls) - 1; i >= 0; i-- {
		if polls[i].err == nil {
			return i
		}
	}
	return -1
}

// inGrace reports whether the last poll says no more than that nothing is there
// yet.
func (h history) inGrace(polls []polled) bool {
	last := polls[len(polls)-1]
	if last.end >= h.grace || !absent(last.err) {
		return false
	}
	for _, p := range polls {
		if p.err != nil {
			continue
		}
		if l, ok := p.progress.(milvuswait.LoadingProgress); !ok || l.Percent > 0 {
			return false
		}
	}
	return true
}

// unasked reports whether the refresh may not have begun yet.
func (h history) unasked(polls []polled) bool {
	if !h.refresh || polls[len(polls)-1].end >= max(time.Second, h.grace) {
		return false
	}
	for _, p := range polls {
		if l, ok := p.progress.(milvuswait.LoadingProgress); ok && l.RefreshPercent < 100 {
			return false
		}
	}
	return true
}

// complete judges the last poll, which is a good one.
func (h history) complete(polls []polled) bool {
	switch p := polls[len(polls)-1].progress.(type) {
	case milvuswait.LoadingProgress:
		return p.Percent >= 100 && (!h.refresh || p.RefreshPercent >= 100 && !h.unasked(polls))
	case milvuswait.IndexBuildingProgress:
		if h.rows > 0 && (p.TotalRows < h.rows || p.IndexedRows < h.rows) {
			return false
		}
		all := p.State == finished && p.PendingIndexRows == 0 && p.TotalRows >= 0 && p.IndexedRows >= p.TotalRows
		switch h.criterion {
		case milvuswait.ServerState:
			return p.State == finished
		case milvuswait.RowsAtStart:
			atStart := h.rowsAtStart(polls)
			return all || atStart >= 0 && p.TotalRows >= 0 && (p.IndexedRows >= atStart || p.IndexedRows >= p.TotalRows)
		}
		return all
	}
	return false
}

func permanent(err error) bool {
	for _, passing := range []error{errBlip, context.DeadlineExceeded, context.Canceled} {
		if err == passing {
			return false
		}
	}
	return true
}

func absent(err error) bool {
	for _, sentinel := range []error{
		milvuswait.ErrNotLoaded, milvuswait.ErrLoadFailed, milvuswait.ErrCollectionNotFound, milvuswait.ErrPartitionNotFound,
		milvuswait.ErrIndexNotFound, milvuswait.ErrDatabaseNotFound,
	} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}
