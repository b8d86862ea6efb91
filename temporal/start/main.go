// Start starts a workflow that waits for collections and indexes, and prints its progress
// and result.
//
//	go run ./start [flags] docs images docs/vidx docs/vidx=100000
//
// A target is the load of a collection, as "docs", or an index, as "docs/vidx", optionally
// with the expected number of rows. When this program is stopped, the workflow goes on:
// start the program again with the same -id to follow it. The exit code is 0 if all targets
// are complete, 2 for a usage error, and otherwise 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	sdklog "go.temporal.io/sdk/log"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/temporal/temporalwait"
)

func main() {
	id := flag.String("id", "milvus-wait", "the `id` of the workflow")
	queue := flag.String("queue", "milvus", "the task `queue` of the workers")
	cluster := flag.String("cluster", "", "the `name` of the cluster in the workers' -cluster flags")
	var r temporalwait.Request
	flag.DurationVar(&r.Timeout, "timeout", 0, "maximum `time` to wait; 0 means no limit")
	flag.BoolVar(&r.ContinueOnError, "continue", false, "keep waiting for the other targets when one fails")
	flag.Parse()

	targets, err := parse(flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "start:", err)
		os.Exit(2)
	}
	r.Targets = temporalwait.On(*cluster, targets...)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = run(ctx, client.StartWorkflowOptions{
		ID: *id, TaskQueue: *queue, WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}, r)
	stop()
	if err != nil {
		log.Fatalln("start:", err)
	}
}

// parse returns the targets of the command line.
func parse(args []string) (targets []milvuswait.Target, err error) {
	if len(args) == 0 {
		return nil, errors.New("no targets: name a load as docs, and an index as docs/vidx or docs/vidx=100000")
	}

	for _, arg := range args {
		collection, index, isIndex := strings.Cut(arg, "/")
		if !isIndex {
			targets = append(targets, milvuswait.Loading(collection))
			continue
		}

		index, rows, expected := strings.Cut(index, "=")
		t := milvuswait.IndexBuilding(collection, index)
		if expected {
			n, err := strconv.ParseInt(rows, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%q: %q is not a number of rows", arg, rows)
			}
			t = t.ExpectRows(n)
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// run starts the workflow, or finds the running one, and waits for its end.
func run(ctx context.Context, how client.StartWorkflowOptions, r temporalwait.Request) error {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return err
	}
	options.Logger = sdklog.NewStructuredLogger(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return err
	}
	defer c.Close()

	workflow, err := c.ExecuteWorkflow(ctx, how, temporalwait.WaitWorkflow, r)
	if err != nil {
		return err
	}

	ended := make(chan error, 1)
	var result temporalwait.Result
	go func() { ended <- workflow.Get(ctx, &result) }()

	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var last string
	for {
		select {
		case err := <-ended:
			if ctx.Err() != nil {
				return fmt.Errorf("stopped; the workflow goes on: follow it with -id %s", how.ID)
			}
			if err == nil {
				fmt.Printf("%d of %d done\n", result.Done, result.Total)
				err = result.Err()
			}
			return temporalwait.Restore(err)
		case <-ticker.C:
			if now := progress(ctx, c, workflow.GetID()); now != "" && now != last {
				fmt.Println(now)
				last = now
			}
		}
	}
}

// progress returns the progress of the workflow, or "" if no worker answers the query.
func progress(ctx context.Context, c client.Client, id string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()

	value, err := c.QueryWorkflow(ctx, id, "", temporalwait.ProgressQuery)
	if err != nil {
		return ""
	}
	var s temporalwait.Summary
	if err := value.Get(&s); err != nil {
		return ""
	}
	return fmt.Sprintf("%d of %d done, %d failed, %d%%", s.Done, s.Total, s.Failed, int(100*s.Fraction+1e-9)) // 100 * 0.29 is below 29
}
