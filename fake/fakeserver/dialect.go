package fakeserver

import (
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// Dialect is the server whose answers a Server gives: its codes and reasons word
// for word, as they were measured on a real server of that version.
type Dialect int

// The dialects.
const (
	Milvus23   Dialect = iota // Milvus 2.3 and newer: measured on 2.3.5
	Milvus22                  // Milvus 2.2, which has no codes, only error codes: measured on 2.2.16
	MilvusLite                // milvus-lite: measured on 3.2.2
)

// String returns the version that GetVersion tells.
func (d Dialect) String() string {
	switch d {
	case Milvus23:
		return "v2.3.5"
	case Milvus22:
		return "v2.2.16"
	case MilvusLite:
		return "milvus_lite-3.2.2"
	}
	return fmt.Sprintf("Dialect(%d)", int(d))
}

// failure is what a server says in the body of an answer.
type failure struct {
	legacy wire.ErrorCode
	code   int32
	reason string
	detail string
}

// status returns a new message, since messages are not to be shared; nil is
// success.
func (f *failure) status() *wire.Status {
	if f == nil {
		return &wire.Status{}
	}
	return &wire.Status{ErrorCode: f.legacy, Code: f.code, Reason: f.reason, Detail: f.detail}
}

// Milvus' error codes for what no other is for.
const (
	unexpected       = wire.ErrorCode_UnexpectedError
	codeUnexpected   = 65535
	liteIllegalValue = 6 // as both code and error code
)

func said(legacy wire.ErrorCode, code int32, format string, args ...any) failure {
	return failure{legacy: legacy, code: code, reason: fmt.Sprintf(format, args...)}
}

// one returns what the dialect says.
func (d Dialect) one(v23, v22, lite failure) *failure {
	switch d {
	case Milvus22:
		return &v22
	case MilvusLite:
		return &lite
	}
	if v23.detail == "" {
		v23.detail = v23.reason
	}
	return &v23
}

func (d Dialect) collectionNotFound(db, name string) *failure {
	return d.one(
		said(wire.ErrorCode_CollectionNotExists, 100, "collection not found[database=%s][collection=%s]", db, name),
		said(unexpected, 0, "code: UnexpectedError, reason: code: CollectionNotExists, reason: can't find collection %s:%s", db, name),
		said(wire.ErrorCode_CollectionNotExists, 100, "collection '%s' does not exist", name),
	)
}

// collectionDropped is what is said of a collection that the proxy knew.
func (d Dialect) collectionDropped(id int64, name string) *failure {
	return d.one(
		said(wire.ErrorCode_CollectionNotExists, 100, "collection not found[collection=%d]", id),
		said(unexpected, 0, "code: UnexpectedError, reason: code: CollectionNotExists, reason: can't find collection: %d", id),
		said(wire.ErrorCode_CollectionNotExists, 100, "collection '%s' does not exist", name),
	)
}

// wrapped begins most of what 2.2 says of collections that are not there.
const wrapped = "code: UnexpectedError, reason: "

// ofPartitions is what RPCs about partitions make of it.
func (d Dialect) ofPartitions(f *failure, method string) *failure {
	if d == Milvus22 && f != nil && strings.HasPrefix(f.reason, wrapped) {
		f.reason = method + " failed: " + strings.TrimPrefix(f.reason, wrapped)
	}
	return f
}

// notDescribed is what DescribeCollection makes of it; it takes ids too.
func (d Dialect) notDescribed(db, name string, id int64) *failure {
	f := d.collectionNotFound(db, name)
	if name == "" && d != MilvusLite {
		f = d.collectionDropped(id, name)
	}
	switch d {
	case Milvus23:
		f.legacy, f.reason = unexpected, "can't find collection "+f.reason
	case Milvus22:
		f.reason = strings.TrimPrefix(f.reason, wrapped)
	}
	return f
}

// databaseNotFound is what ShowCollections says; of everything about a collection
// real servers say that the collection is not found.
func (d Dialect) databaseNotFound(db string) *failure {
	return d.one(
		said(unexpected, 800, "database not found[database=%s]", db),
		said(unexpected, 0, "ShowCollections failed: database:%s not found", db),
		said(liteIllegalValue, liteIllegalValue, "database '%s' does not exist", db),
	)
}

// noDatabaseToCreateIn is what CreateCollection says.
func (d Dialect) noDatabaseToCreateIn(db string) *failure {
	if d == MilvusLite {
		return d.databaseNotFound(db)
	}
	return d.refused("database:%s not found", db)
}

func (d Dialect) collectionExists(name string) *failure {
	const text = "create duplicate collection with different parameters, collection: %s"
	return d.one(
		said(unexpected, codeUnexpected, text, name), said(unexpected, 0, text, name),
		said(unexpected, 1, "collection '%s' already exists", name),
	)
}

func (d Dialect) collectionNotLoaded(id int64) *failure {
	return d.one(
		said(unexpected, 101, "collection not loaded[collection=%d]", id),
		said(unexpected, 0, "collection %d has not been loaded to memory or load failed", id),
		failure{},
	)
}

// listedNotLoaded is what ShowCollections says of a name that is not loaded.
func (d Dialect) listedNotLoaded(name string) *failure {
	return d.one(
		said(unexpected, codeUnexpected, "collection not loaded[collection=%s]", name),
		said(unexpected, 0, "collection %s has not been loaded to memory or load failed", name),
		failure{},
	)
}

// notFullyLoaded is the refusal of a refresh of what is being loaded.
func (d Dialect) notFullyLoaded(id int64) *failure {
	return d.one(
		said(unexpected, 101, "collection not fully loaded: collection not loaded[collection=%d]", id),
		said(unexpected, 0, "a collection must be fully loaded before refreshing"),
		failure{},
	)
}

func (d Dialect) partitionNotFound(name string) *failure {
	return d.one(
		said(wire.ErrorCode_MetaFailed, 200, "partition not found[partition=%s]", name),
		said(unexpected, 0, "partition is not exist: %s", name),
		said(200, 200, "%s", name),
	)
}

func (d Dialect) partitionNotLoaded(id int64) *failure {
	return d.one(
		said(unexpected, 201, "partition not loaded[partition=%d]", id),
		said(unexpected, 0, "fail to show partitions from the querycoord, invalid data num"),
		failure{},
	)
}

// partitionNotListed is what ShowPartitions says.
func (d Dialect) partitionNotListed(c *collection, p *partition) *failure {
	f := d.partitionNotLoaded(p.id)
	if d == Milvus22 {
		f.reason = fmt.Sprintf("collection %d has not been loaded into QueryNode", c.id)
	}
	return f
}

// indexNotFound is what DescribeIndex says; an empty index is every one.
func (d Dialect) indexNotFound(c *collection, index string) *failure {
	v23 := said(wire.ErrorCode_IndexNotExist, 700, "index not found[indexName=%s]", index)
	lite := said(wire.ErrorCode_IllegalRowRecord, 700, "no index on field '%s' of collection '%s'", index, c.name)
	if index == "" {
		v23.reason = fmt.Sprintf("index not found[collection=%s]", c.name)
	}
	if len(c.indexes) == 0 {
		lite.reason = fmt.Sprintf("no index on collection '%s'", c.name)
	}
	return d.one(v23, said(wire.ErrorCode_IndexNotExist, 0, "index doesn't exist, collectionID %d", c.id), lite)
}

// loadWithoutIndex is the refusal of a load; milvus-lite needs no index.
func (d Dialect) loadWithoutIndex(c *collection) *failure {
	f := d.indexNotFound(c, "")
	if d == Milvus22 {
		f.legacy = unexpected
	}
	return f
}

// refused is for what a server says only in words, most of them the same in all
// versions.
func (d Dialect) refused(format string, args ...any) *failure {
	return d.one(
		said(unexpected, codeUnexpected, format, args...),
		said(unexpected, 0, format, args...),
		said(liteIllegalValue, liteIllegalValue, format, args...),
	)
}

// unimplemented returns the answer to an RPC that the dialect has not, else nil.
func (d Dialect) unimplemented(method string) error {
	if d != MilvusLite {
		return nil
	}
	switch method {
	case "AllocTimestamp", "GetComponentStates", "GetIndexState", "GetIndexBuildProgress", "GetIndexStatistics":
		return status.Error(codes.Unimplemented, "Method not implemented!")
	case "LoadPartitions":
		return status.Error(codes.Unimplemented, "MilvusLite does not support LoadPartitions: partition-level load is not supported; use load_collection instead")
	case "ReleasePartitions":
		return status.Error(codes.Unimplemented, "MilvusLite does not support ReleasePartitions: partition-level release is not supported; use release_collection instead")
	}
	return nil
}
