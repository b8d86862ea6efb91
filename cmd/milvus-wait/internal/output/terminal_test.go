//go:build !windows

package output_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
)

// openTerminal returns both ends of a terminal.
func openTerminal(t *testing.T, columns, lines uint16) (master, terminal *os.File) {
	t.Helper()
	master, terminal, err := pty.Open()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = master.Close(), terminal.Close() })
	require.NoError(t, pty.Setsize(terminal, &pty.Winsize{Cols: columns, Rows: lines}))
	return master, terminal
}

func TestDetect(t *testing.T) {
	const stdout, stderr, both = 1, 2, 3
	tests := []struct {
		name      string
		terminals int
		env       map[string]string
		format    output.Format
		noColor   bool
		columns   uint16
		want      output.Terminal
	}{
		{name: "a terminal", terminals: both, columns: 80, want: output.Terminal{Stdout: true, Bars: true, Color: true}},
		{name: "pipes", columns: 80},
		{name: "stdout in a pipe", terminals: stderr, columns: 80, want: output.Terminal{Bars: true, Color: true}},
		{name: "stderr in a pipe", terminals: stdout, columns: 80, want: output.Terminal{Stdout: true}},
		{name: "--no-color", terminals: both, columns: 80, noColor: true, want: output.Terminal{Stdout: true, Bars: true}},
		{name: "NO_COLOR", terminals: both, columns: 80, env: map[string]string{"NO_COLOR": "0"}, want: output.Terminal{Stdout: true, Bars: true}},
		{name: "empty NO_COLOR", terminals: both, columns: 80, env: map[string]string{"NO_COLOR": ""}, want: output.Terminal{Stdout: true, Bars: true, Color: true}},
		{name: "CI", terminals: both, columns: 80, env: map[string]string{"CI": "true"}, want: output.Terminal{Stdout: true}},
		{name: "no CI", terminals: both, columns: 80, env: map[string]string{"CI": "false"}, want: output.Terminal{Stdout: true, Bars: true, Color: true}},
		{name: "dumb", terminals: both, columns: 80, env: map[string]string{"TERM": "dumb"}, want: output.Terminal{Stdout: true}},
		{name: "COLUMNS", terminals: both, columns: 80, env: map[string]string{"COLUMNS": "40"}, want: output.Terminal{Stdout: true, Bars: true, Color: true, Width: 40}},
		{name: "COLUMNS that are none", terminals: both, columns: 80, env: map[string]string{"COLUMNS": "-1"}, want: output.Terminal{Stdout: true, Bars: true, Color: true}},
		{name: "events on the same terminal", terminals: both, columns: 80, format: output.JSONL, want: output.Terminal{Stdout: true}},
		{name: "events in a pipe", terminals: stderr, columns: 80, format: output.JSONL, want: output.Terminal{Bars: true, Color: true}},
		{name: "a document", terminals: both, columns: 80, format: output.JSON, want: output.Terminal{Stdout: true, Bars: true, Color: true}},
		{name: "a terminal that does not know its size", terminals: both, want: output.Terminal{Stdout: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, terminal := openTerminal(t, tt.columns, tt.columns/2)
			var out, errs io.Writer = new(bytes.Buffer), new(bytes.Buffer)
			if tt.terminals&stdout != 0 {
				out = terminal
			}
			if tt.terminals&stderr != 0 {
				errs = terminal
			}

			got := output.Detect(out, errs, func(name string) string { return tt.env[name] }, tt.format, tt.noColor)

			require.Equal(t, tt.want.Stdout, got.Stdout, "stdout")
			require.Equal(t, tt.want.Bars, got.Bars, "bars")
			require.Equal(t, tt.want.Color, got.Color, "colours")
			require.Equal(t, tt.want.Width, got.Width, "width")
		})
	}
}

// show calls f with a Reporter on its own terminal. It returns the screen and all bytes written
// to it.
func show(t *testing.T, env map[string]string, f func(*output.Reporter), updates ...milvuswait.Update) (screen vt10x.Terminal, raw string) {
	t.Helper()
	master, terminal := openTerminal(t, 80, 24)
	screen = vt10x.New(vt10x.WithSize(80, 24))
	var written bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.MultiWriter(screen, &written), master)
	}()
	c := output.Config{Stdout: terminal, Stderr: terminal, Format: output.Text}
	c.Terminal = output.Detect(terminal, terminal, func(name string) string { return env[name] }, c.Format, false)
	f(told(c, updates))
	require.NoError(t, terminal.Close()) // ends the reading of the output
	<-read
	return screen, written.String()
}

func lines(screen vt10x.Terminal) []string {
	lines := strings.Split(screen.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \x00")
	}
	return lines
}

func TestTheEndStaysOnTheTerminal(t *testing.T) {
	updates := []milvuswait.Update{final(loading("docs", 100), nil), final(indexing("images", "clip", 9, 9), nil)}

	screen, raw := show(t, nil, func(r *output.Reporter) { r.Finish(reportOf(0, nil, updates...)) }, updates...)

	require.Equal(t, []string{
		"docs         [=================]  100%  loaded",
		"images/clip  [=================]  100%  indexed   9/9 rows",
		"2 of 2 done in 1.5s",
		"",
	}, lines(screen)[:4])
	require.Contains(t, raw, "\x1b[32mloaded\x1b[0m")
	require.NotContains(t, raw, "\x1b[?25l", "the cursor is never hidden")
	require.Equal(t, 3, screen.Cursor().Y)
	require.Zero(t, screen.Cursor().X)
}

func TestAFailureStandsBelowTheBars(t *testing.T) {
	updates := []milvuswait.Update{final(loading("docs", 40), failed("no memory"))}

	screen, raw := show(t, map[string]string{"NO_COLOR": "1"}, func(r *output.Reporter) { r.Finish(reportOf(1, errSome, updates...)) }, updates...)

	require.Equal(t, []string{
		"docs  [=====>           ]   40%  failed",
		"0 of 1 done in 1.5s",
		"milvus-wait: no memory (code 65535)",
		"",
	}, lines(screen)[:4])
	require.NotContains(t, raw, "\x1b[3", "no colours")
}

func TestResultsInAPipeDoNotWaitForTheBars(t *testing.T) {
	master, terminal := openTerminal(t, 80, 24)
	go func() { _, _ = io.Copy(io.Discard, master) }()
	var stdout bytes.Buffer
	c := output.Config{Stdout: &stdout, Stderr: terminal, Format: output.Text}
	c.Terminal = output.Detect(&stdout, terminal, func(string) string { return "" }, c.Format, false)
	require.True(t, c.Terminal.Bars)
	r := output.New(c, []milvuswait.Target{milvuswait.Loading("docs"), milvuswait.Loading("images")})
	docs, images := final(loading("docs", 100), nil), final(loading("images", 100), nil)

	r.Observer().Observe(docs)
	require.Equal(t, "docs: loaded (0s, 1 poll)\n", stdout.String())

	r.Observer().Observe(images)
	r.Finish(reportOf(0, nil, docs, images))
	require.Equal(t, "docs: loaded (0s, 1 poll)\nimages: loaded (0s, 1 poll)\n", stdout.String())
}

// TestBars_ProcessContinues_StartBelow has a shell write below the bars while the process is
// stopped. The next frame leaves its lines in place.
func TestBars_ProcessContinues_StartBelow(t *testing.T) {
	const typed = "\r\n[1]+  Stopped\r\n$ fg\r\n"
	screen, _ := watched(t, func(terminal *os.File, frame func()) {
		frame()
		_, err := terminal.WriteString(typed)
		require.NoError(t, err)
		require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGCONT))
		frame()
	})

	require.Equal(t, []string{
		"docs  [=====>           ]   40%  loading",
		"",
		"[1]+  Stopped",
		"$ fg",
		"docs  [=====>           ]   40%  loading",
		"",
	}, lines(screen)[:6])
}

// TestBars_NarrowerTerminal_ReplaceWrappedLines makes the terminal half as wide: a terminal
// that wraps has two rows for each line of the last frame.
func TestBars_NarrowerTerminal_ReplaceWrappedLines(t *testing.T) {
	_, raw := watched(t, func(terminal *os.File, frame func()) {
		frame()
		require.NoError(t, pty.Setsize(terminal, &pty.Winsize{Cols: 30, Rows: 24}))
		frame()
	})

	require.Equal(t, 1, strings.Count(raw, "\r\x1b[2A"), "the narrower frame, once")
	require.NotContains(t, raw, "\x1b[3A")
}

// watched calls f with a terminal that shows the bar of a load. frame waits for the next frame.
func watched(t *testing.T, f func(terminal *os.File, frame func())) (screen vt10x.Terminal, raw string) {
	t.Helper()
	master, terminal := openTerminal(t, 80, 24)
	screen = vt10x.New(vt10x.WithSize(80, 24))
	var written bytes.Buffer
	read, frames := make(chan struct{}), make(frameCounter, 1000)
	go func() {
		defer close(read)
		_, _ = io.Copy(io.MultiWriter(screen, &written, frames), master)
	}()

	c := output.Config{Stdout: terminal, Stderr: terminal, Format: output.Text}
	c.Terminal = output.Detect(terminal, terminal, func(string) string { return "" }, c.Format, true)
	r := told(c, []milvuswait.Update{loading("docs", 40)})
	f(terminal, func() {
		for len(frames) > 0 {
			<-frames
		}
		for range 2 { // the first one may have begun before
			select {
			case <-frames:
			case <-time.After(10 * time.Second):
				require.Fail(t, "no frame was drawn")
			}
		}
	})

	r.Close()
	require.NoError(t, terminal.Close())
	<-read
	return screen, written.String()
}

// frameCounter is a writer of frames. It holds a value for each frame, as far as there is room.
type frameCounter chan struct{}

func (c frameCounter) Write(b []byte) (int, error) {
	for range bytes.Count(b, []byte("\x1b[J")) {
		select {
		case c <- struct{}{}:
		default:
		}
	}
	return len(b), nil
}

func TestAPanicLeavesTheTerminalInOrder(t *testing.T) {
	screen, raw := show(t, nil, func(r *output.Reporter) {
		require.Panics(t, func() {
			defer r.Close()
			panic("of an observer")
		})
	}, loading("docs", 40))

	require.Equal(t, []string{"docs  [=====>           ]   40%  loading", ""}, lines(screen)[:2])
	require.NotContains(t, raw, "\x1b[?25l")
	require.Equal(t, 1, screen.Cursor().Y)
	require.Zero(t, screen.Cursor().X)
	require.True(t, screen.CursorVisible())
}
