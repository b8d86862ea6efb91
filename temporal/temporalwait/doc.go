// Package temporalwait has the waits of package milvuswait as activities and as a
// workflow of Temporal, for waits that outlive a process or go over many clusters.
//
//	w := worker.New(c, "milvus", worker.Options{MaxHeartbeatThrottleInterval: 5 * time.Second, WorkerStopTimeout: 5 * time.Second})
//	w.RegisterWorkflow(temporalwait.WaitWorkflow)
//	w.RegisterActivity(&temporalwait.Activities{Client: c, Poller: rpc.New(conn)})
//
// [WaitWorkflow] waits for the targets of a [Request], thousands if need be, in
// chunks over the workers:
//
//	run, err := c.ExecuteWorkflow(ctx, options, temporalwait.WaitWorkflow, temporalwait.Request{
//		Targets: temporalwait.On("eu", milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "vidx").ExpectRows(100_000)),
//	})
//	var result temporalwait.Result
//	err = temporalwait.Restore(run.Get(ctx, &result))
//	if errors.Is(err, milvuswait.ErrNotLoaded) …
//
// A workflow of your own has the activities run itself:
//
//	var a *temporalwait.Activities
//	var progress temporalwait.Progress
//	err := workflow.ExecuteActivity(ctx, a.WaitForIndexBuilding, temporalwait.Wait{
//		Target: temporalwait.On("", milvuswait.IndexBuilding("docs", "vidx").ExpectRows(100_000))[0],
//	}).Get(ctx, &progress)
//
// # When a worker is lost
//
// The activities heartbeat how far they are, also while a poll hangs. When a worker
// is killed, stops, or loses Temporal, another attempt goes on where the last
// heartbeat was: targets that had ended are not waited for again, and the delays
// between polls go on with the length that they had come to. What is counted from
// the progress that was seen begins anew, as [Heartbeat] and the log say: stall and
// settle times and the ETA. A load that was released while nobody looked is
// ErrNotLoaded, not ErrReleased.
//
// # How late
//
// As package milvuswait says of a wait as old as the first attempt, and half of that
// again where the waits of a worker share the lists of a cluster's loads. A wait that
// was lost is taken up when the heartbeat time-out and the retry policy's interval
// have passed.
//
// # Metrics
//
// By the SDK's handler: the counters milvuswait_polls and milvuswait_poll_failures, with
// op; milvuswait_waits and the timer milvuswait_wait_duration, with op and result, which
// is "done" or a word of milvuswait.Reason.
package temporalwait
