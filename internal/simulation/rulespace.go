package simulation

import (
	"time"

	"github.com/milvuswait/milvuswait/internal/oracle"
)

// delay returns the n-th delay of the generator for a target, counted from 0.
func (g *Generators) delay(rank, n int) time.Duration {
	fresh := *g
	fresh.generated = rank

	next := fresh.next()
	var d time.Duration
	for range n + 1 {
		d = next()
	}
	return d
}

// eachNext calls check with the announced time of each next poll and returns the first
// breach. The index i is the position of the poll among the entries.
func eachNext(v *evidence, check func(h *history, i int, next time.Duration) error) *breach {
	return each(v, func(h *history) *breach {
		n := 0
		for i, e := range h.entries {
			if e.silent {
				continue
			}
			if n >= len(h.told) || h.told[n].Final {
				break
			}

			next := h.told[n].At + h.told[n].Next
			if err := check(h, i, next); err != nil {
				return refused(h, e, err)
			}
			n++
		}
		return nil
	})
}

// delays requires every announced time to be within the bounds of the pace.
func delays(v *evidence) *breach {
	return eachNext(v, func(h *history, i int, next time.Duration) error { return h.entries[i].CheckBounds(next) })
}

// delaysAreBackoffs requires every announced time to follow from Backoff, with a tolerance
// of a microsecond.
func delaysAreBackoffs(v *evidence) *breach {
	return eachNext(v, func(h *history, i int, next time.Duration) error { return h.entries[i].CheckPace(next) })
}

// turnsAreKept requires a poll whenever the verdict can change.
func turnsAreKept(v *evidence) *breach {
	return eachNext(v, func(h *history, i int, next time.Duration) error { return h.entries[i].CheckTurns(next) })
}

// lastPollIsLate requires the last poll to be just before the deadline, with no poll after
// it.
func lastPollIsLate(v *evidence) *breach {
	return eachNext(v, func(h *history, i int, next time.Duration) error {
		e := h.entries[i]
		if e.Rests(next) && i < len(h.entries)-1 {
			return &oracle.Breach{Rule: oracle.LastPoll, Text: "a poll came after the last one"}
		}
		return e.CheckLastPoll(next)
	})
}
