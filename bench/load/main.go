// Load measures how many targets one WaitAll holds on one server, and writes a
// table. Run it in the folder bench:
//
//	go run ./load
//
// The server is package fakeserver's and a process of its own, as is the waiting
// program in each round, both on the loopback interface of the same machine. It
// needs Linux and takes about 20 minutes; -targets and -rounds make it shorter.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/milvuswait/milvuswait/bench/internal/child"
	"github.com/milvuswait/milvuswait/bench/internal/clock"
)

// The first arguments of processes that are not the one that was started.
const (
	serveCommand = "serve"
	waitCommand  = "wait"
)

func main() {
	switch {
	case len(os.Args) > 1 && os.Args[1] == serveCommand:
		exit(serve(os.Args[2:]))
	case len(os.Args) > 1 && os.Args[1] == waitCommand:
		exit(wait(os.Args[2:]))
	}
	folder := flag.String("o", "results", "the `folder` for load.md, or - to print it")
	sizes := flag.String("targets", "1000,10000,100000", "how `many` targets, several numbers")
	only := flag.String("only", "", "measure only what has this `word` in its name, such as listed")
	rounds := flag.Int("rounds", 3, "how `often` each is measured")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, *folder, *sizes, *only, *rounds))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run measures everything, and writes what there is after each row.
func run(ctx context.Context, folder, sizes, only string, rounds int) error {
	if rounds < 1 {
		return errors.New("load: there must be rounds")
	}
	start := time.Now()
	var rows []row
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil || n < 2 {
			return fmt.Errorf("load: %q is no number of targets", size)
		}
		for _, shape := range shapes {
			if !strings.Contains(shape, only) {
				continue
			}
			r := row{targets: n, shape: shape}
			for i := range rounds {
				fmt.Fprintf(os.Stderr, "%4.0f s  %d %s, round %d\n", time.Since(start).Seconds(), n, shape, i+1)
				one, err := measure(ctx, job{Shape: shape, Targets: n, First: 5 * time.Second, Last: 25 * time.Second})
				if err != nil {
					return fmt.Errorf("%d %s: %w", n, shape, err)
				}
				r.rounds = append(r.rounds, one)
			}
			rows = append(rows, r)
			text := table(rows)
			if folder == "-" {
				continue
			}
			if err := os.WriteFile(filepath.Join(folder, "load.md"), []byte(text), 0o644); err != nil {
				return err
			}
		}
	}
	if folder == "-" {
		fmt.Print(table(rows))
	}
	return nil
}

// measure is one round: a server, and a process that waits.
func measure(ctx context.Context, j job) (result, error) {
	// The server takes its time to learn of so many; progress begins after that.
	j.Start = clock.Now() + 4*time.Second + time.Duration(j.Targets)*60*time.Microsecond
	server, err := child.Start(serveCommand, j.text())
	if err != nil {
		return result{}, err
	}
	r, err := measureOn(ctx, server, j)
	return r, errors.Join(err, server.Kill())
}

func measureOn(ctx context.Context, server *child.Process, j job) (r result, err error) {
	j.Address, j.Server = server.Address, server.PID()
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	waiting := exec.CommandContext(ctx, self, waitCommand, j.text())
	waiting.Stderr = os.Stderr
	out, err := waiting.Output()
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return r, err
	}
	r.Busy, err = loadAverage()
	return r, err
}

// loadAverage returns how many processes wanted to compute in the last minute.
func loadAverage() (float64, error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), " ")
	return strconv.ParseFloat(first, 64)
}
