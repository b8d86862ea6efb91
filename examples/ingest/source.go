package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	batchRows = 1000        // of one Insert: 3 MB at 768 dimensions
	linger    = time.Second // how long a document may wait for its batch to fill
)

// batch is what one Insert holds.
type batch struct {
	ids     []int64
	vectors [][]float32
}

func (b *batch) add(d document) {
	b.ids, b.vectors = append(b.ids, *d.ID), append(b.vectors, d.Vector)
}

type document struct {
	ID     *int64    `json:"id"`
	Vector []float32 `json:"vector"`
}

// read sends the documents of in to out in batches, but for the first skip of
// them, and closes out. A read from in that is under way when ctx ends is left to
// itself, since nothing can end it.
func read(ctx context.Context, in io.Reader, dimension int, skip int64, out chan<- batch) error {
	defer close(out)
	documents := make(chan document)
	decoded := make(chan error, 1)
	go func() {
		defer close(documents)
		decoded <- decode(ctx, in, dimension, skip, documents)
	}()

	var b batch
	var due <-chan time.Time
	send := func() error {
		select {
		case out <- b:
			b, due = batch{}, nil
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for {
		full := false
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case d, ok := <-documents:
			if !ok {
				if len(b.ids) > 0 {
					if err := send(); err != nil {
						return err
					}
				}
				return <-decoded
			}
			if len(b.ids) == 0 {
				due = time.After(linger)
			}
			b.add(d)
			full = len(b.ids) == batchRows
		case <-due:
			full = true
		}
		if full {
			if err := send(); err != nil {
				return err
			}
		}
	}
}

// decode sends the documents of in, one by one.
func decode(ctx context.Context, in io.Reader, dimension int, skip int64, out chan<- document) error {
	decoder := json.NewDecoder(in)
	for n := int64(1); ; n++ {
		var d document
		err := decoder.Decode(&d)
		switch {
		case errors.Is(err, io.EOF) && n <= skip:
			return fmt.Errorf("the input has %d documents, and %d are in already: it is not the same", n-1, skip)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("document %d: %w", n, err)
		case n <= skip:
			continue
		case d.ID == nil:
			return fmt.Errorf("document %d has no id", n)
		case len(d.Vector) != dimension:
			return fmt.Errorf("document %d has a vector of %d dimensions, not %d", n, len(d.Vector), dimension)
		}
		select {
		case out <- d:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
