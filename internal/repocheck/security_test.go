package repocheck_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSecurity_EveryPromise_HasATest requires every promise of SECURITY.md to name a test, and
// every named test to exist.
func TestSecurity_EveryPromise_HasATest(t *testing.T) {
	page, err := os.ReadFile("SECURITY.md")
	require.NoError(t, err)

	promises := regexp.MustCompile(`(?m)^\| \*\*(.*?)\*\*.*\| (.*) \|$`).FindAllStringSubmatch(string(page), -1)
	require.Greater(t, len(promises), 5)
	require.Len(t, promises, strings.Count(string(page), "\n| **"))

	for _, promise := range promises {
		tests := regexp.MustCompile(`\[(Test\w+|\w+\.txtar)\]\(([^)]+)\)`).FindAllStringSubmatch(promise[2], -1)
		require.NotEmpty(t, tests, promise[1])
		require.Len(t, tests, strings.Count(promise[2], "]("), promise[1])
		for _, test := range tests {
			if strings.HasPrefix(test[1], "Test") {
				require.True(t, declares(t, test[2], test[1]), test[0])
			} else {
				require.FileExists(t, test[2])
			}
		}
	}
}
