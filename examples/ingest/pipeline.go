package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"
	"golang.org/x/sync/errgroup"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/sdk"
)

const (
	keyField    = "id"
	vectorField = "vector"
	indexName   = "vector_hnsw"

	prepareTimeout = time.Minute
	insertTimeout  = 20 * time.Second // less than the 30 s that Kubernetes gives who is to stop
	flushTimeout   = 10 * time.Minute
	flushPause     = 200 * time.Millisecond // between questions whether it is done
	stallTimeout   = 15 * time.Minute
)

// errNotOurs: the collection has rows of which no checkpoint tells.
var errNotOurs = errors.New("rows without a checkpoint")

type pipeline struct {
	settings
	client  client.Client
	service milvuspb.MilvusServiceClient // of the client, for flush
	poller  milvuswait.Poller
	log     *slog.Logger
	at      checkpoint
}

func newPipeline(c *client.GrpcClient, log *slog.Logger, s settings) *pipeline {
	return &pipeline{settings: s, client: c, service: c.Service, poller: sdk.New(c), log: log}
}

// run returns when all documents of in are indexed and loaded, or ctx ends.
// Documents are inserted while those before them are indexed: one chunk ahead,
// so that a server which falls behind slows the input down.
func (p *pipeline) run(ctx context.Context, in io.Reader) error {
	if err := p.prepare(ctx); err != nil {
		return fmt.Errorf("preparing %s: %w", p.collection, err)
	}
	p.log.Info("ready for documents", "collection", p.collection, "rows", p.at.Rows)

	batches, flushed := make(chan batch), make(chan int64)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return read(gctx, in, p.dimension, p.at, batches) })
	g.Go(func() error { return p.write(gctx, batches, flushed) })
	g.Go(func() error {
		for rows := range flushed {
			// Rows go on coming in: as many as there are now are enough.
			if err := p.searchable(gctx, rows, milvuswait.RowsAtStart); err != nil {
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
	if err := p.flush(ctx); err != nil {
		return err
	}
	return p.searchable(ctx, p.at.Rows, milvuswait.AllRows)
}

// prepare creates what is not there yet, and finds out where to go on.
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

// mustBeEmpty fails if the collection has rows, those included that are not
// flushed.
func (p *pipeline) mustBeEmpty(ctx context.Context) error {
	if err := p.client.Flush(ctx, p.collection, false); err != nil {
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

// write inserts the batches, flushes after every chunk, and says to flushed, which
// it closes, how many rows there are then.
//
// An Insert that has begun is not broken off when ctx ends, since nobody could
// tell then whether its rows are in. What it does not find in the checkpoint after
// a crash, the next start inserts again, under the same keys: no document is
// lost, and a search returns each once.
func (p *pipeline) write(ctx context.Context, batches <-chan batch, flushed chan<- int64) error {
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
		if err := p.flush(ctx); err != nil {
			return err
		}
		last = p.at.Rows
		select {
		case flushed <- last:
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

// flush returns when the server counts all rows that were inserted. Until then an
// index over none of the new ones is "Finished", and WithExpectedRows cannot tell:
// nobody knows how many rows a lost answer or a delete has made of the documents.
//
// The client's Flush waits only for what it has sealed itself, and not for the
// rows that a process flushed which was killed then.
func (p *pipeline) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	begun, err := p.service.Flush(ctx, &milvuspb.FlushRequest{CollectionNames: []string{p.collection}})
	if err := refused(begun.GetStatus(), err); err != nil {
		return fmt.Errorf("flushing %s: %w", p.collection, err)
	}
	question := &milvuspb.GetFlushStateRequest{
		CollectionName: p.collection,
		SegmentIDs:     slices.Concat(begun.GetCollSegIDs()[p.collection].GetData(), begun.GetFlushCollSegIDs()[p.collection].GetData()),
		FlushTs:        begun.GetCollFlushTs()[p.collection], // 0 on 2.2
	}
	for {
		state, err := p.service.GetFlushState(ctx, question)
		if err := refused(state.GetStatus(), err); err != nil {
			return fmt.Errorf("waiting for the flush of %s: %w", p.collection, err)
		}
		if state.GetFlushed() {
			p.log.Info("flushed", "collection", p.collection, "rows", p.at.Rows)
			return nil
		}
		select {
		case <-time.After(flushPause):
		case <-ctx.Done():
			return fmt.Errorf("waiting for the flush of %s: %w", p.collection, context.Cause(ctx))
		}
	}
}

// refused returns why a call failed by its error or by the status of its answer.
func refused(s *commonpb.Status, err error) error {
	//lint:ignore SA1019 2.2 has no other code.
	if err == nil && (s.GetCode() != 0 || s.GetErrorCode() != commonpb.ErrorCode_Success) {
		return fmt.Errorf("the server says %q", s.GetReason())
	}
	return err
}

// searchable returns when the rows that are flushed are indexed and the collection
// is loaded. It loads it only now, so that no query node has to hold rows without
// their index first.
func (p *pipeline) searchable(ctx context.Context, rows int64, criterion milvuswait.IndexCriterion) error {
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	log, stall := milvuswait.WithObserver(milvuswait.Log(p.log)), milvuswait.WithStallTimeout(stallTimeout)
	_, err := milvuswait.WaitForIndexBuildingComplete(ctx, p.poller, p.collection, log, stall,
		milvuswait.WithIndex(indexName), milvuswait.WithIndexCriterion(criterion))
	if err != nil {
		return err
	}
	// What is loaded already is no error.
	if err := p.client.LoadCollection(ctx, p.collection, true); err != nil {
		return fmt.Errorf("loading %s: %w", p.collection, err)
	}
	if _, err := milvuswait.WaitForLoadingComplete(ctx, p.poller, p.collection, log, stall); err != nil {
		return err
	}
	p.log.Info("searchable", "collection", p.collection, "rows", rows)
	return nil
}
