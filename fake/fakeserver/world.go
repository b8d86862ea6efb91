package fakeserver

import (
	"fmt"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/internal/play"
	"github.com/milvuswait/milvuswait/internal/wire"
)

const (
	defaultDatabase  = "default"
	defaultPartition = "_default"

	firstID    = 100 // first ID of objects, and of the fields of a schema as in Milvus
	dimension  = "8" // dimension of the vectors in collections made by AddCollection
	vectorName = "vec"
)

// world is the state of a server.
type world struct {
	databases   map[string]*Database
	ids         int64
	imports     jobs
	compactions jobs
	answering   *playing // whether the server answers; nil if it does
}

// id returns a new ID.
func (w *world) id() int64 {
	w.ids++
	return firstID + w.ids - 1
}

// create adds an empty database.
func (w *world) create(s *Server, name string) *Database {
	db := &Database{server: s, name: name, created: time.Now(), named: map[string]*collection{}, dropped: map[string]int64{}}
	w.databases[name] = db
	return db
}

// Database is a database of a Server. A test uses it to set the state without a client, at
// any time: to do everything that clients do by RPC, and more.
type Database struct {
	server      *Server
	name        string
	created     time.Time
	collections []*collection
	named       map[string]*collection // the same collections, by name
	dropped     map[string]int64       // IDs of dropped collections
}

// playing is a running script.
type playing = play.Play[fake.Step]

// collection is a collection with its load. If load is not nil, it is the load of all
// partitions, except those with a load of their own or released ones.
type collection struct {
	id          int64
	name        string
	created     time.Time
	schema      *wire.CollectionSchema
	shards      int32
	consistency wire.ConsistencyLevel
	properties  []*wire.KeyValuePair

	load       *playing
	refresh    *playing
	query      *playing // used for partitions without a query of their own
	partitions []*partition
	indexes    []*index
	lots       []*lot                         // sealed and flushed rows
	flushes    map[milvuswait.Target]*playing // scripts of flushes, by target with mark
}

// partition is a partition of a collection. See collection for load and released.
type partition struct {
	id       int64
	name     string
	created  time.Time
	load     *playing
	released bool
	query    *playing
	growing  int64 // number of rows not sealed yet
}

// index is an index. It follows script if that is set. Otherwise each lot of rows has its
// own build.
type index struct {
	id      int64
	name    string
	field   string
	params  []*wire.KeyValuePair
	created time.Time
	script  *playing
	builds  map[*lot]*playing
}

// lot is the rows of a partition from one flush, in one segment.
type lot struct {
	segment   int64
	partition *partition
	rows      int64
	visible   time.Time // the rows are counted from then on
}

// In returns the database with the name. It creates the database if it does not exist.
func (s *Server) In(name string) *Database {
	s.state.Lock()
	defer s.state.Unlock()
	if db := s.databases[name]; db != nil {
		return db
	}
	return s.world.create(s, name)
}

// AddCollection creates a collection with an int64 key "id", vectors "vec", the partition
// "_default" and the given partitions. If the collection exists, it adds missing
// partitions. A new collection has no index and no rows. It is loaded at once on
// milvus-lite, and not loaded in the other dialects.
func (db *Database) AddCollection(name string, partitions ...string) {
	db.server.state.Lock()
	defer db.server.state.Unlock()
	db.add(name, partitions)
}

// AddRows inserts rows into a collection and flushes it. It creates the collection if it
// does not exist. The rows are counted once Config.VisibleAfter has passed. It panics if
// rows is negative.
func (db *Database) AddRows(name string, rows int64) {
	if rows < 0 {
		panic(fmt.Sprintf("fakeserver: AddRows: %d is negative", rows))
	}

	db.server.state.Lock()
	defer db.server.state.Unlock()
	c := db.add(name, nil)
	c.partition(defaultPartition).growing += rows
	db.server.flush(c)
}

// Set gives target a script, which starts now, as if a client had requested the load, the
// index, the flush or the job. It creates missing collections, partitions and indexes. A nil
// script releases a load, drops an index, and removes any other script. It is the
// counterpart of fake.Poller's Set.
//
// The polls of a script depend on the kind of its target:
//
//   - Loading: GetLoadingProgress, and lists of collections. GetLoadState reads the state
//     without a poll.
//   - IndexBuilding: all RPCs that report the progress of an index.
//   - Flushing: GetFlushState with the collection, segments and timestamp of the mark. Other
//     requests get the state of the real flushes.
//   - Importing: GetImportState. Compacting: GetCompactionState. Jobs are the same in every
//     Database. After ErrJobNotFound, an import is unknown, and a compaction Completed
//     without plans.
//   - Serving: the calls of all RPCs, in every Database. A call with an error is not carried
//     out.
//
// A poll takes the delay of its step, except in lists.
//
// An index with a script reports the rows of the script, not the inserted ones. While the
// script has pending rows, only requests with the maximum timestamp get its state. Other
// requests get Finished, as from real servers while they index rows newer than the index,
// or Failed if the script failed.
//
// It panics if target is the zero Target or of an unknown kind, or if its index is
// AllIndexes.
func (db *Database) Set(target milvuswait.Target, script fake.Script) {
	if target.Kind() == "" {
		panic("fakeserver: Set: the zero Target")
	}
	set := kinds[target.Kind()]
	if set == nil {
		panic(fmt.Sprintf("fakeserver: Set: targets of the kind %q are not supported", target.Kind()))
	}

	db.server.state.Lock()
	defer db.server.state.Unlock()
	set(db, target, script)
}

// kinds has the function behind Set for each kind of target. The caller must hold s.state.
var kinds = map[milvuswait.Kind]func(db *Database, target milvuswait.Target, script fake.Script){
	milvuswait.KindLoading:       (*Database).setLoading,
	milvuswait.KindIndexBuilding: (*Database).setIndexBuilding,
	milvuswait.KindFlushing:      (*Database).setFlushing,
	milvuswait.KindImporting:     (*Database).setImporting,
	milvuswait.KindCompacting:    (*Database).setCompacting,
	milvuswait.KindServing:       (*Database).setServing,
}

// Drop drops a collection. It does nothing if there is no such collection.
func (db *Database) Drop(collection string) {
	db.server.state.Lock()
	defer db.server.state.Unlock()
	db.drop(collection)
}

func (db *Database) drop(name string) {
	if c := db.find(name); c != nil {
		db.dropped[name] = c.id
		delete(db.named, name)
		db.collections = slices.DeleteFunc(db.collections, func(c *collection) bool { return c.name == name })
	}
}

func (db *Database) find(name string) *collection { return db.named[name] }

// add returns the collection with the name. It creates the collection and the partitions if
// they do not exist.
func (db *Database) add(name string, partitions []string) *collection {
	c := db.find(name)
	if c == nil {
		c = db.newCollection(name, &wire.CollectionSchema{Name: name, Fields: []*wire.FieldSchema{
			{Name: "id", IsPrimaryKey: true, DataType: wire.DataType_Int64},
			{Name: vectorName, DataType: wire.DataType_FloatVector, TypeParams: dim()},
		}})
	}

	for _, partition := range partitions {
		if c.partition(partition) == nil {
			db.server.addPartition(c, partition)
		}
	}
	return c
}

// dim returns the type parameters of a vector field.
func dim() []*wire.KeyValuePair {
	return []*wire.KeyValuePair{{Key: "dim", Value: dimension}}
}

// newCollection creates a collection with the default partition, and numbers the fields.
func (db *Database) newCollection(name string, schema *wire.CollectionSchema) *collection {
	s := db.server
	c := &collection{id: s.id(), name: name, created: time.Now(), schema: schema, shards: 1, flushes: map[milvuswait.Target]*playing{}}
	for i, field := range schema.Fields {
		field.FieldID = firstID + int64(i)
	}

	s.addPartition(c, defaultPartition)
	if s.config.Dialect == MilvusLite {
		c.load = begin(s.config.Load)
	}
	db.collections, db.named[name] = append(db.collections, c), c
	return c
}

func (s *Server) addPartition(c *collection, name string) {
	c.partitions = append(c.partitions, &partition{id: s.id(), name: name, created: time.Now()})
}

// partition returns the partition with the name, or nil.
func (c *collection) partition(name string) *partition {
	i := slices.IndexFunc(c.partitions, func(p *partition) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	return c.partitions[i]
}

// release resets the load of c and its partitions, as if c had never been loaded.
func (c *collection) release() {
	c.load, c.refresh = nil, nil
	for _, p := range c.partitions {
		p.load, p.released = nil, false
	}
}

// begin returns a script that starts now, or nil for a nil script.
func begin(script fake.Script) *playing {
	if script == nil {
		return nil
	}
	return beginAt(script, time.Now())
}

func beginAt(script fake.Script, at time.Time) *playing { return play.Begin[fake.Step](script, at) }
