package fakeserver

import (
	"cmp"
	"context"
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

// GetCollectionStatistics counts rows from their flush on. 2.2 and 2.6 count them only once
// they are visible.
func (v *service) GetCollectionStatistics(ctx context.Context, req *wire.GetCollectionStatisticsRequest) (*wire.GetCollectionStatisticsResponse, error) {
	var rows int64
	fail := v.change(ctx, req, func(c *collection) *failure {
		now, early := time.Now(), v.s.config.Dialect == Milvus23
		for _, l := range c.lots {
			if early || !l.pending(now) {
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
