package fake

import (
	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/internal/play"
)

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
