package milvuswait

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// Log returns an observer that writes to logger, or to slog.Default() if that is
// nil, as much of a wait as is worth reading: its first poll, every tenth of the
// way, a line at least every 30 s (Info), polls that failed and were tolerated,
// again after 30 s if they go on failing (Warn), and the end (Info, or Error).
//
// The attributes are op ("loading" or "index_building"), collection, index,
// partitions, progress, polls, elapsed, eta and err, those that there are.
func Log(logger *slog.Logger) Observer {
	if logger == nil {
		logger = slog.Default()
	}
	var last perTarget[logged]
	return ObserverFunc(func(u Update) {
		before, known := last.get(u.Target)
		level, message := before.judge(u, known)
		if message != "" {
			logger.LogAttrs(context.Background(), level, message, u.attrs()...)
			last.put(u, logged{tenths: tenths(u), at: u.Elapsed, failing: u.Err != nil})
		}
	})
}

// logged is what the last line about a target said.
type logged struct {
	tenths  int
	at      time.Duration
	failing bool
}

const logEvery = 30 * time.Second

// judge returns the message that u is worth, "" if none.
func (l logged) judge(u Update, known bool) (slog.Level, string) {
	switch {
	case u.Final && u.Err != nil:
		return slog.LevelError, "milvuswait: failed"
	case u.Final:
		return slog.LevelInfo, "milvuswait: complete"
	case u.Err != nil:
		if known && l.failing && u.Elapsed-l.at < logEvery {
			return 0, ""
		}
		return slog.LevelWarn, "milvuswait: poll failed"
	case !known:
		return slog.LevelInfo, "milvuswait: waiting"
	case l.failing || tenths(u) != l.tenths || u.Elapsed-l.at >= logEvery:
		return slog.LevelInfo, "milvuswait: progress"
	}
	return 0, ""
}

func tenths(u Update) int { return int(u.Fraction * 10) }

func (u Update) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("op", string(u.Target.kind)), slog.String("collection", u.Target.collection)}
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	add("index", u.Target.index)
	add("partitions", strings.Join(u.Target.Partitions(), ","))
	if u.Progress != nil {
		add("progress", u.Progress.String())
	}
	attrs = append(attrs, slog.Int("polls", u.Polls), slog.Duration("elapsed", u.Elapsed))
	if u.ETA > 0 {
		attrs = append(attrs, slog.Duration("eta", round(u.ETA)))
	}
	if u.Err != nil {
		add("err", u.Err.Error())
	}
	return attrs
}
