// Soak lets waits go on for a while beside a server that everything happens to,
// and checks that what they say is true. Run it in the folder bench, or from
// outside it:
//
//	go run -C bench ./soak -for 60s
//
// The server is package fakeserver's, as a process of its own on the loopback
// interface, and answers like Milvus 2.3 or, for one seed in three, like 2.2. A
// seed decides, for every instant, how far each load and each index of it is:
// they rise, stand still and fall, fail, are released, dropped and made again. A
// server that was killed therefore comes back as if it had gone on, and what is
// true at an instant can be computed on both sides of the wire.
//
// The seed also decides what goes wrong: the server is killed by SIGKILL and
// started again at the same port, stopped by SIGSTOP for seconds, and lets calls
// fail, hang, take their time and lose their connection.
//
// Meanwhile WaitAll waits for all targets in round after round, and single waits
// for one of them each; some are cancelled. Each outcome is compared with what
// was true during the very poll that decided it. A wait must not end early, by an
// end that did not come to be, behind its deadline, or long after the end; and
// when all is over, goroutines, descriptors and memory must be what they were.
//
// A run that finds something wrong says what and how to run it again, and ends
// with 1. The seed reproduces the scenario; the interleaving is the machine's.
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
	seed := flag.Uint64("seed", rand.Uint64N(1_000_000), "the `number` that decides what happens")
	targets := flag.Int("targets", 1000, "how `many` loads and indexes are waited for")
	length := flag.Duration("for", time.Minute, "how `long` to go on")
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

// soakFor is a whole run.
func soakFor(ctx context.Context, out io.Writer, seed uint64, targets int, length time.Duration) error {
	if targets < 1 || length <= 0 {
		return errors.New("soak: there must be targets, and time")
	}
	wrong, err := newRun(out, seed, targets, length).do(ctx)
	if err == nil && len(wrong) == 0 {
		fmt.Fprintln(out, "everything that was said was true, and nothing is left behind")
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
