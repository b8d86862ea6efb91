package otelwait

import (
	"context"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/examples/observability/live"
)

// Observer observes one call of a waiting function. Create it by
// [Instrumentation.Observer].
type Observer struct {
	of   *Instrumentation
	ctx  context.Context // context of the call, with the parent span
	call *live.Call

	mu    sync.Mutex
	spans map[milvuswait.Target]*span
}

// span is the span of one target, with the state at its last event.
type span struct {
	trace.Span
	ctx     context.Context
	start   time.Time
	seen    bool // there was progress
	tenth   int
	share   float64
	state   milvuswait.IndexState
	failing bool
	waiting milvuswait.WaitingFor
}

// Observe implements milvuswait.Observer.
func (o *Observer) Observe(u milvuswait.Update) {
	o.mu.Lock()
	defer o.mu.Unlock()

	step := o.call.Take(u)
	s := o.spans[u.Target]
	if s == nil {
		s = o.begin(u, step.Start)
	}

	o.count(s, u, step)
	s.tell(u)
	if u.Final {
		o.end(s, u)
	}
}

// begin starts the span of a target at the start of its wait.
func (o *Observer) begin(u milvuswait.Update, start time.Time) *span {
	t := u.Target
	attrs := o.of.with(ofTarget(t.Kind(), t.Collection(), t.Index())...)
	if names := t.Partitions(); names != nil {
		attrs = append(attrs, attribute.StringSlice(keyPartitions, names))
	}
	if n := t.ExpectedRows(); n > 0 {
		attrs = append(attrs, attribute.Int64(keyExpected, n))
	}

	if t.Job() != 0 {
		attrs = append(attrs, attribute.Int64(keyJob, t.Job()))
	}

	// Jobs and servers have no collection: a number in the name would make every span unique.
	name := strings.TrimSpace(operation(t.Kind()) + " " + t.Collection())
	ctx, made := o.of.tracer.Start(o.ctx, name,
		trace.WithTimestamp(start), trace.WithAttributes(attrs...))
	s := &span{Span: made, ctx: ctx, start: start}
	o.spans[t] = s
	return s
}

// count adds the polls of an update to the metrics and, after a final update, the duration
// of the wait.
func (o *Observer) count(s *span, u milvuswait.Update, step live.Step) {
	op := attribute.String(keyOperation, operation(u.Target.Kind()))
	if step.Polls > 0 {
		o.of.polls.Add(s.ctx, int64(step.Polls), metric.WithAttributes(o.of.with(op, attribute.String(keyPollResult, string(step.Poll)))...))
	}
	if u.Final {
		attrs := o.of.with(op)
		if u.Err != nil {
			attrs = append(attrs, attribute.String(keyError, live.Result(u.Err)))
		}
		o.of.duration.Record(s.ctx, u.Elapsed.Seconds(), metric.WithAttributes(attrs...))
	}
}

// tell adds events for the changes in u.
func (s *span) tell(u milvuswait.Update) {
	event := func(name string, attrs ...attribute.KeyValue) {
		s.AddEvent(name, trace.WithTimestamp(s.start.Add(u.Elapsed)), trace.WithAttributes(attrs...))
	}

	failing := u.Err != nil && !u.Final
	switch {
	case failing && !s.failing:
		event("poll failed", attribute.String("exception.message", u.Err.Error()), attribute.Int(keyPolls, u.Polls))
	case s.failing && !failing && u.Err == nil:
		event("poll succeeded", attribute.Int(keyPolls, u.Polls))
	}
	s.failing = failing

	if u.Progress == nil || failing {
		return
	}
	attrs := []attribute.KeyValue{attribute.Float64(keyFraction, u.Fraction), attribute.String(keyAnswer, u.Progress.String())}
	var state milvuswait.IndexState
	if p, ok := u.Progress.(milvuswait.IndexBuildingProgress); ok {
		state = p.State
		if u.Target.Index() == milvuswait.AllIndexes { // the progress is that of the index furthest behind
			attrs = append(attrs, attribute.String(keyBehind, p.IndexName))
		}
	}

	if u.WaitingFor != "" {
		attrs = append(attrs, attribute.String(keyWaitingFor, string(u.WaitingFor)))
	}

	tenth := int(u.Fraction * 10)
	if !s.seen || tenth != s.tenth || state != s.state || u.Fraction < s.share || u.WaitingFor != s.waiting {
		event("progress", attrs...)
	}
	s.seen, s.tenth, s.share, s.state, s.waiting = true, tenth, u.Fraction, state, u.WaitingFor
}

// end sets the final attributes and ends the span.
func (o *Observer) end(s *span, u milvuswait.Update) {
	s.SetAttributes(attribute.Int(keyPolls, u.Polls), attribute.Float64(keyFraction, u.Fraction))
	if u.Unconfirmed {
		s.SetAttributes(attribute.Bool(keyUnconfirmed, true))
	}
	if u.Err != nil {
		s.SetAttributes(attribute.String(keyError, live.Result(u.Err)))
		s.SetStatus(codes.Error, u.Err.Error())
	}
	s.End(trace.WithTimestamp(s.start.Add(u.Elapsed)))
	delete(o.spans, u.Target)
}

// End ends the spans of waits that have ended by a recovered panic. Without it, these spans
// would never end. Defer it before the call. After a regular return it does nothing.
func (o *Observer) End() {
	for _, u := range o.call.Unfinished() {
		o.Observe(u)
	}
}
