package milvusops

import (
	"context"
	"fmt"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// Import starts the import of a file into the collection, and returns the job. The file is
// named by its path below the server's storage.
func (c *Client) Import(ctx context.Context, collection, file string) (job int64, err error) {
	response, err := wire.Import.Call(ctx, c.Conn, &wire.ImportRequest{CollectionName: collection, Files: []string{file}})
	if err := checked("Import")(response.GetStatus(), err); err != nil {
		return 0, err
	}

	if len(response.GetTasks()) != 1 {
		return 0, fmt.Errorf("Import of one file: jobs %v", response.GetTasks())
	}
	return response.GetTasks()[0], nil
}

// Imported returns a question for Watch: whether the import is completed.
func (c *Client) Imported(job int64) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		response, err := wire.GetImportState.Call(ctx, c.Conn, &wire.GetImportStateRequest{Task: job})
		done := response.GetState() == wire.ImportState_ImportCompleted
		return done, checked("GetImportState")(response.GetStatus(), err)
	}
}

// Compact starts a compaction of the collection, and returns its id.
func (c *Client) Compact(ctx context.Context, collection string) (id int64, err error) {
	described, err := wire.DescribeCollection.Call(ctx, c.Conn, &wire.DescribeCollectionRequest{CollectionName: collection})
	if err := checked("DescribeCollection")(described.GetStatus(), err); err != nil {
		return 0, err
	}

	response, err := wire.ManualCompaction.Call(ctx, c.Conn, &wire.ManualCompactionRequest{CollectionID: described.GetCollectionID()})
	return response.GetCompactionID(), checked("ManualCompaction")(response.GetStatus(), err)
}

// Compacted returns a question for Watch: whether no plan of the compaction is executing.
func (c *Client) Compacted(id int64) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		response, err := wire.GetCompactionState.Call(ctx, c.Conn, &wire.GetCompactionStateRequest{CompactionID: id})
		done := response.GetState() == wire.CompactionState_Completed && response.GetExecutingPlanNo() == 0
		return done, checked("GetCompactionState")(response.GetStatus(), err)
	}
}
