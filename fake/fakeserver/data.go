package fakeserver

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// Insert counts the rows and discards their contents.
func (v *service) Insert(ctx context.Context, req *wire.InsertRequest) (*wire.MutationResult, error) {
	rows := make([]uint32, req.GetNumRows())
	for i := range rows {
		rows[i] = uint32(i)
	}
	answer := new(wire.MutationResult)

	fail := v.change(ctx, req, func(c *collection) *failure {
		p := c.partition(cmp.Or(req.GetPartitionName(), defaultPartition))
		if p == nil {
			return v.s.config.Dialect.partitionNotFound(req.GetPartitionName())
		}
		p.growing += int64(len(rows))
		answer.IDs = v.s.keys(c, req)
		if v.s.config.Dialect == MilvusLite {
			v.s.flush(c) // milvus-lite counts rows before a flush too
		}
		return nil
	})

	answer.Status = fail.status()
	if fail != nil {
		answer.ErrIndex = rows
		return answer, nil
	}
	answer.InsertCnt, answer.SuccIndex, answer.Timestamp = int64(len(rows)), rows, tso(time.Now())
	return answer, nil
}

// keys returns the inserted primary keys, or new ones if the server generates them.
func (s *Server) keys(c *collection, req *wire.InsertRequest) *wire.IDs {
	for _, field := range req.GetFieldsData() {
		if schema := c.field(field.GetFieldName()); schema == nil || !schema.GetIsPrimaryKey() {
			continue
		}
		if strings := field.GetScalars().GetStringData(); strings != nil {
			return &wire.IDs{IdField: &wire.IDs_StrId{StrId: strings}}
		}
		return &wire.IDs{IdField: &wire.IDs_IntId{IntId: field.GetScalars().GetLongData()}}
	}

	made := make([]int64, req.GetNumRows())
	for i := range made {
		made[i] = s.id()
	}
	return &wire.IDs{IdField: &wire.IDs_IntId{IntId: &wire.LongArray{Data: made}}}
}

// flush turns the rows not flushed yet into lots. It returns the segments of the new lots,
// and those of the earlier ones. The caller must hold s.state.
func (s *Server) flush(c *collection) (sealed, flushed []int64) {
	for _, l := range c.lots {
		flushed = append(flushed, l.segment)
	}

	for _, p := range c.partitions {
		if p.growing == 0 {
			continue
		}

		l := &lot{segment: s.id(), partition: p, rows: p.growing, visible: time.Now().Add(s.config.VisibleAfter)}
		p.growing, c.lots = 0, append(c.lots, l)
		sealed = append(sealed, l.segment)
	}
	return sealed, flushed
}

// Flush flushes all named collections. The response of milvus-lite has only a status, and
// missing collections are no failure there.
func (v *service) Flush(ctx context.Context, req *wire.FlushRequest) (*wire.FlushResponse, error) {
	answer := &wire.FlushResponse{
		Status: new(wire.Status), DbName: databaseName(ctx, req.GetDbName()),
		CollSegIDs: map[string]*wire.LongArray{}, FlushCollSegIDs: map[string]*wire.LongArray{},
		CollSealTimes: map[string]int64{}, CollFlushTs: map[string]uint64{},
	}

	for _, name := range req.GetCollectionNames() {
		one := &wire.DescribeCollectionRequest{DbName: req.GetDbName(), CollectionName: name}
		fail := v.change(ctx, one, func(c *collection) *failure {
			sealed, flushed := v.s.flush(c)
			answer.CollSegIDs[name] = &wire.LongArray{Data: sealed}
			answer.FlushCollSegIDs[name] = &wire.LongArray{Data: flushed}
			answer.CollSealTimes[name] = time.Now().Unix()
			if v.s.config.Dialect.since23() {
				answer.CollFlushTs[name] = tso(time.Now())
			}
			return nil
		})
		if fail != nil && v.s.config.Dialect != MilvusLite {
			return &wire.FlushResponse{Status: fail.status()}, nil
		}
	}

	if v.s.config.Dialect == MilvusLite {
		return &wire.FlushResponse{Status: answer.Status}, nil
	}
	return answer, nil
}

// GetFlushState reports whether all rows of the segments, and of the collection if there is
// one, are visible.
func (v *service) GetFlushState(ctx context.Context, req *wire.GetFlushStateRequest) (*wire.GetFlushStateResponse, error) {
	v.s.state.Lock()
	defer v.s.state.Unlock()
	c, fail := v.find(ctx, req)
	if fail != nil && req.GetCollectionName() != "" && v.s.config.Dialect.since23() {
		return &wire.GetFlushStateResponse{Status: fail.status()}, nil
	}

	answer := &wire.GetFlushStateResponse{Status: new(wire.Status), Flushed: true}
	for _, db := range v.s.databases {
		for _, other := range db.collections {
			for _, l := range other.lots {
				if (other == c || slices.Contains(req.GetSegmentIDs(), l.segment)) && l.visible.After(time.Now()) {
					answer.Flushed = false
				}
			}
		}
	}
	return answer, nil
}

// GetCollectionStatistics counts rows from their flush on. 2.2 counts them only once they
// are visible.
func (v *service) GetCollectionStatistics(ctx context.Context, req *wire.GetCollectionStatisticsRequest) (*wire.GetCollectionStatisticsResponse, error) {
	var rows int64
	fail := v.change(ctx, req, func(c *collection) *failure {
		for _, l := range c.lots {
			if v.s.config.Dialect != Milvus22 || !l.visible.After(time.Now()) {
				rows += l.rows
			}
		}
		return nil
	})

	answer := &wire.GetCollectionStatisticsResponse{Status: fail.status()}
	if fail == nil {
		answer.Stats = []*wire.KeyValuePair{{Key: "row_count", Value: strconv.FormatInt(rows, 10)}}
	}
	return answer, nil
}
