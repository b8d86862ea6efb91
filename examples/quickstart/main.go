// Quickstart waits for an index and for a load, and shows their progress.
//
//	go run ./examples/quickstart
//	MILVUS_URI=http://127.0.0.1:19530 go run ./examples/quickstart
//
// Without MILVUS_URI it starts a fake server in its process. With MILVUS_URI it creates a
// small collection on the server, and always drops it at the end. MILVUS_TOKEN is an API
// key or "user:password", for servers with authentication.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/rpc"
	"github.com/milvuswait/milvuswait/sdk"
)

const (
	rows      = 20_000
	dimension = 64
	batch     = 5_000
	index     = "vidx"
)

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		s := <-signals
		signal.Stop(signals) // a second signal ends the process at once
		cancel(stopped{s.(syscall.Signal)})
	}()

	ctx, stop := context.WithTimeout(ctx, 10*time.Minute)
	defer stop()

	err := run(ctx, os.Stdout, os.Getenv("MILVUS_URI"), os.Getenv("MILVUS_TOKEN"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		var by stopped
		if errors.As(context.Cause(ctx), &by) {
			os.Exit(128 + int(by.signal))
		}
		os.Exit(1)
	}
}

// stopped is the cause of a context canceled by a signal.
type stopped struct{ signal syscall.Signal }

func (s stopped) Error() string { return "stopped: " + s.signal.String() }

// run fills a collection on the server at uri, or on a fake server, and waits for it.
func run(ctx context.Context, out io.Writer, uri, token string) error {
	if uri == "" {
		server, err := fakeserver.Start(fakeserver.Config{
			Address:      "127.0.0.1:0",
			VisibleAfter: 700 * time.Millisecond, // 2.6 s on real servers
			Build:        func(rows int64) fake.Script { return fake.BuildOver(rows, 2*time.Second).InSteps(4) },
			Load:         fake.LoadOver(2 * time.Second).InSteps(4),
		})
		if err != nil {
			return err
		}
		defer server.Close()
		uri = server.Address()
		fmt.Fprintln(out, "MILVUS_URI is not set: using a fake Milvus inside this process")
	}

	c, err := connect(ctx, uri, token)
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", uri, err)
	}
	defer c.Close()

	collection := fmt.Sprintf("quickstart_%08x", rand.Uint32())
	defer drop(ctx, out, c, collection)
	mark, err := fill(ctx, out, c, collection)
	if err != nil {
		return fmt.Errorf("filling %s: %w", collection, err)
	}
	return wait(ctx, out, c, collection, mark)
}

// wait waits for the flush and the index, loads the collection, and waits for the load.
func wait(ctx context.Context, out io.Writer, c client.Client, collection string, mark milvuswait.FlushMark) error {
	p := sdk.New(c)
	show := milvuswait.WithObserver(newBar(out))

	indexed, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, collection,
		milvuswait.WithIndex(index), milvuswait.WithFlush(mark), show)
	if err != nil {
		return err
	}

	if err := c.LoadCollection(ctx, collection, true); err != nil {
		return fmt.Errorf("loading %s: %w", collection, err)
	}
	loaded, err := milvuswait.WaitForLoadingComplete(ctx, p, collection, show)
	if err != nil {
		return err
	}

	for _, progress := range []milvuswait.Progress{indexed, loaded} {
		dict, err := json.Marshal(progress)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, string(dict))
	}
	return nil
}

// connect waits for an unreachable server for at most 10 s. Without a deadline, NewClient
// would wait forever.
func connect(ctx context.Context, uri, token string) (*client.GrpcClient, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()

	config := client.Config{Address: uri}
	if user, password, found := strings.Cut(token, ":"); found {
		config.Username, config.Password = user, password
	} else {
		config.APIKey = token
	}
	c, err := client.NewClient(ctx, config)
	if err != nil {
		return nil, err
	}
	return c.(*client.GrpcClient), nil
}

// fill creates a collection with an index, inserts rows and flushes them. It returns the
// mark of the flush: the server has yet to finish it, and to index the rows.
func fill(ctx context.Context, out io.Writer, c *client.GrpcClient, collection string) (milvuswait.FlushMark, error) {
	var none milvuswait.FlushMark
	schema := entity.NewSchema().WithName(collection).
		WithField(entity.NewField().WithName("id").WithDataType(entity.FieldTypeInt64).WithIsPrimaryKey(true)).
		WithField(entity.NewField().WithName("vec").WithDataType(entity.FieldTypeFloatVector).WithDim(dimension))
	if err := c.CreateCollection(ctx, schema, 2); err != nil {
		return none, err
	}

	hnsw, err := entity.NewIndexHNSW(entity.L2, 16, 100)
	if err != nil {
		return none, err
	}
	if err := c.CreateIndex(ctx, collection, "vec", hnsw, true, client.WithIndexName(index)); err != nil {
		return none, err
	}

	for first := int64(0); first < rows; first += batch {
		ids, vectors := make([]int64, batch), make([][]float32, batch)
		for i := range ids {
			ids[i], vectors[i] = first+int64(i), make([]float32, dimension)
			for j := range vectors[i] {
				vectors[i][j] = rand.Float32()
			}
		}

		_, err := c.Insert(ctx, collection, "", entity.NewColumnInt64("id", ids), entity.NewColumnFloatVector("vec", dimension, vectors))
		if err != nil {
			return none, err
		}
	}
	fmt.Fprintf(out, "inserted %d rows into %s\n", rows, collection)

	// c.Flush returns no mark: the response of the client's stub has it.
	flushed, err := c.Service.Flush(ctx, &milvuspb.FlushRequest{CollectionNames: []string{collection}})
	if err != nil {
		return none, err
	}
	return rpc.FlushMarkOf(flushed, collection)
}

// drop removes the collection, also when ctx has ended.
func drop(ctx context.Context, out io.Writer, c client.Client, collection string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := c.DropCollection(ctx, collection); err != nil {
		fmt.Fprintf(out, "dropping %s: %v\n", collection, err)
		return
	}
	fmt.Fprintf(out, "dropped %s\n", collection)
}
