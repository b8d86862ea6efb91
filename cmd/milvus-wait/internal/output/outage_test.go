package output_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
)

// retried returns an update at the time elapsed whose poll failed with err.
func retried(collection string, elapsed time.Duration, err error) milvuswait.Update {
	u := loading(collection, 40)
	u.Elapsed, u.Next, u.Err = elapsed, time.Second, err
	return u
}

func TestLines_Outage_ShowReasonAndTimes(t *testing.T) {
	refusal := failed("no permission")
	limits := output.Limits{Unreachable: 5 * time.Minute, Grace: 3 * time.Minute, IsRefusal: func(err error) bool { return err == refusal }}
	away := failed("cannot connect to http://milvus:19530: dial tcp: connection refused")
	tests := []struct {
		name    string
		timeout time.Duration // from the last update; 0 for none
		err     error
		want    string
	}{
		{"server away", 0, away, "retrying, 1m5s so far, gives up in 3m55s: " + away.Error()},
		{"the timeout ends first", time.Minute, away, "retrying, 1m5s so far, gives up in 1m0s: " + away.Error()},
		{"a missing target within the grace", 0, milvuswait.ErrNotLoaded, "retrying, 1m5s so far, gives up in 1m55s: not loaded"},
		{"a refusal", 0, refusal, "retrying, 1m5s so far: no permission (code 65535)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := output.Config{Limits: limits}
				if tt.timeout > 0 {
					c.Limits.End = time.Now().Add(tt.timeout)
				}

				lines := draw(c, 160, 24, retried("docs", 0, tt.err), retried("docs", 65*time.Second, tt.err))

				require.Len(t, lines, 2)
				require.Regexp(t, `^docs .* 40%  retrying$`, lines[0])
				require.Equal(t, tt.want, lines[1])
			})
		})
	}
}

func TestLines_OutageOnAnyWidth_FitsTheScreen(t *testing.T) {
	err := failed("cannot connect to http://milvus.default.svc.cluster.local:19530: dial tcp: connection refused")
	for _, width := range []int{40, 80, 200} {
		lines := draw(output.Config{Limits: output.Limits{Unreachable: 5 * time.Minute}}, width, 24,
			retried("docs", 65*time.Second, err), retried("images", 65*time.Second, err))

		note := strings.Join(lines[3:], " ")
		require.Contains(t, note, "docs and 1 more: retrying, 1m5s so far, gives up in 3m55s: cannot connect")
		require.Contains(t, note, "connection refused")
		for _, line := range lines {
			require.LessOrEqual(t, runewidth.StringWidth(line), width)
		}
	}
}

func TestLines_OutageOfOnePoll_HaveNoNote(t *testing.T) {
	ok := loading("docs", 40)
	ok.Next = time.Second

	require.Len(t, draw(output.Config{}, 80, 24, ok, retried("docs", 1100*time.Millisecond, errSome)), 1)
}

// TestPlain_Outage_IsWrittenEvery30Seconds has two targets with the same reason.
func TestPlain_Outage_IsWrittenEvery30Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stderr strings.Builder
		c := output.Config{Format: output.Text, Stdout: &stderr, Stderr: &stderr, Limits: output.Limits{Unreachable: 5 * time.Minute}}
		r := output.New(c, []milvuswait.Target{milvuswait.Loading("docs"), milvuswait.Loading("images")})

		for second := range 40 {
			elapsed := time.Duration(second) * time.Second
			r.Observer().Observe(retried("docs", elapsed, errSome))
			r.Observer().Observe(retried("images", elapsed, errSome))
			time.Sleep(time.Second)
		}

		require.Equal(t, `docs: loading 40%: poll 1 failed, going on, gives up in 5m0s: some error
docs: loading 40%: poll 1 failed, going on, 30s so far, gives up in 4m30s: some error
`, stderr.String())
	})
}
