package fake

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/internal/play"
)

// Poller is a milvuswait.Poller, and LoadStateChecker, that answers by scripts.
// The zero Poller is ready for use and knows no collection. It is safe for
// concurrent use and must not be copied after its first use.
//
// It answers what it has no script for as a server would that has nothing but
// what Set told:
//
//   - A collection that no target of Set names: milvuswait.ErrCollectionNotFound.
//   - A load, where only other targets of the collection have a script:
//     ErrNotLoaded. But a collection of which partitions alone have scripts is
//     loaded as far as these are in the mean.
//   - A partition that no target of Set names: ErrPartitionNotFound. But the
//     partition _default is loaded as far as the collection is.
//   - Several partitions: their mean, rounded down.
//   - A named index that has no script: ErrIndexNotFound.
//   - The unnamed index, "": the only one there is, ErrIndexNotFound if there is
//     none, or ErrAmbiguousIndex with the names if there are several.
//   - AllIndexes: the one that is furthest behind, as of package rpc: one that has
//     failed, then one that is not finished, then one that is not complete, then
//     the one with the least Fraction. An index whose poll fails makes the whole
//     poll fail.
//
// A poll whose context has ended fails with the context's error.
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

// Set makes the polls of target go by that script from now on, its first poll
// being the next one, and returns p. A target of several partitions gives each
// of them the script. How many rows a target expects is the wait's affair and
// makes no difference.
//
// A nil script says that the target is known but not there: what is to be loaded
// is not loaded (any more), an index does not exist. Set may be called while
// waits are polling.
//
// It panics if target is the zero Target or that of AllIndexes.
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

// Drop makes p forget the collection, as if no target of Set had named it. It
// may be called while waits are polling.
func (p *Poller) Drop(collection string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.collections, collection)
}

// LoadingProgress implements milvuswait.Poller.
func (p *Poller) LoadingProgress(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
	target := milvuswait.Loading(collection, partitions...)
	turns, record, err := p.begin(target)
	progress, err := finish(ctx, turns, err, play.Mean)
	p.end(record, progress, err)
	return progress, err
}

// IndexBuildingProgress implements milvuswait.Poller. An answer of a script that
// has no IndexName gets the name of the target that has the script.
func (p *Poller) IndexBuildingProgress(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	target := milvuswait.IndexBuilding(collection, index)
	turns, record, err := p.begin(target)
	progress, err := finish(ctx, turns, err, milvuswait.FurthestBehind)
	p.end(record, progress, err)
	return progress, err
}

// CheckLoadState implements milvuswait.LoadStateChecker: a target that has a
// script is loading or loaded, unless the script is SilentlyReleased. It takes
// no time and is no poll of the script.
func (p *Poller) CheckLoadState(ctx context.Context, collection string, partitions ...string) error {
	target := milvuswait.Loading(collection, partitions...)
	p.mu.Lock()
	roles, err := p.find(target)
	p.calls = append(p.calls, Call{Target: target, Time: time.Now()})
	record := len(p.calls) - 1
	p.mu.Unlock()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	for _, r := range roles {
		if _, released := r.play.Script.(silentlyReleased); released && err == nil {
			err = fmt.Errorf("%w: %q", milvuswait.ErrNotLoaded, collection)
		}
	}
	p.end(record, nil, err)
	return err
}

// begin notes a poll of the target and takes a turn of every script it needs.
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

// find returns what a poll of the target needs, or why there is nothing.
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

// finish makes the turns' steps into one answer, after the longest delay. No
// lock is held.
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
