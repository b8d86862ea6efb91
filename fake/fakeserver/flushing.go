package fakeserver

import (
	"context"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// # Flushes
//
// Flush seals the growing rows of each partition: they become a lot, with one segment. The
// lot is pending until Config.VisibleAfter has passed. DescribeIndex does not count a
// pending lot, and reports Finished without it. Only these RPCs report it:
//
//   - GetPersistentSegmentInfo lists its segment as Sealed, and later as Flushed.
//   - GetFlushState is false for the ID of the segment.
//   - GetFlushState is false for the timestamp of the flush, if the request also has the
//     name of the collection: see checkpoint.
//
// Milvus 2.6 seals segments on its streaming nodes. Its coordinator does not know a segment
// before it is flushed, so the first two do not report it there. On Milvus 2.2 the third
// does not. On milvus-lite every flush is done when Flush returns.

// setFlushing sets the script of the flush with the mark of the target.
func (db *Database) setFlushing(target milvuswait.Target, script fake.Script) {
	c := db.add(target.Collection(), nil)
	if script == nil {
		delete(c.flushes, target)
		return
	}
	c.flushes[target] = begin(script)
}

// pending reports whether the rows of l are not visible yet.
func (l *lot) pending(now time.Time) bool { return l.visible.After(now) }

// flush turns the growing rows into lots. It returns the segments that Flush reports: the
// sealed ones, and the flushed ones. The caller must hold s.state.
func (s *Server) flush(c *collection) (sealed, flushed []int64) {
	now := time.Now()
	for _, l := range c.lots {
		switch {
		case !l.pending(now):
			flushed = append(flushed, l.segment)
		case s.config.Dialect != Milvus26:
			sealed = append(sealed, l.segment) // still sealed since an earlier flush
		}
	}

	for _, p := range c.partitions {
		if p.growing == 0 {
			continue
		}

		l := &lot{segment: s.id(), partition: p, rows: p.growing, visible: now.Add(s.config.VisibleAfter)}
		p.growing, c.lots = 0, append(c.lots, l)
		sealed = append(sealed, l.segment)
	}
	return sealed, flushed
}

// Flush flushes all named collections. The response of milvus-lite has only a status, and
// missing collections are no failure there. The response of 2.2 has no timestamps.
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

// GetFlushState reports whether a flush is done: by its script, or else by the rule of the
// dialect. A missing collection is a failure since 2.3 only.
func (v *service) GetFlushState(ctx context.Context, req *wire.GetFlushStateRequest) (*wire.GetFlushStateResponse, error) {
	q, flushed, fail := v.askFlush(ctx, req)
	if q.turns == nil {
		return &wire.GetFlushStateResponse{Status: fail.status(), Flushed: flushed}, nil
	}

	parts, fail, err := answers[milvuswait.FlushProgress](ctx, v.s, q)
	if fail != nil || err != nil {
		return &wire.GetFlushStateResponse{Status: fail.status()}, err
	}
	return &wire.GetFlushStateResponse{Status: fail.status(), Flushed: parts[0].Flushed}, nil
}

// askFlush takes the turn of the script for the mark of a request. Without a script it
// returns the state of the flush.
func (v *service) askFlush(ctx context.Context, req *wire.GetFlushStateRequest) (q question, flushed bool, fail *failure) {
	v.s.state.Lock()
	defer v.s.state.Unlock()
	c, fail := v.find(ctx, req)
	if fail != nil && req.GetCollectionName() != "" && v.s.config.Dialect.since23() {
		return question{}, false, fail
	}

	if c != nil {
		mark := milvuswait.FlushMark{Timestamp: req.GetFlushTs(), Segments: req.GetSegmentIDs()}
		if script := c.flushes[milvuswait.Flushing(c.name, mark)]; script != nil {
			q = question{db: databaseName(ctx, req.GetDbName()), c: c}
			q.turn(script, next)
			return q, false, nil
		}
	}
	return question{}, v.s.flushed(c, req), nil
}

// flushed reports the state of a flush by the rule of the dialect. c is nil for a request
// without the name of a collection. An unknown segment counts as flushed everywhere. The
// caller must hold s.state.
func (s *Server) flushed(c *collection, req *wire.GetFlushStateRequest) bool {
	d := s.config.Dialect
	if d == Milvus22 || d == Milvus23 {
		sealed := s.sealed()
		if slices.ContainsFunc(req.GetSegmentIDs(), func(id int64) bool { return sealed[id] }) {
			return false
		}
	}
	return c == nil || !d.since23() || req.GetFlushTs() <= tso(s.checkpoint(c))
}

// sealed returns the segments of all pending lots. The caller must hold s.state.
func (s *Server) sealed() map[int64]bool {
	all, now := map[int64]bool{}, time.Now()
	for _, db := range s.databases {
		for _, c := range db.collections {
			for _, l := range c.lots {
				if l.pending(now) {
					all[l.segment] = true
				}
			}
		}
	}
	return all
}

// checkpoint returns the time up to which the channels of c are on disk, deletes included.
// Once c has rows, it lags behind the present, also when a flush has nothing to seal.
//
// On 2.3 it passes a flush before all its rows are visible: 3.0 s after a flush of 100 000
// rows, half of them were counted, and the other half 0.5 s later. On 2.6 only the
// checkpoint reports pending rows, so it passes a flush together with them.
func (s *Server) checkpoint(c *collection) time.Time {
	lag := s.config.VisibleAfter
	switch {
	case len(c.lots) == 0:
		lag = 0
	case s.config.Dialect == Milvus23:
		lag = lag / 4 * 3
	}
	return time.Now().Add(-lag)
}

// GetPersistentSegmentInfo lists the segments of a collection, without growing ones. See
// the comment on flushes.
func (v *service) GetPersistentSegmentInfo(ctx context.Context, req *wire.GetPersistentSegmentInfoRequest) (*wire.GetPersistentSegmentInfoResponse, error) {
	var infos []*wire.PersistentSegmentInfo
	fail := v.change(ctx, req, func(c *collection) *failure {
		now := time.Now()
		for _, l := range c.lots {
			state := wire.SegmentState_Flushed
			if l.pending(now) {
				state = wire.SegmentState_Sealed
			}
			if state == wire.SegmentState_Sealed && v.s.config.Dialect == Milvus26 {
				continue
			}

			infos = append(infos, &wire.PersistentSegmentInfo{
				SegmentID: l.segment, CollectionID: c.id, PartitionID: l.partition.id, NumRows: l.rows, State: state,
			})
		}
		return nil
	})
	return &wire.GetPersistentSegmentInfoResponse{Status: fail.status(), Infos: infos}, nil
}
