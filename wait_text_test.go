package milvuswait_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

func TestErrors_NameTheTime(t *testing.T) {
	tests := []struct {
		name string
		load func(at time.Duration) (int64, error)
		opt  milvuswait.Option
		want string
	}{
		{"stalled", func(at time.Duration) (int64, error) {
			if at < 10*time.Second {
				return 40, nil
			}
			return 50, nil
		}, milvuswait.WithStallTimeout(30 * time.Second), "stalled: no change for 30s (41 polls in 40s, last 50%)"},
		{"unreachable", func(at time.Duration) (int64, error) {
			if at < 10*time.Second {
				return 40, nil
			}
			return 0, errBlip
		}, milvuswait.WithUnreachableAfter(30 * time.Second),
			"server unreachable: no poll has succeeded for 30s (41 polls in 40s, last 40%, last error: connection refused)"},
		{"given up by the server", func(at time.Duration) (int64, error) {
			switch {
			case at < 10*time.Second:
				return 40, nil
			case at < 610*time.Second:
				return 50, nil
			}
			return 0, milvuswait.ErrNotLoaded
		}, milvuswait.WithSettle(0), "load failed: the server gave up after 10m0s without progress: not loaded (612 polls in 10m10s, last 50%)"},
		{"given up by the server while it was out of reach", func(at time.Duration) (int64, error) {
			switch {
			case at < 10*time.Second:
				return 40, nil
			case at < 640*time.Second:
				return 50, nil
			case at < 650*time.Second:
				return 0, errBlip
			}
			return 0, milvuswait.ErrNotLoaded
		}, milvuswait.WithSettle(0), "load failed: the server gave up after 10m30s without progress: not loaded (652 polls in 10m50s, last 50%)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &probe{load: func(_ int, at time.Duration) (p milvuswait.LoadingProgress, err error) {
					p.Percent, err = tt.load(at)
					return p, err
				}}

				_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", every(time.Second), tt.opt)

				require.EqualError(t, err, `milvuswait: loading "docs": `+tt.want)
			})
		})
	}
}

// failedAtLength returns the error of a poll with a reason of 7 MiB from the server.
func failedAtLength(sentinel error) error {
	said := &milvuswait.ServerError{Code: 65535, Reason: strings.Repeat("reason ", 1<<20), Method: "GetLoadingProgress"}
	return milvuswait.Permanent(fmt.Errorf("%w: %w", sentinel, said))
}

// TestError_LongReason_KeepsProgressAndHint shows that a long reason is cut where it stands:
// the text behind it, such as the last progress and the hint, remains.
func TestError_LongReason_KeepsProgressAndHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(n int, _ time.Duration) error {
			if n < 3 {
				return nil
			}
			return failedAtLength(milvuswait.ErrLoadFailed)
		})

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", constant(time.Second))

		require.Regexp(t, `^milvuswait: loading "docs": load failed: GetLoadingProgress: reason .* \(cut\) \(code 65535\) \(3 polls in 2s, last 40%\)$`, err.Error())
		require.Less(t, len(err.Error()), 1400)

		late := milvuswait.Error{
			Target: milvuswait.IndexBuilding("docs", "").ExpectRows(10), Cause: milvuswait.ErrStalled, Polls: 3, Elapsed: time.Second,
			Last: rows(0, 0, finished), LastErr: failedAtLength(milvuswait.ErrLoadFailed),
		}
		require.Regexp(t, `last error: load failed: .* \(code 65535\)\); 0 of 10 rows are flushed: was Flush called\?$`, late.Error())
	})
}

// TestLongReasonsLeaveTheOtherTargets joins the errors of 20 targets with long reasons. The
// first ten are listed, each with its reason cut.
func TestLongReasonsLeaveTheOtherTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(int, time.Duration) error { return failedAtLength(milvuswait.ErrLoadFailed) })

		_, err := milvuswait.WaitAll(t.Context(), p, collections(20), milvuswait.WithContinueOnError())

		text := err.Error()
		require.Regexp(t, `^milvuswait: 20 of 20 targets failed: loading "c0": load failed: .*; loading "c9": load failed: .*; and 10 more$`, text)
		require.Equal(t, 10, strings.Count(text, "(cut) (code 65535) (1 poll in 0s)"))
		require.Less(t, len(text), 64<<10)
	})
}

// TestLongNamesLeaveTheOtherTargets is the same with names of 1 MiB. Each part of a joined
// error is cut, not only its reason.
func TestLongNamesLeaveTheOtherTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		targets := collections(12)
		for i := range targets {
			targets[i] = milvuswait.Loading(fmt.Sprintf("c%d%s", i, strings.Repeat("x", 1<<20)))
		}
		p := failing(func(int, time.Duration) error { return failedAtLength(milvuswait.ErrLoadFailed) })

		_, err := milvuswait.WaitAll(t.Context(), p, targets, milvuswait.WithContinueOnError())

		require.Less(t, len(err.Error()), 64<<10)
		require.Contains(t, err.Error(), `; loading "c9xxx`)
	})
}

// TestWaitAllErrorIsBounded fails 20 000 targets. The text lists ten of them, and errors.As
// and Unwrap reach all.
func TestWaitAllErrorIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := milvuswait.PollerFuncs{
			Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
				return milvuswait.LoadingProgress{}, milvuswait.Permanent(&milvuswait.ServerError{Code: 1401, Reason: strings.Repeat("x", 10_000)})
			},
		}

		_, err := milvuswait.WaitAll(t.Context(), p, collections(20_000), milvuswait.WithContinueOnError())

		require.ErrorContains(t, err, "milvuswait: 20000 of 20000 targets failed: loading")
		require.ErrorContains(t, err, "; and 19990 more")
		require.Less(t, len(err.Error()), 64<<10)
		joined, ok := err.(interface{ Unwrap() []error })
		require.True(t, ok)
		require.Equal(t, 20_000, len(joined.Unwrap()))
		var said *milvuswait.ServerError
		require.ErrorAs(t, err, &said)
	})
}

// hostile contains control, direction and invisible characters, and escape sequences. A
// terminal or a log would interpret them instead of showing them.
var hostile = func() string {
	var b strings.Builder
	for r := rune(1); r < 0xa0; r++ {
		if r < ' ' || r > '~' {
			b.WriteRune(r)
		}
	}
	for _, r := range []rune{0x061c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0xfeff, 0xe0041} {
		b.WriteRune(r)
	}
	return b.String() + "\x1b[2J\x1b]0;title\x07\u009b31m\r\nforged: loaded"
}()

// requireLines asserts that text is valid UTF-8 with n line breaks, and that it has no other
// control or invisible character.
func requireLines(t *testing.T, n int, text string) {
	t.Helper()
	require.True(t, utf8.ValidString(text), "%q", text)
	require.Equal(t, n, strings.Count(text, "\n"), "%q", text)
	for _, r := range text {
		require.False(t, r != '\n' && (unicode.Is(unicode.C, r) || r == 0x2028 || r == 0x2029), "%U in %q", r, text)
	}
}

// TestTexts_HostileInput_DoNotControlTheTerminal checks every text of the library: errors,
// targets, progress, updates and logs. The names, the errors of the Poller and the cause
// of the context are hostile.
func TestTexts_HostileInput_DoNotControlTheTerminal(t *testing.T) {
	load := milvuswait.Loading("docs"+hostile, "p"+hostile, "q")
	index := milvuswait.IndexBuilding("docs"+hostile, "i"+hostile)
	said := &milvuswait.ServerError{Code: 5, Reason: hostile + "\xff\x00", Method: "GetLoadingProgress"}
	plain := errors.New(hostile + "\xff\x00")
	results := map[string]error{
		"tolerated, and then too long": plain, "of the server": said, "permanent": milvuswait.Permanent(plain),
		"permanent, of the server": milvuswait.Permanent(fmt.Errorf("%w: %w", milvuswait.ErrLoadFailed, said)),
		"not found":                fmt.Errorf("%w: %w", milvuswait.ErrCollectionNotFound, plain),
	}

	for name, result := range results {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := milvuswait.PollerFuncs{
					Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
						return milvuswait.LoadingProgress{}, result
					},
					IndexBuilding: func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
						return milvuswait.IndexBuildingProgress{State: milvuswait.IndexStateFailed, FailReason: hostile, IndexName: hostile}, nil
					},
				}

				ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Minute, plain)
				defer cancel()

				var texts []string
				see := milvuswait.ObserverFunc(func(u milvuswait.Update) {
					texts = append(texts, u.Target.String(), fmt.Sprint(u.Progress), fmt.Sprint(u.Err))
				})

				var asText, asJSON bytes.Buffer

				outcomes, err := milvuswait.WaitAll(ctx, p, []milvuswait.Target{load, index}, milvuswait.WithContinueOnError(), milvuswait.WithObserver(
					milvuswait.Observers(see, milvuswait.Log(slog.New(slog.NewTextHandler(&asText, nil))), milvuswait.Log(slog.New(slog.NewJSONHandler(&asJSON, nil))))))

				require.Error(t, err)
				texts = append(texts, err.Error(), fmt.Sprintf("%v %+v %s %q", err, err, err, err))

				for _, o := range outcomes {
					require.Error(t, o.Err)
					texts = append(texts, fmt.Sprintf("%v %+v", o, o), fmt.Sprintf("%v %+v %#v", o.Target, o.Progress, o.Progress))
					var failure *milvuswait.Error
					require.ErrorAs(t, o.Err, &failure)
					texts = append(texts, fmt.Sprintf("%v %+v", *failure, *failure), fmt.Sprint(failure.Cause), fmt.Sprint(failure.LastErr))
				}

				require.Contains(t, strings.Join(texts, ""), "forged: loaded", "the texts have what was said in them")
				for _, text := range texts {
					requireLines(t, 0, text)
				}

				require.NotEmpty(t, asText.String())
				requireLines(t, strings.Count(asText.String(), ` msg="milvuswait: `), asText.String())

				// JSON keeps names unchanged, so that programs can compare them.
				for line := range strings.Lines(asJSON.String()) {
					var event struct{ Msg, Collection, Err string }
					require.NoError(t, json.Unmarshal([]byte(line), &event))
					require.Contains(t, event.Msg, "milvuswait: ")
					require.Equal(t, "docs"+hostile, event.Collection)
					requireLines(t, 0, event.Err)
				}
			})
		})
	}
}

func TestInvalidArguments_DoNotActOnTerminal(t *testing.T) {
	for _, target := range []milvuswait.Target{
		milvuswait.Loading(hostile + "\xff"), milvuswait.Loading("docs", hostile+"\x00"), milvuswait.IndexBuilding("docs", hostile+"\xff"),
		milvuswait.Loading(hostile).ExpectRows(1),
	} {
		_, err := milvuswait.WaitAll(t.Context(), milvuswait.PollerFuncs{}, []milvuswait.Target{target})

		require.ErrorIs(t, err, milvuswait.ErrInvalid)
		requireLines(t, 0, err.Error())
	}
}
