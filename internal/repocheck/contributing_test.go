package repocheck_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestContributing_EveryNightlyStep_IsListed requires the table of steps in CONTRIBUTING.md to
// have the steps of .ci/nightly, in the same order.
func TestContributing_EveryNightlyStep_IsListed(t *testing.T) {
	script, err := os.ReadFile(".ci/nightly")
	require.NoError(t, err)
	var steps []string
	for _, step := range regexp.MustCompile(`(?m)^step (.*)$`).FindAllStringSubmatch(string(script), -1) {
		steps = append(steps, step[1])
	}
	require.NotEmpty(t, steps)

	page, err := os.ReadFile("CONTRIBUTING.md")
	require.NoError(t, err)
	table := regexp.MustCompile("(?m)^\\| step of `.ci/nightly` .*\n\\|[-|]+\n((?:\\|.*\n)+)").FindStringSubmatch(string(page))
	require.NotNil(t, table)
	var listed []string
	for _, row := range regexp.MustCompile(`(?m)^\| (.*?) \|`).FindAllStringSubmatch(table[1], -1) {
		listed = append(listed, row[1])
	}
	require.Equal(t, steps, listed)
}
