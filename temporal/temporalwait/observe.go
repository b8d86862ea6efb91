package temporalwait

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/milvuswait/milvuswait"
)

// reportSignal is the signal by which an activity reports a tenth of its chunk to the
// workflow.
const reportSignal = "milvuswait-report"

// report is the progress of a chunk.
type report struct {
	Chunk    int     `json:"chunk"`
	Done     int     `json:"done"`
	Failed   int     `json:"failed"`
	Fraction float64 `json:"fraction"`
}

// tenths returns the number of completed tenths. The tolerance is for means of many targets:
// the sum of eight times 0.1 is below 0.8.
func tenths(fraction float64) int { return int(10*fraction + 1e-9) }

// beater returns a function that records a heartbeat at Temporal. If the activity has a
// chunk number, the function also signals the workflow at most nine times, because each
// signal adds to the workflow's history.
func (a *Activities) beater(ctx context.Context, chunk int, before *Heartbeat) func(Heartbeat) {
	last := 0
	if before != nil {
		last = tenths(before.Fraction)
	}

	info := activity.GetInfo(ctx)
	atMost := 5 * time.Second // heartbeats wait for the signal
	if info.HeartbeatTimeout > 0 {
		atMost = min(atMost, info.HeartbeatTimeout/4)
	}

	return func(h Heartbeat) {
		activity.RecordHeartbeat(ctx, h)
		now := tenths(h.Fraction)
		if chunk == 0 || a.Client == nil || now <= last || now == 10 { // at 10, the activity's result is the report
			return
		}

		// A failed signal is not repeated: the next tenth replaces it.
		last = now
		ctx, cancel := context.WithTimeout(ctx, atMost)
		defer cancel()
		err := a.Client.SignalWorkflow(ctx, info.WorkflowExecution.ID, info.WorkflowExecution.RunID,
			reportSignal, report{Chunk: chunk, Done: h.Done, Failed: h.Failed, Fraction: h.Fraction})
		if err != nil && ctx.Err() == nil {
			activity.GetLogger(ctx).Warn("milvuswait: the signal with the progress failed", "err", err)
		}
	}
}

// newObserver returns an observer that writes to the activity's logger and counts by its
// metrics. With more than ten targets it logs warnings and errors only.
func newObserver(ctx context.Context, targets int) milvuswait.Observer {
	const few = 10
	least := slog.LevelInfo
	if targets > few {
		least = slog.LevelWarn
	}
	return milvuswait.Observers(
		milvuswait.Log(slog.New(&handler{activity.GetLogger(ctx), least})),
		&counter{metrics: activity.GetMetricsHandler(ctx), polls: make(map[milvuswait.Target]int)},
	)
}

// counter counts polls and waits in the metrics of the SDK.
type counter struct {
	metrics client.MetricsHandler
	polls   map[milvuswait.Target]int // polls counted so far of each unfinished target
}

// Observe counts an update of a wait.
func (c *counter) Observe(u milvuswait.Update) {
	h := c.metrics.WithTags(map[string]string{"op": string(u.Target.Kind())})
	h.Counter("milvuswait_polls").Inc(int64(u.Polls - c.polls[u.Target]))
	c.polls[u.Target] = u.Polls

	if !u.Final {
		if u.Err != nil {
			h.Counter("milvuswait_poll_failures").Inc(1)
		}
		return
	}

	delete(c.polls, u.Target)
	if by := (*interruption)(nil); errors.As(u.Err, &by) {
		return // another attempt continues the wait
	}

	h = h.WithTags(map[string]string{"result": cmp.Or(milvuswait.Reason(u.Err), "done")})
	h.Counter("milvuswait_waits").Inc(1)
	h.Timer("milvuswait_wait_duration").Record(u.Elapsed)
}

// handler passes the log records of package milvuswait to a logger of Temporal.
type handler struct {
	logger log.Logger
	least  slog.Level // minimum level
}

func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.least }

// Handle maps the level to the nearest method of the logger.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	pairs := make([]any, 0, 2*r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		pairs = append(pairs, a.Key, a.Value.Any())
		return true
	})

	switch {
	case r.Level >= slog.LevelError:
		h.logger.Error(r.Message, pairs...)
	case r.Level >= slog.LevelWarn:
		h.logger.Warn(r.Message, pairs...)
	default:
		h.logger.Info(r.Message, pairs...)
	}
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	pairs := make([]any, 0, 2*len(attrs))
	for _, a := range attrs {
		pairs = append(pairs, a.Key, a.Value.Any())
	}
	return &handler{log.With(h.logger, pairs...), h.least}
}

// WithGroup returns h itself, because package milvuswait uses no groups.
func (h *handler) WithGroup(string) slog.Handler { return h }
