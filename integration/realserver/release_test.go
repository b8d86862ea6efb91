package realserver

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseRelease(t *testing.T) {
	tests := map[string]Release{
		"2.3.5":      Milvus23,
		"2.2.9":      Milvus229,
		"lite-3.1.1": Lite311,
		"":           {},
		"2.3":        {},
		"lite-":      {},
		"v2.3.5":     {},
		" 2.3.5":     {},
		"2.3.5==1":   {},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := ParseRelease(text)
			require.Equal(t, want == Release{}, err != nil, "%v", err)
			require.Equal(t, want, got)
		})
	}
}
