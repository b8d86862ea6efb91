// Soak runs waits against an unreliable server for a while, and checks their results
// against the truth. Run it in the folder bench, or from another folder:
//
//	go run -C bench ./soak -for 60s
//
// The server is package fakeserver's, in a process of its own on the loopback interface. It
// answers like Milvus 2.3 or, for one seed in three, like Milvus 2.2. A seed determines the
// progress of every load and every index at every instant: it rises, stands still and
// falls; loads and builds fail; loads are released; collections are dropped and created
// again. Both sides of the connection can compute the true state of any instant, so a
// killed server continues after its restart as if nothing had happened.
//
// The seed also determines the faults. The server is killed by SIGKILL and restarted at the
// same port, or stopped by SIGSTOP for seconds. Calls fail, hang, are slow, or lose their
// connection.
//
// Meanwhile, rounds of WaitAll wait for all targets, and single waits for one target each;
// some are cancelled. Every outcome is compared with the true state during the poll that
// decided it. A wait must not end too early, with a false reason, after its deadline, or
// long after the true end. After the run, the numbers of goroutines and descriptors and the
// memory must be as before.
//
// A run with errors prints them and the command for another run with the same seed, and
// exits with code 1. The seed reproduces the scenario, but not the interleaving on this
// machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == serveCommand {
		exit(serve(os.Args[2:]))
	}
	seed := flag.Uint64("seed", rand.Uint64N(1_000_000), "`seed` of the events")
	targets := flag.Int("targets", 1000, "`number` of loads and indexes")
	length := flag.Duration("for", time.Minute, "`duration` of the run")

	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(soakFor(ctx, os.Stdout, *seed, *targets, *length))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// soakFor performs a whole run, prints its errors to out, and returns an error if there
// were any.
func soakFor(ctx context.Context, out io.Writer, seed uint64, targets int, length time.Duration) error {
	if targets < 1 || length <= 0 {
		return errors.New("soak: there must be targets, and time")
	}

	wrong, err := newRun(out, seed, targets, length).do(ctx)
	if err == nil && len(wrong) == 0 {
		fmt.Fprintln(out, "everything that was claimOf was true, and nothing is left behind")
		return nil
	}

	const most = 20
	for _, w := range wrong[:min(most, len(wrong))] {
		fmt.Fprintln(out, "WRONG:", w)
	}
	if len(wrong) > 0 {
		err = errors.Join(fmt.Errorf("soak: %d things are wrong", len(wrong)), err)
	}
	return fmt.Errorf("%w; to run it again:\n\n\tgo run -C bench ./soak -for %v -seed %d -targets %d", err, length, seed, targets)
}
