package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"
	"golang.org/x/sync/errgroup"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/rpc"
	"github.com/milvuswait/milvuswait/sdk"
)

const (
	keyField    = "id"
	vectorField = "vector"
	indexName   = "vector_hnsw"

	prepareTimeout = time.Minute
	insertTimeout  = 20 * time.Second // below the 30 s that Kubernetes waits after SIGTERM
	flushTimeout   = 10 * time.Minute
	stallTimeout   = 15 * time.Minute
)

// errNotOurs is the error for a collection with rows, but without a checkpoint.
var errNotOurs = errors.New("rows without a checkpoint")

type pipeline struct {
	settings
	client  client.Client
	service milvuspb.MilvusServiceClient // the client's stub: its Flush returns the mark
	poller  milvuswait.Poller
	log     *slog.Logger
	at      checkpoint
}

func newPipeline(c *client.GrpcClient, log *slog.Logger, s settings) *pipeline {
	return &pipeline{settings: s, client: c, service: c.Service, poller: sdk.New(c), log: log}
}

// chunk is a flush of documents.
type chunk struct {
	rows int64 // number of documents inserted so far
	mark milvuswait.FlushMark
}

// run returns when all documents of in are indexed and loaded, or ctx ends. While a chunk
// is indexed, the next one is inserted, but no more: a slow server slows the input down.
func (p *pipeline) run(ctx context.Context, in io.Reader) error {
	if err := p.prepare(ctx); err != nil {
		return fmt.Errorf("preparing %s: %w", p.collection, err)
	}
	p.log.Info("ready for documents", "collection", p.collection, "rows", p.at.Rows)

	batches, flushed := make(chan batch), make(chan chunk)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return read(gctx, in, p.dimension, p.at, batches) })
	g.Go(func() error { return p.write(gctx, batches, flushed) })
	g.Go(func() error {
		for c := range flushed {
			// More rows arrive during the wait: RowsAtStart does not wait for them.
			if err := p.searchable(gctx, c, milvuswait.RowsAtStart); err != nil {
				return err
			}
		}
		return nil
	})
	err := g.Wait()
	p.log.Info("took documents", "collection", p.collection, "rows", p.at.Rows)
	if err != nil {
		return err
	}

	last, err := p.flush(ctx)
	if err != nil {
		return err
	}
	return p.searchable(ctx, last, milvuswait.AllRows)
}

// prepare creates the collection and the index if they are missing, and reads the
// checkpoint.
func (p *pipeline) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()

	exists, err := p.client.HasCollection(ctx, p.collection)
	if err != nil {
		return err
	}
	if !exists {
		schema := entity.NewSchema().WithName(p.collection).
			WithField(entity.NewField().WithName(keyField).WithDataType(entity.FieldTypeInt64).WithIsPrimaryKey(true)).
			WithField(entity.NewField().WithName(vectorField).WithDataType(entity.FieldTypeFloatVector).WithDim(int64(p.dimension)))
		if err := p.client.CreateCollection(ctx, schema, 2); err != nil {
			return err
		}
	}

	_, err = p.poller.IndexBuildingProgress(ctx, p.collection, indexName)
	if errors.Is(err, milvuswait.ErrIndexNotFound) {
		err = p.createIndex(ctx)
	}
	if err != nil {
		return err
	}

	collection, err := p.client.DescribeCollection(ctx, p.collection)
	if err != nil {
		return err
	}
	if p.at, err = loadCheckpoint(p.checkpoint); err != nil {
		return err
	}
	if p.at.CollectionID == collection.ID {
		return nil
	}

	// The checkpoint is missing, or belongs to an older collection of this name.
	if err := p.mustBeEmpty(ctx); err != nil {
		return err
	}
	p.at = checkpoint{CollectionID: collection.ID}
	return p.at.save(p.checkpoint)
}

func (p *pipeline) createIndex(ctx context.Context) error {
	hnsw, err := entity.NewIndexHNSW(entity.L2, 16, 100)
	if err != nil {
		return err
	}
	return p.client.CreateIndex(ctx, p.collection, vectorField, hnsw, true, client.WithIndexName(indexName))
}

// mustBeEmpty returns errNotOurs if the collection has rows. It flushes the collection
// first: the server counts only flushed rows.
func (p *pipeline) mustBeEmpty(ctx context.Context) error {
	if _, err := p.flush(ctx); err != nil {
		return err
	}

	statistics, err := p.client.GetCollectionStatistics(ctx, p.collection)
	if err != nil {
		return err
	}
	rows, err := strconv.ParseInt(statistics["row_count"], 10, 64)
	if err != nil {
		return err
	}
	if rows > 0 {
		return fmt.Errorf("%w in %s: %d", errNotOurs, p.checkpoint, rows)
	}
	return nil
}

// write inserts the batches, flushes after every chunk, and sends the chunk to flushed. It
// closes flushed.
//
// An Insert in flight is finished when ctx ends. Otherwise it would be unknown whether its
// rows are stored. After a crash, the next start inserts all documents after the checkpoint
// again, under the same keys: no document is lost, and a search returns each once.
func (p *pipeline) write(ctx context.Context, batches <-chan batch, flushed chan<- chunk) error {
	defer close(flushed)
	last := p.at.Rows
	for b := range batches {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := p.insert(context.WithoutCancel(ctx), b); err != nil {
			return fmt.Errorf("inserting %d rows after %d into %s: %w", len(b.ids), p.at.Rows, p.collection, err)
		}
		if p.at.Rows-last < p.chunk {
			continue
		}

		c, err := p.flush(ctx)
		if err != nil {
			return err
		}
		last = c.rows
		select {
		case flushed <- c:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (p *pipeline) insert(ctx context.Context, b batch) error {
	ctx, cancel := context.WithTimeout(ctx, insertTimeout)
	defer cancel()
	_, err := p.client.Insert(ctx, p.collection, "",
		entity.NewColumnInt64(keyField, b.ids), entity.NewColumnFloatVector(vectorField, p.dimension, b.vectors))
	if err != nil {
		return err
	}
	p.at.Rows, p.at.Digest = p.at.Rows+int64(len(b.ids)), b.digest
	return p.at.save(p.checkpoint)
}

// flush flushes all rows inserted so far, and returns when the server counts them.
//
// It expects no number of rows: after a lost response a batch is stored twice, and deletes
// remove rows. A mark belongs to one process. After a crash none is needed: the next start
// flushes again, and its mark also covers segments that are still being flushed.
func (p *pipeline) flush(ctx context.Context) (chunk, error) {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()

	resp, err := p.service.Flush(ctx, &milvuspb.FlushRequest{CollectionNames: []string{p.collection}})
	if err != nil {
		return chunk{}, fmt.Errorf("flushing %s: %w", p.collection, err)
	}
	mark, err := rpc.FlushMarkOf(resp, p.collection)
	if err != nil {
		return chunk{}, fmt.Errorf("flushing %s: %w", p.collection, err)
	}

	_, err = milvuswait.Wait(ctx, p.poller, milvuswait.Flushing(p.collection, mark), milvuswait.WithObserver(milvuswait.Log(p.log)))
	return chunk{p.at.Rows, mark}, err
}

// searchable returns when the rows of the chunk are indexed and the collection is loaded.
// It loads the collection after the index, since query nodes otherwise load rows without
// their index first.
func (p *pipeline) searchable(ctx context.Context, c chunk, criterion milvuswait.IndexCriterion) error {
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()

	log, stall := milvuswait.WithObserver(milvuswait.Log(p.log)), milvuswait.WithStallTimeout(stallTimeout)
	_, err := milvuswait.WaitForIndexBuildingComplete(ctx, p.poller, p.collection, log, stall,
		milvuswait.WithIndex(indexName), milvuswait.WithFlush(c.mark), milvuswait.WithIndexCriterion(criterion))
	if err != nil {
		return err
	}

	// Loading a loaded collection is not an error.
	if err := p.client.LoadCollection(ctx, p.collection, true); err != nil {
		return fmt.Errorf("loading %s: %w", p.collection, err)
	}
	if _, err := milvuswait.WaitForLoadingComplete(ctx, p.poller, p.collection, log, stall); err != nil {
		return err
	}
	p.log.Info("searchable", "collection", p.collection, "rows", c.rows)
	return nil
}
