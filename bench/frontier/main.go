// Frontier replays the progress of loads and index builds from internal/traces in this
// library's real loop, in virtual time. It replays them at the pace of this library, at fixed
// intervals, and at the schedules of other clients and libraries. It writes the lateness of
// the waits against their number of polls. Run it in the folder bench:
//
//	go run ./frontier
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/milvuswait/milvuswait/internal/traces"
)

// seeds is the number of draws that are pooled: the figures of one draw are off by up to 10 %.
const seeds = 3

func main() {
	flags := flag.NewFlagSet("frontier", flag.ExitOnError)
	n := flags.Int("n", 100, "traces of each family and seed")
	seed := flags.Uint64("seed", 1, "first of the three seeds of the traces")
	out := flags.String("o", "results", "`folder` for frontier.md, frontier.png and frontier.svg; - prints the tables and draws nothing")
	flags.Parse(os.Args[1:])
	command := strings.TrimSpace("go run ./frontier " + strings.Join(os.Args[1:], " "))

	// synctest needs a test, and a test reads flags of its own from os.Args.
	os.Args = os.Args[:1]
	all := func(string, string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "frontier", F: func(t *testing.T) {
		if err := run(t, *n, *seed, *out, command); err != nil {
			t.Fatal(err)
		}
	}}}, nil, nil)
}

// run replays all sets of traces and writes the report.
func run(t *testing.T, n int, seed uint64, out, command string) error {
	r := report{sets: sets(n, seed)}
	for _, s := range r.sets {
		s.measure(t)
	}
	r.head = fmt.Sprintf("`%s`, %s, %s", command, time.Now().Format(time.DateOnly), runtime.Version())

	if out == "-" {
		fmt.Print(r.tables())
		return nil
	}
	if err := os.WriteFile(filepath.Join(out, "frontier.md"), []byte(r.tables()), 0o644); err != nil {
		return err
	}
	return r.draw(filepath.Join(out, "frontier"))
}

// sets returns the sets of traces. The first one is the main set.
func sets(n int, seed uint64) []*set {
	families, further := &set{paces: append(ours(), peers()...)}, &set{paces: few()}
	for i := range uint64(seeds) {
		families.traces = append(families.traces, traces.Draw(n, seed+i)...)
		further.traces = append(further.traces, traces.DrawFurther(n, seed+i)...)
	}
	recorded := &set{paces: few(), traces: traces.Later(traces.Recorded(), n, seed)}

	families.title = "The 21 families"
	families.text = fmt.Sprintf(`%d waits at each pace: synthetic progress of loads and index builds, %d of each of 21 families, from 50 ms to 30 min
long. The constants of the pace were chosen on other draws of these families.`, len(families.traces), seeds*n)

	further.title = "Further families"
	further.text = fmt.Sprintf(`%d waits at each pace: %d of each of eight further families, which follow measurements on real servers and public
reports. Long waits are rarer than among the 21.`, len(further.traces), seeds*n)

	recorded.title = "Real traces"
	recorded.text = fmt.Sprintf(`%d waits at each pace: 57 index builds and loads of a real Milvus server 2.3.5, recorded every 20 ms, that took from
3 s to 65 s, half of them less than 7 s. Each is replayed %d times; each replay begins at a random time within the first
second of the recording.`, len(recorded.traces), n)

	const short = `The promise costs this library polls
in short waits: at 2 %, 50 in the first 5 s and about 120 in 20 s. Long waits save more polls than these. A fixed interval
that is tuned to shorter durations is less late, but the durations must be known in advance.`
	further.worse, recorded.worse = short, short
	return []*set{families, further, recorded}
}
