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

// collection holds the scripts of one collection. A nil *role in partitions is
// one that is known but not loaded.
type collection struct {
	load       *role
	partitions map[string]*role
	indexes    map[string]*role
}

// role is a target that has a script.
type role struct {
	target milvuswait.Target
	play   *play.Play[Step]
}

// turn is what one poll asks of the script of a target.
type turn struct {
	target milvuswait.Target
	play.Turn[Step]
}

func newRole(target milvuswait.Target, script Script) *role {
	if script == nil {
		return nil
	}
	return &role{target: target, play: play.New[Step](script)}
}

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
