package simulation

import (
	"time"

	"github.com/milvuswait/milvuswait/internal/oracle"
)

// delay returns the n-th delay, from 0, of the generator for a target.
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

// eachNext returns the first breach of the announced time of a next poll. i is the index of
// e among the entries.
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

func delays(v *evidence) *breach {
	return eachNext(v, func(h *history, i int, next time.Duration) error { return h.entries[i].CheckBounds(next) })
}

func delaysAreBackoffs(v *evidence) *breach {
	return eachNext(v, func(h *history, i int, next time.Duration) error { return h.entries[i].CheckPace(next) })
}

func turnsAreKept(v *evidence) *breach {
	return eachNext(v, func(h *history, i int, next time.Duration) error { return h.entries[i].CheckTurns(next) })
}

func lastPollIsLate(v *evidence) *breach {
	return eachNext(v, func(h *history, i int, next time.Duration) error {
		e := h.entries[i]
		if e.Rests(next) && i < len(h.entries)-1 {
			return &oracle.Breach{Rule: oracle.LastPoll, Text: "a poll came after the last one"}
		}
		return e.CheckLastPoll(next)
	})
}
