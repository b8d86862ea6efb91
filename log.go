package milvuswait

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"
)

// Log returns an observer that logs a wait to logger, or to slog.Default() if logger is
// nil:
//
//   - Info: the first poll, every tenth of the progress, a flush to wait for, and a line
//     every 30 s.
//   - Warn: a tolerated failure of a poll, at most every 30 s.
//   - The end: Info if the target is complete; Warn if it is complete but unconfirmed, the
//     context was canceled or the wait aborted; Error for every other failure and a deadline.
//
// The attributes are op (the [Kind], such as "loading"), collection, index, partitions, job,
// progress, part (the index of the progress, if the target names none), waiting_for, polls,
// elapsed, eta, err and, after a failure, reason, which is [Reason] of the error.
// Attributes without a value are left out. unconfirmed is true in the last line of a wait
// whose server cannot report rows that are being flushed.
func Log(logger *slog.Logger) Observer {
	if logger == nil {
		logger = slog.Default()
	}

	var last perTarget[logged]
	return ObserverFunc(func(u Update) {
		before, known := last.get(u)
		level, message := before.judge(u, known)
		if message == "" {
			return
		}

		logger.LogAttrs(context.Background(), level, message, u.attrs()...)
		now := logged{at: u.Elapsed, tenths: tenths(u), waitingFor: u.WaitingFor, warned: before.warned, warnedAt: before.warnedAt}
		if level == slog.LevelWarn {
			now.warned, now.warnedAt = true, u.Elapsed
		}
		last.put(u, now)
	})
}

// logged holds the values in the last lines about a target.
type logged struct {
	at         time.Duration
	tenths     int
	waitingFor WaitingFor
	warned     bool // a failed poll was logged, at warnedAt
	warnedAt   time.Duration
}

const logEvery = 30 * time.Second

// judge returns the level and the message for u, or "" if it is not logged.
func (l logged) judge(u Update, known bool) (slog.Level, string) {
	switch {
	case u.Final && (errors.Is(u.Err, context.Canceled) || errors.Is(u.Err, ErrAborted)):
		return slog.LevelWarn, "milvuswait: given up"
	case u.Final && u.Err != nil:
		return slog.LevelError, "milvuswait: failed"
	case u.Final && u.Unconfirmed:
		return slog.LevelWarn, "milvuswait: complete, but the server does not report rows that are being flushed"
	case u.Final:
		return slog.LevelInfo, "milvuswait: complete"
	case u.Err != nil && (!l.warned || u.Elapsed-l.warnedAt >= logEvery):
		return slog.LevelWarn, "milvuswait: poll failed"
	case u.Err != nil:
		return 0, ""
	case !known:
		return slog.LevelInfo, "milvuswait: waiting"
	case tenths(u) != l.tenths || u.WaitingFor != l.waitingFor || u.Elapsed-l.at >= logEvery:
		return slog.LevelInfo, "milvuswait: progress"
	}
	return 0, ""
}

func tenths(u Update) int { return int(u.Fraction * 10) }

func (u Update) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("op", string(u.Target.kind))}
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}

	add("collection", u.Target.collection)
	add("index", u.Target.index)
	add("partitions", strings.Join(u.Target.Partitions(), ","))
	if u.Target.job != 0 {
		attrs = append(attrs, slog.Int64("job", u.Target.job))
	}
	if u.Progress != nil {
		add("progress", u.Progress.String())
		_, part := partOf(u.Target, u.Progress)
		add("part", part)
	}
	add("waiting_for", string(u.WaitingFor))
	attrs = append(attrs, slog.Int("polls", u.Polls), slog.Duration("elapsed", u.Elapsed))

	if u.ETA > 0 {
		attrs = append(attrs, slog.Duration("eta", round(u.ETA)))
	}
	if u.Err != nil {
		add("err", u.Err.Error())
	}
	if u.Final {
		add("reason", Reason(u.Err))
	}
	if u.Final && u.Unconfirmed {
		attrs = append(attrs, slog.Bool("unconfirmed", true))
	}
	return attrs
}
