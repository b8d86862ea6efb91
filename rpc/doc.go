// Package rpc is the Poller for real servers: it polls Milvus by gRPC.
//
//	p := rpc.New(conn)
//	_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs")
//
// It implements all optional interfaces of package milvuswait.
//
// # Clients
//
// The Poller uses the connection of a client that the program has already, with its
// credentials and its database:
//
//	rpc.New(conn)                  // a *grpc.ClientConn, or a wrapper of one
//	rpc.FromStub(c.GetService())   // milvus/client/v2 and client/v3, c being a *milvusclient.Client
//	rpc.FromStub(stub)             // a milvuspb.MilvusServiceClient of any go-api, or a mock of one
//	sdk.New(c)                     // milvus-sdk-go/v2: see package sdk
//
// This package has protobuf messages of its own and links no go-api module. A program
// can use it with every client of Milvus, and with two of them whose go-api modules can
// be linked together.
//
// Do not call UsingDatabase (or UseDatabase) on a client while waits use it: in
// milvus-sdk-go/v2 that is a data race, and in all clients it turns every wait to the
// other database. Have a client for each database, or a Poller for each, made with
// [WithDatabase].
//
// A program with its own connection adds [DialOptions], since gRPC's defaults
// suit no wait:
//
//	conn, err := grpc.NewClient(address, append(rpc.DialOptions(),
//		grpc.WithTransportCredentials(credentials.NewTLS(nil)))...)
//
// # Calls
//
// A poll of a load is one call, GetLoadingProgress, and a poll of an index is one
// DescribeIndex with the maximum timestamp. When an index looks complete, a wait also calls
// GetPersistentSegmentInfo, for segments that are being flushed, and GetFlushState if it has
// a mark. The other targets have one call each:
//
//	call                      for                                   privilege
//	GetLoadingProgress        Loading                               Load, or GetLoadState from 2.4.10
//	DescribeIndex             IndexBuilding                         IndexDetail
//	GetPersistentSegmentInfo  IndexBuilding                         none
//	GetFlushState             Flushing, AfterFlush                  GetFlushState from 2.3.4
//	GetImportState            Importing                             none
//	GetCompactionState        Compacting                            none
//	ShowCollections           Serving, several loads in WaitAll     ShowCollections up to 2.4.0
//	GetLoadState              see below                             as GetLoadingProgress
//	GetVersion                indexes                               none
//	Query                     FindRow                               Query
//
// The privileges are those of the messages in go-api.
//
// The connections of Milvus' Go clients make up to 6 attempts in 21.8 s and hide the reasons.
// A Poller switches these retries off for its calls: the wait decides when to poll again. For
// retries of other interceptors see [WithCallOptions].
//
// Some failures need a second call. Milvus 2.2 has one code for an unknown collection, for
// an unloaded one and for a transient failure. Newer servers use 65535 for failures without
// a more specific code. After such a failure the poll also calls GetLoadState, once. It does
// not if the text names an unknown partition, an invalid name or an unavailable coordinator,
// and not for imports and compactions, which belong to no single collection: there the text
// decides, as it does if GetLoadState fails. After "not loaded" of several partitions, at
// most eleven GetLoadState find the name of one, within a second.
//
// The first poll of an index also calls GetVersion, in parallel with DescribeIndex, once for
// each Poller. Milvus before 2.2.9 does not count all rows, so that an index would look
// complete too early or never: the poll returns ErrInvalid. It also does for Milvus 2.1,
// which has neither GetVersion nor GetLoadingProgress. A server without a known version, such
// as a custom build, is polled like Milvus 2.2.9 to 2.5. GetVersion is repeated at most three
// times if it was not answered, and with every poll of a server that was too old: it may have
// been upgraded.
//
// GetPersistentSegmentInfo is not called for Milvus 2.6 and newer, which do not list segments
// that are being flushed, and not for milvus-lite, where a flush has ended when Flush returns.
//
// # Servers
//
//   - Milvus 2.2.9 to 2.5: everything. On 2.2, a flush of deletes alone cannot be observed,
//     because it has no segments.
//   - Milvus 2.6 and newer: everything but segments that are being flushed. Waits for
//     indexes are unconfirmed without a flush mark or expected rows.
//   - Milvus 2.2.0 to 2.2.8: all but indexes. Polls of an index return ErrInvalid.
//   - Milvus 2.1: nothing. Polls return a permanent error.
//   - milvus-lite 3.0 and newer: loads, indexes, flushes and FindRow. It has no imports, and
//     a compaction is complete at all times. It names an index after its field, and so must
//     a wait: a custom name does not find one of two indexes. 3.0 accepts any name for its
//     only index. Before 3.2, ListLoading reports nothing.
//   - milvus-lite 2.4: nothing. A load returns a permanent error. The index is Finished and
//     has 0 rows at all times: a wait without expected rows returns at once, as it should
//     since builds are synchronous there, and a wait with expected rows does not end.
//   - milvus-lite 2.5: the same for indexes. A load is at 100 % at all times, also for a
//     collection that is not loaded or does not exist; only CheckLoadState is right.
//
// # Errors
//
// An error holds the status that the server reported as a *milvuswait.ServerError, or
// the gRPC status that status.FromError finds. At most 1 KiB of text is kept of each.
// The sentinels of package milvuswait and milvuswait.Permanent decide whether a failed
// poll ends a wait. All other errors are transient.
//
//   - ErrCollectionNotFound: code 100, or LoadStateNotExist on 2.2.
//   - ErrPartitionNotFound: code 200, or the text on 2.2 and 2.3.0.
//   - ErrIndexNotFound: code 700, or a response without the index.
//   - ErrDatabaseNotFound: code 800, or the text on milvus-lite, 2.2, 2.3.0 and 2.3.1.
//   - ErrAmbiguousIndex: several indexes, and the poll was for the only one.
//   - ErrNotLoaded: codes 101 and 201, and 203 on 2.3.0, without a cause, or
//     LoadStateNotLoad.
//   - ErrJobNotFound: of imports alone, code 1000, 2100 or 2101, or the text on 2.2.
//   - ErrLoadFailed: codes 101 and 201 with a cause in the reason; the codes under
//     which servers remember a failed load (3, 7, 601 to 605, 2000 to 2099); or a
//     reason that begins with "show collection failed", as on 2.3 to 2.6.15.
//   - Permanent: a missing permission (1400, 1401), a missing alias (1600, 1603), and of
//     gRPC Unauthenticated, PermissionDenied, NotFound, AlreadyExists, FailedPrecondition,
//     and Unimplemented with the words of a gRPC server that does not know the method.
//   - ErrInvalid: the Poller has no connection, or the program has closed it; its stub is
//     not a stub of Milvus; the server is too old for the poll; invalid parameters (802,
//     1100 to 1102), and of gRPC InvalidArgument.
//   - errors.ErrUnsupported: the stub lacks the call. Also Unimplemented, in the words of a
//     gRPC server, if the call is GetPersistentSegmentInfo, GetFlushState, GetImportState,
//     GetCompactionState or Query. A wait whose target needs the call ends with it, and any
//     other wait does without.
//
// A failure of a call matches only sentinels for objects of the call: a failure of
// GetImportState is never ErrNotLoaded, whatever the server reports.
//
// [ErrMalformed] is transient, except for the load at 100 % without a status of milvus-lite
// 2.4. All other codes and gRPC errors are transient too, for example Unknown, which a
// starting proxy returns. If the context of the poll is done, the error also matches the
// context's error, by errors.Is.
//
// A response of a gateway, an ingress or a service mesh instead of Milvus is also
// transient and matches ErrMalformed: its route to Milvus may appear later. The error
// describes the response, for example as "HTTP status 404 (Not Found), content-type
// text/html". Its gRPC status is grpc-go's: PermissionDenied for 403, Unimplemented for 404.
// A failure of the client's own credentials is transient as well.
//
// The error of a failed call, as opposed to a failure in a response, has a method that
// names the RPC:
//
//	var call interface { error; Method() string }
//	if errors.As(err, &call) { … }
//
// Sources: pkg/util/merr/errors.go of Milvus 2.3 to 3.0 for the codes; the responses of
// 2.2.16, 2.3.5 and milvus-lite 3.2.2 were measured.
package rpc
