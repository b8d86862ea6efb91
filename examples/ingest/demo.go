package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"

	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

const demoRows = 10_000

var errHalfway = errors.New("stopped half-way, as by SIGTERM")

// demo stops a pipeline half-way, starts it again, and removes all traces.
func demo(ctx context.Context, log *slog.Logger, s settings) (err error) {
	if s.uri == "" {
		server, err := fakeserver.Start(fakeserver.Config{
			Address:      "127.0.0.1:0",
			VisibleAfter: 700 * time.Millisecond, // 2.6 s on real servers
			Build:        func(rows int64) fake.Script { return fake.BuildOver(rows, time.Second).InSteps(4) },
			Load:         fake.LoadOver(time.Second).InSteps(4),
		})
		if err != nil {
			return err
		}
		defer server.Close()
		s.uri = server.Address()
		log.Info("MILVUS_URI is not set: using a fake Milvus inside this process")
	}

	folder, err := os.MkdirTemp("", "ingest-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	c, err := connect(ctx, s.uri, s.token)
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", s.uri, err)
	}
	defer c.Close()

	s.collection = fmt.Sprintf("ingest_demo_%08x", rand.Uint32())
	s.checkpoint, s.chunk = filepath.Join(folder, "checkpoint.json"), 4000
	defer func() { err = errors.Join(err, drop(ctx, log, c, s.collection)) }()

	first, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	half := documents(s.dimension, func() { stop(errHalfway) })
	defer half.Close()
	if err := newPipeline(c, log, s).run(first, half); !errors.Is(context.Cause(first), errHalfway) {
		return err
	}
	log.Info(errHalfway.Error())

	whole := documents(s.dimension, func() {})
	defer whole.Close()
	return newPipeline(c, log, s).run(ctx, whole)
}

// documents returns made-up documents, the same every time, and calls halfway in their
// middle.
func documents(dimension int, halfway func()) io.ReadCloser {
	out, in := io.Pipe()
	go func() {
		random := rand.New(rand.NewPCG(1, 2))
		lines := json.NewEncoder(in)
		var err error
		for id := int64(0); id < demoRows && err == nil; id++ {
			if id == demoRows/2 {
				halfway()
			}
			d := document{ID: &id, Vector: make([]float32, dimension)}
			for i := range d.Vector {
				d.Vector[i] = random.Float32()
			}
			err = lines.Encode(d)
		}
		in.CloseWithError(err)
	}()
	return out
}

// drop removes the collection, also when ctx has ended.
func drop(ctx context.Context, log *slog.Logger, c client.Client, collection string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()

	exists, err := c.HasCollection(ctx, collection)
	if err == nil && exists {
		err = c.DropCollection(ctx, collection)
	}
	if err != nil {
		return fmt.Errorf("dropping %s: %w", collection, err)
	}
	log.Info("dropped", "collection", collection)
	return nil
}
