package fakeserver

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// view is one index in the response to a request: its description, and the parts of the
// question with its rows.
type view struct {
	description *wire.IndexDescription
	newer       []bool // for each part: its rows are, or may be, newer than the index
}

// newest is the timestamp of requests for the state of all rows.
const newest = math.MaxUint64

// DescribeIndex reports the progress of the matching indexes. Without the maximum
// timestamp, their states leave out newer rows.
func (v *service) DescribeIndex(ctx context.Context, req *wire.DescribeIndexRequest) (*wire.DescribeIndexResponse, error) {
	views, q, fail := v.askIndexes(ctx, req, func(c *collection) ([]*index, *failure) {
		found := v.s.match(c, req.GetIndexName(), req.GetFieldName())
		if len(found) == 0 {
			return nil, v.s.config.Dialect.indexNotFound(c, req.GetIndexName())
		}
		return found, nil
	})
	descriptions, fail, err := v.describe(ctx, views, q, fail, req.GetTimestamp())
	return &wire.DescribeIndexResponse{Status: fail.status(), IndexDescriptions: descriptions}, err
}

// GetIndexStatistics reports the progress of the matching indexes, for all rows.
func (v *service) GetIndexStatistics(ctx context.Context, req *wire.GetIndexStatisticsRequest) (*wire.GetIndexStatisticsResponse, error) {
	d := v.s.config.Dialect
	views, q, fail := v.askIndexes(ctx, req, func(c *collection) ([]*index, *failure) {
		found := v.s.match(c, req.GetIndexName(), "")
		if len(found) > 0 {
			return found, nil
		}
		fail := d.indexNotFound(c, req.GetIndexName())
		if d.since23() {
			fail.reason = "index not found[indexName=" + req.GetIndexName() + "]"
			fail.detail = fail.reason
		}
		return nil, fail
	})

	descriptions, fail, err := v.describe(ctx, views, q, fail, newest)
	for _, description := range descriptions {
		description.PendingIndexRows = 0 // no version reports it here
	}
	return &wire.GetIndexStatisticsResponse{Status: fail.status(), IndexDescriptions: descriptions}, err
}

// GetIndexState reports None if no index or several indexes match.
func (v *service) GetIndexState(ctx context.Context, req *wire.GetIndexStateRequest) (*wire.GetIndexStateResponse, error) {
	views, q, fail := v.askIndexes(ctx, req, func(c *collection) ([]*index, *failure) {
		return v.s.match(c, req.GetIndexName(), ""), nil
	})
	descriptions, fail, err := v.describe(ctx, views, q, fail, 0)

	answer := &wire.GetIndexStateResponse{Status: fail.status()}
	if len(descriptions) == 1 {
		answer.State, answer.FailReason = descriptions[0].State, descriptions[0].IndexStateFailReason
	}
	return answer, err
}

// GetIndexBuildProgress reports the rows of the one matching index.
func (v *service) GetIndexBuildProgress(ctx context.Context, req *wire.GetIndexBuildProgressRequest) (*wire.GetIndexBuildProgressResponse, error) {
	d := v.s.config.Dialect
	views, q, fail := v.askIndexes(ctx, req, func(c *collection) ([]*index, *failure) {
		found := v.s.match(c, req.GetIndexName(), "")
		switch len(found) {
		case 0:
			return nil, d.one(
				withReason(wire.ErrorCode_IndexNotExist, 700, "index not found[indexName=%s]", req.GetIndexName()),
				withReason(unexpected, 0, "there is no index on collection: %d with the index name: %s", c.id, req.GetIndexName()),
				failure{},
			)
		case 1:
			return found, nil
		}
		return nil, d.one(
			withReason(unexpected, 702, "index duplicates[indexName=%s]", req.GetIndexName()),
			withReason(unexpected, 0, "there are multiple indexes, please specify the index_name"),
			failure{},
		)
	})

	descriptions, fail, err := v.describe(ctx, views, q, fail, 0)
	answer := &wire.GetIndexBuildProgressResponse{Status: fail.status()}
	if len(descriptions) == 1 {
		answer.TotalRows, answer.IndexedRows = descriptions[0].TotalRows, descriptions[0].IndexedRows
	}
	return answer, err
}

// match returns the indexes selected by a request, or all indexes if it has no name.
// milvus-lite selects by field only, and ignores an unknown name.
func (s *Server) match(c *collection, name, field string) []*index {
	var found []*index
	if s.config.Dialect != MilvusLite {
		for _, i := range c.indexes {
			if name == "" || i.name == name {
				found = append(found, i)
			}
		}
		return found
	}

	// milvus-lite names an index after its field.
	for _, candidate := range []string{field, name, strings.TrimSuffix(name, "_idx")} {
		for _, i := range c.indexes {
			if i.field == candidate {
				return []*index{i}
			}
		}
		if field != "" {
			return nil
		}
	}
	return c.indexes
}

// askIndexes takes the turns of the indexes selected by choose. It returns a view for each,
// and one question for all.
func (v *service) askIndexes(ctx context.Context, req indexRequest, choose func(*collection) ([]*index, *failure)) (views []view, q question, fail *failure) {
	fail = v.change(ctx, req, func(c *collection) *failure {
		q = question{
			db: databaseName(ctx, req.GetDbName()), c: c, index: req.GetIndexName(), absent: v.s.config.Dialect.collectionNotLoaded(c.id),
		}
		found, fail := choose(c)
		for _, i := range found {
			views = append(views, v.s.view(c, i, &q))
		}
		return fail
	})
	return views, q, fail
}

// indexRequest is a request about an index.
type indexRequest interface {
	named
	GetIndexName() string
}

// view takes the turns of one index: of its script, or of the build of each visible lot. It
// makes these builds on first use.
func (s *Server) view(c *collection, i *index, q *question) view {
	name, now := i.name, time.Now()
	if s.config.Dialect == MilvusLite {
		name = i.field
	}
	w := view{description: &wire.IndexDescription{IndexName: name, IndexID: i.id, FieldName: i.field, Params: i.params}}

	if i.script != nil {
		q.turn(i.script, next)
		w.newer = append(w.newer, true)
		return w
	}

	for _, lot := range c.lots {
		if lot.pending(now) {
			continue
		}
		if i.builds[lot] == nil {
			i.builds[lot] = s.build(lot, i)
		}
		q.turn(i.builds[lot], next)
		w.newer = append(w.newer, lot.visible.After(i.created))
	}
	return w
}

// describe reads the question, and fills in the descriptions of the views. It returns fail
// if there is one.
func (v *service) describe(ctx context.Context, views []view, q question, fail *failure, timestamp uint64) ([]*wire.IndexDescription, *failure, error) {
	if fail != nil {
		return nil, fail, nil
	}

	parts, fail, err := answers[milvuswait.IndexBuildingProgress](ctx, v.s, q)
	if fail != nil || err != nil {
		return nil, fail, err
	}

	var descriptions []*wire.IndexDescription
	for _, w := range views {
		w.fill(parts[:len(w.newer)], timestamp == newest)
		parts = parts[len(w.newer):]
		descriptions = append(descriptions, w.description)
	}
	return descriptions, nil, nil
}

// fill adds up the parts. While newer rows are pending, only requests with the maximum
// timestamp (all) get their state. Other requests get Finished for them, unless the build
// failed.
func (w *view) fill(parts []milvuswait.IndexBuildingProgress, all bool) {
	d, state := w.description, milvuswait.IndexStateFinished
	for i, p := range parts {
		d.TotalRows += p.TotalRows
		d.IndexedRows += p.IndexedRows
		d.PendingIndexRows += p.PendingIndexRows
		d.IndexStateFailReason += p.FailReason
		untold := w.newer[i] && !all && p.PendingIndexRows > 0
		if p.State == milvuswait.IndexStateFailed || state == milvuswait.IndexStateFinished && !untold {
			state = p.State
		}
	}
	d.State = wire.IndexState(state)
}

// build returns the script for a lot in an index. It starts when both are there: the lot is
// visible, and the index created. Config.Build may be any function of a test, so the script
// calls it, without s.state.
func (s *Server) build(l *lot, i *index) *playing {
	begins, rows := l.visible, l.rows
	if i.created.After(begins) {
		begins = i.created
	}
	return beginAt(fake.ScriptFunc(func(poll int, elapsed time.Duration) fake.Step {
		return s.config.Build(rows).Step(poll, elapsed)
	}), begins)
}

func sameParams(a, b []*wire.KeyValuePair) bool {
	return slices.EqualFunc(a, b, func(a, b *wire.KeyValuePair) bool { return a.Key == b.Key && a.Value == b.Value })
}
