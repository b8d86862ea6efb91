package fake

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/internal/play"
)

// Poller is a milvuswait.Poller and milvuswait.LoadStateChecker with scripted results. The
// zero Poller is ready for use and has no collections. It is safe for concurrent use, and
// must not be copied after its first use.
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
//
// If the context has ended, a poll returns the context's error. If a script returns the
// progress of the other kind, the poll returns a permanent error.
type Poller struct {
	mu          sync.Mutex
	collections map[string]*collection
	calls       []Call
	polls       map[milvuswait.Target]int
}

var (
	_ milvuswait.Poller           = (*Poller)(nil)
	_ milvuswait.LoadStateChecker = (*Poller)(nil)
)

// Set gives target a script, in place of the previous one, and returns p. The script starts
// with the next poll. If target names several partitions, each of them gets the script. The
// number of rows expected by target makes no difference.
//
// With a nil script, the target is known but absent: a load or partition is not loaded (any
// more), an index does not exist. Set may be called while waits are polling.
//
// It panics if target is the zero Target, or if its index is AllIndexes.
func (p *Poller) Set(target milvuswait.Target, script Script) *Poller {
	switch {
	case target.Kind() == "":
		panic("fake: Set: the zero Target")
	case target.Index() == milvuswait.AllIndexes:
		panic("fake: Set: AllIndexes is for asking, set a script for each index")
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.collections[target.Collection()]
	if c == nil {
		c = &collection{partitions: map[string]*role{}, indexes: map[string]*role{}}
		if p.collections == nil {
			p.collections = map[string]*collection{}
		}
		p.collections[target.Collection()] = c
	}
	c.set(target, script)
	return p
}

// Drop removes the collection with all its targets. It may be called while waits are
// polling.
func (p *Poller) Drop(collection string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.collections, collection)
}

// begin records a poll of the target, and takes one turn of every script it needs.
func (p *Poller) begin(target milvuswait.Target) (turns []turn, record int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()

	now := time.Now()
	if p.polls == nil {
		p.polls = map[milvuswait.Target]int{}
	}
	p.polls[target]++
	p.calls = append(p.calls, Call{Target: target, Poll: p.polls[target], Time: now})

	roles, err := p.find(target)
	for _, r := range roles {
		turns = append(turns, turn{r.target, r.play.Next(now)})
	}
	return turns, len(p.calls) - 1, err
}

// find returns the scripts needed by a poll of the target, or the error of the poll.
func (p *Poller) find(target milvuswait.Target) ([]*role, error) {
	c := p.collections[target.Collection()]
	switch {
	case c == nil:
		return nil, fmt.Errorf("%w: %q", milvuswait.ErrCollectionNotFound, target.Collection())
	case target.Kind() == milvuswait.KindLoading:
		return c.findLoading(target)
	}
	return c.findIndex(target)
}

// finish joins the steps of the turns to one result, after the longest of their delays. The
// caller must not hold p.mu: a script may be any function, and the delay sleeps.
func finish[P milvuswait.Progress](ctx context.Context, turns []turn, err error, join func([]P) P) (P, error) {
	var none P
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
			err = milvuswait.Permanent(fmt.Errorf("fake: the script of %v answered with %T", t.target, step.Progress))
		}

		if ip, isIndex := any(progress).(milvuswait.IndexBuildingProgress); isIndex && ip.IndexName == "" {
			ip.IndexName = t.target.Index()
			progress = any(ip).(P)
		}

		answers = append(answers, progress)
	}

	if ctxErr := play.Sleep(ctx, delay); ctxErr != nil {
		return none, ctxErr
	}
	if err != nil {
		return none, err
	}
	return join(answers), nil
}
