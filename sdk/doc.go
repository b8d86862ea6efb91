// Package sdk makes a milvuswait.Poller from a client of milvus-sdk-go/v2.
//
//	c, err := client.NewClient(ctx, client.Config{Address: "localhost:19530"})
//	…
//	_, err = milvuswait.WaitForLoadingComplete(ctx, sdk.New(c), "docs")
//
// client.NewClient returns a *client.GrpcClient. For this type, New is rpc.FromStub of
// the client's Service, and everything in package rpc holds. rpc.New(g.Conn), with g a
// *client.GrpcClient, converts no messages and needs less CPU. New bypasses the client's
// public methods because they hide results of the server: GetLoadingProgress returns 0
// without an error for every failure, even for an unknown collection, and
// GetIndexBuildProgress uses the first index of a response and reports no pending rows.
//
// The client's Flush returns no mark, and the mark of its FlushV2 has no timestamp. Call
// Flush of the Service instead, or wait for the index without a mark on Milvus before 2.6.
// The same Poller finds rows:
//
//	g := c.(*client.GrpcClient)
//	resp, err := g.Service.Flush(ctx, &milvuspb.FlushRequest{CollectionNames: []string{"docs"}})
//	…
//	mark, err := rpc.FlushMarkOf(resp, "docs")
//	…
//	p := rpc.FromStub(g.Service)
//	_, err = milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithVerify(p.FindRow("id == 7")))
//
// The client selects the database: it sends client.Config.DBName in a header of each call.
// Do not call UsingDatabase while waits use the client: it is a data race in the SDK,
// and moves every wait to the other database. Use one client per database.
//
// # Other clients
//
// Any other client.Client, such as a mock or a wrapper, is polled by its public methods
// GetLoadingProgress and GetIndexBuildProgress. If the first returns 0 or an ambiguous
// error, GetLoadState decides. If the state is NotExist, HasCollection and HasPartition
// decide. If possible, give a wrapper the method
//
//	GetService() milvuspb.MilvusServiceClient
//
// New then uses its result like the Service of a *client.GrpcClient. Without it, a
// wrapper of the SDK's client has these limits:
//
//   - Retries: the SDK repeats a failed call up to 6 times in 21.8 s, unseen by the
//     wait.
//   - Loading: the SDK turns a failure in the server's response into 0 %, and a failure
//     of GetLoadState into NotExist. The other methods are called for this reason. The
//     reason of a failed load is lost: the wait gets ErrNotLoaded, or a transient error
//     if the server returns the failure from GetLoadState too. The wait also gets
//     ErrNotLoaded while the query coordinator of a 2.2 server is away. RefreshPercent
//     is always 0, so a wait WithRefresh never ends.
//   - Index: the index must be named, since the SDK does not report to which of several
//     indexes its result belongs. The empty name and AllIndexes return ErrInvalid.
//     Pending rows are always 0. The state is Failed if the server reports a failure,
//     otherwise Finished if all rows are indexed, otherwise InProgress. A wait may end
//     early, while the server still has pending rows.
//   - Segments and imports: GetPersistentSegmentInfo, GetVersion and GetBulkInsertState
//     of the client serve them. A message of over 4 MiB depends on the client's settings.
//   - Flushes and compactions: there is none. The client has no GetFlushState, and its
//     GetCompactionState hides plans that failed. Waits for them return ErrInvalid.
//   - Server: ListCollections of the client is called.
//   - Errors: only their texts classify them, as on Milvus 2.2. A ServerError has the
//     reason, and LegacyCode 1 unless the text is more specific.
//
// # Other modules in the program
//
// milvus-sdk-go/v2 v2.4.2, its last version, is archived. It does not compile in one
// program with milvus/client/v2 v2.6.2 or newer. It links milvus-proto/go-api/v2. A
// program with both this package and milvus/client/v3, or anything else linking
// go-api/v3, panics at start: "proto: message milvus.proto.common.Status is already
// registered".
//
// To avoid this, wait through the other client: rpc.FromStub(c.GetService()). No other
// package of this module imports milvus-sdk-go or go-api. During a migration, a program
// with both starts with GOLANG_PROTOBUF_REGISTRATION_CONFLICT=warn in the environment,
// or with the linker flag
// -X google.golang.org/protobuf/reflect/protoregistry.conflictPolicy=warn.
package sdk
