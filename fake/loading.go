package fake

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/internal/play"
)

const defaultPartition = "_default"

// LoadingProgress implements milvuswait.Poller.
func (p *Poller) LoadingProgress(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
	return poll(ctx, p, milvuswait.Loading(collection, partitions...), findLoading,
		func(_ []turn, answers []milvuswait.LoadingProgress) milvuswait.LoadingProgress {
			return play.Mean(answers)
		})
}

// CheckLoadState implements milvuswait.LoadStateChecker. A target with a script is loading
// or loaded, except with SilentlyReleased. The call has no delay, and does not count as a
// poll of the script.
func (p *Poller) CheckLoadState(ctx context.Context, collection string, partitions ...string) error {
	target := milvuswait.Loading(collection, partitions...)
	p.mu.Lock()
	roles, err := findLoading(p.collections[placeOf(target)], target)
	record := p.record(Call{Target: target, Time: time.Now()})
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

// splitLoading returns one target per partition, or the target of the whole collection.
func splitLoading(target milvuswait.Target) []milvuswait.Target {
	if target.Partitions() == nil {
		return []milvuswait.Target{milvuswait.Loading(target.Collection())}
	}

	var targets []milvuswait.Target
	for _, partition := range target.Partitions() {
		targets = append(targets, milvuswait.Loading(target.Collection(), partition))
	}
	return targets
}

// findLoading returns one role per partition of the target, or those of the whole
// collection. It returns ErrPartitionNotFound or ErrNotLoaded if one is absent.
func findLoading(c collection, target milvuswait.Target) ([]*role, error) {
	switch {
	case c == nil:
		return nil, collectionNotFound(target)
	case target.Partitions() == nil:
		return c.findWhole(target)
	}

	var roles []*role
	for _, partition := range target.Partitions() {
		r, ok := c[milvuswait.Loading(target.Collection(), partition)]
		if !ok && partition == defaultPartition {
			r, ok = c[milvuswait.Loading(target.Collection())], true
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
// partitions, by name. It returns ErrNotLoaded if there are none.
func (c collection) findWhole(target milvuswait.Target) ([]*role, error) {
	if load := c[milvuswait.Loading(target.Collection())]; load != nil {
		return []*role{load}, nil
	}

	var roles []*role
	for t, r := range c {
		if t.Kind() == milvuswait.KindLoading && r != nil {
			roles = append(roles, r)
		}
	}
	slices.SortFunc(roles, func(a, b *role) int { return strings.Compare(a.partition(), b.partition()) })

	if len(roles) == 0 {
		return nil, fmt.Errorf("%w: %q", milvuswait.ErrNotLoaded, target.Collection())
	}
	return roles, nil
}

// partition returns the name of the partition of a role.
func (r *role) partition() string { return r.target.Partitions()[0] }
