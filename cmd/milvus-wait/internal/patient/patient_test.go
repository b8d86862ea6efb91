package patient_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/patient"
)

// slow is a writer with a delay for each write.
type slow struct {
	each    time.Duration
	written string
	err     error
}

func (s *slow) Write(b []byte) (int, error) {
	time.Sleep(s.each)
	s.written += string(b)
	return len(b), s.err
}

var errCause = errors.New("the cause")

func TestAWriteTakesItsTimeBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &slow{each: time.Hour}
		w := patient.NewWriter(t.Context(), to)

		n, err := w.Write([]byte("late"))

		require.NoError(t, err)
		require.Equal(t, 4, n)
		require.Equal(t, "late", to.written)
		require.NoError(t, w.Err())
	})
}

func TestEveryWriteHasItsGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		to := &slow{each: patient.Grace - time.Millisecond}
		w := patient.NewWriter(t.Context(), to)
		w.Until(ctx)

		for range 100 {
			_, err := w.Write([]byte("x"))
			require.NoError(t, err)
		}

		require.Len(t, to.written, 100)
	})
}

func TestAWriterGivesUpOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errCause)
		defer cancel()
		in, out := io.Pipe()
		defer func() { require.NoError(t, in.Close()) }() // ends the rest of the write
		w, start := patient.NewWriter(ctx, out), time.Now()

		for range 100 {
			_, err := w.Write([]byte("x"))

			require.EqualError(t, err, "it has no reader: the cause")
			require.ErrorIs(t, err, errCause)
			require.Equal(t, time.Second+patient.Grace, time.Since(start))
		}
		require.ErrorIs(t, w.Err(), errCause)
	})
}

func TestTheFirstErrorIsKept(t *testing.T) {
	to := &slow{err: io.ErrShortWrite}
	w := patient.NewWriter(t.Context(), to)

	_, err := w.Write([]byte("x"))
	require.ErrorIs(t, err, io.ErrShortWrite)

	to.err = nil
	_, err = w.Write([]byte("y"))
	require.NoError(t, err)
	require.ErrorIs(t, w.Err(), io.ErrShortWrite)
	require.Equal(t, "xy", to.written)
}

func TestDo_ReturnsErrorOfCall(t *testing.T) {
	require.NoError(t, patient.Do(func() error { return nil }))
	require.ErrorIs(t, patient.Do(func() error { return errCause }), errCause)
}

func TestDo_CallHangs_GivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		start := time.Now()

		err := patient.Do(func() error { <-ended; return nil })

		require.EqualError(t, err, "it takes longer than 2s")
		require.Equal(t, patient.Grace, time.Since(start))
		close(ended)
	})
}
