// Package milvusops starts the work of a Milvus server, by plain gRPC: it creates
// collections, fills, flushes, imports and compacts them, builds indexes and loads. It
// watches from outside when the work is finished. Tests and benchmarks use it; only Watch
// waits.
package milvusops

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// Client is a connection to a server. It is safe for concurrent use.
type Client struct {
	Conn *grpc.ClientConn
}

// New returns a client that uses conn.
func New(conn *grpc.ClientConn) *Client {
	return &Client{Conn: conn}
}

// Load asks the server to load the collection, or its named partitions.
func (c *Client) Load(ctx context.Context, collection string, partitions ...string) error {
	if len(partitions) > 0 {
		return checked("LoadPartitions")(wire.LoadPartitions.Call(ctx, c.Conn, &wire.LoadPartitionsRequest{
			CollectionName: collection, PartitionNames: partitions, ReplicaNumber: 1,
		}))
	}

	return checked("LoadCollection")(wire.LoadCollection.Call(ctx, c.Conn, &wire.LoadCollectionRequest{
		CollectionName: collection, ReplicaNumber: 1,
	}))
}

// Refresh asks the server to load the rows of imports into a loaded collection.
func (c *Client) Refresh(ctx context.Context, collection string) error {
	return checked("LoadCollection")(wire.LoadCollection.Call(ctx, c.Conn, &wire.LoadCollectionRequest{
		CollectionName: collection, ReplicaNumber: 1, Refresh: true,
	}))
}

// Release undoes a Load of the collection, or of its named partitions, also during the load.
func (c *Client) Release(ctx context.Context, collection string, partitions ...string) error {
	if len(partitions) > 0 {
		return checked("ReleasePartitions")(wire.ReleasePartitions.Call(ctx, c.Conn, &wire.ReleasePartitionsRequest{
			CollectionName: collection, PartitionNames: partitions,
		}))
	}

	return checked("ReleaseCollection")(wire.ReleaseCollection.Call(ctx, c.Conn, &wire.ReleaseCollectionRequest{CollectionName: collection}))
}

// Drop removes a collection, which must not be loaded.
func (c *Client) Drop(ctx context.Context, collection string) error {
	return checked("DropCollection")(wire.DropCollection.Call(ctx, c.Conn, &wire.DropCollectionRequest{CollectionName: collection}))
}

// checked returns a function for the results of a call. It returns the error of the call,
// or the failure in its status.
func checked(method string) func(*wire.Status, error) error {
	return func(status *wire.Status, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		errorCode := status.GetErrorCode()
		if status.GetCode() != 0 || errorCode != wire.ErrorCode_Success {
			return fmt.Errorf("%s: %s (code %d, %v)", method, status.GetReason(), status.GetCode(), errorCode)
		}
		return nil
	}
}
