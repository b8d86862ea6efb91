package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/bench/internal/clock"
	"github.com/milvuswait/milvuswait/internal/usage"
	"github.com/milvuswait/milvuswait/rpc"
)

// result is the result of one round.
type result struct {
	Waited     time.Duration // duration of WaitAll
	FirstRound time.Duration // time until each target was polled once
	RPCs       int64
	Polls      int // sum of the polls of all outcomes
	Late       []time.Duration
	ClientCPU  time.Duration
	ServerCPU  time.Duration
	RSS        int64 // maximum of the client
	ServerRSS  int64
	Heap       int64 // live heap during the wait, without the heap before it
	Goroutines int
	Busy       float64 // loadAverage at the end
}

// percentiles lists the percentiles in Late, in ascending order.
var percentiles = []float64{0.5, 0.99, 1}

// wait runs the waiting process.
func wait(args []string) error {
	j, err := parse(args)
	if err != nil {
		return err
	}

	var rpcs atomic.Int64
	conn, err := grpc.NewClient("passthrough:///"+j.Address, append(rpc.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			rpcs.Add(1)
			return invoke(ctx, method, req, reply, conn, opts...)
		}),
	)...)
	if err != nil {
		return err
	}
	defer conn.Close()

	var p milvuswait.Poller = rpc.New(conn)
	if j.Shape == singleLoads {
		p = struct{ milvuswait.Poller }{p} // hides that it is a Lister
	}

	targets, number := make([]milvuswait.Target, j.Targets), make(map[milvuswait.Target]int, j.Targets)
	for i := range targets {
		targets[i] = j.target(i)
		number[targets[i]] = i
	}

	late, seen := make([]time.Duration, 0, j.Targets), make([]bool, j.Targets)
	unseen, first := j.Targets, time.Duration(0)
	observer := milvuswait.ObserverFunc(func(u milvuswait.Update) {
		now, i := clock.Now()-j.Start, number[u.Target]
		if !seen[i] {
			seen[i], first = true, now
			unseen--
		}
		if u.Final {
			late = append(late, now-j.done(i))
		}
	})
	if clock.Now() > j.Start {
		return errors.New("the server was ready only after the start of the progress")
	}

	time.Sleep(j.Start - clock.Now())

	heap := usage.LiveHeap()
	before, serverBefore, err := usages(j)
	if err != nil {
		return err
	}

	var r result
	looked := make(chan struct{})
	time.AfterFunc(j.First*4/5, func() {
		r.Goroutines = runtime.NumGoroutine() - 1 // without this one
		r.Heap = usage.LiveHeap() - heap
		close(looked)
	})
	begin := clock.Now()
	outcomes, err := milvuswait.WaitAll(context.Background(), p, targets, milvuswait.WithObserver(observer))
	r.Waited = clock.Now() - begin
	if err != nil {
		return err
	}

	<-looked
	after, serverAfter, err := usages(j)
	if err != nil {
		return err
	}

	for _, o := range outcomes {
		r.Polls += o.Polls
	}

	slices.Sort(late)
	if late[0] < 0 || unseen > 0 {
		return errors.New("a target ended before it was complete, or was never polled")
	}

	for _, p := range percentiles {
		r.Late = append(r.Late, late[int(p*float64(len(late)-1))])
	}

	r.FirstRound, r.RPCs = first, rpcs.Load()
	r.ClientCPU, r.ServerCPU = after.CPU-before.CPU, serverAfter.CPU-serverBefore.CPU
	r.RSS, r.ServerRSS = after.PeakRSS, serverAfter.PeakRSS
	return json.NewEncoder(os.Stdout).Encode(r)
}

// usages returns the usage of this process and of the server.
func usages(j job) (client, server usage.Usage, err error) {
	client, err = usage.Of(os.Getpid())
	if err != nil {
		return client, server, err
	}
	server, err = usage.Of(j.Server)
	return client, server, err
}
