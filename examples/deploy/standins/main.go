// Standins replaces the programs in the images of compose.yaml, to run the file without
// Milvus: milvus is a fake server, migrate and search do nothing, and curl requests a
// page for the health checks. The name of the program selects one of them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	var err error
	switch name := filepath.Base(os.Args[0]); name {
	case "milvus":
		err = milvus(ctx)
	case "migrate":
	case "search":
		err = serveHealth(ctx, ":8080")
	case "curl":
		err = get(ctx, os.Args[len(os.Args)-1])
	default:
		err = fmt.Errorf("no stand-in is called %q", name)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// milvus serves the collections docs and images until ctx ends. START_AFTER is the
// delay until it listens. LOAD_TIME is the duration of the loads, which begin with the
// process.
func milvus(ctx context.Context) error {
	startAfter, err := time.ParseDuration(os.Getenv("START_AFTER"))
	if err != nil {
		return err
	}
	loadTime, err := time.ParseDuration(os.Getenv("LOAD_TIME"))
	if err != nil {
		return err
	}

	server, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	defer server.Close()

	for _, collection := range []string{"docs", "images"} {
		server.Set(milvuswait.IndexBuilding(collection, "vidx"), fake.BuildOver(100_000, loadTime/2))
		server.Set(milvuswait.Loading(collection), fake.LoadOver(loadTime))
	}

	// As on Milvus, the health check succeeds before the server answers.
	failed := make(chan error, 2)
	go func() { failed <- serveHealth(ctx, ":9091") }()
	select {
	case <-time.After(startAfter):
	case <-ctx.Done():
		return nil
	}
	go func() { failed <- forward(ctx, ":19530", server.Address()) }()
	return <-failed
}

// forward forwards connections from address to the server, which listens on loopback only.
func forward(ctx context.Context, address, server string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = listener.Close() })

	for {
		client, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		upstream, err := net.Dial("tcp", server)
		if err != nil {
			return err
		}
		join := func(to, from net.Conn) {
			_, _ = io.Copy(to, from)
			_ = to.Close()
		}
		go join(upstream, client)
		go join(client, upstream)
	}
}

// serveHealth answers GET /healthz at the address until ctx ends.
func serveHealth(ctx context.Context, address string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	server := &http.Server{Addr: address, Handler: mux}
	context.AfterFunc(ctx, func() { _ = server.Close() })

	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// get requests the page and fails unless the server returns it.
func get(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}

	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}
