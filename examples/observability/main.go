// Observability demonstrates metrics and traces of waits with Prometheus and OpenTelemetry.
//
//	go run .
//	go run . -serve 5m
//	MILVUS_URI=http://127.0.0.1:19530 go run . docs images
//
// Without arguments, it starts a fake server, waits for its loads and index builds, and
// prints the metrics and the spans. With arguments, it waits for the loads of these
// collections on the server at MILVUS_URI. It only reads from this server. If the server
// requires credentials, set MILVUS_TOKEN to an API key or to "user:password".
//
// The exit code is 0 if all waits have succeeded, 1 for failures, 2 for usage errors, and
// 130 or 143 after an interrupt or SIGTERM.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// errUsage marks usage errors.
var errUsage = errors.New("usage")

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		s := <-signals
		signal.Stop(signals) // a second signal ends the process at once
		cancel(stopped{s.(syscall.Signal)})
	}()

	s := settings{uri: os.Getenv("MILVUS_URI"), token: os.Getenv("MILVUS_TOKEN")}
	err := s.parse(os.Args[1:], os.Stderr)
	if err == nil {
		err = run(ctx, os.Stdout, s)
	}

	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}

	fmt.Fprintln(os.Stderr, "observability:", err)
	var by stopped
	switch {
	case errors.As(context.Cause(ctx), &by):
		os.Exit(128 + int(by.signal))
	case errors.Is(err, errUsage):
		os.Exit(2)
	}
	os.Exit(1)
}

// stopped is the cause of a context ended by a signal.
type stopped struct{ signal syscall.Signal }

func (s stopped) Error() string { return "stopped: " + s.signal.String() }

// settings holds the values of the flags and the environment.
type settings struct {
	uri, token  string
	address     string
	serve       time.Duration
	trace       string
	timeout     time.Duration
	collections []string
}

// parse reads the arguments. It returns flag.ErrHelp after printing the help to usage, and
// errUsage for invalid arguments.
func (s *settings) parse(args []string, usage io.Writer) error {
	flags := flag.NewFlagSet("observability", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller prints errors
	flags.StringVar(&s.address, "address", "127.0.0.1:0", "where /metrics is served; port 0 is a free one")
	flags.DurationVar(&s.serve, "serve", 0, "how long /metrics is served when all waits are over")
	flags.StringVar(&s.trace, "trace", "", "file for the picture of the trace, an SVG")
	flags.DurationVar(&s.timeout, "timeout", 10*time.Minute, "how long the waits may take")

	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(usage)
			flags.PrintDefaults()
			return err
		}
		return fmt.Errorf("%w: %w", errUsage, err)
	}

	s.collections = flags.Args()
	switch {
	case len(s.collections) > 0 && s.uri == "":
		return fmt.Errorf("%w: MILVUS_URI is not set: set it to the address of the server of %q, such as http://127.0.0.1:19530", errUsage, s.collections[0])
	case len(s.collections) == 0 && s.uri != "":
		return fmt.Errorf("%w: MILVUS_URI is set, but no collection is named: name the collections to wait for, or unset it for the fake server", errUsage)
	case s.serve < 0 || s.timeout <= 0:
		return fmt.Errorf("%w: -serve must not be negative, -timeout must be more than 0", errUsage)
	}
	return nil
}
