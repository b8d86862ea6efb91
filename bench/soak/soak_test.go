package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain also runs this program as the server.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == serveCommand {
		if err := serve(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestSoak(t *testing.T) {
	var out bytes.Buffer

	err := soakFor(t.Context(), &out, 5, 100, 3*time.Second)

	require.NoError(t, err, "%s", &out)
	require.Contains(t, out.String(), "nothing is left behind")
}

// The server of this run plays another scenario than the checks expect.
func TestSoak_FalseServer_IsDetected(t *testing.T) {
	var out bytes.Buffer
	r := newRun(&out, 5, 100, 3*time.Second)
	other := newScenario(5, 100, r.plan.length)
	for i := range other.subjects {
		for j := range other.subjects[i].history {
			other.subjects[i].history[j].until += 500 * time.Millisecond
		}
	}
	r.scenario = other

	wrong, err := r.do(t.Context())

	require.NoError(t, err)
	require.NotEmpty(t, wrong, "%s", &out)
}

func TestRun_HangingWait_Ends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		late, end := errors.New("late"), time.Now().Add(time.Hour)

		require.NoError(t, returns(ctx, func() error { return nil }))
		require.Equal(t, late, returns(ctx, func() error {
			time.Sleep(time.Until(end.Add(hangs / 2)))
			return late
		}))
		require.ErrorContains(t, returns(ctx, func() error {
			time.Sleep(2 * hangs)
			return nil
		}), "did not return")
		time.Sleep(hangs) // wait for the end of this goroutine
	})
}

func TestRun_InvalidFlags_AreRefused(t *testing.T) {
	require.Error(t, soakFor(t.Context(), new(bytes.Buffer), 1, 0, time.Second))
	require.Error(t, soakFor(t.Context(), new(bytes.Buffer), 1, 1, 0))
}
