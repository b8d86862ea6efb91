package milvuswaittest

import (
	"fmt"
	"io"
	"strings"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/logged"
)

// Log returns an observer that writes a line to the log of the test for the updates chosen by
// [milvuswait.Log]: the first poll, every tenth of the progress, a flush to wait for, a line
// every 30 s, tolerated failures, and the end. The helpers log the same lines. Use it with a
// wait of milvuswait:
//
//	_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs",
//		milvuswait.WithObserver(milvuswaittest.Log(t)))
//	require.ErrorIs(t, err, milvuswait.ErrReleased)
//
// If tb has a method Output, the lines go there, without a file and line: the test itself
// executes no line while it waits. Otherwise they go to tb.Log.
func Log(tb TB) milvuswait.Observer {
	if w, ok := tb.(within); ok {
		return Log(w.TB)
	}

	output := io.Writer(logWriter{tb})
	if o, ok := tb.(interface{ Output() io.Writer }); ok {
		output = o.Output()
	}

	return logged.Updates(func(u milvuswait.Update) {
		_, _ = fmt.Fprintln(output, describe(u)) // nothing can handle an error of the log
	})
}

// logWriter writes each line by Log.
type logWriter struct{ tb TB }

func (w logWriter) Write(p []byte) (int, error) {
	w.tb.Helper()
	w.tb.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// describe returns the log line of an update.
func describe(u milvuswait.Update) string {
	line := describeProgress(u)
	if u.WaitingFor != "" {
		line += ", waiting for " + string(u.WaitingFor)
	}
	if u.Unconfirmed {
		line += ", unconfirmed"
	}
	return line
}

// describeProgress returns the line without the marks at its end. An error in an update has
// a text of one line.
func describeProgress(u milvuswait.Update) string {
	switch {
	case u.Final && u.Err == nil:
		return fmt.Sprintf("%v: complete after %v: %v", u.Target, rounded(u.Elapsed), u.Progress)
	case u.Final:
		return fmt.Sprintf("%v: failed after %v: %v", u.Target, rounded(u.Elapsed), u.Err)
	case u.Err != nil:
		return fmt.Sprintf("%v: poll %d failed after %v: %v", u.Target, u.Polls, rounded(u.Elapsed), u.Err)
	case u.ETA > 0:
		return fmt.Sprintf("%v: %v after %v, about %v left", u.Target, u.Progress, rounded(u.Elapsed), rounded(u.ETA))
	}
	return fmt.Sprintf("%v: %v after %v", u.Target, u.Progress, rounded(u.Elapsed))
}
