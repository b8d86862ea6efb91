// Package rpc is the Poller for real servers: it polls Milvus by gRPC.
//
//	p := rpc.New(conn)
//	_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs")
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
// A program that makes its own connection adds [DialOptions], since gRPC's defaults
// suit no wait:
//
//	conn, err := grpc.NewClient(address, append(rpc.DialOptions(),
//		grpc.WithTransportCredentials(credentials.NewTLS(nil)))...)
//
// # What is asked
//
// A poll is one RPC: GetLoadingProgress, or DescribeIndex with the greatest
// timestamp. The retries that both Go SDKs have in their connections (6 tries in
// 21.8 s, which hide why) are switched off for it: the wait decides when to ask
// again.
//
// Some failures say nothing by their codes: Milvus 2.2 has but one for an unknown
// collection, one that is not loaded and a passing fault, and newer servers have
// 65535 for what nobody gave a code. Unless its text says all (an unknown
// partition, an invalid name, a coordinator that is away), such a poll asks
// GetLoadState too, once, and if that does not tell either, goes by the text.
// Every other answer costs one RPC.
//
// # Errors
//
// What the server said is in the error as a *milvuswait.ServerError, or as a gRPC
// status that status.FromError finds; of either at most 1 KiB of text is kept.
// Whether a poll that failed ends a wait is said by the sentinels of package
// milvuswait and by milvuswait.Permanent. All others are passing.
//
//   - ErrCollectionNotFound: code 100, or on 2.2 LoadStateNotExist.
//   - ErrPartitionNotFound: code 200, or on 2.2 the text.
//   - ErrIndexNotFound: code 700, or an answer without the index.
//   - ErrDatabaseNotFound: code 800, or what milvus-lite says.
//   - ErrAmbiguousIndex: several indexes where the only one was asked for.
//   - ErrNotLoaded: codes 101 and 201 without a cause, or LoadStateNotLoad.
//   - ErrLoadFailed: codes 101 and 201 with a cause in the reason, the codes by
//     which servers remember a load that they gave up (3, 7, 601 to 605, 2000 to
//     2099), or a reason that begins with "show collection failed", as those of
//     2.3 to 2.5.1 do.
//   - Permanent: invalid parameters (1100 to 1102), a missing permission (1400,
//     1401), a missing alias (1600, 1603), and of gRPC Unauthenticated,
//     PermissionDenied, Unimplemented, InvalidArgument, NotFound, AlreadyExists,
//     FailedPrecondition, and Canceled by a connection that the program has closed.
//   - ErrInvalid: the Poller has no connection, or its stub is none of Milvus.
//   - errors.ErrUnsupported: the stub lacks the call. It ends no wait.
//
// [ErrMalformed] is passing, and so is every other code and gRPC error, Unknown
// among them, which is what a starting proxy answers. If the context of the poll
// is done, its error is the context's error too, by errors.Is.
//
// Sources: pkg/util/merr/errors.go of Milvus 2.3 to 3.0 for the codes; the answers
// of 2.2.16, 2.3.5 and milvus-lite 3.2.2 were measured.
package rpc
