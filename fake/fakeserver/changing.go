package fakeserver

import (
	"context"
	"slices"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/internal/play"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// mayLoad returns the failure of loading c without an index, or nil if c can be loaded.
func (v *service) mayLoad(c *collection) *failure {
	if len(c.indexes) == 0 && v.s.config.Dialect != MilvusLite {
		return v.s.config.Dialect.loadWithoutIndex(c)
	}
	return nil
}

// LoadCollection loads all partitions of a collection, or starts a refresh. Partitions
// loaded individually keep their loads. On 2.2, it fails if there are any.
func (v *service) LoadCollection(ctx context.Context, req *wire.LoadCollectionRequest) (*wire.Status, error) {
	if req.GetRefresh() {
		return v.refresh(ctx, req)
	}

	return v.change(ctx, req, func(c *collection) *failure {
		if fail := v.mayLoad(c); fail != nil {
			return fail
		}

		alone := slices.ContainsFunc(c.partitions, func(p *partition) bool { return p.load != nil })
		if v.s.config.Dialect == Milvus22 && c.load == nil && alone {
			return mismatched(wire.ErrorCode_IllegalArgument, "load collection", "load the partition")
		}

		for _, p := range c.partitions {
			if c.load != nil && c.loadOf(p) == nil {
				p.load = begin(v.s.config.Load)
			}
			p.released = false
		}

		if c.load == nil {
			c.load = begin(v.s.config.Load)
		}
		return nil
	}).status(), nil
}

// refresh starts a refresh of a loaded collection.
func (v *service) refresh(ctx context.Context, req *wire.LoadCollectionRequest) (*wire.Status, error) {
	d := v.s.config.Dialect
	if fail := v.change(ctx, req, v.mayLoad); fail != nil {
		return fail.status(), nil
	}

	// Only a fully loaded collection can be refreshed.
	q, _, fail := v.askLoad(ctx, req, nil, peek)
	if fail == q.absent && d == Milvus22 {
		fail = d.notFullyLoaded(q.c.id)
	}
	if fail != nil || q.turns == nil {
		return fail.status(), nil
	}

	parts, _, err := read[milvuswait.LoadingProgress](q)
	return v.change(ctx, req, func(c *collection) *failure {
		if err != nil || !play.Mean(parts).Complete() {
			return d.notFullyLoaded(c.id)
		}
		c.refresh = begin(v.s.config.Load)
		return nil
	}).status(), nil
}

// ReleaseCollection releases the collection with all its partitions.
func (v *service) ReleaseCollection(ctx context.Context, req *wire.ReleaseCollectionRequest) (*wire.Status, error) {
	return v.change(ctx, req, func(c *collection) *failure {
		if v.s.config.Dialect != MilvusLite || len(c.indexes) > 0 { // milvus-lite keeps it loaded without an index
			c.release()
		}
		return nil
	}).status(), nil
}

// LoadPartitions loads the named partitions. On 2.2, it fails if the collection is loaded
// as a whole.
func (v *service) LoadPartitions(ctx context.Context, req *wire.LoadPartitionsRequest) (*wire.Status, error) {
	may := func(c *collection) *failure {
		if v.s.config.Dialect == Milvus22 && c.load != nil {
			return mismatched(wire.ErrorCode_IllegalArgument, "load partitions", "load the partition")
		}
		return v.mayLoad(c)
	}
	return v.eachPartition(ctx, req, req.GetPartitionNames(), may, func(c *collection, p *partition) {
		if c.loadOf(p) == nil {
			p.load, p.released = begin(v.s.config.Load), false
		}
	}).status(), nil
}

// ReleasePartitions releases the named partitions. On 2.2, it fails if the collection is
// loaded as a whole.
func (v *service) ReleasePartitions(ctx context.Context, req *wire.ReleasePartitionsRequest) (*wire.Status, error) {
	may := func(c *collection) *failure {
		if v.s.config.Dialect == Milvus22 && c.load != nil {
			return mismatched(unexpected, "release partitions", "releasing some partitions")
		}
		return nil
	}
	return v.eachPartition(ctx, req, req.GetPartitionNames(), may, func(c *collection, p *partition) {
		p.load, p.released = nil, true
		if !c.loaded() {
			c.release()
		}
	}).status(), nil
}

// mismatched returns the failure of 2.2 for operations on partitions of a collection loaded
// as a whole, and the reverse.
func mismatched(legacy wire.ErrorCode, what, how string) *failure {
	f := withReason(legacy, 0, "failed to %s, err=%s after load collection is not supported[LoadParameterMismatched]", what, how)
	return &f
}

// eachPartition calls f for each of the named partitions. It calls f for none if one of
// them is missing or may returns a failure, and returns this failure.
func (v *service) eachPartition(ctx context.Context, req named, names []string, may func(*collection) *failure, f func(*collection, *partition)) *failure {
	return v.change(ctx, req, func(c *collection) *failure {
		for _, name := range names {
			if c.partition(name) == nil {
				return v.s.config.Dialect.partitionNotFound(name)
			}
		}

		if fail := may(c); fail != nil {
			return fail
		}

		for _, name := range names {
			f(c, c.partition(name))
		}
		return nil
	})
}
