// Ingest puts documents into a Milvus collection and waits until they can be searched. After
// a stop, the next start continues at the same document.
//
//	go run ./examples/ingest -demo
//	MILVUS_URI=http://127.0.0.1:19530 go run ./examples/ingest -dimension 768 <docs.jsonl
//
// It reads one document a line, {"id":7,"vector":[0.1,0.2]}, from standard input,
// until its end: with tail -F it runs forever. MILVUS_TOKEN is an API key or
// "user:password", for servers with authentication.
//
// The exit code is 0 if all rows are inserted, indexed and loaded, 1 for failures, 2 for usage
// errors, 124 if the server was not done in time, and 130 or 143 after an interrupt or
// SIGTERM.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"

	"github.com/milvuswait/milvuswait"
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
	os.Exit(command(ctx, os.Args[1:], os.Stdin, os.Stderr, os.Getenv))
}

// stopped is the cause of a context canceled by a signal.
type stopped struct{ signal syscall.Signal }

func (s stopped) Error() string { return "stopped: " + s.signal.String() }

// settings holds the flags and the environment.
type settings struct {
	uri, token string
	collection string
	dimension  int
	checkpoint string
	chunk      int64
	patience   time.Duration
	demo       bool
}

// command is the whole program except its signals, and returns its exit code.
func command(ctx context.Context, args []string, in io.Reader, out io.Writer, getenv func(string) string) int {
	s, err := parse(args, out, getenv)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(out, "ingest:", err)
		return 2
	}

	log := slog.New(slog.NewTextHandler(out, nil))
	if s.demo {
		err = demo(ctx, log, s)
	} else {
		err = ingest(ctx, log, s, in)
	}

	code := exitCode(ctx, err)
	switch {
	case code > 128: // every failure after a signal is due to it
		log.Warn("ingest stopped", "code", code, "err", context.Cause(ctx))
	case err != nil:
		log.Error("ingest failed", "code", code, "err", err)
	}
	return code
}

func parse(args []string, out io.Writer, getenv func(string) string) (settings, error) {
	s := settings{uri: getenv("MILVUS_URI"), token: getenv("MILVUS_TOKEN")}
	flags := flag.NewFlagSet("ingest", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller prints errors
	flags.StringVar(&s.collection, "collection", "docs", "`name` of the collection; created if it is missing")
	flags.IntVar(&s.dimension, "dimension", 64, "dimension of the vectors")
	flags.StringVar(&s.checkpoint, "checkpoint", "", "`file` with the number of inserted documents (default COLLECTION.checkpoint.json)")
	flags.Int64Var(&s.chunk, "chunk", 100_000, "`rows` between flushes")
	flags.DurationVar(&s.patience, "patience", time.Hour, "maximum time to index and load a chunk")
	flags.BoolVar(&s.demo, "demo", false, "ingest made-up documents into a collection that is dropped again, on a fake Milvus if MILVUS_URI is not set")

	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(out)
			flags.PrintDefaults()
		}
		return s, err
	}

	s.checkpoint = cmp.Or(s.checkpoint, s.collection+".checkpoint.json")
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q: documents come from standard input", flags.Arg(0))
	case s.dimension < 1 || s.chunk < 1 || s.patience <= 0:
		return s, errors.New("-dimension, -chunk and -patience must be positive")
	case s.uri == "" && !s.demo:
		return s, errors.New("MILVUS_URI is not set: set it to the address of a server, such as http://127.0.0.1:19530, or try -demo, which needs none")
	}
	return s, nil
}

func ingest(ctx context.Context, log *slog.Logger, s settings, in io.Reader) error {
	c, err := connect(ctx, s.uri, s.token)
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", s.uri, err)
	}
	defer c.Close()

	if err := newPipeline(c, log, s).run(ctx, in); err != nil {
		log.Info(advice(err))
		return err
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

func exitCode(ctx context.Context, err error) int {
	var s stopped
	var wait *milvuswait.Error
	switch {
	case err == nil:
		return 0
	case errors.As(context.Cause(ctx), &s):
		return 128 + int(s.signal)
	case errors.As(err, &wait) && errors.Is(err, context.DeadlineExceeded):
		return 124
	}
	return 1
}

// advice returns the next step for the reader of the log.
func advice(err error) string {
	switch {
	case errors.Is(err, errNotOurs):
		return "drop the collection, choose another, or bring the checkpoint back"
	case errors.Is(err, errOtherInput):
		return "an input goes on only if it begins with the documents that are in: give a new one a collection of its own, or append it"
	case errors.Is(err, errDocument):
		return "mend that document first: the next start comes to it again"
	case errors.Is(err, milvuswait.ErrCollectionNotFound):
		return "the collection was dropped: the next start begins with the first document"
	case errors.Is(err, milvuswait.ErrReleased), errors.Is(err, milvuswait.ErrNotLoaded):
		return "the collection was released: the next start loads it again"
	case errors.Is(err, milvuswait.ErrLoadFailed), errors.Is(err, milvuswait.ErrIndexFailed):
		return "the server gave up, perhaps for lack of memory or disk: read its reason before the next start"
	}
	return "the next start goes on where this one was"
}
