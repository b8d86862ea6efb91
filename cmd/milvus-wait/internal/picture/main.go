// Picture runs milvus-wait demo --fail in a shell on a terminal, and draws two screens as
// SVG: one during the wait and one at the end.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: picture FILE.svg: run milvus-wait demo --fail on a terminal and draw its screen")
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := take(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func take(file string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()

	dir, err := os.MkdirTemp("", "picture")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	if err := build(ctx, dir); err != nil {
		return err
	}
	screens, err := record(ctx, dir)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(draw(screens)), 0o644)
}
