package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/milvuswait/milvuswait/bench/internal/waiter"
	"github.com/milvuswait/milvuswait/integration/milvusops"
	"github.com/milvuswait/milvuswait/internal/wire"
)

const (
	vectorIndex = "vidx"
	shards      = 2 // also the number of segments
	failing     = 16
)

// indexParams are the parameters of milvusops' CreateVectorIndex, letter for letter: only then
// does the server treat a second CreateIndex as the same index.
var indexParams = map[string]string{
	"index_type": "HNSW", "metric_type": "L2", "params": `{"M":16,"efConstruction":200}`,
}

// indexed creates a collection with an index and the given number of rows. The rows are not
// flushed.
func (b *bench) indexed(ctx context.Context, name string, shards, rows int) error {
	if err := b.ops.CreateCollection(ctx, name, shards); err != nil {
		return err
	}
	if err := b.ops.CreateVectorIndex(ctx, name, vectorIndex); err != nil {
		return err
	}
	return b.ops.Insert(ctx, name, "", 0, rows)
}

// many creates empty collections with an index, and returns their names.
func (b *bench) many(ctx context.Context, prefix string, n int) ([]string, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s_%03d", prefix, i)
		group.Go(func() error { return b.indexed(ctx, names[i], 1, 0) })
	}
	return names, group.Wait()
}

// each calls do for every collection, at most eight at a time.
func each(ctx context.Context, collections []string, do func(ctx context.Context, collection string) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, c := range collections {
		group.Go(func() error { return do(ctx, c) })
	}
	return group.Wait()
}

func (b *bench) job(limit time.Duration, collections ...string) waiter.Job {
	return waiter.Job{Address: b.address, Collections: collections, Limit: limit}
}

// index measures the wait for an index of the rows inserted last. The wait begins when Flush
// has returned or, if waited, when the flush is done. Arms that repeat CreateIndex have a
// separate collection: the server treats the index as newer then, and would report more exact
// numbers to the other arms too.
func (b *bench) index(ctx context.Context, collection string, waited bool) (samples, error) {
	looking, err := b.indexOf(ctx, collection, waited, b.indexArms)
	if err != nil {
		return nil, err
	}
	creating, err := b.indexOf(ctx, collection+"_created", waited, b.createArms)
	return append(looking, creating...), err
}

func (b *bench) indexOf(ctx context.Context, collection string, waited bool, arms []arm) (samples, error) {
	if err := b.indexed(ctx, collection, shards, b.rows); err != nil {
		return nil, err
	}

	job := b.job(5*time.Minute, collection)
	job.Index, job.Field, job.Params, job.Rows = vectorIndex, milvusops.VectorField, indexParams, int64(b.rows)
	return b.repeat(ctx, arms, 1, func() round {
		return round{
			job: job,
			begin: func(ctx context.Context) error {
				flushed, err := b.ops.Flush(ctx, collection)
				if err != nil || !waited {
					return err
				}
				_, err = milvusops.Watch(ctx, watchEvery, flushed)
				return err
			},
			watch: func(ctx context.Context) (milvusops.Sighting, error) {
				return milvusops.Watch(ctx, watchEvery, b.watch.Indexed(collection, vectorIndex, job.Rows))
			},
			watched: "DescribeIndex",
		}
	})
}

// load measures the wait for the load of a filled and indexed collection.
func (b *bench) load(ctx context.Context, collection string) (samples, error) {
	return b.repeat(ctx, b.loadArms, b.loads, func() round {
		return round{
			job: b.job(time.Minute, collection),
			begin: func(ctx context.Context) error {
				if err := b.ops.Release(ctx, collection); err != nil {
					return err
				}
				return b.ops.Load(ctx, collection)
			},
			watch: func(ctx context.Context) (milvusops.Sighting, error) {
				return milvusops.Watch(ctx, watchEvery, b.watch.Loaded(collection))
			},
			watched: "GetLoadingProgress",
		}
	})
}

// loadMany measures the wait for the load of many collections. The arms run one after the
// other: at the same time, they would slow each other down. Each wait has a new server,
// because a server takes a second for each release of a collection.
func (b *bench) loadMany(ctx context.Context) (samples, error) {
	return b.inTurn(ctx, b.loadArms, func(ctx context.Context, _ string, a arm) (got []sample, err error) {
		err = b.onServer(ctx, func() error {
			names, err := b.many(ctx, "many", b.collections)
			if err != nil {
				return err
			}
			got, err = b.run(ctx, round{
				job:   b.job(5*time.Minute, names...),
				begin: func(ctx context.Context) error { return each(ctx, names, b.load1) },
				watch: func(ctx context.Context) (milvusops.Sighting, error) {
					return milvusops.Watch(ctx, watchEvery, b.allLoaded(len(names)))
				},
				watched: "ShowCollections",
			}, []arm{a})
			return err
		})
		return got, err
	})
}

// fail measures the wait for the load of several collections, one of which is released during
// the wait. Each wait has new collections.
func (b *bench) fail(ctx context.Context) (samples, error) {
	return b.inTurn(ctx, b.loadArms, func(ctx context.Context, id string, a arm) ([]sample, error) {
		names, err := b.many(ctx, "fail"+id, failing)
		if err != nil {
			return nil, err
		}
		return b.run(ctx, round{
			job:   b.job(15*time.Second, names...),
			begin: func(ctx context.Context) error { return each(ctx, names, b.load1) },
			watch: func(ctx context.Context) (milvusops.Sighting, error) {
				select {
				case <-time.After(500 * time.Millisecond):
				case <-ctx.Done():
					return milvusops.Sighting{}, ctx.Err()
				}

				// Release returns up to a second after the server reports the collection
				// as released.
				var released errgroup.Group
				released.Go(func() error { return b.watch.Release(ctx, names[failing/2]) })
				look := b.watch.Loaded(names[failing/2])
				s, err := milvusops.Watch(ctx, watchEvery, func(ctx context.Context) (bool, error) {
					_, err := look(ctx)
					return err != nil, ctx.Err()
				})
				return s, errors.Join(err, released.Wait())
			},
			watched: "GetLoadingProgress",
		}, []arm{a})
	})
}

// load1 starts the load of a whole collection.
func (b *bench) load1(ctx context.Context, collection string) error {
	return b.ops.Load(ctx, collection)
}

// logSample logs the result of a wait.
func (b *bench) logSample(a arm, s sample) {
	b.logf("%s: %v late, %d RPCs, %v CPU %s", a.name, s.late.Round(time.Millisecond), s.total(), s.cpu.Round(time.Millisecond), s.err)
}

// allLoaded returns a question for a watcher: whether n collections are loaded completely, and
// no others are loading.
func (b *bench) allLoaded(n int) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		response, err := wire.ShowCollections.Call(ctx, b.watch.Conn, &wire.ShowCollectionsRequest{Type: wire.ShowType_InMemory})
		if err != nil {
			return false, err
		}
		loaded := 0
		for _, percent := range response.GetInMemoryPercentages() {
			if percent < 100 {
				return false, nil
			}
			loaded++
		}
		return loaded == n, nil
	}
}

// samples holds the samples of each arm.
type samples []series

type series struct {
	name    string
	samples []sample
}

// inTurn runs the waits of the arms one after the other, in rounds. do runs one wait, with a
// unique id.
func (b *bench) inTurn(ctx context.Context, arms []arm, do func(ctx context.Context, id string, a arm) ([]sample, error)) (samples, error) {
	all := make(samples, len(arms))
	for r := range b.rounds {
		for i, a := range arms {
			got, err := do(ctx, fmt.Sprintf("%d_%d", r, i), a)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", a.name, err)
			}
			all[i].name = a.name
			all[i].samples = append(all[i].samples, got...)
			b.logSample(a, got[0])
		}
	}

	return all, nil
}

// repeat runs rounds in which all arms wait at the same time.
func (b *bench) repeat(ctx context.Context, arms []arm, rounds int, next func() round) (samples, error) {
	all := make(samples, len(arms))
	for range rounds {
		got, err := b.run(ctx, next(), arms)
		if err != nil {
			return nil, err
		}
		for i, s := range got {
			all[i].name = arms[i].name
			all[i].samples = append(all[i].samples, s)
		}
	}
	return all, nil
}
