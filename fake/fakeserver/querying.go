package fakeserver

import (
	"cmp"
	"context"
	"slices"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/internal/play"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// SetQuery gives queries of a collection, or of the named partitions, a script, which starts
// now. A query finds a row when the progress of its step is complete, of whichever kind.
// Milvus 2.3 reports 100 % for a partition loaded while others are loaded, up to 9 s before
// its rows can be found: set the load to fake.Percents(100), and the query to
// fake.LoadOver(9*time.Second).
//
// The script of a collection applies to all its partitions without a script of their own. A
// nil script removes it. Partitions without any script have a row if rows were inserted,
// flushed or not. SetQuery creates the collection and the partitions if they do not exist.
//
// A query of a collection or partition that is not loaded completely fails, whatever the
// script. An error of the script becomes a response, as described for the package.
func (db *Database) SetQuery(collection string, script fake.Script, partitions ...string) {
	db.server.state.Lock()
	defer db.server.state.Unlock()
	c := db.add(collection, partitions)
	if len(partitions) == 0 {
		c.query = begin(script)
	}
	for _, name := range partitions {
		c.partition(name).query = begin(script)
	}
}

// Query finds at most one row, whatever its filter. The row has only the primary key, which
// the server makes up.
func (v *service) Query(ctx context.Context, req *wire.QueryRequest) (*wire.QueryResults, error) {
	q, load, fail := v.askQuery(ctx, req)
	if fail != nil {
		return &wire.QueryResults{Status: fail.status()}, nil
	}

	// The load decides whether there is anything to query.
	percents, _, err := read[milvuswait.LoadingProgress](load)
	if err != nil {
		fail, err := v.s.scripted(err, load)
		return &wire.QueryResults{Status: fail.status()}, err
	}
	if !play.Mean(percents).Complete() {
		return &wire.QueryResults{Status: v.s.config.Dialect.notQueriedYet(q.c).status()}, nil
	}

	parts, fail, err := answers[milvuswait.Progress](ctx, v.s, q.question)
	if fail != nil || err != nil {
		return &wire.QueryResults{Status: fail.status()}, err
	}
	answer := &wire.QueryResults{Status: new(wire.Status)}
	if q.found || slices.ContainsFunc(parts, milvuswait.Progress.Complete) {
		answer.FieldsData = []*wire.FieldData{oneKey(q.key)}
	}
	return answer, nil
}

// query is the question of one Query.
type query struct {
	question
	key   *wire.FieldSchema
	found bool // partitions without a script have rows
}

// askQuery takes the turns of the scripts for a query, and those of the load without a poll.
func (v *service) askQuery(ctx context.Context, req *wire.QueryRequest) (q query, load question, fail *failure) {
	d, names := v.s.config.Dialect, req.GetPartitionNames()
	switch {
	case req.GetExpr() == "" && d == Milvus22:
		return query{}, question{}, d.refused("query expression is empty")
	case slices.Contains(req.GetOutputFields(), "count(*)"):
		return query{}, question{}, d.refused("field count(*) not exist")
	}

	fail = v.change(ctx, req, func(c *collection) *failure {
		for _, name := range names {
			if c.partition(name) == nil {
				return d.partitionNotFound(name)
			}
		}
		if load, fail = v.askLoadOf(c, names, peek); fail != nil || load.turns == nil {
			return d.notQueried(databaseName(ctx, req.GetDbName()), c, fail)
		}

		q.question = question{db: databaseName(ctx, req.GetDbName()), c: c, absent: load.absent}
		q.key = c.key()
		for _, p := range c.partitions {
			if len(names) > 0 && !slices.Contains(names, p.name) || c.loadOf(p) == nil {
				continue
			}
			if script := cmp.Or(p.query, c.query); script != nil {
				q.turn(script, next)
				continue
			}
			q.found = q.found || c.rowsOf(p) > 0
		}
		return nil
	})
	return q, load, fail
}

// rowsOf returns the number of rows of a partition. Queries with the strong consistency find
// growing ones too.
func (c *collection) rowsOf(p *partition) int64 {
	rows := p.growing
	for _, l := range c.lots {
		if l.partition == p {
			rows += l.rows
		}
	}
	return rows
}

// key returns the primary key field, or a field of this kind for a schema without one.
func (c *collection) key() *wire.FieldSchema {
	for _, field := range c.schema.Fields {
		if field.GetIsPrimaryKey() {
			return field
		}
	}
	return &wire.FieldSchema{Name: "id", DataType: wire.DataType_Int64}
}

// oneKey returns the values of a primary key field for one row.
func oneKey(field *wire.FieldSchema) *wire.FieldData {
	values := &wire.ScalarField{Data: &wire.ScalarField_LongData{LongData: &wire.LongArray{Data: []int64{1}}}}
	if field.GetDataType() == wire.DataType_VarChar {
		values.Data = &wire.ScalarField_StringData{StringData: &wire.StringArray{Data: []string{"1"}}}
	}
	return &wire.FieldData{
		Type: field.GetDataType(), FieldName: field.GetName(), Field: &wire.FieldData_Scalars{Scalars: values},
	}
}

// notQueried is the failure of Query for a collection that is not loaded. f is the failure of
// a poll of its load, and nil on milvus-lite.
func (d Dialect) notQueried(db string, c *collection, f *failure) *failure {
	const released = 101 // used as code and as error code
	switch d {
	case MilvusLite:
		lite := withReason(released, released, "Collection '%s' is in state 'released'; call load() before search/get/query", c.name)
		return &lite
	case Milvus22:
		return d.refused("checkIfLoaded failed when query, collection:%s, partitions:[], err = GetCollectionInfo failed, "+
			"dbName = %s, collection = %s, err = %s", c.name, db, c.name, f.reason)
	}
	v23 := withReason(f.legacy, f.code, "failed to query: %s", f.reason)
	return d.one(v23, failure{}, failure{})
}

// notQueriedYet is the failure of Query during a load. It comes from the source of 2.3, and
// was not measured.
func (d Dialect) notQueriedYet(c *collection) *failure {
	return d.one(
		withReason(unexpected, 103, "failed to query: collection not fully loaded[collection=%d]", c.id),
		withReason(unexpected, 0, "collection %d is not fully loaded", c.id),
		withReason(101, 101, "Collection '%s' is in state 'loading'; call load() before search/get/query", c.name),
	)
}
