// Package sdk makes a Poller of a client of milvus-sdk-go/v2.
//
//	c, err := client.NewClient(ctx, client.Config{Address: "localhost:19530"})
//	…
//	_, err = milvuswait.WaitForLoadingComplete(ctx, sdk.New(c), "docs")
//
// What client.NewClient returns is a *client.GrpcClient, and for that one New is
// rpc.FromStub of its Service: everything in package rpc holds. rpc.New(g.Conn), with
// g a *client.GrpcClient, converts no messages and needs less CPU. The public methods of
// the client are passed by, as its GetLoadingProgress answers 0 without an error
// whatever the server says, of an unknown collection too, and its
// GetIndexBuildProgress takes any index for the named one and knows no pending
// rows.
//
// The database is the client's: client.Config.DBName travels in a header of each
// call. Do not call UsingDatabase while waits use the client. It is a data race
// in the SDK, and turns every wait to the other database: have a client for each.
//
// # Other clients
//
// Any other client.Client, such as a mock or a wrapper, is asked by its own
// methods: GetLoadingProgress and GetIndexBuildProgress, GetLoadState where the
// first answered 0 or an error that does not tell, HasCollection and HasPartition
// where the state is NotExist. A wrapper that can should rather have the method
//
//	GetService() milvuspb.MilvusServiceClient
//
// whose result is used as the Service of a *client.GrpcClient is. Where the SDK's
// client is underneath, its own methods lose this:
//
//   - A failed call is repeated, up to 6 times in 21.8 s, and the wait sees
//     nothing of it.
//   - Loading: a failure that the server put in its answer reads as 0 %, and one
//     of GetLoadState as NotExist, which is why the other methods are asked. The
//     reason of a load that failed is lost: it is ErrNotLoaded, or a passing error
//     where the server answers GetLoadState with the failure. It is ErrNotLoaded
//     too while the query coordinator of a 2.2 server is away. RefreshPercent is
//     always 0, so that a wait WithRefresh never ends.
//   - Index: the index must be named, since the SDK does not tell for which one of
//     several its answer is: the empty name and AllIndexes are ErrInvalid. Pending
//     rows are always 0. The state is Failed if the server said so, else Finished
//     if as many rows are indexed as there are, else InProgress: a wait may end
//     early where the server would have said that rows are pending.
//   - Errors are known by their texts alone, as those of Milvus 2.2 are: a
//     ServerError has the reason and, where the text does not tell more,
//     LegacyCode 1.
//
// # Other modules in the program
//
// milvus-sdk-go/v2 v2.4.2, its last version, is archived. It does not compile in one
// program with milvus/client/v2 v2.6.2 or newer. It links milvus-proto/go-api/v2, so
// that a program which links both this package and milvus/client/v3, or anything else
// that links go-api/v3, panics at start: "proto: message milvus.proto.common.Status is
// already registered".
//
// The cure is to wait through the other client: rpc.FromStub(c.GetService()). No other
// package of this module imports milvus-sdk-go or go-api. For the time of a migration,
// GOLANG_PROTOBUF_REGISTRATION_CONFLICT=warn in the environment, or the linker flag
// -X google.golang.org/protobuf/reflect/protoregistry.conflictPolicy=warn, lets a
// program with both start.
package sdk
