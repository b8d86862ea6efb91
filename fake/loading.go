package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/internal/play"
)

const defaultPartition = "_default"

// LoadingProgress implements milvuswait.Poller.
func (p *Poller) LoadingProgress(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
	target := milvuswait.Loading(collection, partitions...)
	turns, record, err := p.begin(target)
	progress, err := finish(ctx, turns, err, play.Mean)
	p.end(record, progress, err)
	return progress, err
}

// CheckLoadState implements milvuswait.LoadStateChecker. A target with a script is loading
// or loaded, except with SilentlyReleased. The call has no delay, and does not count as a
// poll of the script.
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

// findLoading returns one role per partition of the target, or those of the whole
// collection. It returns ErrPartitionNotFound or ErrNotLoaded if one is absent.
func (c *collection) findLoading(target milvuswait.Target) ([]*role, error) {
	if target.Partitions() == nil {
		return c.findWhole(target)
	}

	var roles []*role
	for _, partition := range target.Partitions() {
		r, ok := c.partitions[partition]
		if !ok && partition == defaultPartition {
			r, ok = c.load, true
		}

		switch {
		case !ok:
			return nil, fmt.Errorf("%w: %q of %q", milvuswait.ErrPartitionNotFound, partition, target.Collection())
		case r == nil:
			return nil, fmt.Errorf("%w: %q of %q", milvuswait.ErrNotLoaded, partition, target.Collection())
		}

		roles = append(roles, r)
	}
	return roles, nil
}

// findWhole returns the role of the collection's load, or else those of its loaded
// partitions. It returns ErrNotLoaded if there are none.
func (c *collection) findWhole(target milvuswait.Target) ([]*role, error) {
	if c.load != nil {
		return []*role{c.load}, nil
	}

	var roles []*role
	for _, partition := range slices.Sorted(maps.Keys(c.partitions)) {
		if r := c.partitions[partition]; r != nil {
			roles = append(roles, r)
		}
	}

	if len(roles) == 0 {
		return nil, fmt.Errorf("%w: %q", milvuswait.ErrNotLoaded, target.Collection())
	}
	return roles, nil
}
