// Package noclient waits without a client of Milvus, by package rpc and gRPC alone. It is a
// separate module: its go.mod shows the cost of package rpc.
package noclient

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/milvuswait/milvuswait/rpc"
)

// Connect returns a connection to the server at address, and a Poller over it.
func Connect(address string) (*grpc.ClientConn, *rpc.Poller, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, nil, err
	}

	return conn, rpc.New(conn), nil
}
