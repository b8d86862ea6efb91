package fakeserver

import (
	"context"
	"errors"
	"slices"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/internal/play"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// setLoading sets the script of a load, of the collection or of partitions.
func (db *Database) setLoading(target milvuswait.Target, script fake.Script) {
	c := db.add(target.Collection(), target.Partitions())
	if target.Partitions() == nil {
		c.release()
		c.load = begin(script)
	}

	for _, name := range target.Partitions() {
		p := c.partition(name)
		p.load, p.released = begin(script), script == nil
	}
}

// GetLoadingProgress is a poll of a load and of a refresh.
func (v *service) GetLoadingProgress(ctx context.Context, req *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
	q, refresh, fail := v.askLoad(ctx, req, req.GetPartitionNames(), next)
	if fail != nil || q.turns == nil { // without a load, milvus-lite reports 0 % and no failure
		return &wire.GetLoadingProgressResponse{Status: fail.status()}, nil
	}

	parts, fail, err := answers[milvuswait.LoadingProgress](ctx, v.s, q)
	if fail != nil || err != nil {
		return &wire.GetLoadingProgressResponse{Status: fail.status()}, err
	}

	progress := play.Mean(parts)
	answer := &wire.GetLoadingProgressResponse{Status: fail.status(), Progress: progress.Percent}
	if v.s.config.Dialect.since23() {
		answer.RefreshProgress = min(progress.RefreshPercent, refreshed(refresh))
	}
	return answer, nil
}

// refreshed returns the RefreshProgress for a refresh: 0, or 100 if it is complete or nil.
func refreshed(refresh *play.Turn[fake.Step]) int64 {
	if refresh == nil {
		return 100
	}
	if p := refresh.Step().Progress; p != nil && p.Complete() {
		return 100
	}
	return 0
}

// askLoad takes the turns of the load of a collection or of partitions, and of its refresh,
// or returns the failure if there is no load. On milvus-lite, the question of a collection
// without a load is empty, and there is no failure.
func (v *service) askLoad(ctx context.Context, req named, partitions []string, take func(*playing) play.Turn[fake.Step]) (question, *play.Turn[fake.Step], *failure) {
	v.s.state.Lock()
	defer v.s.state.Unlock()
	c, fail := v.find(ctx, req)
	if fail != nil {
		return question{}, nil, fail
	}

	q, fail := v.askLoadOf(c, partitions, take)
	q.db, q.c = databaseName(ctx, req.GetDbName()), c
	if c.refresh == nil || fail != nil {
		return q, nil, fail
	}
	refresh := take(c.refresh)
	return q, &refresh, nil
}

// askLoadOf takes the turns of the load of c or of partitions. The caller must hold
// s.state.
func (v *service) askLoadOf(c *collection, partitions []string, take func(*playing) play.Turn[fake.Step]) (question, *failure) {
	d := v.s.config.Dialect
	q := question{c: c, absent: d.collectionNotLoaded(c.id)}

	// A request for partitions needs all of them loaded.
	for _, name := range partitions {
		if d == MilvusLite {
			break // milvus-lite ignores the names
		}

		p := c.partition(name)
		if p == nil {
			return q, d.partitionNotFound(name)
		}
		q.absent = d.partitionNotLoaded(p.id)
		if c.loadOf(p) == nil {
			return q, q.absent
		}
		q.turn(c.loadOf(p), take)
	}

	if q.turns != nil {
		return q, nil
	}

	// A request for the collection needs at least one loaded partition.
	for _, p := range c.partitions {
		if load := c.loadOf(p); load != nil {
			q.turn(load, take)
		}
	}
	if q.turns == nil && d != MilvusLite {
		return q, q.absent
	}
	return q, nil
}

func (v *service) GetLoadState(ctx context.Context, req *wire.GetLoadStateRequest) (*wire.GetLoadStateResponse, error) {
	state, fail, err := v.loadState(ctx, req)
	return &wire.GetLoadStateResponse{Status: fail.status(), State: state}, err
}

// loadState returns the state of a load without a poll, and without the delay of its
// script.
func (v *service) loadState(ctx context.Context, req *wire.GetLoadStateRequest) (wire.LoadState, *failure, error) {
	const notExist, notLoad = wire.LoadState_LoadStateNotExist, wire.LoadState_LoadStateNotLoad
	q, _, fail := v.askLoad(ctx, req, req.GetPartitionNames(), peek)
	switch {
	case fail != nil && (fail.code == 200 || fail.legacy == liteIllegalValue):
		return notExist, fail, nil // missing partition or database
	case q.c == nil:
		return notExist, nil, nil
	case fail != nil || q.turns == nil:
		return notLoad, nil, nil
	}

	parts, _, err := read[milvuswait.LoadingProgress](q)
	switch {
	case errors.Is(err, milvuswait.ErrNotLoaded), errors.Is(err, milvuswait.ErrReleased):
		return notLoad, nil, nil
	case errors.Is(err, milvuswait.ErrCollectionNotFound):
		return notExist, nil, nil
	case err != nil:
		fail, err := v.s.scripted(err, q)
		if v.s.config.Dialect == Milvus22 && fail != nil && fail.legacy == unexpected {
			return notLoad, nil, nil // 2.2 reports no failures except insufficient memory
		}
		return notExist, fail, err
	case play.Mean(parts).Complete():
		return wire.LoadState_LoadStateLoaded, nil, nil
	}
	return wire.LoadState_LoadStateLoading, nil, nil
}

// list returns the mean percentage of each loaded collection, without those whose script
// fails. A list counts as a poll of each script, but ignores the delays.
func (v *service) list(collections []*collection, questions map[*collection]question) map[*collection]int64 {
	percents := map[*collection]int64{}
	for _, c := range collections {
		if q, ok := questions[c]; ok {
			if parts, _, err := read[milvuswait.LoadingProgress](q); err == nil {
				percents[c] = play.Mean(parts).Percent
			}
		}
	}
	return percents
}

// ShowCollections lists collections. Only loaded ones are in a list in memory.
func (v *service) ShowCollections(ctx context.Context, req *wire.ShowCollectionsRequest) (*wire.ShowCollectionsResponse, error) {
	lite, inMemory := v.s.config.Dialect == MilvusLite, req.Type == wire.ShowType_InMemory
	collections, questions, fail := v.askList(ctx, req)
	answer := &wire.ShowCollectionsResponse{Status: fail.status()}
	if fail != nil {
		return answer, nil
	}

	percents := v.list(collections, questions)
	for _, c := range collections {
		percent, loaded := percents[c]
		if inMemory && !lite && !loaded {
			continue
		}

		answer.CollectionNames = append(answer.CollectionNames, c.name)
		answer.CollectionIds = append(answer.CollectionIds, c.id)
		answer.CreatedTimestamps = append(answer.CreatedTimestamps, tso(c.created))
		answer.CreatedUtcTimestamps = append(answer.CreatedUtcTimestamps, uint64(c.created.UnixMilli()))
		if inMemory || lite {
			answer.InMemoryPercentages = append(answer.InMemoryPercentages, percent)
			answer.QueryServiceAvailable = append(answer.QueryServiceAvailable, percent >= 100)
		}
	}
	return answer, nil
}

// askList returns the collections listed for a request, and a question for the load of each
// loaded one. A list in memory selects collections by the names in the request. On
// milvus-lite, every list does.
func (v *service) askList(ctx context.Context, req *wire.ShowCollectionsRequest) ([]*collection, map[*collection]question, *failure) {
	d := v.s.config.Dialect
	v.s.state.Lock()
	defer v.s.state.Unlock()
	db, fail := v.database(ctx, req.GetDbName())
	if fail != nil && d == MilvusLite {
		fail.legacy, fail.code = 0, 1
	}
	if fail != nil {
		return nil, nil, fail
	}

	collections := slices.Clone(db.collections)
	inMemory := req.Type == wire.ShowType_InMemory
	if names := req.CollectionNames; len(names) > 0 && (inMemory || d == MilvusLite) {
		collections = nil
		for _, name := range names {
			c := db.find(name)
			switch {
			case c == nil && d == MilvusLite:
				continue
			case c == nil:
				return nil, nil, d.collectionNotFound(db.name, name)
			case !c.loaded() && d != MilvusLite:
				return nil, nil, d.listedNotLoaded(name)
			}
			collections = append(collections, c)
		}
	}

	questions := map[*collection]question{}
	for _, c := range collections {
		if q, fail := v.askLoadOf(c, nil, next); fail == nil && q.turns != nil {
			questions[c] = q
		}
	}
	return collections, questions, nil
}
