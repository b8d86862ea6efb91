package fakeserver_test

import (
	"context"
	"fmt"
	"log"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-sdk-go/v2/client"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// serve returns a server and a client of it in memory.
func serve(config fakeserver.Config) (srv *fakeserver.Server, c grpc.ClientConnInterface, stop func()) {
	srv, err := fakeserver.Start(config)
	if err != nil {
		log.Fatal(err)
	}
	conn, err := srv.Dial()
	if err != nil {
		log.Fatal(err)
	}
	return srv, conn, func() {
		_ = conn.Close()
		srv.Close()
	}
}

// progress prints how far the loading of "docs" is.
func progress(c grpc.ClientConnInterface) {
	r, err := wire.GetLoadingProgress.Call(context.Background(), c, &wire.GetLoadingProgressRequest{CollectionName: "docs"})
	switch {
	case err != nil:
		fmt.Println(status.Code(err))
	case r.GetStatus().GetReason() != "":
		fmt.Println(r.GetStatus().GetReason())
	default:
		fmt.Println(r.GetProgress(), "%")
	}
}

func Example() {
	ctx := context.Background()
	srv, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	srv.Set(milvuswait.Loading("docs"), fake.Percents(0, 40, 100))

	c, err := client.NewClient(ctx, client.Config{Address: srv.Address()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for range 3 {
		percent, err := c.GetLoadingProgress(ctx, "docs", nil)
		fmt.Println(percent, err)
	}
	// Output:
	// 0 <nil>
	// 40 <nil>
	// 100 <nil>
}

func ExampleStart() {
	_, err := fakeserver.Start(fakeserver.Config{Address: "0.0.0.0:19530"})
	fmt.Println(err)
	// Output: fakeserver: address "0.0.0.0:19530" is not on the loopback interface: use 127.0.0.1, [::1] or localhost
}

func ExampleServer_Dial() {
	srv, err := fakeserver.Start(fakeserver.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	conn, err := srv.Dial()
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	srv.Set(milvuswait.Loading("docs"), fake.Percents(100))

	p := rpc.New(conn)
	fmt.Println(milvuswait.WaitForLoadingComplete(context.Background(), p, "docs"))
	// Output: 100% <nil>
}

func ExampleServer_DialOptions() {
	srv, err := fakeserver.Start(fakeserver.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	c, err := client.NewClient(context.Background(), client.Config{Address: "fakeserver", DialOptions: srv.DialOptions()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	fmt.Println(c.GetVersion(context.Background()))
	// Output: v2.3.5 <nil>
}

func ExampleServer_Address() {
	srv, err := fakeserver.Start(fakeserver.Config{Address: "localhost"})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	conn, err := grpc.NewClient(srv.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	progress(conn)
	// Output: collection not found[database=default][collection=docs]
}

func ExampleServer_In() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	srv.In("tenant").Set(milvuswait.Loading("docs"), fake.Percents(40))

	r, err := wire.GetLoadingProgress.Call(context.Background(), c, &wire.GetLoadingProgressRequest{DbName: "tenant", CollectionName: "docs"})
	fmt.Println(r.GetProgress(), err)
	// Output: 40 <nil>
}

func ExampleServer_Restart() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	srv.Set(milvuswait.Loading("docs"), fake.Percents(40))
	progress(c)

	srv.Stop()
	progress(c)
	if err := srv.Restart(); err != nil {
		log.Fatal(err)
	}
	conn, err := srv.Dial() // the old one comes back too, but only after a second
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	progress(conn)
	// Output:
	// 40 %
	// Unavailable
	// 40 %
}

func ExampleServer_Count() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	srv.Set(milvuswait.Loading("docs"), fake.Percents(0, 40, 100))
	_, _ = milvuswait.WaitForLoadingComplete(context.Background(), rpc.New(c), "docs")

	fmt.Println(srv.Count("GetLoadingProgress"))
	// Output: 3
}

func ExampleServer_LastRequest() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	progress(c)

	var request milvuspb.GetLoadingProgressRequest // from any version of go-api
	found := srv.LastRequest("GetLoadingProgress", &request)
	fmt.Println(found, request.GetCollectionName())
	// Output:
	// collection not found[database=default][collection=docs]
	// true docs
}

func ExampleDatabase_Set() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()

	srv.Set(milvuswait.Loading("docs"), fake.Percents(40))
	progress(c)
	srv.Set(milvuswait.Loading("docs"), nil)
	progress(c)
	// Output:
	// 40 %
	// collection not loaded[collection=100]
}

func ExampleDatabase_AddCollection() {
	srv, c, stop := serve(fakeserver.Config{Dialect: fakeserver.Milvus22})
	defer stop()

	srv.AddCollection("docs", "p1", "p2")
	progress(c)
	// Output: collection 100 has not been loaded to memory or load failed
}

func ExampleDatabase_AddRows() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()

	srv.AddRows("docs", 100_000)
	r, err := wire.GetCollectionStatistics.Call(context.Background(), c, &wire.GetCollectionStatisticsRequest{CollectionName: "docs"})
	fmt.Println(r.GetStats()[0].GetValue(), err)
	// Output: 100000 <nil>
}

func ExampleDatabase_Drop() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	srv.Set(milvuswait.Loading("docs"), fake.Percents(40))

	srv.Drop("docs")
	progress(c)
	// Output: collection not found[collection=100]
}

func ExampleDialect() {
	for _, dialect := range []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.MilvusLite, fakeserver.Milvus26} {
		_, c, stop := serve(fakeserver.Config{Dialect: dialect})
		fmt.Print(dialect, ": ")
		progress(c)
		stop()
	}
	// Output:
	// v2.3.5: collection not found[database=default][collection=docs]
	// v2.2.16: code: UnexpectedError, reason: code: CollectionNotExists, reason: can't find collection default:docs
	// milvus_lite-3.2.2: collection 'docs' does not exist
	// v2.6.18: collection not found[database=default][collection=docs]
}

func ExampleDatabase_SetQuery() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	srv.Set(milvuswait.Loading("docs"), fake.Percents(100))
	srv.SetQuery("docs", fake.Percents(0, 100))

	for range 2 {
		r, err := wire.Query.Call(context.Background(), c, &wire.QueryRequest{CollectionName: "docs", Expr: "id == 7"})
		fmt.Println(len(r.GetFieldsData()) > 0, err)
	}
	// Output:
	// false <nil>
	// true <nil>
}
