// Package fakeserver provides a fake Milvus server that speaks gRPC, for tests of programs
// with a real client.
//
//	srv, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
//	defer srv.Close()
//	c, err := client.NewClient(ctx, client.Config{Address: srv.Address()})
//
// Clients of milvus-sdk-go/v2, milvus/client/v2 and v3, and pymilvus can connect to it.
// They can create collections, partitions and indexes, insert, flush, load, release, import,
// compact, query and drop, and request the progress. The server counts rows and discards
// their contents: a query finds a row or none, whatever its filter. The package links no
// go-api.
//
// These RPCs are served:
//
//	AllocTimestamp CheckHealth Connect CreateCollection CreateDatabase CreateIndex
//	CreatePartition DescribeCollection DescribeIndex DropCollection DropIndex DropPartition
//	Flush GetCollectionStatistics GetCompactionState GetComponentStates GetFlushState
//	GetImportState GetIndexBuildProgress GetIndexState GetIndexStatistics GetLoadState
//	GetLoadingProgress GetPersistentSegmentInfo GetVersion HasCollection HasPartition Import
//	Insert ListDatabases LoadCollection LoadPartitions ManualCompaction Query
//	ReleaseCollection ReleasePartitions ShowCollections ShowPartitions
//
// The server counts calls to all other RPCs of Milvus, and answers them with gRPC's
// Unimplemented.
//
// The server refuses a call whose request and dbname header name different databases.
// Milvus 2.2.9 to 2.6 checks rights in the database of the header, and acts on the
// database of the request.
//
// # State
//
// Operations of clients take time. LoadCollection starts the script of Config.Load, Import
// the script of Config.Import, and ManualCompaction the script of Config.Compact. The rows of
// each flush start a script of Config.Build. An import adds no rows, and a compaction changes
// no index: a test adds these effects by AddRows and Set.
//
// A test can also set the state at any time, with the targets and scripts of package fake:
//
//	srv.Set(milvuswait.Loading("docs"), fake.LoadOver(40*time.Minute).StallAt(30, fake.Forever))
//	srv.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.BuildOver(100_000, time.Hour))
//	srv.Set(milvuswait.Loading("docs"), nil) // released
//	srv.Set(milvuswait.Importing(7), fake.Steps(started, failed))
//	srv.Set(milvuswait.Serving(), fake.Steps(refused, serving))
//	srv.SetQuery("docs", fake.LoadOver(9*time.Second))
//	srv.AddRows("docs", 100_000)             // inserted and flushed
//	srv.Drop("docs")
//	srv.In("tenant").Set(…)                  // in another database
//
// A script starts when it is set. Its errors become responses of the server:
//
//   - Sentinels of package milvuswait: the words and codes of the dialect.
//   - A *milvuswait.ServerError: its codes and reason.
//   - Errors of gRPC: unchanged.
//   - All other errors: the code for unexpected errors.
//
// # Dialects
//
// The server answers as Milvus 2.3, Milvus 2.2, milvus-lite or Milvus 2.6. Its codes, error
// codes and reasons were compared with those of the real servers, except for Milvus 2.6. It
// also reports their misleading states. An index is Finished while rows are pending, unless
// the request has the maximum timestamp. An unknown compaction is Completed.
//
// # Flushes
//
// Until Config.VisibleAfter has passed since a flush, an index is Finished without its rows,
// even for the maximum timestamp. Only two RPCs report that they are missing:
//
//	                                   2.2    2.3    2.6    lite
//	GetPersistentSegmentInfo           yes    yes    no     –
//	GetFlushState by segments          yes    yes    no     no
//	GetFlushState by time and name     no     early  yes    no
//	GetFlushState by all three         yes    yes    yes    no
//
// GetPersistentSegmentInfo lists the sealed segments; it is Unimplemented on milvus-lite,
// where rows are counted at once. GetFlushState by the timestamp is true early on Milvus 2.3:
// after three quarters of Config.VisibleAfter. It is also the only one that waits for a flush
// without segments, such as a flush of deletes. A timestamp without the name of the
// collection is ignored.
//
// # Faults
//
//	srv.Fail("GetLoadingProgress", fakeserver.Hang().On(3))
//	srv.Fail("DescribeIndex", fakeserver.Slow(7*time.Second), fakeserver.Drop().On(2, 4))
//	srv.Fail(fakeserver.AnyMethod, fakeserver.Refuse(codes.Unavailable, "try again"))
//	srv.Heal()
//	srv.Stop() // and Restart, at the same port
//
// Count returns the number of calls, and LastRequest the newest request.
//
// # Time
//
// Connections in memory work in a bubble of testing/synctest, exact to the nanosecond.
// Make the server and the connection in the bubble, and close both before its end:
//
//	synctest.Test(t, func(t *testing.T) {
//		srv, err := fakeserver.Start(fakeserver.Config{})
//		require.NoError(t, err)
//		defer srv.Close()
//		conn, err := srv.Dial()
//		require.NoError(t, err)
//		defer conn.Close()
//		srv.Set(milvuswait.Loading("docs"), fake.LoadOver(40*time.Minute))
//		p := rpc.New(conn)
//
//		_, err = milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")
//
//		require.NoError(t, err)
//	})
//
// Connections over the loopback interface hang in a bubble: the bubble's time does not
// advance during network I/O. Outside of bubbles, use scripts by polls or short times.
//
// # Safety
//
// The server has no users and no passwords. It listens on the loopback interface or
// nowhere: see Config.Address.
package fakeserver
