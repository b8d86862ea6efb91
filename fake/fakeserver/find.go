package fakeserver

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/internal/play"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// named is a request about a collection.
type named interface {
	GetDbName() string
	GetCollectionName() string
}

// databaseName returns the database of a request: the name in it, or else the dbname header
// that clients with a current database send, or else the default database.
func databaseName(ctx context.Context, name string) string {
	return cmp.Or(name, wire.Database(ctx), defaultDatabase)
}

// find returns the collection of a request, or the failure if it is missing. The caller
// must hold s.state.
func (v *service) find(ctx context.Context, req named) (*collection, *failure) {
	d, name := v.s.config.Dialect, req.GetCollectionName()
	dbName := databaseName(ctx, req.GetDbName())
	db := v.s.databases[dbName]
	if db == nil && d == MilvusLite {
		return nil, d.databaseNotFound(dbName)
	}
	if db == nil {
		return nil, d.collectionNotFound(dbName, name)
	}

	if c := db.find(name); c != nil {
		return c, nil
	}
	if id, ok := db.dropped[name]; ok {
		return nil, d.collectionDropped(id, name)
	}
	return nil, d.collectionNotFound(dbName, name)
}

// database returns the database with the name, or the failure if it is missing. The caller
// must hold s.state.
func (v *service) database(ctx context.Context, name string) (*Database, *failure) {
	name = databaseName(ctx, name)
	if db := v.s.databases[name]; db != nil {
		return db, nil
	}
	return nil, v.s.config.Dialect.databaseNotFound(name)
}

// change runs f on the collection of a request, under s.state. It returns the failure of
// find or f.
func (v *service) change(ctx context.Context, req named, f func(*collection) *failure) *failure {
	v.s.state.Lock()
	defer v.s.state.Unlock()
	c, fail := v.find(ctx, req)
	if fail != nil {
		return fail
	}
	return f(c)
}

// tso returns t as a timestamp of Milvus.
func tso(t time.Time) uint64 { return uint64(t.UnixMilli()) << 18 }

// question collects the turns of scripts for a response. It is filled under s.state, and
// read without it: see read.
type question struct {
	db     string
	c      *collection
	index  string
	absent *failure // response for ErrNotLoaded or ErrJobNotFound of a script
	taken  []*playing
	turns  []play.Turn[fake.Step] // one turn for each of taken
	order  []int                  // index of the turn for each part of the response
}

// turn takes a turn of p for the next part of the response. A load shared by several
// partitions takes only one turn per poll.
func (q *question) turn(p *playing, take func(*playing) play.Turn[fake.Step]) {
	i := slices.Index(q.taken, p)
	if i < 0 {
		i = len(q.turns)
		q.taken, q.turns = append(q.taken, p), append(q.turns, take(p))
	}
	q.order = append(q.order, i)
}

// read calls the scripts. It returns the parts of the response, in order, and the longest
// delay. The caller must not hold s.state: a script may be any function of a test.
func read[P milvuswait.Progress](q question) (parts []P, delay time.Duration, err error) {
	steps := make([]fake.Step, len(q.turns))
	for i, t := range q.turns {
		steps[i] = t.Step()
		delay = max(delay, steps[i].Delay)
	}

	for _, i := range q.order {
		part, ok := steps[i].Progress.(P)
		switch {
		case steps[i].Err != nil:
			return nil, delay, steps[i].Err
		case !ok:
			return nil, delay, fmt.Errorf("fakeserver: a script of %q returned %T, the progress of another kind", cmp.Or(q.c.name, "a job"), steps[i].Progress)
		}
		parts = append(parts, part)
	}
	return parts, delay, nil
}

// answers reads q for an RPC: it waits for the delay, and turns the error of a script into
// a response of the dialect.
func answers[P milvuswait.Progress](ctx context.Context, s *Server, q question) ([]P, *failure, error) {
	parts, delay, err := read[P](q)
	if late := play.Sleep(ctx, delay); late != nil {
		return nil, nil, status.FromContextError(late).Err()
	}

	if err != nil {
		fail, err := s.scripted(err, q)
		return nil, fail, err
	}
	return parts, nil, nil
}

// next takes the turn of a poll. peek takes one without a poll.
func next(p *playing) play.Turn[fake.Step] { return p.Next(time.Now()) }
func peek(p *playing) play.Turn[fake.Step] { return p.Peek(time.Now()) }

// loadOf returns the load of a partition, or nil if it is not loaded.
func (c *collection) loadOf(p *partition) *playing {
	if p.load == nil && !p.released {
		return c.load
	}
	return p.load
}

// loaded reports whether any partition is loaded or loading.
func (c *collection) loaded() bool {
	return slices.ContainsFunc(c.partitions, func(p *partition) bool { return c.loadOf(p) != nil })
}
