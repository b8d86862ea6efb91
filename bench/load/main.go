// Load measures one WaitAll for up to 100 000 targets on one server, and writes a table. Run
// it in the folder bench:
//
//	go run ./load
//
// In each round, a fakeserver and a waiting program run in separate processes, connected over
// the loopback interface. Load needs Linux and takes about 20 minutes; -targets and -rounds
// make it shorter.
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

// The first arguments of child processes.
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
	sizes := flag.String("targets", "1000,10000,100000", "`numbers` of targets, separated by commas")
	only := flag.String("only", "", "measure only shapes with this `word` in their name, such as listed")
	rounds := flag.Int("rounds", 3, "`number` of rounds for each row")
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

// run measures all rows, and writes the table after each of them.
func run(ctx context.Context, folder, sizes, only string, rounds int) error {
	if rounds < 1 {
		return errors.New("load: -rounds must be positive")
	}

	start := time.Now()
	var rows []row
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil || n < 2 {
			return fmt.Errorf("load: -targets: %q must be a number of at least 2", size)
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

// measure runs one round, with a server and a waiting process.
func measure(ctx context.Context, j job) (result, error) {
	// The server needs this time to set the scripts of all targets. Progress begins after it.
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

// loadAverage returns the load average of the last minute.
func loadAverage() (float64, error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), " ")
	return strconv.ParseFloat(first, 64)
}
