package fakeserver

import (
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// Dialect selects the server whose responses a Server gives. Codes and reasons are word for
// word those measured on a real server of the version.
type Dialect int

// The dialects. Milvus26 comes from the server's source, and was not measured. Its codes and
// reasons are those of Milvus23, except for imports.
const (
	Milvus23   Dialect = iota // Milvus 2.3 to 2.5; measured on 2.3.5
	Milvus22                  // Milvus 2.2, with error codes but no codes; measured on 2.2.16
	MilvusLite                // milvus-lite; measured on 3.2.2
	Milvus26                  // Milvus 2.6 and newer, where a flush is hidden: see the package comment
)

// String returns the version of the dialect, as the server reports it by GetVersion.
func (d Dialect) String() string {
	switch d {
	case Milvus26:
		return "v2.6.18"
	case Milvus23:
		return "v2.3.5"
	case Milvus22:
		return "v2.2.16"
	case MilvusLite:
		return "milvus_lite-3.2.2"
	}
	return fmt.Sprintf("Dialect(%d)", int(d))
}

// since23 reports whether d is Milvus 2.3 or newer. milvus-lite is neither.
func (d Dialect) since23() bool { return d == Milvus23 || d == Milvus26 }

// failure is a failure in the body of a response.
type failure struct {
	legacy wire.ErrorCode
	code   int32
	reason string
	detail string
}

// status returns f as a new message, since messages must not be shared. A nil failure is a
// success.
func (f *failure) status() *wire.Status {
	if f == nil {
		return &wire.Status{}
	}
	return &wire.Status{ErrorCode: f.legacy, Code: f.code, Reason: f.reason, Detail: f.detail}
}

// The codes of failures without a more specific code.
const (
	unexpected       = wire.ErrorCode_UnexpectedError
	codeUnexpected   = 65535
	liteIllegalValue = 6 // used as code and as error code
)

// withReason returns a failure with the codes and a formatted reason.
func withReason(legacy wire.ErrorCode, code int32, format string, args ...any) failure {
	return failure{legacy: legacy, code: code, reason: fmt.Sprintf(format, args...)}
}

// one returns the failure for the dialect. Since 2.3, the default of detail is the reason.
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

// collectionNotFound is the failure of a request for an unknown collection.
func (d Dialect) collectionNotFound(db, name string) *failure {
	return d.one(
		withReason(wire.ErrorCode_CollectionNotExists, 100, "collection not found[database=%s][collection=%s]", db, name),
		withReason(unexpected, 0, "code: UnexpectedError, reason: code: CollectionNotExists, reason: can't find collection %s:%s", db, name),
		withReason(wire.ErrorCode_CollectionNotExists, 100, "collection '%s' does not exist", name),
	)
}

// collectionDropped is the failure of a request for a dropped collection, if the proxy knew
// its ID.
func (d Dialect) collectionDropped(id int64, name string) *failure {
	return d.one(
		withReason(wire.ErrorCode_CollectionNotExists, 100, "collection not found[collection=%d]", id),
		withReason(unexpected, 0, "code: UnexpectedError, reason: code: CollectionNotExists, reason: can't find collection: %d", id),
		withReason(wire.ErrorCode_CollectionNotExists, 100, "collection '%s' does not exist", name),
	)
}

// wrapped is the prefix of most reasons of 2.2 for a missing collection.
const wrapped = "code: UnexpectedError, reason: "

// ofPartitions returns f, the failure for a missing collection, as the RPCs for partitions
// report it.
func (d Dialect) ofPartitions(f *failure, method string) *failure {
	if d == Milvus22 && f != nil && strings.HasPrefix(f.reason, wrapped) {
		f.reason = method + " failed: " + strings.TrimPrefix(f.reason, wrapped)
	}
	return f
}

// notDescribed is the failure of DescribeCollection for a missing collection. The request
// has a name or an ID.
func (d Dialect) notDescribed(db, name string, id int64) *failure {
	f := d.collectionNotFound(db, name)
	if name == "" && d != MilvusLite {
		f = d.collectionDropped(id, name)
	}

	switch d {
	case Milvus23, Milvus26:
		f.legacy, f.reason = unexpected, "can't find collection "+f.reason
	case Milvus22:
		f.reason = strings.TrimPrefix(f.reason, wrapped)
	}
	return f
}

// databaseNotFound is the failure of ShowCollections in a missing database. For requests
// about a collection, Milvus reports a missing collection instead.
func (d Dialect) databaseNotFound(db string) *failure {
	return d.one(
		withReason(unexpected, 800, "database not found[database=%s]", db),
		withReason(unexpected, 0, "ShowCollections failed: database:%s not found", db),
		withReason(liteIllegalValue, liteIllegalValue, "database '%s' does not exist", db),
	)
}

// noDatabaseToCreateIn is the failure of CreateCollection in a missing database.
func (d Dialect) noDatabaseToCreateIn(db string) *failure {
	if d == MilvusLite {
		return d.databaseNotFound(db)
	}
	return d.refused("database:%s not found", db)
}

// collectionExists is the failure of CreateCollection for an existing collection.
func (d Dialect) collectionExists(name string) *failure {
	const text = "create duplicate collection with different parameters, collection: %s"
	return d.one(
		withReason(unexpected, codeUnexpected, text, name), withReason(unexpected, 0, text, name),
		withReason(unexpected, 1, "collection '%s' already exists", name),
	)
}

// collectionNotLoaded is the failure of a poll of an unloaded collection.
func (d Dialect) collectionNotLoaded(id int64) *failure {
	return d.one(
		withReason(unexpected, 101, "collection not loaded[collection=%d]", id),
		withReason(unexpected, 0, "collection %d has not been loaded to memory or load failed", id),
		failure{},
	)
}

// listedNotLoaded is the failure of ShowCollections for an unloaded collection.
func (d Dialect) listedNotLoaded(name string) *failure {
	return d.one(
		withReason(unexpected, codeUnexpected, "collection not loaded[collection=%s]", name),
		withReason(unexpected, 0, "collection %s has not been loaded to memory or load failed", name),
		failure{},
	)
}

// notFullyLoaded is the failure of a refresh during a load.
func (d Dialect) notFullyLoaded(id int64) *failure {
	return d.one(
		withReason(unexpected, 101, "collection not fully loaded: collection not loaded[collection=%d]", id),
		withReason(unexpected, 0, "a collection must be fully loaded before refreshing"),
		failure{},
	)
}

// partitionNotFound is the failure of a request for a missing partition.
func (d Dialect) partitionNotFound(name string) *failure {
	return d.one(
		withReason(wire.ErrorCode_MetaFailed, 200, "partition not found[partition=%s]", name),
		withReason(unexpected, 0, "partition is not exist: %s", name),
		withReason(200, 200, "%s", name),
	)
}

// partitionNotLoaded is the failure of a poll of an unloaded partition.
func (d Dialect) partitionNotLoaded(id int64) *failure {
	return d.one(
		withReason(unexpected, 201, "partition not loaded[partition=%d]", id),
		withReason(unexpected, 0, "fail to show partitions from the querycoord, invalid data num"),
		failure{},
	)
}

// partitionNotListed is the failure of ShowPartitions for an unloaded partition.
func (d Dialect) partitionNotListed(c *collection, p *partition) *failure {
	f := d.partitionNotLoaded(p.id)
	if d == Milvus22 {
		f.reason = fmt.Sprintf("collection %d has not been loaded into QueryNode", c.id)
	}
	return f
}

// indexNotFound is the failure of DescribeIndex. An empty name means all indexes of the
// collection.
func (d Dialect) indexNotFound(c *collection, index string) *failure {
	v23 := withReason(wire.ErrorCode_IndexNotExist, 700, "index not found[indexName=%s]", index)
	lite := withReason(wire.ErrorCode_IllegalRowRecord, 700, "no index on field '%s' of collection '%s'", index, c.name)
	if index == "" {
		v23.reason = fmt.Sprintf("index not found[collection=%s]", c.name)
	}
	if len(c.indexes) == 0 {
		lite.reason = fmt.Sprintf("no index on collection '%s'", c.name)
	}
	return d.one(v23, withReason(wire.ErrorCode_IndexNotExist, 0, "index doesn't exist, collectionID %d", c.id), lite)
}

// loadWithoutIndex is the failure of a load without an index. milvus-lite does not need an
// index.
func (d Dialect) loadWithoutIndex(c *collection) *failure {
	f := d.indexNotFound(c, "")
	if d == Milvus22 {
		f.legacy = unexpected
	}
	return f
}

// importNotFound is the failure of GetImportState for an unknown job.
func (d Dialect) importNotFound(id int64) *failure {
	v23 := withReason(unexpected, 1000, "key not found[key=by-dev/meta/importtask/%d]", id)
	if d == Milvus26 {
		v23 = withReason(unexpected, 2100, "import job does not exist, jobID=%d: importing data failed", id)
	}
	return d.one(v23, withReason(unexpected, 0, "import task id doesn't exist"), failure{})
}

// notImported is the failure of Import for a missing collection or partition. f is the
// failure of other RPCs for it. Milvus 2.3 retries for 53 s before, and hides the code.
func (d Dialect) notImported(f *failure) *failure {
	if d == Milvus23 {
		return d.refused("attempt #9: rpc error: code = Unknown desc = %s", f.reason)
	}
	return f
}

// refused returns a failure described only by its reason. Most of these reasons are equal
// in all versions.
func (d Dialect) refused(format string, args ...any) *failure {
	return d.one(
		withReason(unexpected, codeUnexpected, format, args...),
		withReason(unexpected, 0, format, args...),
		withReason(liteIllegalValue, liteIllegalValue, format, args...),
	)
}

// unimplemented returns the gRPC error for an RPC that the dialect does not have, or nil.
func (d Dialect) unimplemented(method string) error {
	if d != MilvusLite {
		return nil
	}

	switch method {
	case "AllocTimestamp", "GetComponentStates", "GetIndexState", "GetIndexBuildProgress", "GetIndexStatistics", "GetPersistentSegmentInfo",
		"Import", "GetImportState":
		return status.Error(codes.Unimplemented, "Method not implemented!")
	case "LoadPartitions":
		return status.Error(codes.Unimplemented, "MilvusLite does not support LoadPartitions: partition-level load is not supported; use load_collection instead")
	case "ReleasePartitions":
		return status.Error(codes.Unimplemented, "MilvusLite does not support ReleasePartitions: partition-level release is not supported; use release_collection instead")
	}
	return nil
}
