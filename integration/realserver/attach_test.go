package realserver

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseURI(t *testing.T) {
	tests := []struct {
		uri, want string
		secure    bool
	}{
		{"http://127.0.0.1:19530", "127.0.0.1:19530", false},
		{"tcp://milvus:1234", "milvus:1234", false},
		{"localhost", "localhost:19530", false},
		{"[::1]:1234", "[::1]:1234", false},
		{"http://[::1]", "[::1]:19530", false},
		{"https://cloud.example", "cloud.example:443", true},
		{"https://cloud.example:19530", "cloud.example:19530", true},
		{"https://user:password@cloud.example", "", false},
		{"unix:///run/milvus", "", false},
		{"http://", "", false},
		{"http://a b", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.uri, func(t *testing.T) {
			got, secure, err := parseURI(tt.uri)
			require.Equal(t, tt.want == "", err != nil, "%v", err)
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.secure, secure)
		})
	}
}
