// Package fakeserver has a fake Milvus that speaks gRPC, for tests of programs
// that use a real client.
//
//	srv, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
//	defer srv.Close()
//	c, err := client.NewClient(ctx, client.Config{Address: srv.Address()})
//
// milvus-sdk-go/v2, milvus/client/v2 and v3 and pymilvus can connect to it, create
// collections, partitions and indexes, insert, flush, load, release and drop, and
// ask how far all that is. It counts rows and forgets the vectors: there is no
// search, query or delete. RPCs that it does not serve are counted and answered with
// gRPC's Unimplemented. A call whose request and dbname header name different
// databases is refused: Milvus 2.2.9 to 2.6 checks rights in the one, and acts on the
// other. The package links no go-api.
//
// # What is true there
//
// What clients do takes its time: LoadCollection begins the script of
// Config.Load, and every lot of rows that is flushed the one of Config.Build. A
// test can also say what is true, at any time, with the targets and scripts of
// package fake:
//
//	srv.Set(milvuswait.Loading("docs"), fake.LoadOver(40*time.Minute).StallAt(30, fake.Forever))
//	srv.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.BuildOver(100_000, time.Hour))
//	srv.Set(milvuswait.Loading("docs"), nil) // released
//	srv.AddRows("docs", 100_000)             // inserted and flushed
//	srv.Drop("docs")
//	srv.In("tenant").Set(…)                  // in another database
//
// A script begins when it is set. Its errors become what the server says: those
// of package milvuswait in the dialect's own words, a *milvuswait.ServerError
// with its codes, errors of gRPC as they are, and any other as the code for
// unexpected ones.
//
// # Dialects
//
// The same truth is told in the words of Milvus 2.3, Milvus 2.2 or milvus-lite:
// codes, error codes and reasons were compared with answers of the real servers.
// As these do, it lies: an index is Finished while rows are pending, unless the
// request has the greatest timestamp, and until Config.VisibleAfter has passed
// since a flush, also if it has.
//
// # Faults
//
//	srv.Fail("GetLoadingProgress", fakeserver.Hang().On(3))
//	srv.Fail("DescribeIndex", fakeserver.Slow(7*time.Second), fakeserver.Drop().On(2, 4))
//	srv.Fail(fakeserver.AnyMethod, fakeserver.Refuse(codes.Unavailable, "try again"))
//	srv.Heal()
//	srv.Stop() // and Restart, at the same port
//
// Count and LastRequest return the calls that clients made.
//
// # Time
//
// Connections in memory work in a bubble of testing/synctest, on the nanosecond,
// if server and connection are made in it and closed before its end:
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
// Connections over the loopback interface stand still in a bubble, since nothing
// there moves its time: outside of bubbles, scripts by polls or short times keep
// a test short.
//
// # Safety
//
// There are no users and no passwords, so that the server listens on the loopback
// interface or nowhere: see Config.Address.
package fakeserver
