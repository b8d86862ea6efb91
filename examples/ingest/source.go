package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	batchRows = 1000        // rows of one Insert: 3 MB at 768 dimensions
	linger    = time.Second // maximum time of a document in a batch that is not full
)

var (
	// errOtherInput is the error for an input that does not begin with the documents of the
	// checkpoint.
	errOtherInput = errors.New("another input")

	// errDocument is the error for an invalid document.
	errDocument = errors.New("bad document")
)

// batch holds the rows of one Insert.
type batch struct {
	ids     []int64
	vectors [][]float32
	digest  []byte // digest of its last document
}

func (b *batch) add(d document) {
	b.ids, b.vectors, b.digest = append(b.ids, *d.ID), append(b.vectors, d.Vector), d.digest
}

type document struct {
	ID     *int64    `json:"id"`
	Vector []float32 `json:"vector"`
	digest []byte    // hash over this document and all before it
}

// follow sets the digest of d from the digest of the previous document.
func (d *document) follow(before []byte) error {
	b, err := binary.Append(before, binary.LittleEndian, *d.ID)
	if err == nil {
		b, err = binary.Append(b, binary.LittleEndian, d.Vector)
	}
	sum := sha256.Sum256(b)
	d.digest = sum[:]
	return err
}

// read sends the documents of in to out in batches, without those of the checkpoint, and
// closes out. When ctx ends, a read from in may still block: nothing can interrupt it, so
// its goroutine is left behind.
func read(ctx context.Context, in io.Reader, dimension int, at checkpoint, out chan<- batch) error {
	defer close(out)
	documents := make(chan document)
	decoded := make(chan error, 1)
	go func() {
		defer close(documents)
		decoded <- decode(ctx, in, dimension, at, documents)
	}()

	// A batch is sent when it is full, or when it is due.
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
func decode(ctx context.Context, in io.Reader, dimension int, at checkpoint, out chan<- document) error {
	decoder := json.NewDecoder(in)
	var last []byte
	for n := int64(1); ; n++ {
		var d document
		err := decoder.Decode(&d)
		switch {
		case errors.Is(err, io.EOF) && n <= at.Rows:
			return fmt.Errorf("%w: it has %d documents, but %d are inserted already", errOtherInput, n-1, at.Rows)
		case errors.Is(err, io.EOF):
			return nil
		case isOfJSON(err):
			return fmt.Errorf("%w: document %d: %w", errDocument, n, err)
		case err != nil:
			return fmt.Errorf("reading document %d: %w", n, err)
		case d.ID == nil:
			return fmt.Errorf("%w: document %d has no id", errDocument, n)
		case len(d.Vector) != dimension:
			return fmt.Errorf("%w: document %d has a vector of %d dimensions, not %d", errDocument, n, len(d.Vector), dimension)
		}

		// Compare the digest of the documents of the checkpoint, and skip them.
		if err := d.follow(last); err != nil {
			return fmt.Errorf("document %d: %w", n, err)
		}
		last = d.digest
		if n == at.Rows && !bytes.Equal(last, at.Digest) {
			return fmt.Errorf("%w: its first %d documents differ from the inserted ones", errOtherInput, n)
		}
		if n <= at.Rows {
			continue
		}

		select {
		case out <- d:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// isOfJSON reports whether err is due to the document, and not to a failed read.
func isOfJSON(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &kind) || errors.Is(err, io.ErrUnexpectedEOF)
}
