package cli

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// methodError is an error with the name of its RPC, as package rpc returns it.
type methodError struct{ method string }

func (e methodError) Error() string  { return e.method + ": unavailable" }
func (e methodError) Method() string { return e.method }

func TestMethodOf(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"an error of a call", fmt.Errorf("poll: %w", methodError{"DescribeIndex"}), "DescribeIndex"},
		{"the last error of a wait", &milvuswait.Error{Cause: milvuswait.ErrUnreachable, LastErr: methodError{"GetLoadingProgress"}}, "GetLoadingProgress"},
		{"an error in a response", fmt.Errorf("poll: %w", &milvuswait.ServerError{Method: "GetLoadState"}), "GetLoadState"},
		{"another error", errors.New("DescribeIndex: later"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, methodOf(tt.err))
		})
	}
}
