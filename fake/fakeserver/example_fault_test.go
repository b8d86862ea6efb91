package fakeserver_test

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

func ExampleServer_Fail() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	srv.Set(milvuswait.Loading("docs"), fake.Percents(40, 100))

	srv.Fail("GetLoadingProgress", fakeserver.Refuse(codes.Unavailable, "try again").On(2))
	for range 3 {
		progress(c)
	}
	// Output:
	// 40 %
	// Unavailable
	// 100 %
}

func ExampleServer_Heal() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	srv.Set(milvuswait.Loading("docs"), fake.Percents(40))

	srv.Fail(fakeserver.AnyMethod, fakeserver.Drop())
	progress(c)
	srv.Heal()
	progress(c)
	// Output:
	// Unavailable
	// 40 %
}

func ExampleHang() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	srv.Fail("GetLoadingProgress", fakeserver.Hang())

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	_, err := wire.GetLoadingProgress.Call(ctx, c, &wire.GetLoadingProgressRequest{CollectionName: "docs"})
	fmt.Println(status.Code(err))
	// Output: DeadlineExceeded
}

func ExampleSlow() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	srv.Set(milvuswait.Loading("docs"), fake.Percents(40))
	srv.Fail("GetLoadingProgress", fakeserver.Slow(5*time.Millisecond))

	start := time.Now()
	progress(c)
	fmt.Println(time.Since(start) >= 5*time.Millisecond)
	// Output:
	// 40 %
	// true
}

func ExampleReject() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	srv.Fail("GetLoadingProgress", fakeserver.Reject(8, wire.ErrorCode_RateLimit, "rate limit exceeded"))

	progress(c)
	// Output: rate limit exceeded
}

func ExampleBlank() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	srv.Fail("GetLoadingProgress", fakeserver.Blank())

	r, err := wire.GetLoadingProgress.Call(context.Background(), c, &wire.GetLoadingProgressRequest{CollectionName: "docs"})
	fmt.Println(r.GetStatus() == nil, err)
	// Output: true <nil>
}

func ExampleFault_On() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	srv.Set(milvuswait.Loading("docs"), fake.Percents(40))
	srv.Fail("GetLoadingProgress", fakeserver.Drop().On(1))

	progress(c)
	progress(c)
	// Output:
	// Unavailable
	// 40 %
}

func ExampleDrop() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	srv.Set(milvuswait.Loading("docs"), fake.Percents(40))
	srv.Fail("GetLoadingProgress", fakeserver.Drop().On(1))

	progress(c)
	progress(c)
	// Output:
	// Unavailable
	// 40 %
}

func ExampleRefuse() {
	srv, c, stop := serve(fakeserver.Config{})
	defer stop()
	srv.Fail("GetLoadingProgress", fakeserver.Refuse(codes.PermissionDenied, "not for you"))

	progress(c)
	// Output: PermissionDenied
}
