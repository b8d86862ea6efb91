package milvuswait_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// requirePace asserts what is promised of the next poll, however it is reckoned.
// There is none before the deadline if next is that.
func (h history) requirePace(t *testing.T, polls []polled, next time.Duration) {
	t.Helper()
	const slack = time.Microsecond // floats are rounded
	last := polls[len(polls)-1]
	now, took := last.end, last.end-last.begin
	if next == h.deadline {
		require.LessOrEqual(t, next-now, min(max(2*took, 50*time.Millisecond), time.Second)+slack, "there was time for another poll")
		return
	}
	longest, settled := max(100*time.Millisecond, now/50), time.Duration(-1)
	if good := lastGood(polls); good >= 0 {
		longest = max(longest, polls[good].end-polls[good].begin)
		if h.complete(polls[:good+1]) {
			longest = max(longest, h.settle/10)
			settled = h.settled(polls, good)
		}
	}
	longest = min(longest, 5*time.Second)
	if next >= h.deadline-time.Second {
		longest += took // the last poll may be put off by as much
	}
	require.Greater(t, next, now)
	require.LessOrEqual(t, next-now, longest+slack, "the next poll is late")
	if next != settled {
		require.LessOrEqual(t, next, h.deadline-50*time.Millisecond, "the answer can hardly be in time")
	}
}

// settled is when what the good-th poll, which is the last good one, shows to be
// complete will have been so for long enough.
func (h history) settled(polls []polled, good int) time.Duration {
	held := h.held(polls[:good+1], func(i int) bool { return h.complete(polls[:i+1]) })
	return polls[good].end - held + h.settle
}

// next says, of all polls so far, when the next one begins, by the rules of
// Backoff and those for the last poll before the deadline. It is the deadline if
// there is none. It goes about that as the library does, so that a change of pace
// does not go unseen; whether the pace is right, requirePace says.
func (h history) next(polls []polled) time.Duration {
	last := polls[len(polls)-1]
	now, took := last.end, last.end-last.begin
	delay := h.pace(polls)
	due := func(at time.Duration) {
		if at > now {
			delay = min(delay, at-now)
		}
	}
	settled := time.Duration(-1)
	if good := lastGood(polls); good >= 0 && h.complete(polls[:good+1]) {
		settled = h.settled(polls, good)
		delay = max(delay, min(h.settle/10, 5*time.Second))
		due(settled)
	}
	if last.err == nil && h.stall > 0 && settled < 0 && !h.unasked(polls) {
		due(now - h.stoodStill(polls) + h.stall)
	}
	if last.err != nil {
		due(h.down(polls) + h.unreachable)
		due(h.grace)
	}
	delay = max(delay, time.Millisecond)

	margin := min(max(2*took, 50*time.Millisecond), time.Second)
	end := h.deadline - margin
	if settled >= 0 && settled < h.deadline {
		end = max(end, settled)
	}
	room := end - now
	if took < margin {
		room -= took // the poll before the last one takes its time too
	}
	switch {
	case delay < room:
		return now + delay
	case now < end:
		return end
	}
	return h.deadline
}

// pace is the delay that Backoff describes, without jitter.
func (h history) pace(polls []polled) time.Duration {
	const most = 5 * time.Second
	initial := 50 * time.Millisecond
	if h.index {
		initial = 100 * time.Millisecond
	}
	grown := float64(initial)
	for range polls[1:] {
		grown = min(float64(time.Duration(grown*1.25)), float64(most))
	}
	now := polls[len(polls)-1].end
	delay := time.Duration(grown)
	if left := h.left(polls); left > 0 {
		delay = min(delay, time.Duration(0.2*left))
	}
	delay = min(delay, max(100*time.Millisecond, time.Duration(0.02*float64(now))))
	delay = max(delay, time.Duration(0.005*float64(now)), initial)
	if good := lastGood(polls); good >= 0 {
		delay = max(delay, polls[good].end-polls[good].begin)
	}
	return min(delay, most)
}

// left is the time that progress predicts is left, at the mean rate since it was
// lowest; 0 if that is unknown.
func (h history) left(polls []polled) float64 {
	lowest, since := -1.0, time.Duration(0)
	for i, p := range polls {
		if p.err != nil {
			continue
		}
		share := h.share(polls[:i+1])
		if share >= 0 && (lowest < 0 || share <= lowest) {
			lowest, since = share, p.end
		}
	}
	last := polls[len(polls)-1]
	if last.err != nil {
		return 0
	}
	share := h.share(polls)
	if share <= lowest {
		return 0
	}
	return max(1, (1-share)/(share-lowest)*float64(last.end-since))
}

// share is how much of what is waited for the last poll shows; negative if that
// is unknown.
func (h history) share(polls []polled) float64 {
	within := func(f float64) float64 { return min(1, max(0, f)) }
	switch p := polls[len(polls)-1].progress.(type) {
	case milvuswait.LoadingProgress:
		loaded := float64(p.Percent) / 100
		if h.refresh {
			return within(min(loaded, float64(p.RefreshPercent)/100))
		}
		if p.Percent < 0 {
			return -1
		}
		return within(loaded)
	case milvuswait.IndexBuildingProgress:
		if first := h.rowsAtStart(polls); h.criterion == milvuswait.RowsAtStart && first > 0 {
			return within(float64(p.IndexedRows) / float64(max(first, h.rows)))
		}
		if total := max(p.TotalRows, h.rows); p.TotalRows >= 0 && total > 0 {
			return within(min(float64(p.IndexedRows), float64(p.TotalRows)-float64(p.PendingIndexRows)) / float64(total))
		}
	}
	return -1
}

// rowsAtStart is what the first good poll of an index counted.
func (h history) rowsAtStart(polls []polled) int64 {
	for _, p := range polls {
		if first, ok := p.progress.(milvuswait.IndexBuildingProgress); ok {
			return first.TotalRows
		}
	}
	return -1
}
