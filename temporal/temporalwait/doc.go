// Package temporalwait runs the waits of package milvuswait as Temporal activities and as a
// Temporal workflow, for waits that outlive a process or span many clusters.
//
//	w := worker.New(c, "milvus", worker.Options{MaxHeartbeatThrottleInterval: 5 * time.Second, WorkerStopTimeout: 5 * time.Second})
//	w.RegisterWorkflow(temporalwait.WaitWorkflow)
//	w.RegisterActivity(&temporalwait.Activities{Client: c, Poller: rpc.New(conn)})
//
// [WaitWorkflow] waits for the targets of a [Request], thousands if needed. It splits them
// into chunks and distributes these over the workers:
//
//	run, err := c.ExecuteWorkflow(ctx, options, temporalwait.WaitWorkflow, temporalwait.Request{
//		Targets: temporalwait.On("eu", milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "vidx").ExpectRows(100_000)),
//	})
//	var result temporalwait.Result
//	err = temporalwait.Restore(run.Get(ctx, &result))
//	if errors.Is(err, milvuswait.ErrNotLoaded) …
//
// A custom workflow can run the activities directly:
//
//	var a *temporalwait.Activities
//	var progress temporalwait.Progress
//	err := workflow.ExecuteActivity(ctx, a.WaitForIndexBuilding, temporalwait.Wait{
//		Target: temporalwait.On("", milvuswait.IndexBuilding("docs", "vidx").ExpectRows(100_000))[0],
//	}).Get(ctx, &progress)
//
// # Lost workers
//
// The activities record their progress in heartbeats, even while a poll hangs. When a
// worker is killed, stops, or loses its connection to Temporal, another attempt resumes
// from the last heartbeat. It skips targets that have ended, and continues with the delays
// between polls that the lost attempt had reached. Everything measured from observed
// progress restarts: stall and settle times and the ETA. The log and
// [Heartbeat].ClocksSince show the restart. If a load is released between two attempts, the
// next one returns ErrNotLoaded, not ErrReleased. An index waits for the segments that are
// unflushed in the new attempt. Milvus 3.0 forgets a failed plan of a compaction after about
// 10 s: if it fails and is forgotten between two attempts, the wait cannot see it.
//
// # Lateness
//
// The lateness of milvuswait applies, for a wait as old as the first attempt. Where the
// waits of a worker share the lists of a cluster's loads, add half of it. A lost wait
// resumes after the heartbeat timeout and the interval of the retry policy.
//
// # Metrics
//
// The activities report to the SDK's metrics handler. The counters milvuswait_polls and
// milvuswait_poll_failures have the tag op. The counter milvuswait_waits and the timer
// milvuswait_wait_duration have the tags op and result; result is "done" or a word from
// milvuswait.Reason.
package temporalwait
