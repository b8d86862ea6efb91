package realserver

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseURI(t *testing.T) {
	tests := []struct{ uri, want string }{
		{"http://127.0.0.1:19530", "127.0.0.1:19530"},
		{"tcp://milvus:1234", "milvus:1234"},
		{"localhost", "localhost:19530"},
		{"[::1]:1234", "[::1]:1234"},
		{"http://[::1]", "[::1]:19530"},
		{"https://cloud.example:443", ""},
		{"http://", ""},
		{"http://a b", ""},
	}
	for _, tt := range tests {
		t.Run(tt.uri, func(t *testing.T) {
			got, err := parseURI(tt.uri)
			require.Equal(t, tt.want == "", err != nil, "%v", err)
			require.Equal(t, tt.want, got)
		})
	}
}
