// Frontier replays synthetic progress of loads and index builds, those of
// internal/traces, on this library's real loop in virtual time, at its own pace
// and at that of other clients and libraries, and writes how late waits return
// against how often they poll. Run it in the folder bench:
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
	"testing/synctest"
	"time"

	"github.com/milvuswait/milvuswait/internal/traces"
)

func main() {
	flags := flag.NewFlagSet("frontier", flag.ExitOnError)
	n := flags.Int("n", 100, "traces of each family")
	seed := flags.Uint64("seed", 1, "of the traces")
	out := flags.String("o", "results", "the `folder` for frontier.md, frontier.png and frontier.svg; - prints the table and draws nothing")
	flags.Parse(os.Args[1:])
	command := strings.TrimSpace("go run ./frontier " + strings.Join(os.Args[1:], " "))

	// A bubble of virtual time wants a test, and a test the flags of none.
	os.Args = os.Args[:1]
	all := func(string, string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "frontier", F: func(t *testing.T) {
		if err := run(t, *n, *seed, *out, command); err != nil {
			t.Fatal(err)
		}
	}}}, nil, nil)
}

// run replays all traces at every pace.
func run(t *testing.T, n int, seed uint64, out, command string) error {
	drawn := traces.Draw(n, seed)
	paces := append(ours(), peers()...)
	results := make([][]traces.Wait, len(paces))
	t.Run("replay", func(t *testing.T) {
		for i, p := range paces {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					for j := range drawn {
						w, err := traces.Replay(&drawn[j], uint64(j), p.opts...)
						if err != nil {
							t.Fatalf("%s, trace %d: %v", drawn[j].Family, j, err)
						}
						results[i] = append(results[i], w)
					}
				})
			})
		}
	})
	if t.Failed() {
		return nil
	}
	r := report{
		paces: paces, results: results,
		head: fmt.Sprintf("`%s`, %s, %s", command, time.Now().Format(time.DateOnly), runtime.Version()),
	}
	if out == "-" {
		fmt.Print(r.table())
		return nil
	}
	if err := os.WriteFile(filepath.Join(out, "frontier.md"), []byte(r.table()), 0o644); err != nil {
		return err
	}
	return r.draw(filepath.Join(out, "frontier"))
}
