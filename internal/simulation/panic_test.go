package simulation_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/internal/simulation"
)

// TestPanics_NameTheirSeed runs seeds that end the process, each in a process of its own.
func TestPanics_NameTheirSeed(t *testing.T) {
	const (
		seed = 4711
		env  = "SIMULATION_PANICS"
	)
	panics := map[string]func(){
		"a panic":                  func() { panic("boom") },
		"a bubble that is stuck":   func() { select {} },
		"a goroutine that is left": func() { go func() { select {} }() },
	}

	if panics[os.Getenv(env)] != nil {
		play(t, simulation.Draw(seed), func(*simulation.Scenario) (simulation.Log, error) {
			panics[os.Getenv(env)]()
			return nil, nil
		})
		return
	}

	for name := range panics {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPanics_NameTheirSeed$", "-test.timeout=1m")
			again.Env = append(os.Environ(), env+"="+name)
			out, err := again.CombinedOutput()
			require.Error(t, err)
			require.Contains(t, string(out), "-run TestSeeds -seed 4711")
		})
	}
}
