package rpc_test

import (
	"fmt"
	"log"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/milvuswait/milvuswait/rpc"
)

func ExampleDialOptions() {
	options := append(rpc.DialOptions(),
		grpc.WithTransportCredentials(credentials.NewTLS(nil)),
		grpc.WithUserAgent("ingest/1.0"),
	)
	conn, err := grpc.NewClient("milvus.example.com:19530", options...)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	fmt.Println(conn.CanonicalTarget(), conn.GetState())
	// Output: dns:///milvus.example.com:19530 IDLE
}
