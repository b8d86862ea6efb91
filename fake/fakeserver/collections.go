package fakeserver

import (
	"context"
	"slices"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/internal/play"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// CreateCollection creates a collection. It succeeds for an existing collection with the
// same fields and shards, except on milvus-lite.
func (v *service) CreateCollection(ctx context.Context, req *wire.CreateCollectionRequest) (*wire.Status, error) {
	d := v.s.config.Dialect
	schema, err := decodeSchema(req.GetSchema())
	if err != nil {
		if d == MilvusLite {
			corrupt := withReason(0, 1, "Error parsing message with type 'milvus.proto.schema.CollectionSchema': Wire format was corrupt")
			return corrupt.status(), nil
		}
		return d.refused("%v", err).status(), nil
	}

	v.s.state.Lock()
	defer v.s.state.Unlock()
	db, fail := v.database(ctx, req.GetDbName())
	if fail != nil {
		return d.noDatabaseToCreateIn(databaseName(ctx, req.GetDbName())).status(), nil
	}

	if c := db.find(req.GetCollectionName()); c != nil {
		if d != MilvusLite && c.shards == max(1, req.GetShardsNum()) && sameFields(c.schema, schema) {
			return new(wire.Status), nil
		}
		return d.collectionExists(c.name).status(), nil
	}

	c := db.newCollection(req.GetCollectionName(), schema)
	c.shards, c.consistency, c.properties = max(1, req.GetShardsNum()), req.GetConsistencyLevel(), req.GetProperties()
	return new(wire.Status), nil
}

// sameFields reports whether a schema in a request has the fields of an existing one.
func sameFields(is, schema *wire.CollectionSchema) bool {
	return slices.EqualFunc(is.Fields, schema.Fields, func(a, b *wire.FieldSchema) bool {
		return a.Name == b.Name && a.DataType == b.DataType && a.IsPrimaryKey == b.IsPrimaryKey && a.AutoID == b.AutoID &&
			sameParams(a.TypeParams, b.TypeParams)
	})
}

func (v *service) HasCollection(ctx context.Context, req *wire.HasCollectionRequest) (*wire.BoolResponse, error) {
	v.s.state.Lock()
	defer v.s.state.Unlock()
	c, fail := v.find(ctx, req)
	if fail != nil && fail.legacy == liteIllegalValue {
		fail.legacy, fail.code = 0, 1
		return &wire.BoolResponse{Status: fail.status()}, nil
	}
	return &wire.BoolResponse{Status: new(wire.Status), Value: c != nil}, nil
}

// DescribeCollection finds a collection by its name or ID.
func (v *service) DescribeCollection(ctx context.Context, req *wire.DescribeCollectionRequest) (*wire.DescribeCollectionResponse, error) {
	db := databaseName(ctx, req.GetDbName())
	answer := &wire.DescribeCollectionResponse{CollectionName: req.GetCollectionName(), DbName: db}

	v.s.state.Lock()
	defer v.s.state.Unlock()

	c := v.byID(db, req)
	if c == nil {
		_, fail := v.find(ctx, req)
		if v.s.config.Dialect != MilvusLite {
			fail = v.s.config.Dialect.notDescribed(db, req.GetCollectionName(), req.GetCollectionID())
			answer.Schema = new(wire.CollectionSchema)
		}
		answer.Status = fail.status()
		return answer, nil
	}

	answer.Status, answer.CollectionName = new(wire.Status), c.name
	answer.Schema = c.schema
	answer.CollectionID, answer.ShardsNum, answer.NumPartitions = c.id, c.shards, int64(len(c.partitions))
	answer.CreatedTimestamp, answer.CreatedUtcTimestamp = tso(c.created), uint64(c.created.UnixMilli())
	answer.ConsistencyLevel, answer.Properties = c.consistency, c.properties
	return answer, nil
}

// byID finds a collection by its name or, as some clients request it, by its ID.
func (v *service) byID(dbName string, req *wire.DescribeCollectionRequest) *collection {
	db := v.s.databases[dbName]
	if db == nil {
		return nil
	}

	if req.GetCollectionName() != "" {
		return db.find(req.GetCollectionName())
	}

	for _, c := range db.collections {
		if c.id == req.GetCollectionID() {
			return c
		}
	}
	return nil
}

// DropCollection succeeds for missing collections and databases too.
func (v *service) DropCollection(ctx context.Context, req *wire.DropCollectionRequest) (*wire.Status, error) {
	v.s.state.Lock()
	defer v.s.state.Unlock()
	if db := v.s.databases[databaseName(ctx, req.GetDbName())]; db != nil {
		db.drop(req.GetCollectionName())
	}
	return new(wire.Status), nil
}

func (v *service) CreatePartition(ctx context.Context, req *wire.CreatePartitionRequest) (*wire.Status, error) {
	return v.change(ctx, req, func(c *collection) *failure {
		exists := c.partition(req.GetPartitionName()) != nil
		switch {
		case exists && v.s.config.Dialect == MilvusLite:
			return &failure{legacy: unexpected, code: 1, reason: req.GetPartitionName()}
		case !exists:
			v.s.addPartition(c, req.GetPartitionName())
		}
		return nil
	}).status(), nil
}

// DropPartition drops a partition and its rows. It refuses to drop the default partition
// and, except on milvus-lite, a loaded one.
func (v *service) DropPartition(ctx context.Context, req *wire.DropPartitionRequest) (*wire.Status, error) {
	return v.change(ctx, req, func(c *collection) *failure {
		d, name := v.s.config.Dialect, req.GetPartitionName()
		p := c.partition(name)
		switch {
		case p == nil && d == MilvusLite:
			return d.partitionNotFound(name)
		case name == defaultPartition && d == MilvusLite:
			return d.refused("cannot remove default partition '%s'", name)
		case p != nil && c.loadOf(p) != nil && d != MilvusLite:
			return d.refused("partition cannot be dropped, partition is loaded, please release it first")
		case name == defaultPartition:
			return d.refused("default partition cannot be deleted")
		}

		c.partitions = slices.DeleteFunc(slices.Clone(c.partitions), func(other *partition) bool { return other == p })
		c.lots = slices.DeleteFunc(slices.Clone(c.lots), func(l *lot) bool { return l.partition == p })
		return nil
	}).status(), nil
}

func (v *service) HasPartition(ctx context.Context, req *wire.HasPartitionRequest) (*wire.BoolResponse, error) {
	has := false
	fail := v.change(ctx, req, func(c *collection) *failure {
		has = c.partition(req.GetPartitionName()) != nil
		return nil
	})
	fail = v.s.config.Dialect.ofPartitions(fail, "HasPartition")
	return &wire.BoolResponse{Status: fail.status(), Value: has}, nil
}

// ShowPartitions lists partitions with their percentages, without a poll of the scripts.
func (v *service) ShowPartitions(ctx context.Context, req *wire.ShowPartitionsRequest) (*wire.ShowPartitionsResponse, error) {
	d, inMemory := v.s.config.Dialect, req.Type == wire.ShowType_InMemory
	partitions, questions, fail := v.askPartitions(ctx, req)
	answer := &wire.ShowPartitionsResponse{Status: fail.status()}

	for i, p := range partitions {
		var percent int64
		if parts, _, err := read[milvuswait.LoadingProgress](questions[i]); err == nil && parts != nil {
			percent = play.Mean(parts).Percent
		}

		answer.PartitionNames = append(answer.PartitionNames, p.name)
		answer.PartitionIDs = append(answer.PartitionIDs, p.id)
		answer.CreatedTimestamps = append(answer.CreatedTimestamps, tso(p.created))
		answer.CreatedUtcTimestamps = append(answer.CreatedUtcTimestamps, uint64(p.created.UnixMilli()))
		if inMemory || d == MilvusLite {
			answer.InMemoryPercentages = append(answer.InMemoryPercentages, percent)
		}
	}
	return answer, nil
}

// askPartitions returns the partitions listed for a request, and a question for the load of
// each. A list in memory contains only loaded partitions, and selects them by the names in
// the request. On milvus-lite, every list selects by names.
func (v *service) askPartitions(ctx context.Context, req *wire.ShowPartitionsRequest) (found []*partition, questions []question, fail *failure) {
	d, inMemory, names := v.s.config.Dialect, req.Type == wire.ShowType_InMemory, req.GetPartitionNames()
	fail = v.change(ctx, req, func(c *collection) *failure {
		for _, name := range names {
			if c.partition(name) == nil && inMemory && d != MilvusLite {
				return d.partitionNotFound(name)
			}
		}

		for _, p := range c.partitions {
			if len(names) > 0 && !slices.Contains(names, p.name) && (inMemory || d == MilvusLite) {
				continue
			}

			q, load := question{c: c}, c.loadOf(p)
			switch {
			case load != nil:
				q.turn(load, peek)
			case inMemory && (d == Milvus22 && !c.loaded() || d.since23() && len(names) > 0):
				return d.partitionNotListed(c, p)
			case inMemory && d != MilvusLite:
				continue
			}
			found, questions = append(found, p), append(questions, q)
		}
		return nil
	})

	if fail != nil {
		return nil, nil, d.ofPartitions(fail, "ShowPartitions")
	}
	return found, questions, nil
}
