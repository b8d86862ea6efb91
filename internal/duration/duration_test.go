package duration_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/internal/duration"
)

func TestRound(t *testing.T) {
	tests := []struct {
		in   time.Duration
		want string
	}{
		{0, "0s"},
		{999, "999ns"},
		{123_456 * time.Nanosecond, "123.46µs"},
		{1_234_567 * time.Nanosecond, "1.23ms"},
		{987_654 * time.Microsecond, "987.65ms"},
		{1_234 * time.Millisecond, "1.23s"},
		{59_999 * time.Millisecond, "1m0s"},
		{61_600 * time.Millisecond, "1m2s"},
		{3*time.Hour + 1_499*time.Millisecond, "3h0m1s"},
	}

	for _, tt := range tests {
		t.Run(tt.in.String(), func(t *testing.T) {
			require.Equal(t, tt.want, duration.Round(tt.in).String())
		})
	}
}
