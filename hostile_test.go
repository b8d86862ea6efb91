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

// hostile has every character that a terminal, a log or whoever reads it could take
// for something else than text.
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

// requireLines fails unless text is so many lines of nothing but text.
func requireLines(t *testing.T, n int, text string) {
	t.Helper()
	require.True(t, utf8.ValidString(text), "%q", text)
	require.Equal(t, n, strings.Count(text, "\n"), "%q", text)
	for _, r := range text {
		require.False(t, r != '\n' && (unicode.Is(unicode.C, r) || r == 0x2028 || r == 0x2029), "%U in %q", r, text)
	}
}

// TestNothingThatIsTextActsOnATerminal looks at all that the library has a text of,
// for targets with such names and Pollers that say such things.
func TestNothingThatIsTextActsOnATerminal(t *testing.T) {
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
				// In JSON names are as the caller gave them: they are for programs to compare.
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

func TestArgumentsThatAreRefusedDoNotActOnATerminal(t *testing.T) {
	for _, target := range []milvuswait.Target{
		milvuswait.Loading(hostile + "\xff"), milvuswait.Loading("docs", hostile+"\x00"), milvuswait.IndexBuilding("docs", hostile+"\xff"),
		milvuswait.Loading(hostile).ExpectRows(1),
	} {
		_, err := milvuswait.WaitAll(t.Context(), milvuswait.PollerFuncs{}, []milvuswait.Target{target})

		require.ErrorIs(t, err, milvuswait.ErrInvalid)
		requireLines(t, 0, err.Error())
	}
}
