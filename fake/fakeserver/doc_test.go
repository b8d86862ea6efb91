package fakeserver

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDoc_ListsEveryServedRPC(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)

	_, list, _ := strings.Cut(string(text), "// These RPCs are served:\n//\n")
	list, _, _ = strings.Cut(list, "\n//\n")

	require.Equal(t, slices.Sorted(maps.Keys(methods(nil))), regexp.MustCompile(`\w+`).FindAllString(list, -1))
}
