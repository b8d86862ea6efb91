package fake

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/internal/play"
)

// Poller is a milvuswait.Poller with scripted results. It implements the optional
// interfaces LoadStateChecker, SegmentLister, FlushPoller, ImportPoller, CompactionPoller
// and ServerChecker, but no lists of loads or indexes. The zero Poller is ready for use and
// has no collections. It is safe for concurrent use, and must not be copied after its first
// use.
//
// A target without a script gets the result of a server that holds only the targets passed
// to Set:
//
//   - A collection without any target: milvuswait.ErrCollectionNotFound.
//   - A load without a script, in a collection with other targets: ErrNotLoaded. If only
//     partitions have scripts, the result is their mean.
//   - A partition without a target: ErrPartitionNotFound. The partition _default has the
//     script of the collection's load.
//   - Several partitions: their mean, rounded down.
//   - A named index without a script: ErrIndexNotFound.
//   - The unnamed index, "": the only index of the collection. It returns ErrIndexNotFound
//     if there is none, and ErrAmbiguousIndex, with the names, if there are several.
//   - AllIndexes: the index furthest behind, as in package rpc. A failed index comes first,
//     then an index with an unfinished state, then an incomplete one, then the one with the
//     minimum Fraction. If the poll of one index fails, the whole poll fails.
//   - A flush without a script, in a collection with other targets: done. No segment is
//     unflushed without such a script or VisibleAfter.
//   - An import without a script: ErrJobNotFound.
//   - A compaction without a script: completed, with 0 plans, as on real servers.
//   - The server without a script: serving.
//
// If the context has ended, a poll returns the context's error. If a script returns the
// progress of another kind, the poll returns a permanent error.
type Poller struct {
	mu          sync.Mutex
	collections map[place]collection
	calls       []Call
	polls       map[milvuswait.Target]int
}

var (
	_ milvuswait.Poller           = (*Poller)(nil)
	_ milvuswait.LoadStateChecker = (*Poller)(nil)
	_ milvuswait.SegmentLister    = (*Poller)(nil)
	_ milvuswait.FlushPoller      = (*Poller)(nil)
	_ milvuswait.ImportPoller     = (*Poller)(nil)
	_ milvuswait.CompactionPoller = (*Poller)(nil)
	_ milvuswait.ServerChecker    = (*Poller)(nil)
)

// Set gives target a script, in place of the previous one, and returns p. The script starts
// with the next poll. If target names several partitions, each of them gets the script. The
// rows expected by target, and the flush mark of an index, make no difference. The flush
// mark of a flush does: each mark has its own script.
//
// With a nil script, the target is known but absent: a load or partition is not loaded, an
// index does not exist. A flush, a job or the server becomes a target without a script. Set
// may be called while waits are polling.
//
// It panics if target is the zero Target or of an unknown kind, or if its index is
// AllIndexes.
func (p *Poller) Set(target milvuswait.Target, script Script) *Poller {
	targets := split(target)

	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.collections[placeOf(target)]
	if c == nil {
		c = collection{}
		if p.collections == nil {
			p.collections = map[place]collection{}
		}
		p.collections[placeOf(target)] = c
	}

	for _, one := range targets {
		c[one] = newRole(one, script)
	}
	return p
}

// Drop removes the collection with all its targets. Imports and compactions remain, as on
// real servers. It may be called while waits are polling.
func (p *Poller) Drop(collection string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.collections, place{collection: collection})
}

// finder returns the roles needed by a poll of the target in c, which is nil if there is no
// such collection, or the error of the poll.
type finder func(c collection, target milvuswait.Target) ([]*role, error)

// poll polls the target: it takes a turn of every script found, and joins their answers to
// one. Turns and answers are in the same order.
func poll[P milvuswait.Progress](
	ctx context.Context, p *Poller, target milvuswait.Target, find finder, join func(turns []turn, answers []P) P,
) (P, error) {
	return ask(ctx, p, target, true, find, join)
}

// ask makes a call about the target, as poll does. isPoll means that it is a poll of the
// target, with a number.
func ask[P milvuswait.Progress](
	ctx context.Context, p *Poller, target milvuswait.Target, isPoll bool, find finder, join func(turns []turn, answers []P) P,
) (P, error) {
	turns, record, err := p.begin(target, isPoll, find)
	answers, err := finish[P](ctx, turns, err)

	var progress P
	if err == nil {
		progress = join(turns, answers)
	}
	p.end(record, progress, err)
	return progress, err
}

// begin records a call about the target, and takes one turn of every script it needs.
func (p *Poller) begin(target milvuswait.Target, isPoll bool, find finder) (turns []turn, record int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()

	c := Call{Target: target, Time: time.Now()}
	if isPoll {
		if p.polls == nil {
			p.polls = map[milvuswait.Target]int{}
		}
		p.polls[target]++
		c.Poll = p.polls[target]
	}
	record = p.record(c)

	roles, err := find(p.collections[placeOf(target)], target)
	for _, r := range roles {
		turns = append(turns, turn{r.target, r.play.Next(c.Time)})
	}
	return turns, record, err
}

// finish returns the answers of the turns, after the longest of their delays. The caller
// must not hold p.mu: a script may be any function, and the delay sleeps.
func finish[P milvuswait.Progress](ctx context.Context, turns []turn, err error) ([]P, error) {
	var answers []P
	var delay time.Duration

	for _, t := range turns {
		step := t.Step()
		delay = max(delay, step.Delay)

		progress, ok := step.Progress.(P)
		switch {
		case err != nil:
		case step.Err != nil:
			err = step.Err
		case !ok:
			err = milvuswait.Permanent(fmt.Errorf("fake: the script of %v returned %T, the progress of another kind", t.target, step.Progress))
		}

		answers = append(answers, progress)
	}

	if ctxErr := play.Sleep(ctx, delay); ctxErr != nil {
		return nil, ctxErr
	}
	return answers, err
}
