package repocheck_test

import (
	"log"
	"os"
	"testing"
)

// TestMain runs all tests in the root of the repository, so that every path in them
// is relative to the root.
func TestMain(m *testing.M) {
	if err := os.Chdir("../.."); err != nil {
		log.Fatal(err)
	}
	os.Exit(m.Run())
}
