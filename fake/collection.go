package fake

import (
	"fmt"
	"maps"
	"slices"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/internal/play"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

const defaultPartition = "_default"

// collection holds the scripts of one collection. A nil *role in partitions stands for a
// known partition that is not loaded.
type collection struct {
	load       *role
	partitions map[string]*role
	indexes    map[string]*role
}

// role is a target with its script.
type role struct {
	target milvuswait.Target
	play   *play.Play[Step]
}

// turn is one call of the script of a target, for one poll.
type turn struct {
	target milvuswait.Target
	play.Turn[Step]
}

// newRole returns the role of a target, or nil for a nil script.
func newRole(target milvuswait.Target, script Script) *role {
	if script == nil {
		return nil
	}
	return &role{target: target, play: play.New[Step](script)}
}

// set replaces the script of a target. A nil script removes an index, and leaves a load or
// partition as not loaded.
func (c *collection) set(target milvuswait.Target, script Script) {
	name := target.Collection()
	switch {
	case target.Kind() == milvuswait.KindIndexBuilding && script == nil:
		delete(c.indexes, target.Index())
	case target.Kind() == milvuswait.KindIndexBuilding:
		c.indexes[target.Index()] = newRole(target, script)
	case target.Partitions() == nil:
		c.load = newRole(target, script)
	}

	for _, partition := range target.Partitions() {
		c.partitions[partition] = newRole(milvuswait.Loading(name, partition), script)
	}
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

// findIndex returns the role of the target's index, or those of all for AllIndexes. It
// returns ErrIndexNotFound or ErrAmbiguousIndex if the name selects none or several.
func (c *collection) findIndex(target milvuswait.Target) ([]*role, error) {
	names := slices.Sorted(maps.Keys(c.indexes))
	switch index := target.Index(); {
	case len(names) == 0:
		return nil, fmt.Errorf("%w: %q has none", milvuswait.ErrIndexNotFound, target.Collection())
	case index == milvuswait.AllIndexes:
	case index == "" && len(names) > 1:
		return nil, fmt.Errorf("%w: %q has %s", milvuswait.ErrAmbiguousIndex, target.Collection(), untrusted.QuoteAll(names))
	case index != "":
		if c.indexes[index] == nil {
			return nil, fmt.Errorf("%w: %q has %s, not %q", milvuswait.ErrIndexNotFound, target.Collection(), untrusted.QuoteAll(names), index)
		}
		names = []string{index}
	}

	var roles []*role
	for _, name := range names {
		roles = append(roles, c.indexes[name])
	}
	return roles, nil
}
