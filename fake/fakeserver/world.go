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

	firstID    = 100 // of everything that has one; fields have the same first one in Milvus
	dimension  = "8" // of the vectors of collections that were not created by a client
	vectorName = "vec"
)

// world is what a server knows.
type world struct {
	databases map[string]*Database
	ids       int64
}

func (w *world) id() int64 {
	w.ids++
	return firstID + w.ids - 1
}

func (w *world) create(s *Server, name string) *Database {
	db := &Database{server: s, name: name, created: time.Now(), named: map[string]*collection{}, dropped: map[string]int64{}}
	w.databases[name] = db
	return db
}

// Database is a database of a Server, through which a test says what is true
// there. Everything that clients do by RPC, and more, can be done so, at any
// time, without a client.
type Database struct {
	server      *Server
	name        string
	created     time.Time
	collections []*collection
	named       map[string]*collection // the same ones
	dropped     map[string]int64
}

type playing = play.Play[fake.Step]

// collection is a collection, and whether it is loaded: wholly if load is not
// nil, but for partitions that have a load of their own or were released.
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
	partitions []*partition
	indexes    []*index
	lots       []*lot // rows that are flushed
}

type partition struct {
	id       int64
	name     string
	created  time.Time
	load     *playing
	released bool
	growing  int64 // rows that are not flushed
}

// index is an index that goes by a script of its own or, if it has none, is
// built lot by lot.
type index struct {
	id      int64
	name    string
	field   string
	params  []*wire.KeyValuePair
	created time.Time
	script  *playing
	builds  map[*lot]*playing
}

// lot is rows of a partition that were flushed together.
type lot struct {
	segment   int64
	partition *partition
	rows      int64
	visible   time.Time
}

// In returns the database of that name, and creates it if there is none.
func (s *Server) In(name string) *Database {
	s.state.Lock()
	defer s.state.Unlock()
	if db := s.databases[name]; db != nil {
		return db
	}
	return s.world.create(s, name)
}

// AddCollection creates a collection of an int64 key, "id", and vectors, "vec",
// with these partitions besides "_default", if there is none, and adds the
// partitions that it lacks if there is. It is not loaded, which only milvus-lite's
// are at once, and has neither index nor rows.
func (db *Database) AddCollection(name string, partitions ...string) {
	db.server.state.Lock()
	defer db.server.state.Unlock()
	db.add(name, partitions)
}

// AddRows puts rows into a collection, which it creates if there is none, and
// flushes: they are counted when the time of Config.VisibleAfter has passed. It
// panics if rows is negative.
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

// Set makes target go by that script, which begins now, as if its load or its
// index had been asked for, and creates what it names if there is none. A nil
// script says that it is known but not there: what is to be loaded is released,
// an index dropped. It is the counterpart of fake.Poller's Set.
//
// GetLoadingProgress, and a list of the loaded collections, is a poll of a load;
// every RPC that tells how far an index is, is one of that. GetLoadState looks
// without a poll. The delays of a script are those of polls, but for lists.
//
// An index that has a script shows the rows of the script and not those that
// were inserted. Where the script says that it is not finished and rows are
// pending, so is its state for requests with the greatest timestamp alone; others
// are told Finished, which is what real servers say while they index rows that
// are newer than the index.
//
// It panics if target is the zero Target or that of AllIndexes.
func (db *Database) Set(target milvuswait.Target, script fake.Script) {
	switch {
	case target.Kind() == "":
		panic("fakeserver: Set: the zero Target")
	case target.Index() == milvuswait.AllIndexes:
		panic("fakeserver: Set: AllIndexes is for asking, set a script for each index")
	}
	s := db.server
	s.state.Lock()
	defer s.state.Unlock()
	c := db.add(target.Collection(), target.Partitions())
	switch {
	case target.Kind() == milvuswait.KindIndexBuilding && script == nil:
		c.indexes = slices.DeleteFunc(c.indexes, func(i *index) bool { return i.name == target.Index() || target.Index() == "" })
	case target.Kind() == milvuswait.KindIndexBuilding:
		s.indexFor(c, target.Index()).script = begin(script)
	case target.Partitions() == nil:
		c.release()
		c.load = begin(script)
	}
	for _, name := range target.Partitions() {
		p := c.partition(name)
		p.load, p.released = begin(script), script == nil
	}
}

// Drop drops a collection, if there is one.
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

// add returns the collection with those partitions, and creates what there is
// not.
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

func dim() []*wire.KeyValuePair {
	return []*wire.KeyValuePair{{Key: "dim", Value: dimension}}
}

func (db *Database) newCollection(name string, schema *wire.CollectionSchema) *collection {
	s := db.server
	c := &collection{id: s.id(), name: name, created: time.Now(), schema: schema, shards: 1}
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

func (c *collection) partition(name string) *partition {
	i := slices.IndexFunc(c.partitions, func(p *partition) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	return c.partitions[i]
}

// release makes c as if it had never been loaded.
func (c *collection) release() {
	c.load, c.refresh = nil, nil
	for _, p := range c.partitions {
		p.load, p.released = nil, false
	}
}

// begin returns a script that begins now, nil for none.
func begin(script fake.Script) *playing {
	if script == nil {
		return nil
	}
	return beginAt(script, time.Now())
}

func beginAt(script fake.Script, at time.Time) *playing { return play.Begin[fake.Step](script, at) }
