package milvuswaittest

import (
	"fmt"
	"io"
	"strings"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// Log returns an observer that writes a line to the log of the test whenever
// something changes: another progress, polls that begin to fail or to succeed
// again, the end. It is what the helpers log, for waits that a test makes by
// itself:
//
//	_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs",
//		milvuswait.WithObserver(milvuswaittest.Log(t)))
//	require.ErrorIs(t, err, milvuswait.ErrReleased)
//
// The lines go to the Output of tb if it has that, since no line of the test is
// being executed that they could be said to come from, and otherwise to its Log.
func Log(tb TB) milvuswait.Observer {
	if w, ok := tb.(within); ok {
		return Log(w.TB)
	}
	output := io.Writer(logWriter{tb})
	if o, ok := tb.(interface{ Output() io.Writer }); ok {
		output = o.Output()
	}
	return milvuswait.OnChange(milvuswait.ObserverFunc(func(u milvuswait.Update) {
		_, _ = fmt.Fprintln(output, describe(u)) // there is nobody to tell
	}))
}

// logWriter writes lines by Log.
type logWriter struct{ tb TB }

func (w logWriter) Write(p []byte) (int, error) {
	w.tb.Helper()
	w.tb.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// describe returns the line for an update.
func describe(u milvuswait.Update) string {
	switch {
	case u.Final && u.Err == nil:
		return fmt.Sprintf("%v: complete after %v: %v", u.Target, rounded(u.Elapsed), u.Progress)
	case u.Final:
		return fmt.Sprintf("%v: failed after %v: %s", u.Target, rounded(u.Elapsed), oneLine(u.Err))
	case u.Err != nil:
		return fmt.Sprintf("%v: poll %d failed after %v: %s", u.Target, u.Polls, rounded(u.Elapsed), oneLine(u.Err))
	case u.ETA > 0:
		return fmt.Sprintf("%v: %v after %v, about %v left", u.Target, u.Progress, rounded(u.Elapsed), rounded(u.ETA))
	}
	return fmt.Sprintf("%v: %v after %v", u.Target, u.Progress, rounded(u.Elapsed))
}

// oneLine returns the text of an error on one line. What a server said in it is cut
// already, and what stands behind that, such as its code, is not to be lost.
func oneLine(err error) string { return untrusted.Cut(err.Error(), 4*untrusted.MaxText) }
