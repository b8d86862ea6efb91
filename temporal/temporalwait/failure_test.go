package temporalwait

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// through returns err after encoding and decoding, as a client of Temporal receives it.
func through(t *testing.T, err error) error {
	t.Helper()
	c := temporal.GetDefaultFailureConverter()
	b, marshalErr := c.ErrorToFailure(err).Marshal()
	require.NoError(t, marshalErr)
	failure := c.ErrorToFailure(err)
	require.NoError(t, failure.Unmarshal(b))
	return c.FailureToError(failure)
}

// waited returns the outcome of a wait for docs that ends with err, after a poll at 40 %.
func waited(t *testing.T, err error) milvuswait.Outcome {
	t.Helper()
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.WithError(fake.WithDelay(fake.Percents(40), time.Millisecond), err))
	outcomes, waitErr := milvuswait.WaitAll(t.Context(), p, []milvuswait.Target{milvuswait.Loading("docs")})
	require.Error(t, waitErr)
	return outcomes[0]
}

func TestRestore_EverySentinel(t *testing.T) {
	reported := &milvuswait.ServerError{Code: 101, LegacyCode: 1, Reason: "out of memory", Retriable: true, Method: "GetLoadingProgress"}
	for _, tt := range types {
		t.Run(tt.name, func(t *testing.T) {
			local := &milvuswait.Error{
				Target: milvuswait.Loading("docs"), Last: milvuswait.LoadingProgress{Percent: 40}, Polls: 7, Elapsed: 1500 * time.Millisecond,
				Cause: errors.Join(tt.err, reported), LastErr: errors.New("a transient failure"),
			}
			o := newOutcome("eu", milvuswait.Outcome{Target: local.Target, Progress: local.Last, Err: local, Polls: 7, Elapsed: local.Elapsed}, time.Minute)

			err := through(t, applicationError(o, []Outcome{o}))

			var application *temporal.ApplicationError
			require.ErrorAs(t, err, &application)
			require.Equal(t, tt.name, application.Type())
			require.Equal(t, !tt.retry, application.NonRetryable())
			require.NotErrorIs(t, err, tt.err, "that is what Restore is for")
			restored := Restore(err)
			for _, other := range types {
				require.Equal(t, other.err == tt.err, errors.Is(restored, other.err), other.name)
			}
			var again *milvuswait.Error
			require.ErrorAs(t, restored, &again)
			require.Equal(t, local.Target, again.Target)
			require.Equal(t, local.Last, again.Last)
			require.Equal(t, 7, again.Polls)
			require.Equal(t, time.Minute+local.Elapsed, again.Elapsed, "since the first attempt")
			require.EqualError(t, again.LastErr, "a transient failure")
			var server *milvuswait.ServerError
			require.ErrorAs(t, restored, &server)
			require.Equal(t, reported, server)
			require.ErrorAs(t, restored, &application, "Temporal's own is found too")
		})
	}
}

func TestRestore_Texts_StayTheSame(t *testing.T) {
	for _, err := range []error{
		milvuswait.ErrNotLoaded,
		milvuswait.Permanent(&milvuswait.ServerError{Code: 1401, Reason: "no privilege", Method: "GetLoadingProgress"}),
		milvuswait.Permanent(errors.New("two\nlines")),
	} {
		o := waited(t, err)
		restored := Restore(through(t, applicationError(newOutcome("", o, 0), nil)))

		require.EqualError(t, restored, o.Err.Error())
	}
}

// A custom workflow may wrap the error of its activity, or return the result of Restore.
func TestRestore_ErrorsOfWorkflows(t *testing.T) {
	o := newOutcome("", waited(t, milvuswait.ErrCollectionNotFound), 0)
	err := through(t, applicationError(o, nil))
	for name, returned := range map[string]error{
		"wrapped":           fmt.Errorf("waiting: %w", err),
		"restored":          Restore(err),
		"wrapped restored":  fmt.Errorf("waiting: %w", Restore(err)),
		"joined with other": errors.Join(errors.New("other"), err),
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, Restore(returned), milvuswait.ErrCollectionNotFound)
			if name != "joined with other" { // Temporal keeps only the text of a joined error
				require.ErrorIs(t, Restore(through(t, returned)), milvuswait.ErrCollectionNotFound)
			}
		})
	}
}

func TestFailure_LongTexts_AreCut(t *testing.T) {
	require.Equal(t, "short", cut("short", 100))
	require.Equal(t, "ab…", cut("abcdefgh", 5))
	require.Equal(t, "ä…", cut("ääääääää", 5))
	require.Equal(t, "<…", cut("<<<<", 12), "which takes six bytes of JSON")
	require.Equal(t, "\xff…", cut("\xff\xff\xff\xff", 12))
	require.Equal(t, "…", cut("abcdefgh", 3))
}

func TestApplicationError_PermanentWithoutSentinel_IsNotRetried(t *testing.T) {
	o := newOutcome("", waited(t, milvuswait.Permanent(errors.New("no privilege"))), 0)

	require.Equal(t, TypePermanent, o.Error.Type)
	require.False(t, o.Error.retryable())
	require.True(t, lasts(o.Error))
}

func TestRestore_LastError_IsNotTheCause(t *testing.T) {
	e := &milvuswait.Error{Target: milvuswait.Loading("docs"), Cause: context.DeadlineExceeded, LastErr: milvuswait.ErrNotLoaded}

	f := newFailure(e)

	require.Equal(t, "context.DeadlineExceeded", f.Type)
	require.Equal(t, "milvuswait.ErrNotLoaded", f.LastError.Type)
	require.ErrorIs(t, Outcome{Target: Target{Kind: milvuswait.KindLoading, Collection: "docs"}, Error: f}.Err(), milvuswait.ErrNotLoaded)
}

func TestRefusal_HasTheTypeOfInvalid(t *testing.T) {
	_, err := milvuswait.WaitAll(t.Context(), new(fake.Poller), []milvuswait.Target{{}})

	restored := Restore(through(t, refusal(err)))

	require.ErrorIs(t, restored, milvuswait.ErrInvalid)
	require.EqualError(t, restored, err.Error())
	var application *temporal.ApplicationError
	require.ErrorAs(t, restored, &application)
	require.True(t, application.NonRetryable())
}

func TestRestore_TimeoutsAndCancellations(t *testing.T) {
	one := Heartbeat{Total: 1, Latest: &Outcome{Target: On("", milvuswait.Loading("docs"))[0], Progress: Progress{milvuswait.LoadingProgress{Percent: 40}}, Polls: 9}}
	many := Heartbeat{Total: 100, Done: 60, Failed: 1, Latest: one.Latest}
	tests := []struct {
		name string
		err  error
		is   error
		text string
		last milvuswait.Progress
	}{
		{"start to close, one target", temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_START_TO_CLOSE, nil, one), context.DeadlineExceeded,
			`milvuswait: loading "docs": context deadline exceeded (9 polls in 0s, last 40%)`, milvuswait.LoadingProgress{Percent: 40}},
		{"schedule to close after a failure", temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, applicationError(newOutcome("", waited(t, milvuswait.ErrNotLoaded), 0), nil)),
			context.DeadlineExceeded, "milvuswait: context deadline exceeded", nil},
		{"many targets", temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_START_TO_CLOSE, nil, many), context.DeadlineExceeded,
			"milvuswait: context deadline exceeded (60 of 100 targets done, 1 failed)", nil},
		{"no heartbeat", temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_START_TO_CLOSE, nil), context.DeadlineExceeded, "milvuswait: context deadline exceeded", nil},
		{"cancelled", temporal.NewCanceledError(many), context.Canceled, "milvuswait: context canceled (60 of 100 targets done, 1 failed)", nil},
		{"cancelled with a Result", temporal.NewCanceledError(Result{Total: 3, Done: 1}), context.Canceled, "milvuswait: context canceled", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Restore(through(t, tt.err))

			require.ErrorIs(t, err, tt.is)
			require.EqualError(t, err, tt.text)
			require.NotErrorIs(t, err, milvuswait.ErrNotLoaded)
			var e *milvuswait.Error
			require.Equal(t, tt.last != nil, errors.As(err, &e))
			if tt.last != nil {
				require.Equal(t, tt.last, e.Last)
			}
		})
	}
}

func TestRestore_OtherErrors_AreUnchanged(t *testing.T) {
	for _, err := range []error{
		nil,
		errors.New("something else"),
		temporal.NewApplicationError("a foreign error", "Other", Outcome{}),
		temporal.NewApplicationError("a foreign error", "Other"),
		temporal.NewApplicationError("a foreign error", "Other", 7),
		temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_HEARTBEAT, nil),
	} {
		require.Equal(t, err, Restore(err))
	}
}
